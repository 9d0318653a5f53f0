"""The control `max-pressure`: each second, keep the stage or ask for the one worth more.

Worth of a stage: what it would serve from now on, each vehicle weighed by the pressure behind it, over the
time it takes, transition included; the best span counts (see `civicbrain.science.pressure`). The stage shown
has no transition to pay and keeps its place unless another is worth more by a margin. A stream that has
waited nearly as long as allowed is served first, oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.asking import Asking, Explain
from civicbrain.brains.signals.choice import Choice, held_by_hand
from civicbrain.brains.signals.demand import Demand, DemandReader
from civicbrain.brains.signals.explanation import Words
from civicbrain.brains.signals.inside import LettingOut, before_the_line
from civicbrain.brains.signals.stages import StageTable, build_stages, never_full
from civicbrain.brains.signals.waiting import Waiting
from civicbrain.brains.signals.worth import Worth
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice


@dataclass(frozen=True, slots=True)
class MaxPressureOptions:
    """max_red_s: bound on the wait of a stream with demand. queue_exponent: see `queue_weight`.
    margin: how much more another stage must be worth, as a factor. age_s: wait that doubles a weight.
    min_stage_s: shortest showing of a stage once all its groups are green. valid_s: how long a request holds.
    stale_s: a camera silent this long leaves its junction to the local plan. explain: build explanations."""

    max_red_s: float = 120.0
    queue_exponent: float = 0.3
    margin: float = 1.5
    age_s: float = 60.0
    min_stage_s: float = 4.0
    valid_s: float = 10.0
    stale_s: float = 10.0
    order_bonus: float = 1.05
    explain: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """One tick, for explanations. Rows as in StageTable and Streams."""

    worth: F64  # (s,) -1 where the junction was not asked
    span_s: F64  # (s,)
    chosen: I32  # (j,) stage row, -1 none
    current: I32  # (j,) stage row, -1 none
    overdue: I32  # (j,) group row served first, -1 none
    demand: Demand
    held: Bool  # (j,) by an operator: not asked, but what would be chosen is told
    let_out: frozenset[int] = frozenset()  # junction rows where who waits inside goes first


class MaxPressureBrain:
    """See the module. Deterministic: no randomness, ties go to the lower stage."""

    cadence_s = 1.0
    budget_s = 0.5

    def __init__(self, city: City, options: MaxPressureOptions, name: str = "signals") -> None:
        self.name = name
        self.options = options
        self.streams: Streams = build_streams(city)
        self.stages: StageTable = build_stages(city, self.streams)
        self._reader = DemandReader(city, self.streams)
        self._waiting = Waiting(city, self.streams, never_full(self.stages))
        self._worth = Worth(self.streams, self.stages, options.queue_exponent, options.age_s)
        self._choice = Choice(
            city,
            self.streams,
            self.stages,
            self._waiting,
            max_red_s=options.max_red_s,
            margin=options.margin,
            min_stage_s=options.min_stage_s,
            stale_s=options.stale_s,
            order_bonus=options.order_bonus,
        )
        self._letting_out = LettingOut(city, self.streams, self.stages)
        self._asking = Asking(city, name, options.valid_s)
        self._words = Words(city, self.streams, self.stages)

    def advise(self, snapshot: Snapshot) -> Advice:
        """Requests for all junctions that can be decided on; explanations if asked for."""
        if self.stages.count == 0:
            return Advice()
        decision = self.decide(snapshot)
        explain: Explain | None = None
        if self.options.explain:
            explain = self._words.of_decision(decision)
        return self._asking.advice(snapshot.time_s, decision.chosen, decision.overdue, explain, decision.held)

    def decide(self, snapshot: Snapshot) -> Decision:
        """One tick as arrays."""
        snapshot, inside = before_the_line(snapshot)
        now, signals = snapshot.time_s, snapshot.signals
        demand = self._reader.read(snapshot)
        self._waiting.update(now, signals.lamps, signals.lamps_since_s, demand)
        ready, current = self._choice.look(snapshot, held_too=self.options.explain)
        worth, span_s = self._worth.weigh(now, demand, self._waiting.credit_s, signals, current)
        chosen, overdue = self._choice.choose(snapshot, demand, worth, ready, current)
        let_out = self._letting_out.revise(inside, snapshot, worth, current, chosen, overdue)
        held = held_by_hand(snapshot)
        return Decision(worth, span_s, chosen, current, overdue, demand, held, let_out)
