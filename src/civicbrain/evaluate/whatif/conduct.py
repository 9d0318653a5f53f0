"""Pairs of futures from one state, two at a time, in processes that stay (libsumo: one simulation each)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from scipy.special import ndtri

from civicbrain.city.model import City
from civicbrain.city.whatif import Change, Question, TrafficModel
from civicbrain.contracts.brain import ControlSpec
from civicbrain.contracts.rooms import get_control
from civicbrain.core.errors import ConfigurationError, TwinError
from civicbrain.evaluate.endings import first_to_end, tell_ending
from civicbrain.evaluate.whatif.records import WhatIfAnswer, make_answer
from civicbrain.evaluate.whatif.run import NICE, FutureTask, begin_worker, run_future
from civicbrain.twin.whatif.branch import read_traffic
from civicbrain.twin.whatif.figures import FutureFigures

WORKERS = 2
MICRO_BUDGET_S = 15.0
"""The microscopic model is taken by itself where all pairs are expected to take no longer."""

VEHICLE_STEP_S, STEP_S, CONTROL_STEP_S, JUNCTION_STEP_S = 16e-6, 1e-3, 5e-3, 1.5e-4
"""Processor time of a step: a vehicle, the step itself, a control's tick, a junction of it. Measured with
SUMO 1.28 on the machine of benchmarks/whatif; only the choice of the model hangs on it."""

JOIN_S = 2.0
"""For workers that are ended because one of them died."""

DEMAND_SD = 0.05
"""Standard deviation of the level of demand a quarter of an hour ahead, as a share of it: between pairs, the
same within one. Our assumption, not a measurement: it makes the bands say how much hangs on the demand."""

_OFFERED = ("central", "fixed")


@dataclass
class Conduct:
    """What is told on the way. on_progress: futures done, of how many. timing_s: filled in, wall seconds.
    nice: by how much the workers stand back."""

    on_progress: Callable[[int, int], None] = lambda *_: None
    on_answer: Callable[[WhatIfAnswer], None] = lambda *_: None
    timing_s: dict[str, float] = field(default_factory=dict)
    workers: int = WORKERS
    nice: int = NICE


def choose_model(question: Question, vehicles: int, junctions: int, *, control: bool, step_s: float) -> str:
    """ "micro" or "meso": what was asked for, or what is quick enough. vehicles: on the street now."""
    if question.model is not TrafficModel.AUTO:
        return str(question.model)
    steps = question.horizon_s / step_s
    one_s = VEHICLE_STEP_S * vehicles + STEP_S + control * (CONTROL_STEP_S + JUNCTION_STEP_S * junctions)
    rounds = -(-2 * question.seeds // WORKERS)
    return "micro" if steps * one_s * rounds <= MICRO_BUDGET_S else "meso"


def demand_factors(pairs: int) -> list[float]:
    """The level of demand of each pair: evenly spread quantiles of a normal distribution, mean 1."""
    return [1.0 + DEMAND_SD * float(ndtri((row + 0.5) / pairs)) for row in range(pairs)]


def get_offered_control(name: str) -> ControlSpec:
    """A control that a what-if can run. Raises NotFoundError, ConfigurationError."""
    control = get_control(name)
    if control.program not in _OFFERED:
        raise ConfigurationError(
            f"a what-if cannot go on from a running city under {name!r}, which is SUMO's own",
            place="what-if control", remedy="compare it in a study: `civicbrain evaluate`",
        )  # fmt: skip
    return control


class _Workers(SpawnContext):
    """Spawned processes, remembered: an executor forgets those that died, and with them of what."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[SpawnProcess] = []

    def Process(self, *args: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        """As `multiprocessing.Process`."""
        self._made.append(SpawnProcess(*args, **named))
        return self._made[-1]

    @property
    def begun(self) -> list[SpawnProcess]:
        """Those that were started, ended ones too."""
        return [worker for worker in self._made if worker.pid is not None]

    def wait(self, timeout_s: float) -> list[int | None]:
        """How those begun ended; None of one that did not in that time. Not `join`: the executor's own thread
        joins too, and whoever comes second is told at once that nothing is known yet."""
        until_s = time.monotonic() + timeout_s
        while None in (codes := [worker.exitcode for worker in self.begun]) and time.monotonic() < until_s:
            time.sleep(0.01)
        return codes


class Sides:
    """Futures of several changes from one state, the same seeds and draws of the demand for each. For use
    with `with`: its worker processes end with it."""

    def __init__(
        self, city: City, branch: Path, changes: Sequence[Change], control: str, question: Question,
        workers: int = WORKERS,
        nice: int = NICE,
    ) -> None:  # fmt: skip
        traffic = read_traffic(branch)
        self.vehicles = sum(not one.waiting for one in traffic.vehicles)
        self.controls = [get_offered_control(change.control or control) for change in changes]
        self.span_s = (traffic.time_s, traffic.time_s + question.horizon_s)
        brains = any(one.brain for one in self.controls)
        self.model = choose_model(
            question, self.vehicles, len(city.junctions), control=brains, step_s=city.demand.step_s
        )
        factors = demand_factors(question.seeds)
        # the middle of the demand first: the first round alone is then the best single guess
        order = sorted(range(question.seeds), key=lambda row: (abs(factors[row] - 1.0), row))
        self._tasks = [
            FutureTask(
                city.folder.absolute(), branch.absolute(), change, control, row + 1, question.horizon_s,
                self.model == "meso", factors[row],
            )
            for row in order
            for change, control in zip(changes, self.controls, strict=True)
        ]  # fmt: skip
        self.count, self._width, self.cpu_s = len(self._tasks), len(changes), 0.0
        workers = min(workers, self.count, len(os.sched_getaffinity(0)) + 1)
        self._workers = _Workers()
        self._pool = ProcessPoolExecutor(
            workers, mp_context=self._workers, initializer=begin_worker, initargs=(nice,)
        )

    def __enter__(self) -> Sides:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.begun:
            worker.kill()  # idle, or at work on what nobody waits for any more
        self._pool.shutdown(wait=True, cancel_futures=True)

    def rounds(self, on_progress: Callable[[int, int], None]) -> Iterator[tuple[FutureFigures, ...]]:
        """Round by round one future a change, in their order. Raises what a future raises, TwinError."""
        round_: list[FutureFigures] = []
        try:
            pending = [self._pool.submit(run_future, task) for task in self._tasks]
            for number, one in enumerate(pending):
                figures = one.result()
                self.cpu_s += figures.cpu_s
                round_.append(figures)
                on_progress(number + 1, self.count)
                if len(round_) == self._width:
                    yield tuple(round_)
                    round_ = []
        except BrokenProcessPool as error:
            ending = tell_ending(first_to_end(self._workers.wait(JOIN_S)))
            raise TwinError(
                f"a simulation of the future died: {ending.cause}", place="what-if", remedy=ending.remedy
            ) from error


def answer_question(
    city: City, question: Question, branch: Path, control: str, conduct: Conduct
) -> WhatIfAnswer:
    """Run all pairs of a question from the state in the folder `branch`, under the city's `control` where the
    question names no other. `conduct.on_answer` gets what is known after each pair.

    Raises what a future raises; nothing of it is left running.
    """
    question.check(city)
    began = time.monotonic()
    pairs: list[tuple[FutureFigures, FutureFigures]] = []
    answer: WhatIfAnswer | None = None
    with Sides(
        city, branch, (question.against, question.change), control, question, conduct.workers, conduct.nice
    ) as sides:
        notes = list_notes(question, sides.model, sides.controls)
        for against, change in sides.rounds(conduct.on_progress):
            pairs.append((against, change))
            conduct.timing_s["cpu"] = round(sides.cpu_s, 2)
            conduct.timing_s[f"pair {len(pairs)}"] = round(time.monotonic() - began, 2)
            answer = make_answer(
                city, question, sides.controls[0].name, sides.model, pairs, sides.span_s, sides.vehicles,
                notes, dict(conduct.timing_s),
            )  # fmt: skip
            conduct.on_answer(answer)
    assert answer is not None
    return answer


def list_notes(question: Question, model: str, sides: Sequence[ControlSpec]) -> tuple[str, ...]:
    """What the reader of an answer must know."""
    notes = []
    if model == "meso":
        notes.append(
            "Mesoscopic: queues, not driving. Trust signs and orders of effects; delays are lower than real."
        )
    if any(side.brain for side in sides):
        notes.append("The control starts without its memory, from the local plans; both sides alike.")
        held = [plan.junction for plan in question.change.plans]
        if held:
            notes.append(f"With the change, the brain does not decide at {', '.join(held)}: the plan holds.")
    if question.seeds < 2:
        notes.append("One pair only: no band.")
    if question.moment and not question.against.control:
        notes.append("From a kept moment, under the control that the city has now.")
    change: Change = question.change
    if model == "meso" and any(closure.lanes for closure in change.closures):
        notes.append("Closed lanes beside open ones count as less flow on the whole section.")
    return tuple(notes)
