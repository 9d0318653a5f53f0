"""`Suspicion`: what one detector believes in one second. Fusion makes incidents of them."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.city.incidents import IncidentKind
from civicbrain.core.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Suspicion:
    """ratio: evidence over the detector's threshold, from 1 on it is said. lane, d: where on the road (rows
    and metres before the stop line), lane -1 for a junction or a camera. junction: row, -1 where it is none.
    at_line: it stands at the end of its lane. quiet_s: how long it may be silent before it counts as over.
    speed_mps: of a wrong-way driver. queue_beyond: there is a queue on a road that it leads to."""

    kind: IncidentKind
    ratio: float
    onset_s: float
    evidence: Sentence
    lane: int = -1
    d: float = 0.0
    junction: int = -1
    at_line: bool = False
    quiet_s: float = 20.0
    speed_mps: float = 0.0
    queue_beyond: bool = False
