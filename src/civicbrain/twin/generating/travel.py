"""A day of car trips: three purposes, each with its own hours, and the files that SUMO reads.

Hours: from home to work around 08:00, back around 17:30, everything else over the day with an evening rise,
as household surveys find them (Ortúzar & Willumsen 2011, ch. 1 and 3); the figures are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from civicbrain.city.network import F64, Network
from civicbrain.twin.generating import routing
from civicbrain.twin.generating.land import Land, with_outside
from civicbrain.twin.generating.routing import I64, Graph, Pool

DAY_S = 86_400.0
PURPOSES = ("to-work", "home", "other")
DAY_SHARE = (0.27, 0.27, 0.46)
_HOURS = {  # (share, hour, spread in hours) of normal distributions; the rest is even over the day
    "to-work": ((0.97, 8.0, 1.1),),
    "home": ((0.97, 17.5, 1.3),),
    "other": ((0.50, 13.0, 2.8), (0.35, 18.5, 1.8), (0.11, 9.5, 1.3)),
}
MORNING_S, EVENING_S = 8.0 * 3600.0, 17.5 * 3600.0
_MINUTE_S = 60.0

VEHICLES_A_JUNCTION = 17.7
"""Cars under way at the morning peak for each signal junction: 23,000 for 1,300 junctions."""
STREET_FACTOR = 0.92
"""Times on the street over those of the routes' planning, at the default level (benchmarks/generate)."""
POOL_A_JUNCTION = 40
TYPES = (("car", 0.90), ("van", 0.07), ("truck", 0.03))


@dataclass(frozen=True, eq=False)
class Travel:
    """pool: routes of all purposes, those of purpose p are rows bounds[p]:bounds[p + 1]. peak_veh_h: cars
    that set out in the busiest hour. morning, evening: flow of each arc (veh/h) in the hours of the peaks."""

    pool: Pool
    bounds: tuple[int, ...]
    peak_veh_h: float
    morning_veh_h: F64
    evening_veh_h: F64

    @property
    def busiest_veh_h(self) -> F64:
        """Flow of each arc in the peak in which it is fuller."""
        return np.maximum(self.morning_veh_h, self.evening_veh_h)


def minute_shares() -> F64:
    """(3, 1440): share of each purpose's trips that set out in each minute; rows sum to 1."""
    middle_h = (np.arange(DAY_S / _MINUTE_S) + 0.5) / 60.0
    rows = []
    for purpose in PURPOSES:
        row = np.full(len(middle_h), 1.0 - sum(part[0] for part in _HOURS[purpose])) / len(middle_h)
        for share, hour, spread in _HOURS[purpose]:
            bell = np.exp(-0.5 * ((middle_h - hour) / spread) ** 2)
            row = row + share * bell / bell.sum()
        rows.append(row)
    return np.array(rows)


def busiest_share() -> float:
    """Share of the day's trips that set out in its busiest hour."""
    day = np.array(DAY_SHARE) @ minute_shares()
    return float(np.convolve(day, np.ones(60), "valid").max())


def hour_shares(centre_s: float) -> F64:
    """(3,) trips of each purpose in the hour around centre_s, as shares of the trips of the busiest hour."""
    first = int(centre_s / _MINUTE_S) - 30
    hour = minute_shares()[:, first : first + 60].sum(axis=1) * np.array(DAY_SHARE)
    result: F64 = hour / busiest_share()
    return result


def plan_travel(
    graph: Graph,
    land: Land,
    inward: F64,
    outward: F64,
    junctions: int,
    peak_veh_h: float | None,
    load: float,
    rng: np.random.Generator,
) -> Travel:
    """Draw the routes in batches, each under the load of those before it."""
    ends = {
        "to-work": (land.home, land.work),
        "home": (land.work, land.home),
        "other": (land.other, land.other),
    }
    wanted = max(1500, POOL_A_JUNCTION * junctions)
    morning, evening = hour_shares(MORNING_S), hour_shares(EVENING_S)
    parts: dict[str, list[Pool]] = {purpose: [] for purpose in PURPOSES}
    counts = np.zeros((len(PURPOSES), len(graph.keys)))
    drawn = np.zeros(len(PURPOSES))
    level = peak_veh_h
    for batch in range(routing.BATCHES):
        # flows as if what was drawn so far were all; growing with the batches as the streets fill
        filled = min(1.0, (batch + 0.5) / routing.BATCHES + 0.2) if batch else 0.0
        per_trip = counts / np.maximum(drawn, 1.0)[:, None] * (level or 0.0) * filled
        for row, purpose in enumerate(PURPOSES):
            produce, attract = ends[purpose]
            shares = {"to-work": morning, "home": evening, "other": 0.5 * (morning + evening)}[purpose]
            part = routing.draw_batch(
                graph, with_outside(produce, inward), with_outside(attract, outward),
                round(wanted * DAY_SHARE[row] / routing.BATCHES), shares @ per_trip, rng,
            )  # fmt: skip
            parts[purpose].append(part)
            counts[row] += graph.arc_counts(part)
            drawn[row] += len(part)
        if peak_veh_h is None:
            seconds = float(np.mean(np.concatenate([p.time_s for p in parts["to-work"]])))
            level = load * VEHICLES_A_JUNCTION * junctions / (seconds * STREET_FACTOR / 3600.0)
    assert level is not None
    pools = [routing.join_pools(parts[purpose]) for purpose in PURPOSES]
    bounds = tuple(int(n) for n in np.concatenate(([0], np.cumsum([len(pool) for pool in pools]))))
    return _travel(graph, routing.join_pools(pools), bounds, level)


