"""CityFlow folders (roadnet.json, flow.json) as SUMO networks and routes.

Format: https://cityflow.readthedocs.io/en/latest/roadnet.html and flow.html. CityFlow counts lanes from the
middle of the road outwards, SUMO from the kerb inwards. Ids, lane widths, speeds and ways are kept. CityFlow
has no yellow: `importer.py` gives the program its switch-overs from the derived intergreens.
"""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from civicbrain.city.signals import SignalJunction
from civicbrain.core.errors import ImportFailedError
from civicbrain.twin.importing.plans import plan_phases
from civicbrain.twin.importing.tools import run_tool

ROADNET, FLOW = "roadnet.json", "flow.json"
DEFAULT_END_S = 3600.0
_Decoded = TypeVar("_Decoded")


class Point(msgspec.Struct):
    x: float
    y: float


class LaneLink(msgspec.Struct):
    startLaneIndex: int  # noqa: N815 - CityFlow's names
    endLaneIndex: int  # noqa: N815


class RoadLink(msgspec.Struct):
    startRoad: str  # noqa: N815
    endRoad: str  # noqa: N815
    type: str = "go_straight"
    laneLinks: list[LaneLink] = []  # noqa: N815


class LightPhase(msgspec.Struct):
    time: float
    availableRoadLinks: list[int] = []  # noqa: N815


class TrafficLight(msgspec.Struct):
    lightphases: list[LightPhase] = []


class Intersection(msgspec.Struct):
    id: str
    point: Point
    width: float = 0.0
    roadLinks: list[RoadLink] = []  # noqa: N815
    trafficLight: TrafficLight | None = None  # noqa: N815
    virtual: bool = False


class RoadLane(msgspec.Struct):
    width: float = 3.2
    maxSpeed: float = 13.89  # noqa: N815


class Road(msgspec.Struct):
    id: str
    startIntersection: str  # noqa: N815
    endIntersection: str  # noqa: N815
    points: list[Point]
    lanes: list[RoadLane]


class RoadNet(msgspec.Struct):
    intersections: list[Intersection]
    roads: list[Road]


class Vehicle(msgspec.Struct, frozen=True):
    length: float = 5.0
    width: float = 2.0
    maxPosAcc: float = 2.0  # noqa: N815
    maxNegAcc: float = 4.5  # noqa: N815
    usualPosAcc: float = 2.0  # noqa: N815
    usualNegAcc: float = 4.5  # noqa: N815
    minGap: float = 2.5  # noqa: N815
    maxSpeed: float = 16.67  # noqa: N815
    headwayTime: float = 1.5  # noqa: N815


class Flow(msgspec.Struct):
    vehicle: Vehicle
    route: list[str]
    interval: float = 1.0
    startTime: float = 0.0  # noqa: N815
    endTime: float = -1.0  # noqa: N815


@dataclass(frozen=True)
class CityFlowSource:
    """What the conversion left in the work folder, and the end of the window."""

    net_file: Path
    route_file: Path
    end_s: float


def is_cityflow(folder: Path) -> bool:
    return (folder / ROADNET).is_file() or (folder / FLOW).is_file()


def convert_cityflow(folder: Path, work: Path) -> CityFlowSource:
    """Write net.xml and routes into `work`; raises ImportFailedError with the file and place."""
    net = _load(folder / ROADNET, RoadNet)
    flows = _load(folder / FLOW, list[Flow])
    _check(net, folder / ROADNET)
    if not flows:
        raise ImportFailedError("there is no flow", place=str(folder / FLOW), remedy="add vehicles")
    routes, end_s = _routes(net, flows, folder / FLOW)
    route_file, net_file = work / "cityflow.rou.xml", work / "cityflow.net.xml"
    route_file.write_bytes(ElementTree.tostring(routes))
    for name, root in _plain(net).items():
        ElementTree.ElementTree(root).write(
            work / f"plain.{name}.xml", encoding="utf-8", xml_declaration=True
        )
    run_tool(
        "netconvert",
        [
            "--node-files", str(work / "plain.nod.xml"), "--edge-files", str(work / "plain.edg.xml"),
            "--connection-files", str(work / "plain.con.xml"), "--tllogic-files", str(work / "plain.tll.xml"),
            "--no-turnarounds", "true", "--offset.disable-normalization", "true",
            "--junctions.internal-link-detail", "8", "--output-file", str(net_file),
        ],
        place=str(folder / ROADNET), what="netconvert refused the CityFlow network",
        remedy="check the road and intersection that it names",
    )  # fmt: skip
    return CityFlowSource(net_file, route_file, end_s)


