"""Which detection is which incident, and the figures that follow.

A detection finds an incident when it is of its family (the road and its signals, wrong-way drivers, sensors),
within `NEAR_M` of its place, and told while it lasts or up to `AFTER_S` later (a wrong-way driver is gone
within a minute). The first counts; further ones of the same family within `NEAR_M`, on the incident's edge or
at its junction, while it lasts, are doubles and are counted as false. All others are false alarms.

What is false has a cause, and is counted as false whatever it is: a double (`AGAIN`), an effect of an
injected incident (`EFFECT`), or neither (`NOTHING`). An effect is something of the road that is told while an
incident of the road or its signals lasts, or up to as long after as it lasted (2 to 10 minutes, while queues
go off), upstream of it along the road within `REACH_M`, and with a queue on every edge between: `QUEUED`
vehicles or more that stand in some frame within `QUEUED_FOR_S`. A road that no camera sees has no queue, for
this.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import hypot
from typing import Any

import numpy as np
from msgspec.structs import replace

from civicbrain.city.incidents import Incident, IncidentKind
from civicbrain.city.model import City
from civicbrain.city.observations import Detections
from civicbrain.twin.incident_views import way_back
from civicbrain.twin.incidents import RoadIncident, Truth

NEAR_M = 50.0
AFTER_S = 30.0
LEAST_S = 30.0
"""An incident that came about too late to last so long is left out."""

AGAIN, EFFECT, NOTHING = "again", "effect", "nothing"
REACH_M, QUEUED, QUEUED_FOR_S = 400.0, 2, 60.0
AFTERMATH_S = (120.0, 600.0)
STANDS_MPS = 1.5

_LONE = (IncidentKind.WRONG_WAY, IncidentKind.SENSOR_FAULT)
_AT_JUNCTION = (IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT, IncidentKind.SENSOR_FAULT)


def family(kind: IncidentKind) -> str:
    """Kinds that are told apart for sure: the road and its signals, and the two that are neither."""
    return kind.value if kind in _LONE else "road"


@dataclass
class Scored:
    """pairs: each incident that came about in view, with its detection or None. false: the others, and the
    cause of each."""

    pairs: list[tuple[Truth, Incident | None]] = field(default_factory=list)
    false: list[Incident] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    unseen: int = 0

    def summary(self) -> str:
        found = [(t, i) for t, i in self.pairs if i is not None]
        delays = [i.detected_s - t.began_s for t, i in found]
        median = float(np.median(delays)) if delays else float("nan")
        right = sum(t.incident.kind is i.kind for t, i in found)
        return (
            f"found {len(found)}/{len(self.pairs)} false {len(self.false)} median {median:.0f}s kind {right}"
        )


class Queues:
    """When vehicles stood on each edge. Call `take` with each frame."""

    def __init__(self, city: City) -> None:
        self._edge = city.network.lanes.edge
        self._at: list[list[float]] = [[] for _ in city.network.edges.ids]

    def take(self, seen: Detections) -> None:
        """Remember who stands on which edge. One entry an edge and frame."""
        rows = (seen.speed_mps < STANDS_MPS) & (seen.distance_m >= 0.0)
        stood = np.bincount(self._edge[seen.lane[rows]], minlength=len(self._at))
        for edge in np.flatnonzero(stood >= QUEUED).tolist():
            self._at[edge].append(seen.end_s)

    def queued(self, edge: int, at_s: float) -> bool:
        """Whether there was a queue in the time before."""
        place = bisect_right(self._at[edge], at_s)
        return place > 0 and at_s - self._at[edge][place - 1] <= QUEUED_FOR_S


def hear(told: dict[str, Incident], news: Sequence[Incident]) -> None:
    """Keep the newest word on each incident. A wrong-way driver drives on: he stays where he was first told,
    which is what was told in time; the next one may be taken for him, and move him elsewhere."""
    for one in news:
        before = told.get(one.id)
        if before is not None and one.kind is IncidentKind.WRONG_WAY:
            one = replace(one, place=before.place)
        told[one.id] = one


def match_run(
    city: City, truths: Sequence[Truth], told: Sequence[Incident], run: Any, near_m: float | None = None,
    queues: Queues | None = None,
) -> Scored:  # fmt: skip
    """Score what was told in one run. near_m: instead of `NEAR_M`. queues: without, no cause is an effect."""
    equipped = equipped_rows(city, run)
    scored = Scored()
    free = sorted(told, key=lambda one: one.detected_s)
    for truth in sorted(truths, key=lambda one: one.began_s):
        if truth.began_s < 0.0:
            continue
        end_s = truth.ended_s if truth.ended_s >= 0.0 else run_end(city, run)
        if end_s - truth.began_s < LEAST_S:
            continue
        places = places_of(city, truth.incident)
        if not in_view(city, truth.incident, equipped):
            scored.unseen += 1
        found = next(
            (i for i in free if _fits(truth, end_s, places, i, NEAR_M if near_m is None else near_m)), None
        )
        if found is not None:
            free.remove(found)
        if found is not None or in_view(city, truth.incident, equipped):
            scored.pairs.append((truth, found))
    scored.false = free
    scored.causes = [_cause(city, truths, one, run, queues) for one in free]
    return scored


def _cause(city: City, truths: Sequence[Truth], told: Incident, run: Any, queues: Queues | None) -> str:
    known = [(t, t.ended_s if t.ended_s >= 0.0 else run_end(city, run)) for t in truths if t.began_s >= 0.0]
    if any(_fits(t, end_s, places_of(city, t.incident), told, NEAR_M) for t, end_s in known):
        return AGAIN
    if queues is None or family(told.kind) != "road":
        return NOTHING
    low_s, high_s = AFTERMATH_S
    road = [
        t
        for t, end_s in known
        if family(t.incident.kind) == "road"
        and t.began_s <= told.detected_s <= end_s + min(max(end_s - t.began_s, low_s), high_s)
    ]
    its = _edges_of(city, told.place.edge, told.place.junction)
    return EFFECT if any(_leads_to(city, its, t, told.detected_s, queues) for t in road) else NOTHING


def _edges_of(city: City, edge: str, junction: str) -> set[int]:
    """The edge, or else those that lead to the junction."""
    movements, lanes = city.network.movements, city.network.lanes
    if edge:
        return {city.network.edges.ids.index(edge)}
    rows = movements.from_lane[movements.junction == city.signals.row[junction]]
    return set(lanes.edge[rows].tolist())


def _leads_to(city: City, start: set[int], truth: Truth, at_s: float, queues: Queues) -> bool:
    """Whether a queue leads from an edge of `start` on to the incident's, on these as well."""
    network, one = city.network, truth.incident
    lane_edge = network.lanes.edge
    if one.junction:
        goal = _edges_of(city, "", one.junction)
    else:
        goal = {int(lane_edge[network.lanes.row[name]]) for name in one.lanes}
    length_m = dict(zip(lane_edge.tolist(), network.lanes.length_m.tolist(), strict=True))
    todo = [(0.0, edge) for edge in start if queues.queued(edge, at_s)]
    seen = {edge for _, edge in todo}
    while todo:
        far_m, edge = heappop(todo)
        if edge in goal:
            return True
        rows = np.flatnonzero(lane_edge[network.movements.from_lane] == edge)
        for row in rows[network.movements.turn[rows] != ord("t")].tolist():
            onward = int(lane_edge[network.movements.to_lane[row]])
            on_m = far_m + (length_m[onward] if onward not in goal else 0.0)
            if onward not in seen and on_m <= REACH_M and queues.queued(onward, at_s):
                seen.add(onward)
                heappush(todo, (on_m, onward))
    return False


