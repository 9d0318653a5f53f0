"""A bus line for the grid city: along the first row of junctions from west to east, two trips."""

from __future__ import annotations

from civicbrain.city.model import City
from civicbrain.city.transit.assembly import place_xy
from civicbrain.city.transit.buses import BusPosition
from civicbrain.city.transit.timetable import BusStop, Pattern, Timetable, make_trip

TRIP, LATER = "bus 1/a", "bus-1-b"
START_S, LEG_S = 5.0, 20.0


def grid_timetable(city: City) -> Timetable:
    """Stops 20 m into each street of the row; LEG_S from one to the next."""
    rows = city.network.edges.row
    edges = [f"E{i}_1-{i + 1}_1" for i in range(20) if f"E{i}_1-{i + 1}_1" in rows]
    stops = {}
    for edge in edges:
        x_m, y_m = place_xy(city.network, edge, 20.0)
        stops[f"stop {edge}"] = BusStop(f"stop {edge}", edge, edge, 20.0, x_m, y_m)
    pattern = Pattern("1/1", "1", tuple(edges), tuple(stops), tuple(range(len(edges))))
    trips = {}
    for name, start_s in ((TRIP, START_S), (LATER, START_S + 900.0)):
        calls = [(start_s + LEG_S * n, start_s + LEG_S * n) for n in range(len(edges))]
        trips[name] = make_trip(name, pattern, calls, (name, "20260105", ""))
    return Timetable({"1": "1"}, stops, {"1/1": pattern}, trips)


def bus_position(city: City, now_s: float) -> BusPosition:
    """The first trip's bus, standing at its first stop: later each second."""
    timetable = city.timetable
    assert timetable is not None
    stop = timetable.stops[timetable.patterns["1/1"].stops[0]]
    return BusPosition("stand-in", TRIP, "bus 7", now_s, stop.x_m, stop.y_m, 0.0, 90.0)