def write_programs(net_file: Path, junctions: tuple[SignalJunction, ...]) -> None:
    """Replace the programs in a packed net.xml by the junctions' local plans with their switch-overs."""
    with gzip.open(net_file, "rb") as stream:
        tree = ElementTree.parse(stream)  # noqa: S314 - netconvert wrote it
    plans = {junction.id: junction for junction in junctions}
    for logic in tree.iter("tlLogic"):
        junction = plans.get(logic.get("id", ""))
        if junction is None:
            continue
        for phase in list(logic):
            logic.remove(phase)
        logic.set("offset", f"{junction.local_plan.offset_s:g}")
        for state, seconds in plan_phases(junction):
            ElementTree.SubElement(logic, "phase", duration=f"{seconds:g}", state=state)
    with gzip.open(net_file, "wb", 6) as stream:
        tree.write(stream, encoding="utf-8", xml_declaration=True)


def _load(file: Path, kind: type[_Decoded]) -> _Decoded:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ImportFailedError(
            f"the CityFlow folder has no {file.name}", place=str(file.parent), remedy=f"put {file.name} there"
        ) from error
    except UnicodeDecodeError as error:
        raise ImportFailedError(
            f"not UTF-8 text at byte {error.start}", place=str(file), remedy="fetch the file again"
        ) from error
    try:
        plain: Any = json.loads(text)
    except json.JSONDecodeError as error:
        offset, size = len(text[: error.pos].encode()), len(text.encode())
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        raise ImportFailedError(
            "the file is cut off" if cut else f"broken JSON: {error.msg}",
            place=f"{file}, line {error.lineno}, column {error.colno} (byte {offset} of {size})",
            remedy="fetch or export the file again",
        ) from error
    except RecursionError as error:
        raise ImportFailedError("nested too deeply", place=str(file), remedy="fetch it again") from error
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        raise ImportFailedError(
            f"not as CityFlow has it: {message}",
            place=f"{file}, {path.strip('`') or '$'}",
            remedy="compare with CityFlow's documentation of the format",
        ) from error


def _check(net: RoadNet, file: Path) -> None:
    def fail(message: str, where: str) -> ImportFailedError:
        return ImportFailedError(
            message, place=f"{file}, {where}", remedy="correct the file or export it again"
        )

    crossings = {crossing.id for crossing in net.intersections}
    roads = {road.id: road for road in net.roads}
    if not roads:
        raise fail("there is no road", "$.roads")
    for road in net.roads:
        for end in (road.startIntersection, road.endIntersection):
            if end not in crossings:
                raise fail(f"unknown intersection {end!r}", f"road {road.id!r}")
        if len(road.points) < 2 or not road.lanes:
            raise fail("a road needs two points and a lane", f"road {road.id!r}")
        if any(lane.width <= 0 or lane.maxSpeed <= 0 for lane in road.lanes):
            raise fail("a lane's width and maxSpeed must be above 0", f"road {road.id!r}")
    for crossing in net.intersections:
        where = f"intersection {crossing.id!r}"
        for link in crossing.roadLinks:
            for name in (link.startRoad, link.endRoad):
                if name not in roads:
                    raise fail(f"unknown road {name!r}", where)
            starts, ends = len(roads[link.startRoad].lanes), len(roads[link.endRoad].lanes)
            for lanes in link.laneLinks:
                if not (0 <= lanes.startLaneIndex < starts and 0 <= lanes.endLaneIndex < ends):
                    raise fail(f"a laneLink from {link.startRoad!r} names a lane that is not there", where)
        for number, phase in enumerate(crossing.trafficLight.lightphases if crossing.trafficLight else ()):
            if phase.time < 0 or any(not 0 <= i < len(crossing.roadLinks) for i in phase.availableRoadLinks):
                raise fail(f"lightphase {number} has a wrong time or roadLink", where)


def _plain(net: RoadNet) -> dict[str, ElementTree.Element]:
    """netconvert's plain XML: nodes, edges, connections, programs."""
    nodes, edges = ElementTree.Element("nodes"), ElementTree.Element("edges")
    connections, programs = ElementTree.Element("connections"), ElementTree.Element("tlLogics")
    lanes_of = {road.id: len(road.lanes) for road in net.roads}
    for crossing in net.intersections:
        ElementTree.SubElement(
            nodes, "node", id=crossing.id, x=f"{crossing.point.x:.3f}", y=f"{crossing.point.y:.3f}",
            type="traffic_light" if _signalled(crossing) else "priority",
        )  # fmt: skip
        _crossing(crossing, lanes_of, connections, programs)
    for road in net.roads:
        edge = ElementTree.SubElement(
            edges, "edge", {"id": road.id, "from": road.startIntersection, "to": road.endIntersection},
            numLanes=str(len(road.lanes)), speed=f"{road.lanes[0].maxSpeed:g}", priority="1",
            shape=" ".join(f"{point.x:.3f},{point.y:.3f}" for point in road.points),
        )  # fmt: skip
        for index, lane in enumerate(reversed(road.lanes)):
            ElementTree.SubElement(
                edge, "lane", index=str(index), speed=f"{lane.maxSpeed:g}", width=f"{lane.width:g}"
            )
    return {"nod": nodes, "edg": edges, "con": connections, "tll": programs}


