"""The timetable of a SUMO scenario's own buses, for those that are vehicles or trips of class bus.

Stops are the scenario's bus stops. Where its buses never stop (RESCO's Ingolstadt), timing points stand each
`SPACING_M` on the way: places that are passed, not called at. Times that the scenario gives (`until`) are
taken; others are reckoned as an operator would before a line's first day: the way at the limit, turns, the
mean wait at each signal's red under the city's own plan (`city/waits.py`), dwell times, and `SLACK`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from civicbrain.city.network import Network, RoadUse
from civicbrain.city.routing import Router
from civicbrain.city.signals import SignalIndex, SignalJunction
from civicbrain.city.transit.assembly import place_xy
from civicbrain.city.transit.timetable import BusStop, Pattern, Timetable, Trip, make_trip
from civicbrain.city.waits import red_wait_s
from civicbrain.twin.importing.sumo import iterate_xml
from civicbrain.twin.importing.tools import run_tool

SPACING_M = 400.0  # of urban stops: 300 to 500 m (TCQSM 3rd ed., ch. 4)
SLACK = 1.1
BUS_MPS = 85.0 / 3.6  # SUMO's default maximum speed of class bus
_BUS_CLASSES = frozenset({"bus", "coach"})
_NUMBER = re.compile(r"^(?P<line>.+?)(_frequency\d+)?[._:]\d+$")


@dataclass(slots=True)
class _Bus:
    """One bus of the scenario. stops: (stop id or "", lane, position, dwell, until or -1)."""

    id: str
    line: str
    depart_s: float
    edges: tuple[str, ...] = ()
    calls: list[tuple[str, str, float, float, float]] = field(default_factory=list)
    trip: ElementTree.Element | None = None


def derive_timetable(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    net_file: Path,
    files: Iterable[Path],
    work: Path,
) -> Timetable | None:
    """The timetable of the buses in route and additional files; None where there is no bus. Trips without a
    route are given SUMO's own (duarouter). Raises ImportFailedError for files that cannot be read."""
    buses = _read_buses(tuple(files))
    _route(buses, net_file, work)
    rows = network.edges.row
    buses = [bus for bus in buses if len(bus.edges) > 1 and all(edge in rows for edge in bus.edges)]
    if not buses:
        return None
    names = {bus.line for bus in buses}
    clock = _Clock(network, junctions)
    stops: dict[str, BusStop] = {}
    patterns: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Pattern] = {}
    trips: dict[str, Trip] = {}
    for bus in sorted(buses, key=lambda bus: (bus.depart_s, bus.id)):
        back = bus.line.endswith("R") and bus.line[:-1] in names
        line = bus.line[:-1] if back else bus.line
        own = _own_stops(bus, network) or _timing_points(bus.edges, network)
        if len(own) < 2:
            continue
        key = (line, bus.edges, tuple(stop.id for stop, _ in own))
        pattern = patterns.get(key)
        if pattern is None:
            name = f"{line}/{len(patterns) + 1}"
            places = tuple(place for _, place in own)
            pattern = patterns[key] = Pattern(name, line, bus.edges, key[2], places, int(back))
        stops.update((stop.id, stop) for stop, _ in own)
        dwells = {call[0]: (call[3], call[4]) for call in bus.calls}
        calls = clock.calls(bus, own, [dwells.get(stop.id, (0.0, -1.0)) for stop, _ in own])
        trips[bus.id] = make_trip(bus.id, pattern, calls)
    lines = {pattern.line: pattern.line for pattern in patterns.values()}
    return Timetable(lines, stops, {p.id: p for p in patterns.values()}, trips) if trips else None


