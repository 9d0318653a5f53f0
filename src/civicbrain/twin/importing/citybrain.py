"""City Brain Challenge folders (roadnet.txt, flow.txt) as SUMO networks and routes.

Ids, lengths, speed limits, lanes, turns and departures are the files'. Ours, where the format is silent:
vehicles are SUMO's passenger cars; junctions without signals have SUMO's right of way; a turn ends on the
lane that suits it (left inside, right outside), on roads too short to change lanes on any lane.

Phases are those of the contest (documentation, "Actions"): north and south turn left (1), go straight (2),
east and west turn left (3), go straight (4), and each approach alone with both (5 to 8, clockwise from
north); right turns always may go. The plan is that of the contest's own fixed-time control, 20 s a phase in
turn, of the phases 1 to 4, which serve every movement once a cycle (the contest's goes on through 5 to 8,
which serve them a second time). Phases that serve nobody at a junction are left out there.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from civicbrain.core.errors import ImportFailedError
from civicbrain.twin.importing.citybrain_files import (
    FLOW,
    NO_ROAD,
    ROADNET,
    Direction,
    Flow,
    RoadNet,
    read_flows,
    read_roadnet,
)
from civicbrain.twin.importing.tools import run_tool

LEFT, STRAIGHT, RIGHT = 0, 1, 2
PLAN_PHASES = 4
PHASE_S = 20.0
SHORT_ROAD_M = 100.0
"""Below this a vehicle may enter any lane: changing two lanes takes drivers some 50 m each."""
UNSIGNALLED = "priority"
"""SUMO's right of way where no signals stand. The format says nothing. Where minor roads carry much traffic
they jam, whatever the signals do; "unregulated" would let vehicles drive through each other."""
_STRAIGHT_AHEAD_RAD = math.radians(45.0)
_BOTH, _LEFTS, _STRAIGHTS = (LEFT, STRAIGHT), (LEFT,), (STRAIGHT,)
PHASES: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((0, 2), _LEFTS), ((0, 2), _STRAIGHTS), ((1, 3), _LEFTS), ((1, 3), _STRAIGHTS),
    ((0,), _BOTH), ((1,), _BOTH), ((2,), _BOTH), ((3,), _BOTH),
)  # fmt: skip
"""(approaches, turns) of each phase; approaches count clockwise from north."""


@dataclass(frozen=True)
class CityBrainSource:
    """What the conversion left in the work folder. more_stages: of each signal the lamps (one a link) of
    its phases beyond the plan. end_s: end of the window."""

    net_file: Path
    route_file: Path
    end_s: float
    more_stages: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Way:
    """A connection from lane to lane, in SUMO's counting. turn: LEFT, STRAIGHT or RIGHT."""

    start: str
    end: str
    from_lane: int
    to_lane: int
    turn: int


def convert_citybrain(folder: Path, work: Path) -> CityBrainSource:
    """Write net.xml and routes into `work`; raises ImportFailedError with file and line."""
    net = read_roadnet(folder / ROADNET)
    flows = read_flows(folder / FLOW, net)
    ways = [way for road in net.roads.values() for way in _ways(net, road)]
    _require_turns(flows, ways, folder / FLOW)
    route_file, net_file = work / "citybrain.rou.xml", work / "citybrain.net.xml"
    route_file.write_bytes(ElementTree.tostring(_routes(flows)))
    programs, more_stages = _programs(net, ways)
    plain = {"nod": _nodes(net), "edg": _edges(net), "con": _connections(net, ways), "tll": programs}
    for name, root in plain.items():
        ElementTree.ElementTree(root).write(work / f"plain.{name}.xml", encoding="utf-8")
    run_tool(
        "netconvert",
        [
            "--node-files", str(work / "plain.nod.xml"), "--edge-files", str(work / "plain.edg.xml"),
            "--connection-files", str(work / "plain.con.xml"), "--tllogic-files", str(work / "plain.tll.xml"),
            "--proj.utm", "true", "--no-turnarounds", "true", "--output-file", str(net_file),
        ],
        place=str(folder / ROADNET), what="netconvert refused the network",
        remedy="check the road and intersection that it names",
    )  # fmt: skip
    return CityBrainSource(net_file, route_file, max(flow.end_s for flow in flows), more_stages)