def _signalled(crossing: Intersection) -> bool:
    light = crossing.trafficLight
    return bool(not crossing.virtual and crossing.roadLinks and light and light.lightphases)


def _crossing(
    crossing: Intersection,
    lanes_of: dict[str, int],
    connections: ElementTree.Element,
    programs: ElementTree.Element,
) -> None:
    """Connections of one intersection and, where it has a light, its program without switch-overs.

    A turn that is open in every phase yields ('g'): it is CityFlow's right turn that nothing holds up.
    """
    phases = crossing.trafficLight.lightphases if crossing.trafficLight else []
    always = set.intersection(*(set(phase.availableRoadLinks) for phase in phases)) if phases else set()
    states: list[list[str]] = [[] for _ in phases]
    link = 0
    for row, road_link in enumerate(crossing.roadLinks):
        ways = [(lanes.startLaneIndex, lanes.endLaneIndex) for lanes in road_link.laneLinks]
        for start, end in dict.fromkeys(ways):
            way = {
                "from": road_link.startRoad, "to": road_link.endRoad,
                "fromLane": str(lanes_of[road_link.startRoad] - 1 - start),
                "toLane": str(lanes_of[road_link.endRoad] - 1 - end),
            }  # fmt: skip
            ElementTree.SubElement(connections, "connection", way)
            if _signalled(crossing):
                ElementTree.SubElement(programs, "connection", way, tl=crossing.id, linkIndex=str(link))
                for state, phase in zip(states, phases, strict=True):
                    open_ = row in phase.availableRoadLinks
                    state.append("r" if not open_ else "g" if row in always else "G")
                link += 1
    if _signalled(crossing):
        logic = ElementTree.Element(
            "tlLogic", id=crossing.id, type="static", programID="cityflow", offset="0"
        )
        for state, phase in zip(states, phases, strict=True):
            ElementTree.SubElement(logic, "phase", duration=f"{phase.time:g}", state="".join(state))
        programs.insert(0, logic)


def _routes(net: RoadNet, flows: list[Flow], file: Path) -> tuple[ElementTree.Element, float]:
    """Vehicle types and vehicles in order of departure, and the end of the window."""
    roads = {road.id for road in net.roads}
    joined = {(link.startRoad, link.endRoad) for crossing in net.intersections for link in crossing.roadLinks}
    end_s = max([DEFAULT_END_S, *(flow.startTime + 1.0 for flow in flows), *(flow.endTime for flow in flows)])
    types: dict[Vehicle, str] = {}
    departures: list[tuple[float, str, str, list[str], bool]] = []
    for number, flow in enumerate(flows):
        where = f"{file}, flow {number}"
        missing = [road for road in flow.route if road not in roads]
        if missing or not flow.route:
            raise ImportFailedError(
                f"unknown road {missing[0]!r} in the route" if missing else "the route is empty",
                place=where, remedy="use roads of roadnet.json",
            )  # fmt: skip
        last_s = end_s if flow.endTime < 0 else flow.endTime
        if flow.interval <= 0 and last_s > flow.startTime:
            raise ImportFailedError("interval must be above 0", place=where, remedy="correct it")
        name = types.setdefault(flow.vehicle, f"cityflow{len(types)}")
        whole = all(pair in joined for pair in zip(flow.route, flow.route[1:], strict=False))
        count = int((last_s - flow.startTime) / flow.interval + 1e-9) + 1 if last_s > flow.startTime else 1
        for k in range(count):
            departures.append(
                (flow.startTime + k * flow.interval, f"flow{number}.{k}", name, flow.route, whole)
            )
    root = ElementTree.Element("routes")
    for vehicle, name in types.items():
        ElementTree.SubElement(
            root, "vType", id=name, length=f"{vehicle.length:g}", width=f"{vehicle.width:g}",
            minGap=f"{vehicle.minGap:g}", accel=f"{vehicle.usualPosAcc:g}", decel=f"{vehicle.usualNegAcc:g}",
            emergencyDecel=f"{max(vehicle.maxNegAcc, vehicle.usualNegAcc):g}",
            maxSpeed=f"{vehicle.maxSpeed:g}", tau=f"{vehicle.headwayTime:g}",
        )  # fmt: skip
    for depart_s, name, kind, route, whole in sorted(departures, key=lambda entry: entry[0]):
        values = {
            "id": name,
            "type": kind,
            "depart": f"{depart_s:g}",
            "departLane": "best",
            "departSpeed": "max",
        }
        if whole:
            vehicle_element = ElementTree.SubElement(root, "vehicle", values)
            ElementTree.SubElement(vehicle_element, "route", edges=" ".join(route))
        else:  # CityFlow fills the gaps between the roads named by shortest ways, so does SUMO for a trip
            ends = {"from": route[0], "to": route[-1], "via": " ".join(route[1:-1])}
            ElementTree.SubElement(root, "trip", {**values, **ends})
    return root, end_s
