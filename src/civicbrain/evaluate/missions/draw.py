"""Missions for a study: drawn with a seed, the same for every control.

From an ambulance or fire station where the city knows any, else from any street, to an address on another
street, by the quickest free way at the vehicle's speed; at least `LEAST_SIGNALS` signals on it, so that there
is something to win. Set out one after the other, evenly over the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from civicbrain.city.missions import Mission, MissionKind, Urgency
from civicbrain.city.model import City
from civicbrain.city.places import PlaceKind
from civicbrain.city.routing import Router, Way
from civicbrain.core.errors import StudyError

LEAST_SIGNALS = 4
WARM_UP_S, LAST_S = 600.0, 600.0
"""Nobody sets out in an empty network, or too late to arrive."""

SIGNAL_S = 8.0
"""What a signal costs in the choice of the route: between its wait in a corridor and at a plan's red."""

_TRIES = 2000
_STATIONS = (PlaceKind.AMBULANCE_STATION, PlaceKind.FIRE_STATION, PlaceKind.HOSPITAL)
_STREAM = 5


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """missions: how many in the window. source: who reports their positions. speed_factor: see Mission."""

    missions: int = 8
    source: str = "twin"
    speed_factor: float = 1.5


def draw_missions(
    city: City, seed: int, begin_s: float, end_s: float, options: DrawOptions
) -> tuple[Mission, ...]:
    """Missions of one run. Raises StudyError where the city has no ways long enough."""
    router = Router(city.network)
    free_s = router.free_time_s(options.speed_factor)
    rng = np.random.default_rng((seed, _STREAM))
    rows, lanes, start = city.network.edges.row, city.network.lanes, city.network.edges.lane_start
    good = [
        edge
        for edge in np.flatnonzero(np.isfinite(free_s)).tolist()
        if float(lanes.length_m[start[edge]]) >= 20.0
    ]
    stations = [rows[place.edge] for place in city.list_places(*_STATIONS) if place.edge in rows]
    signal_of = _signal_of_arc(city, router)
    signalled = city.network.movements.junction[router.movement] >= 0
    turn_s = router.turn_s() + np.where(signalled, SIGNAL_S, 0.0)
    found: list[Mission] = []
    for _ in range(_TRIES):
        if len(found) == options.missions:
            break
        origin = int(rng.choice(stations or good))
        target = int(rng.choice(good))
        way = router.find_way(origin, target, free_s, turn_s)
        if way is None or _signals(way, signal_of) < LEAST_SIGNALS:
            continue
        found.append(_mission(city, way, len(found), seed, begin_s, end_s, options))
    if len(found) < options.missions:
        raise StudyError(
            f"only {len(found)} of {options.missions} missions pass {LEAST_SIGNALS} signals", place=city.name,
            remedy="ask for fewer, or take a larger city",
        )  # fmt: skip
    return tuple(found)


def _mission(
    city: City, way: Way, number: int, seed: int, begin_s: float, end_s: float, options: DrawOptions
) -> Mission:
    ids = city.network.edges.ids
    first_s = begin_s + min(WARM_UP_S, (end_s - begin_s) / 4.0)
    last_s = max(first_s, end_s - min(LAST_S, (end_s - begin_s) / 4.0))
    due_s = first_s + (last_s - first_s) * number / max(1, options.missions - 1)
    urgency = (Urgency.LIFE, Urgency.URGENT)[number % 2]
    kind = (MissionKind.AMBULANCE, MissionKind.FIRE)[number % 3 == 2]
    return Mission(
        f"m{seed}-{number + 1}", f"{kind} {number + 1}", kind, urgency, ids[way.edges[0]], ids[way.edges[-1]],
        float(round(due_s)), route=tuple(ids[edge] for edge in way.edges), sources=(options.source,),
        speed_factor=options.speed_factor,
    )  # fmt: skip


def _signal_of_arc(city: City, router: Router) -> dict[tuple[int, int], int]:
    """(from edge, to edge) -> junction row, -1 where there is no signal."""
    junction = city.network.movements.junction[router.movement].tolist()
    pairs = zip(router.from_edge.tolist(), router.to_edge.tolist(), strict=True)
    return dict(zip(pairs, junction, strict=True))


def _signals(way: Way, signal_of: dict[tuple[int, int], int]) -> int:
    """Different signal junctions on the way, one after the other."""
    count, last = 0, -1
    for pair in pairwise(way.edges):
        junction = signal_of[pair]
        count += junction >= 0 and junction != last
        last = junction if junction >= 0 else last
    return count