def _ways(net: RoadNet, road: Direction) -> list[_Way]:
    """The connections at the end of a road."""
    targets = _targets(net, road)
    ways: dict[tuple[int, str, int], _Way] = {}
    for target, turn in targets.items():
        into = net.roads[target]
        lanes = [lane for lane, may in enumerate(road.turns) if may[turn]]
        if road.end not in net.arms:
            # nobody is stranded where no signal counts on the lanes: one without a way takes the next turn
            lanes = [lane for lane in range(road.lanes) if turn in _served(road.turns[lane], targets)]
        for rank, lane in enumerate(lanes):
            suits = {LEFT: rank, STRAIGHT: lane, RIGHT: into.lanes - len(lanes) + rank}[turn]
            suits = min(max(suits, 0), into.lanes - 1)
            for inner in range(into.lanes) if into.length_m < SHORT_ROAD_M else (suits,):
                ways[lane, target, inner] = _Way(
                    road.id, target, road.lanes - 1 - lane, into.lanes - 1 - inner, turn
                )
    return sorted(ways.values(), key=lambda way: (way.from_lane, way.turn, way.to_lane))


def _targets(net: RoadNet, road: Direction) -> dict[str, int]:
    """Road -> turn of what can be entered from a road; turning round is left out."""
    arms = net.arms.get(road.end)
    if arms is not None and road.reverse in arms:
        here = arms.index(road.reverse)
        # clockwise from the approach: the road to its left, straight on, the road to its right
        found = {arms[(here + 1 + turn) % 4]: turn for turn in (LEFT, STRAIGHT, RIGHT)}
        return {name: turn for name, turn in found.items() if name != NO_ROAD}
    leaving = [other for other in net.leaving[road.end] if other.id != road.reverse]
    if len(leaving) == 1:
        return {leaving[0].id: STRAIGHT}
    angle = {other.id: _turn_rad(net, road, other) for other in leaving}
    result = {name: LEFT if rad > 0 else RIGHT for name, rad in angle.items()}
    ahead = min(angle, key=lambda name: abs(angle[name]), default=None)
    if ahead is not None and abs(angle[ahead]) <= _STRAIGHT_AHEAD_RAD:
        result[ahead] = STRAIGHT
    return result


def _heading_rad(net: RoadNet, road: Direction) -> float:
    """Direction of a road, counter-clockwise from east; the plane is good enough for one road."""
    start, end = net.intersections[road.start], net.intersections[road.end]
    east = (end.longitude - start.longitude) * math.cos(math.radians(start.latitude))
    return math.atan2(end.latitude - start.latitude, east)


def _turn_rad(net: RoadNet, road: Direction, onward: Direction) -> float:
    """How far one turns from a road into the next, positive to the left, within ±pi."""
    difference = _heading_rad(net, onward) - _heading_rad(net, road)
    return math.atan2(math.sin(difference), math.cos(difference))


def _served(may: tuple[bool, bool, bool], targets: dict[str, int]) -> set[int]:
    """The turns a lane serves at a junction without signals: its own, else those nearest to them."""
    there = set(targets.values())
    own = {turn for turn in there if may[turn]}
    if own or not there:
        return own
    wanted = [turn for turn in (LEFT, STRAIGHT, RIGHT) if may[turn]] or [STRAIGHT]
    nearest = min(abs(a - b) for a in there for b in wanted)
    return {turn for turn in there if any(abs(turn - b) == nearest for b in wanted)}


def _require_turns(flows: list[Flow], ways: list[_Way], file: Path) -> None:
    """Every turn of every route must be there."""
    joined = {(way.start, way.end) for way in ways}
    for flow in flows:
        for pair in zip(flow.route, flow.route[1:], strict=False):
            if pair not in joined:
                raise ImportFailedError(
                    f"no lane of road {pair[0]} may turn into road {pair[1]}",
                    place=f"{file}, line {flow.line + 2}",
                    remedy=f"correct the route, or the turns of road {pair[0]} in {ROADNET}",
                )


def _nodes(net: RoadNet) -> ElementTree.Element:
    root = ElementTree.Element("nodes")
    for place in net.intersections.values():
        ElementTree.SubElement(
            root, "node", id=place.id, x=repr(place.longitude), y=repr(place.latitude),
            type="traffic_light" if place.signalled else UNSIGNALLED,
        )  # fmt: skip
    return root