def _travel(graph: Graph, pool: Pool, bounds: tuple[int, ...], level: float) -> Travel:
    """With the flows that follow from the pool."""
    flows = []
    for centre_s in (MORNING_S, EVENING_S):
        # every route of a purpose stands for as many trips as the others
        times = np.repeat(hour_shares(centre_s) / np.maximum(np.diff(bounds), 1), np.diff(bounds)) * level
        flows.append(graph.arc_counts(pool, times))
    return Travel(pool, bounds, level, flows[0], flows[1])


def relieve(travel: Travel, graph: Graph, load: F64, rng: np.random.Generator) -> Travel:
    """Fewer of the routes that use overloaded arcs; others are driven more often instead.

    load: demand of each arc over what its plan allows; a route stays with the chance 1 / load of its worst.
    People choose other places where the way is always jammed; the number of trips stays.
    """
    keep = 1.0 / np.maximum(graph.worst_of(travel.pool, load), 1.0)
    chosen = np.flatnonzero(rng.random(len(keep)) < keep)
    bounds = tuple(int(n) for n in np.searchsorted(chosen, travel.bounds))
    return _travel(graph, travel.pool.take(chosen), bounds, travel.peak_veh_h)


def draw_day(travel: Travel, rng: np.random.Generator) -> tuple[F64, I64, I64]:
    """(departure s, ascending; route row; row in TYPES) of each car of the day."""
    trips = travel.peak_veh_h / busiest_share()
    departs, routes = [], []
    for row, shares in enumerate(minute_shares()):
        count = round(trips * DAY_SHARE[row])
        edges = np.concatenate(([0.0], np.cumsum(shares)))
        grid = np.arange(len(edges)) * _MINUTE_S
        departs.append(np.interp(rng.random(count), edges / edges[-1], grid))
        routes.append(rng.integers(travel.bounds[row], travel.bounds[row + 1], count))
    depart_s, route = np.round(np.concatenate(departs), 1), np.concatenate(routes)
    order = np.argsort(depart_s, kind="stable")
    share = np.cumsum([part for _, part in TYPES])
    kind = np.searchsorted(share / share[-1], rng.random(len(order)), side="right")
    return depart_s[order], route[order], kind


def route_lines(network: Network, pool: Pool) -> Iterator[str]:
    """Vehicle types and routes: of an additional file, so that they are there before any vehicle."""
    yield '<vType id="car" vClass="passenger"/>\n'
    yield '<vType id="van" vClass="delivery" accel="2.2" decel="4.0"/>\n'
    yield '<vType id="truck" vClass="truck" length="9.0" accel="1.3" maxSpeed="25"/>\n'
    yield '<vType id="bus" vClass="bus" personCapacity="85"/>\n'
    ids = network.edges.ids
    for row in range(len(pool)):
        edges = pool.edges[pool.start[row] : pool.start[row + 1]].tolist()
        yield f'<route id="r{row}" edges="{" ".join([ids[edge] for edge in edges])}"/>\n'


def vehicle_lines(depart_s: F64, route: I64, kind: I64) -> Iterator[str]:
    """The day's cars in the order of departure."""
    names = [name for name, _ in TYPES]
    where = 'departLane="best" departPos="random_free" departSpeed="max" arrivalPos="random"'
    yield "<routes>\n"
    for number, (second, row, row_kind) in enumerate(
        zip(depart_s.tolist(), route.tolist(), kind.tolist(), strict=True)
    ):
        what = f'id="v{number}" type="{names[row_kind]}" route="r{row}"'
        yield f'<vehicle {what} depart="{second:.1f}" {where}/>\n'
    yield "</routes>\n"
