"""Bus lines with stops and a timetable, for SUMO and as GTFS (https://gtfs.org/documentation/schedule/)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import dijkstra

from civicbrain.city.network import F64, Bool, Network
from civicbrain.city.places import Place, PlaceKind
from civicbrain.city.transit.layout import Layout, PatternPlace, StopPlace
from civicbrain.twin.generating.grid import Kind
from civicbrain.twin.generating.land import Land
from civicbrain.twin.generating.routing import Graph

JUNCTIONS_A_LINE = 25
STOP_SPACING_M = 380.0
STOP_AT_M, STOP_LENGTH_M = 22.0, 20.0
"""Behind the junction, so that buses do not wait at the stop for a green they have just missed."""
DWELL_S = 20.0
SCHEDULE_FACTOR = 1.3
"""Scheduled running time over planned: what operators add so that most buses keep it."""
FIRST_S, LAST_S = 5.5 * 3600.0, 23.5 * 3600.0
PEAKS_S = ((6.5 * 3600.0, 9.5 * 3600.0), (16.0 * 3600.0, 19.0 * 3600.0))
HEADWAY_PEAK_S, HEADWAY_S = 600.0, 1200.0
_LONGEST_S = 1800.0
_TARGETS = 8
"""Of so many drawn, the farthest is the other end: lines are longer than trips."""
_KIND_FACTOR = {Kind.LOCAL: 20.0, Kind.COLLECTOR: 1.2, Kind.ARTERIAL: 1.0}


@dataclass(frozen=True)
class Run:
    """One direction of a line: its edges, and its stops as (id, departure in s after the run's begin)."""

    id: str
    line: str
    edges: tuple[int, ...]
    stops: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Buses:
    runs: tuple[Run, ...]
    stops: tuple[Place, ...]


def draw_buses(
    network: Network, graph: Graph, kind: F64, land: Land, junctions: int, rng: np.random.Generator
) -> Buses:
    """Lines between homes and centres, there and back, on arterials and collectors."""
    lane = network.edges.lane_start[:-1]
    length_m = network.lanes.length_m[lane].astype(np.float64)
    holds = (length_m >= STOP_AT_M + STOP_LENGTH_M + 15.0) & (kind > Kind.LOCAL) & (land.home > 0.0)
    factor = np.select([kind == k for k in Kind], [_KIND_FACTOR[k] for k in Kind], 1.0)
    matrix = graph.matrix(np.zeros(len(graph.keys)), factor)
    reverse = _reverse(network)
    runs: list[Run] = []
    wanted = max(1, round(junctions / JUNCTIONS_A_LINE))
    for _ in range(12 * wanted):
        if len(runs) >= 2 * wanted:
            break
        home, work = land.home * holds, land.work * holds
        origin = int(rng.choice(graph.size, p=home / home.sum()))
        few = rng.choice(graph.size, size=_TARGETS, p=work / work.sum())
        away_m = np.hypot(*(land.middle_xy[few] - land.middle_xy[origin]).T)
        ends = [origin, int(few[np.argmax(away_m)])]
        back = [reverse.get(end, end) for end in reversed(ends)]
        ways = [_way(matrix, *pair) for pair in (ends, back)]
        line = f"{len(runs) // 2 + 1}"
        pair = [
            _run(network, graph, f"line{line}-{name}", line, way, holds, length_m)
            for name, way in zip(("out", "back"), ways, strict=True)
        ]
        if all(len(run.stops) >= 3 for run in pair):
            runs += pair
    used = dict.fromkeys(stop for run in runs for stop, _ in run.stops)
    return Buses(tuple(runs), tuple(_stop(network, stop) for stop in used))


def _reverse(network: Network) -> dict[int, int]:
    ends = zip(network.edges.from_node.tolist(), network.edges.to_node.tolist(), strict=True)
    by_ends = {pair: row for row, pair in enumerate(ends)}
    return {row: by_ends[b, a] for (a, b), row in by_ends.items() if (b, a) in by_ends}


def _way(matrix: object, origin: int, target: int) -> list[int]:
    """Edges of the quickest way; [] where there is none or it takes too long."""
    time_s, previous = dijkstra(matrix, indices=origin, return_predecessors=True, limit=_LONGEST_S)
    if origin == target or not np.isfinite(time_s[target]):
        return []
    way = [target]
    while way[-1] != origin:
        way.append(int(previous[way[-1]]))
    return way[::-1]


def _run(
    network: Network, graph: Graph, run_id: str, line: str, way: list[int], holds: Bool, length_m: F64
) -> Run:
    stops: list[tuple[str, float]] = []
    since_m, elapsed_s = STOP_SPACING_M, 0.0
    for place, edge in enumerate(way):
        if holds[edge] and (since_m >= STOP_SPACING_M or place == len(way) - 1):
            stops.append((f"stop-{network.edges.ids[edge]}", round(elapsed_s + DWELL_S)))
            since_m, elapsed_s = 0.0, elapsed_s + DWELL_S
        since_m += length_m[edge]
        if place + 1 < len(way):
            arc = np.searchsorted(graph.keys, edge * graph.size + way[place + 1])
            elapsed_s += SCHEDULE_FACTOR * float(graph.time_s[edge] + graph.delay_s[arc])
    return Run(run_id, line, tuple(way), tuple(stops))


def _stop(network: Network, stop: str) -> Place:
    edge = network.edges.row[stop.removeprefix("stop-")]
    lane = int(network.edges.lane_start[edge])
    shape = network.lanes.shape(lane).astype(np.float64)
    share = (STOP_AT_M + STOP_LENGTH_M) / float(network.lanes.length_m[lane])
    x_m, y_m = (shape[0] + share * (shape[-1] - shape[0])).tolist()
    return Place(
        id=stop,
        kind=PlaceKind.BUS_STOP,
        name=f"{network.edges.names[edge]} {network.nodes.ids[network.edges.from_node[edge]]}",
        edge=network.edges.ids[edge],
        lane=network.lanes.ids[lane],
        x_m=round(x_m, 1),
        y_m=round(y_m, 1),
        position_m=STOP_AT_M + STOP_LENGTH_M,
    )


def departures_s(line: int) -> list[float]:
    """Departures of a line from its first stop over the day; lines are staggered by half minutes."""
    result, now_s = [], FIRST_S + (line * 130.0) % HEADWAY_PEAK_S
    while now_s <= LAST_S:
        result.append(now_s)
        peak = any(begin_s <= now_s < end_s for begin_s, end_s in PEAKS_S)
        now_s += HEADWAY_PEAK_S if peak else HEADWAY_S
    return result


def stop_lines(network: Network, buses: Buses) -> Iterator[str]:
    """Stops and routes, for SUMO's additional file."""
    for stop in buses.stops:
        yield (
            f'<busStop id="{stop.id}" lane="{stop.lane}" startPos="{STOP_AT_M:g}" '
            f'endPos="{stop.position_m:g}" name="{stop.name}"/>\n'
        )
    for run in buses.runs:
        edges = " ".join(network.edges.ids[edge] for edge in run.edges)
        yield f'<route id="{run.id}" edges="{edges}"/>\n'


def _trips(buses: Buses) -> list[tuple[float, str, Run]]:
    """(departure, id, run) of the day's trips in the order of departure."""
    return sorted(
        ((second, f"bus-{run.id}-{int(second) // 60:04d}", run)
         for run in buses.runs for second in departures_s(int(run.line))),
        key=lambda trip: trip[:2],
    )  # fmt: skip


def bus_lines(buses: Buses) -> Iterator[str]:
    """The day's buses; none leaves a stop before its time (until)."""
    yield "<routes>\n"
    for depart_s, name, run in _trips(buses):
        yield (
            f'<vehicle id="{name}" type="bus" route="{run.id}" line="{run.line}" depart="{depart_s:.0f}" '
            'departLane="best">\n'
        )
        for stop, after_s in run.stops:
            yield f'<stop busStop="{stop}" duration="{DWELL_S:g}" until="{depart_s + after_s:.0f}"/>\n'
        yield "</vehicle>\n"
    yield "</routes>\n"


def gtfs(network: Network, buses: Buses) -> bytes:
    """The timetable as a GTFS archive; trip ids are the ids of SUMO's vehicles."""
    tables = {
        "agency.txt": ["agency_id,agency_name,agency_url,agency_timezone",
                       "city,City Buses,https://example.org,UTC"],
        "calendar.txt": [("service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
                         "start_date,end_date"),
                         "daily,1,1,1,1,1,1,1,20260101,20301231"],
        "stops.txt": ["stop_id,stop_name,stop_lat,stop_lon", *_stop_rows(network, buses)],
        "routes.txt": ["route_id,agency_id,route_short_name,route_long_name,route_type"],
        "trips.txt": ["route_id,service_id,trip_id,direction_id"],
        "stop_times.txt": ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"],
    }  # fmt: skip
    for line in dict.fromkeys(run.line for run in buses.runs):
        tables["routes.txt"].append(f"line{line},city,{line},Line {line},3")
    for depart_s, name, run in _trips(buses):
        tables["trips.txt"].append(f"line{run.line},daily,{name},{int(run.id.endswith('back'))}")
        for number, (stop, after_s) in enumerate(run.stops, start=1):
            leave_s = depart_s + after_s
            times = f"{_clock(leave_s - DWELL_S)},{_clock(leave_s)}"
            tables["stop_times.txt"].append(f"{name},{times},{stop},{number}")
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for file, rows in tables.items():
            entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))  # no clock: the same bytes each time
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, "\n".join(rows) + "\n")
    return memory.getvalue()


def bus_layout(network: Network, buses: Buses) -> Layout:
    """Where stops and lines of `gtfs` lie on the network."""
    edge_of = {stop.id: stop.edge for stop in buses.stops}
    patterns = []
    for run in buses.runs:
        edges = tuple(network.edges.ids[edge] for edge in run.edges)
        stops = tuple(stop for stop, _ in run.stops)
        places = tuple(edges.index(edge_of[stop]) for stop in stops)
        patterns.append(PatternPlace(f"line{run.line}", stops, edges, places))
    stops_placed = tuple(StopPlace(stop.id, stop.edge, stop.position_m) for stop in buses.stops)
    return Layout(stops=stops_placed, patterns=tuple(patterns))


def _stop_rows(network: Network, buses: Buses) -> Iterator[str]:
    import pyproj

    projection = network.projection
    plane = pyproj.Proj(projection.proj)
    for stop in buses.stops:
        lon, lat = plane(stop.x_m - projection.offset_x_m, stop.y_m - projection.offset_y_m, inverse=True)
        yield f"{stop.id},{stop.name},{lat:.6f},{lon:.6f}"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