def _edges(net: RoadNet) -> ElementTree.Element:
    root = ElementTree.Element("edges")
    for road in net.roads.values():
        ElementTree.SubElement(
            root, "edge", {"id": road.id, "from": road.start, "to": road.end}, numLanes=str(road.lanes),
            speed=repr(road.speed_mps), length=repr(road.length_m), priority="1",
        )  # fmt: skip
    return root


def _connections(net: RoadNet, ways: list[_Way]) -> ElementTree.Element:
    root = ElementTree.Element("connections")
    ends = set(net.roads) - {way.start for way in ways}
    for name in sorted(ends):  # netconvert would guess
        ElementTree.SubElement(root, "connection", {"from": name})
    for way in ways:
        ElementTree.SubElement(root, "connection", _fields(way))
    return root


def _fields(way: _Way) -> dict[str, str]:
    lanes = {"fromLane": str(way.from_lane), "toLane": str(way.to_lane)}
    return {"from": way.start, "to": way.end, **lanes}


def _programs(net: RoadNet, ways: list[_Way]) -> tuple[ElementTree.Element, dict[str, tuple[str, ...]]]:
    """netconvert's programs without switch-overs, and of each signal the phases beyond its plan."""
    root = ElementTree.Element("tlLogics")
    links: dict[str, list[_Way]] = {name: [] for name in net.arms}
    for way in ways:
        if (end := net.roads[way.start].end) in links:
            links[end].append(way)
    more: dict[str, tuple[str, ...]] = {}
    connections: list[ElementTree.Element] = []
    for name, arms in net.arms.items():
        if not links[name]:
            continue
        approach = [arms.index(net.roads[way.start].reverse) for way in links[name]]
        states = []
        for arm_rows, turns in PHASES:
            open_ = [
                way.turn in turns and arm in arm_rows for way, arm in zip(links[name], approach, strict=True)
            ]
            states.append(_lamps(links[name], open_) if any(open_) else "")
        plan = list(dict.fromkeys(filter(None, states[:PLAN_PHASES])))
        if not plan:  # right turns only
            plan = [_lamps(links[name], [False] * len(links[name]))]
        more[name] = tuple(dict.fromkeys(state for state in states if state and state not in plan))
        logic = ElementTree.SubElement(
            root, "tlLogic", id=name, type="static", programID="citybrain", offset="0"
        )
        for state in plan:
            ElementTree.SubElement(logic, "phase", duration=f"{PHASE_S:g}", state=state)
        for row, way in enumerate(links[name]):
            fields = {**_fields(way), "tl": name, "linkIndex": str(row)}
            connections.append(ElementTree.Element("connection", fields))
    root.extend(connections)  # netconvert wants them after the programs
    return root, more


def _lamps(links: list[_Way], open_: list[bool]) -> str:
    """A right turn has 'G' where no other movement may enter its lane, else it yields."""
    entering: dict[tuple[str, int], set[str]] = {}
    for way in links:
        entering.setdefault((way.end, way.to_lane), set()).add(way.start)
    lamps = []
    for way, is_open in zip(links, open_, strict=True):
        alone = len(entering[way.end, way.to_lane]) == 1
        free = "G" if alone else "g"
        lamps.append("G" if is_open else free if way.turn == RIGHT else "r")
    return "".join(lamps)


def _routes(flows: list[Flow]) -> ElementTree.Element:
    """Flows in order of their begin, each with its route."""
    root = ElementTree.Element("routes")
    ElementTree.SubElement(root, "vType", id="car", vClass="passenger")
    for number, flow in sorted(enumerate(flows), key=lambda entry: entry[1].begin_s):
        if flow.begin_s == flow.end_s:
            continue
        element = ElementTree.SubElement(
            root, "flow", id=f"flow{number}", type="car", begin=f"{flow.begin_s:g}", end=f"{flow.end_s:g}",
            period=f"{flow.interval_s:g}", departLane="best", departSpeed="max",
        )  # fmt: skip
        ElementTree.SubElement(element, "route", edges=" ".join(flow.route))
    return root
