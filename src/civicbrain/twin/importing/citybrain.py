"""City Brain Challenge folders (roadnet.txt, flow.txt) as SUMO networks and routes.

Ids, lengths, speed limits, lanes, turns and departures are the files'. Where the format is silent, what the
contest's engine does is followed as far as SUMO can (sources, measurements: docs/decisions/nanchang.md):

- Where no signals stand streams do not hold each other up (the organisers: roads there act like tunnels);
  only vehicles that enter the same lane do, first come, first served. Lanes go on as they are: their marks
  speak of the next signal, not of such a place.
- A vehicle enters a road on the lane that it needs at the next signal: a turn leads to every lane.
- Turns are driven at the limit of the road. Vehicles (CAR) keep it, and the
  engine's spacing and acceleration.

Not followed, for the street's sake: right turns at signals give way to the streams they join, and nobody
waits in a heap at the begin of a full road.

Phases are those of the contest (documentation, "Actions"): north and south turn left (1), go straight (2),
east and west turn left (3), go straight (4), and each approach alone with both (5 to 8, clockwise from
north); right turns always may go. The plan is that of the contest's own fixed-time control, 20 s a phase in
turn, of the phases 1 to 4, which serve every movement once a cycle (the contest's goes on through 5 to 8,
which serve them a second time). Phases that serve nobody at a junction are left out there.
"""

from __future__ import annotations

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
from civicbrain.twin.importing.free_passage import pass_freely
from civicbrain.twin.importing.tools import run_tool

LEFT, STRAIGHT, RIGHT = 0, 1, 2
PLAN_PHASES = 4
PHASE_S = 20.0
CAR = {
    "length": "4", "minGap": "1", "tau": "1.5", "accel": "2", "decel": "5",
    "speedFactor": "1", "speedDev": "0",
}  # fmt: skip
"""The contest's vehicles in SUMO's terms: docs/decisions/nanchang.md."""
VISIBILITY_M = "20"
"""From how far vehicles see who else enters their lane where no signals stand: the two seconds at which they
follow each other. With SUMO's 4.5 m they would slow down there."""
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
            "--proj.utm", "true", "--no-turnarounds", "true", "--junctions.limit-turn-speed", "-1",
            "--output-file", str(net_file),
        ],
        place=str(folder / ROADNET), what="netconvert refused the network",
        remedy="check the road and intersection that it names",
    )  # fmt: skip
    pass_freely(net_file, {place.id for place in net.intersections.values() if not place.signalled})
    return CityBrainSource(net_file, route_file, max(flow.end_s for flow in flows), more_stages)


def _ways(net: RoadNet, road: Direction) -> list[_Way]:
    """The connections at the end of a road."""
    if road.end not in net.arms:
        onward = [other for other in net.leaving[road.end] if other.id != road.reverse]
        ways = [_Way(road.id, other.id, *lanes, STRAIGHT) for other in onward for lanes in _kept(road, other)]
    else:
        ways = [
            _Way(road.id, name, road.lanes - 1 - lane, inner, turn)
            for name, turn in _targets(net, road).items()
            for lane, may in enumerate(road.turns)
            if may[turn]
            for inner in range(net.roads[name].lanes)
        ]
    return sorted(ways, key=lambda way: (way.from_lane, way.turn, way.end, way.to_lane))


def _kept(road: Direction, onward: Direction) -> list[tuple[int, int]]:
    """Each lane goes on in its own; where their number differs the last one leads to the rest."""
    lanes = range(max(road.lanes, onward.lanes))
    return [(min(lane, road.lanes - 1), min(lane, onward.lanes - 1)) for lane in lanes]


def _targets(net: RoadNet, road: Direction) -> dict[str, int]:
    """Road -> turn of what can be entered from a road at a signal; turning round is left out."""
    arms = net.arms[road.end]
    here = arms.index(road.reverse)
    # clockwise from the approach: the road to its left, straight on, the road to its right
    found = {arms[(here + 1 + turn) % 4]: turn for turn in (LEFT, STRAIGHT, RIGHT)}
    return {name: turn for name, turn in found.items() if name != NO_ROAD}


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
            type="traffic_light" if place.signalled else "right_before_left",
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
        seen = {} if net.roads[way.start].end in net.arms else {"visibility": VISIBILITY_M}
        ElementTree.SubElement(root, "connection", _fields(way) | seen)
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
    ElementTree.SubElement(root, "vType", attrib={"id": "car", "vClass": "passenger", **CAR})
    for number, flow in sorted(enumerate(flows), key=lambda entry: entry[1].begin_s):
        if flow.begin_s == flow.end_s:
            continue
        element = ElementTree.SubElement(
            root, "flow", id=f"flow{number}", type="car", begin=f"{flow.begin_s:g}", end=f"{flow.end_s:g}",
            period=f"{flow.interval_s:g}", departLane="best", departSpeed="max",
        )  # fmt: skip
        ElementTree.SubElement(element, "route", edges=" ".join(flow.route))
    return root
