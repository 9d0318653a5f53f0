"""A bus line through the sandbox: W to E past the junctions A and B, a trip each headway."""

from __future__ import annotations

from dataclasses import replace

from civicbrain.city.model import City
from civicbrain.city.transit.assembly import place_xy
from civicbrain.city.transit.timetable import BusStop, Pattern, Timetable, make_trip

EDGES = ("WA", "AB", "BE")
STOPS_M = (20.0, 50.0, 250.0)  # along each edge
LEGS_S = (0.0, 40.0, 90.0)  # scheduled after the first departure; no dwell


def line_through(city: City, starts_s: tuple[float, ...] = (100.0,), *, timed: bool = True) -> City:
    """The sandbox city with the timetable."""
    stops = {}
    for edge, at_m in zip(EDGES, STOPS_M, strict=True):
        x_m, y_m = place_xy(city.network, edge, at_m)
        stops[f"stop-{edge}"] = BusStop(f"stop-{edge}", f"Stop {edge}", edge, at_m, x_m, y_m)
    pattern = Pattern("7/1", "7", EDGES, tuple(stops), (0, 1, 2))
    trips = {}
    for number, start_s in enumerate(starts_s, start=1):
        calls = [(start_s + leg_s, start_s + leg_s) for leg_s in LEGS_S]
        name = f"t{number}"
        trips[name] = make_trip(name, pattern, calls, (name, "20260105", ""), timed=timed)
    return replace(city, given_timetable=Timetable({"7": "7"}, stops, {"7/1": pattern}, trips))