class _Clock:
    """Scheduled running times over one network."""

    def __init__(self, network: Network, junctions: tuple[SignalJunction, ...]) -> None:
        self._network = network
        router = Router(network, RoadUse.MOTOR | RoadUse.BUS)
        self._edge_s = router.free_time_s()
        turn_s = router.turn_s()
        movements, start = network.movements, SignalIndex(junctions).group_start
        arcs = zip(router.from_edge.tolist(), router.to_edge.tolist(), strict=True)
        self._arc_s = dict(zip(arcs, turn_s.tolist(), strict=True))
        groups: dict[tuple[int, int], list[int]] = {}
        edge = network.lanes.edge
        for row in (movements.group >= 0).nonzero()[0].tolist():
            pair = (int(edge[movements.from_lane[row]]), int(edge[movements.to_lane[row]]))
            groups.setdefault(pair, []).append(row)
        for pair, own in groups.items():
            junction = int(movements.junction[own[0]])
            inside = [int(movements.group[row] - start[junction]) for row in own]
            if pair in self._arc_s:
                self._arc_s[pair] += red_wait_s(junctions[junction], inside)

    def calls(
        self, bus: _Bus, own: Sequence[tuple[BusStop, int]], dwells: Sequence[tuple[float, float]]
    ) -> list[tuple[float, float]]:
        """(arrival, departure) at each stop, whole seconds."""
        rows, lanes = self._network.edges.row, self._network.lanes
        edges = [rows[edge] for edge in bus.edges]
        first = [int(self._network.edges.lane_start[edge]) for edge in edges]
        at_s = [0.0]  # at the beginning of each edge
        for place, (a, b) in enumerate(pairwise(edges)):
            own_s = max(float(self._edge_s[a]), float(lanes.length_m[first[place]]) / BUS_MPS)
            at_s.append(at_s[-1] + own_s + self._arc_s.get((a, b), 0.0))
        result = []
        now_s, driven_s = bus.depart_s, 0.0
        for (stop, place), (dwell_s, until_s) in zip(own, dwells, strict=True):
            length_m = max(1.0, float(lanes.length_m[first[place]]))
            here_s = at_s[place] + float(self._edge_s[edges[place]]) * min(1.0, stop.position_m / length_m)
            arrival_s = now_s + SLACK * max(0.0, here_s - driven_s)
            # what the scenario gives is the timetable, whether the bus can keep it or not
            now_s, driven_s = (until_s if until_s >= 0.0 else arrival_s + dwell_s), here_s
            result.append((float(round(min(arrival_s, now_s))), float(round(now_s))))
        return result


def _read_buses(files: tuple[Path, ...]) -> list[_Bus]:
    """In three passes, so that of a million cars nothing is kept: types and stops, buses, their routes."""
    kinds: set[str] = set()
    places: dict[str, tuple[str, float]] = {}
    for element in _elements(files):
        if element.tag == "vType" and element.get("vClass") in _BUS_CLASSES:
            kinds.add(element.get("id", ""))
        elif element.tag == "busStop":
            position = element.get("endPos") or element.get("startPos") or "0"
            places[element.get("id", "")] = (element.get("lane", ""), _number(position))
    if not kinds:
        return []
    buses: list[_Bus] = []
    wanted: set[str] = set()
    for element in _elements(files):
        if element.tag in ("vehicle", "trip") and element.get("type") in kinds:
            bus = _bus(_kept(element), places)
            buses.append(bus)
            if not bus.edges and bus.trip is not None and bus.trip.get("route"):
                wanted.add(bus.trip.get("route", ""))
    if wanted:
        routes: dict[str, tuple[str, ...]] = {}
        for element in _elements(files):
            if element.tag == "route" and element.get("id") in wanted:
                routes[element.get("id", "")] = tuple((element.get("edges") or "").split())
        for bus in buses:
            if not bus.edges and bus.trip is not None:
                bus.edges = routes.get(bus.trip.get("route", ""), ())
                bus.trip = None if bus.edges else bus.trip
    return buses


def _elements(files: tuple[Path, ...]) -> Iterator[ElementTree.Element]:
    """All elements right below the roots."""
    for file in files:
        for event, element, depth in iterate_xml(file):
            if event == "end" and depth == 1:
                yield element


def _kept(element: ElementTree.Element) -> ElementTree.Element:
    """A copy that lives on when its file's tree is cleared."""
    return ElementTree.fromstring(ElementTree.tostring(element))  # noqa: S314 - our own text


