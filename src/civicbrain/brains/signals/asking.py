"""From chosen stages to requests: what every control by stages says to the guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import I32, Bool
from civicbrain.contracts.brain import Advice, StageRequest

Explain = Callable[[int], Mapping[str, object]]
"""Junction row -> why its stage was chosen."""


class Asking:
    """name: the brain's. valid_s: how long a request holds."""

    def __init__(self, city: City, name: str, valid_s: float) -> None:
        self._name, self._valid_s = name, valid_s
        self._junction_ids = [junction.id for junction in city.junctions]
        self._stage_ids = [stage.id for junction in city.junctions for stage in junction.stages]

    def advice(
        self, now_s: float, chosen: I32, overdue: I32, explain: Explain | None, held: Bool | None = None
    ) -> Advice:
        """chosen: (j,) stage row, -1 for a junction that is not asked. overdue: (j,) group served first, -1
        none. explain: None where nobody watches. held: (j,) junctions of which is only told what would be
        chosen there, None for none."""
        ids, stage_ids, name, expires_s = (
            self._junction_ids,
            self._stage_ids,
            self._name,
            now_s + self._valid_s,
        )
        asked = chosen if held is None else np.where(held, -1, chosen)
        requests = tuple(
            [
                StageRequest(
                    ids[j], stage_ids[stage], now_s, expires_s, name, reason="overdue" if late >= 0 else ""
                )
                for j, (stage, late) in enumerate(zip(asked.tolist(), overdue.tolist(), strict=True))
                if stage >= 0
            ]
        )
        if explain is None:
            return Advice(requests)
        told = (chosen >= 0).nonzero()[0].tolist()
        return Advice(requests=requests, explanations={ids[j]: explain(j) for j in told})
