"""What the queues of a junction say of why it does badly: rules in a fixed order, over the last two minutes.

Each keeps saying what it said lately until its figure clearly no longer holds (`KEPT_SHARE`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from civicbrain.city.approaches import Approach
from civicbrain.city.network import F64
from civicbrain.contracts.worst import CauseKind
from civicbrain.runtime.causes import street_of
from civicbrain.runtime.full_roads import FULL_SHARE, FULL_TIME, KEPT_SHARE
from civicbrain.runtime.recent import Recent
from civicbrain.runtime.roads_ahead import Road

GROWN_VEH = 4.0
"""A queue that has grown by so many over the kept minutes, and that no green has cleared within the last two
of them, is beyond what a cycle varies: more comes than can be served."""

UNEVEN_SHARE, EMPTY_SHARE = 0.6, 0.15
LEAST_STANDING_VEH = 1.0
TOLD_S = 20.0
"""What nobody was told for so long is judged anew."""


@dataclass(frozen=True)
class Judged:
    """approach: place of it in the list, -1 for none. says: one English sentence. road: that is full."""

    kind: CauseKind
    approach: int
    says: str
    figures: dict[str, float] = field(default_factory=dict)
    road: Road | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """Of what it speaks."""
        return (self.kind, self.approach, self.road.edge if self.road is not None else -1)


class QueueRules:
    """`judge` a junction by its approaches."""

    def __init__(self, recent: Recent, storage_veh: F64) -> None:
        """storage_veh: (a,) what finds room in view of each approach's camera."""
        self._recent, self._storage_veh = recent, storage_veh
        # (junction, kind of cause) -> when it was told last, and of which approach
        self._told: dict[tuple[int, CauseKind], tuple[float, int]] = {}

    def judge(self, row: int, mine: Any, standing: F64, now_s: float) -> Judged:
        """The first rule that holds of one of its approaches (mine: their places in the list); that of which
        it was told lately goes first. standing: (a,)."""
        for kind, rule in (
            (CauseKind.DEMAND, self._growing),
            (CauseKind.FULL_APPROACH, self._full),
            (CauseKind.UNEVEN, self._uneven),
            (CauseKind.UNKNOWN, self._busy),
        ):
            before = self._told_of(row, kind, now_s)
            judged = rule(mine, standing, before)
            if judged is not None:
                self._told[row, kind] = now_s, judged.approach
                return replace(judged, kind=kind)
        return Judged(CauseKind.UNKNOWN, -1, "The queue has cleared for now.")

    def _told_of(self, row: int, kind: CauseKind, now_s: float) -> int:
        """The approach of which this was told lately, -1 for none."""
        at_s, which = self._told.get((row, kind), (-np.inf, -1))
        return which if 0.0 <= now_s - at_s <= TOLD_S else -1

    def _street(self, k: int) -> str:
        return street_of(self._approach(k))

    def _approach(self, k: int) -> Approach:
        return self._recent.approaches[k]

    def _growing(self, mine: Any, standing: F64, before: int) -> Judged | None:
        """A queue that grows over the minutes and that no green clears."""
        for k in _first(before, mine[np.argsort(-standing[mine] / self._storage_veh[mine])[:1]]):
            slack = KEPT_SHARE if k == before else 1.0
            grown = self._recent.growth(self._approach(k))
            if grown is None or grown[1] - grown[0] < slack * GROWN_VEH or grown[2] < LEAST_STANDING_VEH:
                continue
            grew = f"its queue grew from {grown[0]:.0f} to {grown[1]:.0f} vehicles"
            says = f"{self._street(k)}: {grew} and no longer clears."
            return Judged(CauseKind.DEMAND, k, says, {"before_veh": grown[0], "after_veh": grown[1]})
        return None

    def _full(self, mine: Any, standing: F64, before: int) -> Judged | None:
        """A queue that keeps filling its camera's view. The longest counts: a stub is full with three."""
        for k in _first(before, mine[np.argsort(-standing[mine])]):
            if standing[k] < 0.5 * standing[mine].max():
                continue
            slack, brim_veh = KEPT_SHARE if k == before else 1.0, FULL_SHARE * self._storage_veh[k]
            if self._recent.share_above(self._approach(k), brim_veh) < slack * FULL_TIME:
                continue
            veh = float(standing[k])
            fills = f"keeps filling all that its camera sees: {veh:.0f} in the mean."
            says = f"The queue on {self._street(k)} {fills}"
            return Judged(CauseKind.FULL_APPROACH, k, says, {"queue_veh": veh})
        return None

    def _uneven(self, mine: Any, standing: F64, before: int) -> Judged | None:
        """One approach waits while the others are nearly empty."""
        share = standing[mine] / self._storage_veh[mine]
        if len(mine) < 2:
            return None
        k = int(mine[np.argmax(share)])
        slack = KEPT_SHARE if k == before else 1.0
        if share.max() < slack * UNEVEN_SHARE or np.sort(share)[-2] > EMPTY_SHARE / slack:
            return None
        veh = float(standing[k])
        says = f"{veh:.0f} vehicles wait on {self._street(k)}; the other approaches are nearly empty."
        return Judged(CauseKind.UNEVEN, k, says, {"queue_veh": veh})

    def _busy(self, mine: Any, standing: F64, before: int) -> Judged | None:
        """Where no rule holds: nothing is known to be wrong, and here is where most wait."""
        most = int(mine[np.argmax(standing[mine])]) if len(mine) else -1
        if before >= 0 and standing[before] >= KEPT_SHARE * standing[most]:
            most = before
        if most < 0 or standing[most] < 0.5 * (KEPT_SHARE if most == before else 1.0):
            return None
        veh = float(standing[most])
        says = f"Nothing is known to be wrong; most wait on {self._street(most)}: {veh:.0f} in the mean."
        return Judged(CauseKind.UNKNOWN, most, says, {"queue_veh": veh})


def _first(before: int, rows: Any) -> list[int]:
    """Rows, with that of which something was told lately at their head."""
    return list(dict.fromkeys([before] * (before >= 0) + [int(k) for k in rows]))