def _bus(element: ElementTree.Element, places: dict[str, tuple[str, float]]) -> _Bus:
    name = element.get("id", "")
    found = _NUMBER.match(name)
    line = element.get("line") or (found["line"] if found else name)
    inner = element.find("route")
    edges = tuple((inner.get("edges") or "").split()) if inner is not None else ()
    bus = _Bus(name, line, _number(element.get("depart")), edges, trip=None if edges else element)
    for stop in element.iter("stop"):
        stop_id = stop.get("busStop", "")
        if stop_id in places:
            until = stop.get("until")
            bus.calls.append(
                (stop_id, *places[stop_id], _number(stop.get("duration")),
                 -1.0 if until is None else _number(until))
            )  # fmt: skip
    return bus


def _route(buses: list[_Bus], net_file: Path, work: Path) -> None:
    """SUMO's own routes for the trips that have none: those that it will drive in an empty network."""
    trips = [bus for bus in buses if bus.trip is not None]
    if not trips:
        return
    root = ElementTree.Element("routes")
    ElementTree.SubElement(root, "vType", id="bus", vClass="bus")
    for bus in sorted(trips, key=lambda bus: bus.depart_s):
        assert bus.trip is not None
        given = {key: bus.trip.get(key, "") for key in ("from", "to", "via") if bus.trip.get(key)}
        if "from" in given and "to" in given:
            ElementTree.SubElement(
                root, "trip", {"id": bus.id, "type": "bus", "depart": f"{bus.depart_s:g}", **given}
            )
    source, target = work / "bus-trips.xml", work / "bus-routes.xml"
    source.write_bytes(ElementTree.tostring(root))
    run_tool(
        "duarouter",
        ["--net-file", str(net_file), "--route-files", str(source), "--output-file", str(target),
         "--ignore-errors", "true", "--no-warnings", "true", "--no-step-log", "true",
         "--xml-validation", "never"],
        place=str(net_file), what="SUMO finds no ways for the buses", remedy="correct the bus trips",
    )  # fmt: skip
    found = {}
    for event, element, depth in iterate_xml(target):
        if event == "end" and depth == 1 and element.tag == "vehicle":
            route = element.find("route")
            if route is not None:
                found[element.get("id", "")] = tuple((route.get("edges") or "").split())
    for bus in trips:
        bus.edges = found.get(bus.id, ())


def _own_stops(bus: _Bus, network: Network) -> list[tuple[BusStop, int]]:
    """The bus's stops with the place of each on its way, in order; those off the way are left out."""
    result: list[tuple[BusStop, int]] = []
    place = 0
    for stop_id, lane, position_m, _, _ in bus.calls:
        row = network.lanes.row.get(lane)
        edge = network.edges.ids[int(network.lanes.edge[row])] if row is not None else ""
        if edge in bus.edges[place:]:
            place = bus.edges.index(edge, place)
            x_m, y_m = place_xy(network, edge, position_m)
            result.append((BusStop(stop_id, stop_id, edge, position_m, x_m, y_m), place))
    return result


def _timing_points(edges: tuple[str, ...], network: Network) -> list[tuple[BusStop, int]]:
    """Where a bus that never stops is timed: at its start, then behind junctions each SPACING_M, and at the
    end. The same edge gives the same point in every pattern."""
    lane_start, lanes = network.edges.lane_start, network.lanes
    result: list[tuple[BusStop, int]] = []
    since_m = SPACING_M
    for place, edge in enumerate(edges):
        length_m = float(lanes.length_m[lane_start[network.edges.row[edge]]])
        last = place == len(edges) - 1
        if (since_m >= SPACING_M and length_m >= 25.0) or last or place == 0:
            position_m = round(max(1.0, length_m - 5.0) if last else min(20.0, 0.5 * length_m), 1)
            x_m, y_m = place_xy(network, edge, position_m)
            name = network.edges.names[network.edges.row[edge]] or edge
            mark = f"timing:{edge}:end" if last else f"timing:{edge}"
            result.append((BusStop(mark, name, edge, position_m, x_m, y_m), place))
            since_m = 0.0
        since_m += length_m
    return result


def _number(text: str | None) -> float:
    """Seconds; 0 for what is no number (depart="triggered")."""
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0
