"""The dispatcher's question: which vehicle reaches an address first, or which hospital is reached first.

Times are of a drive in a corridor: free time at the vehicle's speed, turns, queues that cameras see, and what
is left of the wait at signals. Their spread is what predictions of that kind showed (benchmarks/priority);
the chance to be first takes them as normal and independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.places import PlaceKind
from civicbrain.city.routing import Router
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.missions import DispatchAnswer, DispatchChoice
from civicbrain.core.errors import NotFoundError

SIGNAL_S = 3.0  # of waiting that a corridor leaves at each signal
HEADWAY_S = 2.0  # of a queue that discharges, per lane (HCM 7th ed., ch. 19)
PACE = 0.9  # of the vehicle's own limit that it drives
SD_S, SD_SHARE = 10.0, 0.15
NINE_OF_TEN_SD = 1.645
"""Standard deviations within which nine of ten of a normal distribution lie."""

_DRAWS = 4000


class Dispatcher:
    """Answers for one city."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._router = Router(city.network)
        signalled = city.network.movements.junction[self._router.movement] >= 0
        self._arc_s = self._router.turn_s() + np.where(signalled, SIGNAL_S, 0.0)

    def who_is_first(
        self,
        snapshot: Snapshot,
        address: str,
        places: Mapping[str, str],
        speed_factor: float,
        *,
        towards: bool,
    ) -> DispatchAnswer:
        """towards: from each place to the address; else from the address to each place. places: name -> edge
        id; empty takes the city's ambulance stations, or its hospitals. Raises NotFoundError."""
        rows = self._city.network.edges.row
        kind = PlaceKind.AMBULANCE_STATION if towards else PlaceKind.HOSPITAL
        named = dict(places) or {place.id: place.edge for place in self._city.list_places(kind)}
        if not named:
            raise NotFoundError(f"the city knows no {kind}", remedy="name the places in the question")
        for edge in (address, *named.values()):
            if edge not in rows:
                raise NotFoundError(
                    f"there is no street section {edge[:80]!r}", remedy="use ids of the city's edges"
                )
        edge_s = self._edge_s(snapshot, speed_factor)
        choices, unreachable = [], []
        for name, edge in named.items():
            ends = (rows[edge], rows[address]) if towards else (rows[address], rows[edge])
            choice = self._choice(name, edge, ends, edge_s)
            if choice is None:
                unreachable.append(name)
            else:
                choices.append(choice)
        choices.sort(key=lambda choice: (choice.time_s, choice.name))
        return DispatchAnswer(snapshot.time_s, _with_chances(choices), tuple(unreachable))

    def _edge_s(self, snapshot: Snapshot, speed_factor: float) -> F64:
        network = self._city.network
        lanes_of = np.maximum(np.diff(network.edges.lane_start), 1)
        queued = np.bincount(network.lanes.edge, weights=snapshot.lanes.queued, minlength=len(lanes_of))
        result: F64 = self._router.free_time_s(speed_factor * PACE) + 0.5 * HEADWAY_S * queued / lanes_of
        if len(snapshot.closed_lanes):
            closed = np.bincount(network.lanes.edge[snapshot.closed_lanes], minlength=len(result))
            result[closed >= lanes_of] = np.inf
        return result

    def _choice(self, name: str, edge: str, ends: tuple[int, int], edge_s: F64) -> DispatchChoice | None:
        way = self._router.find_way(*ends, edge_s, self._arc_s)
        if way is None:
            return None
        time_s = way.time_s + float(edge_s[ends[0]])
        if not math.isfinite(time_s):
            return None
        return DispatchChoice(
            name, edge, round(time_s, 1), round(NINE_OF_TEN_SD * (SD_S + SD_SHARE * time_s), 1),
            round(self._router.length_m(way.edges), 1), 0.0,
            tuple(self._city.network.edges.ids[e] for e in way.edges),
        )  # fmt: skip


def _with_chances(choices: list[DispatchChoice]) -> tuple[DispatchChoice, ...]:
    """Each with its chance to be the first."""
    if not choices:
        return ()
    draws = np.random.default_rng(0).standard_normal((_DRAWS, len(choices)))
    times = np.array([c.time_s for c in choices]) + draws * np.array(
        [c.margin_s / NINE_OF_TEN_SD for c in choices]
    )
    first = np.bincount(times.argmin(axis=1), minlength=len(choices))
    return tuple(
        msgspec.structs.replace(choice, chance_first=round(float(count) / _DRAWS, 3))
        for choice, count in zip(choices, first, strict=True)
    )