def run_end(city: City, run: Any) -> float:
    """Last second of a run."""
    return float(city.demand.begin_s + run.length_s)


def equipped_rows(city: City, run: Any) -> set[int]:
    """Junction rows with a camera, as the twin draws them."""
    from civicbrain.twin.cameras import equipped_junctions
    from civicbrain.twin.options import TwinOptions

    rows = equipped_junctions(len(city.junctions), TwinOptions(seed=run.seed, coverage=run.coverage))
    return set(rows.tolist())


def in_view(city: City, one: RoadIncident, equipped: set[int]) -> bool:
    """Whether a camera that delivers sees the place; of a wrong-way driver: his first lane."""
    if one.junction:
        return city.signals.row[one.junction] in equipped
    table = city.cameras
    at = np.flatnonzero(table.lane == city.network.lanes.row[one.lanes[0]])
    return bool(len(at)) and int(table.junction[at[0]]) in equipped


def places_of(city: City, one: RoadIncident) -> list[tuple[float, float]]:
    """Points of the plane at which an incident is: of a wrong-way driver all along his way."""
    from civicbrain.brains.incidents.layout import point_along

    lanes = city.network.lanes
    if one.junction:
        junction = city.junctions[city.signals.row[one.junction]]
        return [(junction.x_m, junction.y_m), *_stop_lines(city, one.junction)]
    rows = [lanes.row[name] for name in one.lanes]
    if one.kind is IncidentKind.WRONG_WAY:
        ways, _ = way_back(city, one)
        return [point_along(lanes.shape(row), share) for row in ways for share in np.linspace(0, 1, 12)]
    return [point_along(lanes.shape(row), one.position_m / float(lanes.length_m[row])) for row in rows]


def _stop_lines(city: City, junction: str) -> list[tuple[float, float]]:
    movements, lanes = city.network.movements, city.network.lanes
    rows = np.unique(movements.from_lane[movements.junction == city.signals.row[junction]])
    ends = [lanes.shape(int(row))[-1] for row in rows]
    return [(float(x), float(y)) for x, y in ends]


def _fits(
    truth: Truth, end_s: float, places: list[tuple[float, float]], told: Incident, near_m: float
) -> bool:
    if family(told.kind) != family(truth.incident.kind):
        return False
    if not truth.began_s - 1.0 <= told.detected_s <= end_s + AFTER_S:
        return False
    if told.kind is IncidentKind.SENSOR_FAULT:
        return told.place.junction == truth.incident.junction
    return min(hypot(told.place.x_m - x, told.place.y_m - y) for x, y in places) <= near_m
