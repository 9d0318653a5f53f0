"""Try what could be done about a closure, beside doing nothing, and say what helps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from civicbrain.city.model import City
from civicbrain.city.proposals import Effect, Proposal, Proposals
from civicbrain.city.whatif import Change, Closure, Question, TrafficModel
from civicbrain.evaluate.whatif.conduct import Conduct, Sides, list_notes
from civicbrain.evaluate.whatif.measures import Measure, count_users, list_measures
from civicbrain.science.statistics import estimate_paired_difference
from civicbrain.twin.whatif.branch import read_traffic
from civicbrain.twin.whatif.figures import FutureFigures


def propose(
    city: City, closure: Closure, branch: Path, control: str, conduct: Conduct, *, incident: str = "",
    minutes: float = 15.0, seeds: int = 2, model: TrafficModel = TrafficModel.AUTO,
) -> Proposals:  # fmt: skip
    """Detours and gating for a closure, from the state in `branch`, best first. Raises as a what-if does."""
    began = time.monotonic()
    question = Question(Change(closures=(closure,)), Change(), minutes, seeds, model)
    question.check(city)
    traffic = read_traffic(branch)
    measures = list_measures(city, traffic, closure)
    users = count_users(traffic, closure.edge)
    if not measures:
        return Proposals(incident, closure, minutes, str(model), 0, users, (), ("There is nothing to try.",))
    changes = [question.change, *(measure.change for measure in measures)]
    with Sides(city, branch, changes, control, question, conduct.workers, conduct.nice) as sides:
        rounds = list(sides.rounds(conduct.on_progress))
        conduct.timing_s |= {"cpu": round(sides.cpu_s, 2), "all": round(time.monotonic() - began, 2)}
        notes = list_notes(question, sides.model, sides.controls)
        used = sides.model
    found = [_proposal(measure, rounds, row + 1) for row, measure in enumerate(measures)]
    found.sort(key=lambda one: one.time_spent_veh_h.mean)
    return Proposals(incident, closure, minutes, used, len(rounds), users, tuple(found), notes)


def _proposal(measure: Measure, rounds: Sequence[Sequence[FutureFigures]], row: int) -> Proposal:
    spent = _effect([_spent(r[row]) for r in rounds], [_spent(r[0]) for r in rounds])
    delay = _effect([_delay(r[row]) for r in rounds], [_delay(r[0]) for r in rounds])
    edges = measure.way.edges if measure.way is not None else ()
    return Proposal(
        measure.kind, measure.change, spent, delay,
        advisable=(spent.mean if spent.high is None else spent.high) < 0.0,
        leave_edge=edges[0] if edges else "", back_edge=edges[-1] if edges else "", way_edges=edges,
        extra_s=measure.way.extra_s if measure.way is not None else 0.0,
        share=measure.share, held_junctions=measure.held,
    )  # fmt: skip


def _spent(figures: FutureFigures) -> float:
    return figures.time_spent_veh_s / 3600.0


def _delay(figures: FutureFigures) -> float:
    return figures.delay_veh_s / max(figures.vehicles, 1)


def _effect(change: Sequence[float], against: Sequence[float]) -> Effect:
    estimate = estimate_paired_difference(change, against)
    if estimate.interval is None:
        return Effect(round(estimate.mean, 3))
    return Effect(*(round(value, 3) for value in (estimate.mean, *estimate.interval)))
