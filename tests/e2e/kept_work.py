"""What-ifs and a study as they lie in a run folder, made without a simulation: figures drawn from seeds."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "evaluate"))
from fake_runs import fake_city, simulate
from playwright.sync_api import Page

from civicbrain.api.what_if_jobs import Job, JobFolder
from civicbrain.api.what_ifs import KEPT_FOLDER
from civicbrain.city.model import City
from civicbrain.city.proposals import Effect, Proposal, ProposalKind, Proposals
from civicbrain.city.whatif import Change, Closure, Detour, Question
from civicbrain.evaluate.plan import RunTask, StudyOptions
from civicbrain.evaluate.pool import OnDone, Simulate
from civicbrain.evaluate.study import run_study
from civicbrain.evaluate.whatif.records import make_answer
from civicbrain.evaluate.whatif.said import Asked
from civicbrain.twin.whatif.figures import FutureFigures

MINUTES, PAIRS = 15, 3


def keep_what_ifs(city: City, run_dir: Path) -> None:
    """w-closed (worse), w-less (better), and p-closed: measures about the closed section."""
    edge = city.network.edges.ids[len(city.network.edges.ids) // 2]
    folder = JobFolder(run_dir / KEPT_FOLDER)
    for number, (name, title, change, factor) in enumerate(
        (
            ("w-closed", "Bridge closed for works", Change(closures=(Closure(edge),)), 1.25),
            ("w-less", "A fifth less traffic", Change(demand_factor=0.8), 0.8),
        ),
        start=1,
    ):
        question = Question(change, minutes=float(MINUTES), seeds=PAIRS)
        seeds = range(1, PAIRS + 1)
        pairs = [(_future(city, seed, 1.0, ""), _future(city, seed, factor, edge)) for seed in seeds]
        notes = ("The control starts without its memory, from the local plans; both sides alike.",)
        answer = make_answer(city, question, "max-pressure", "micro", pairs, (1200.0, 2100.0), 412, notes, {})
        folder.save(
            Job(name, number, "2026-11-22T09:00:00+00:00", question, None, title, by="operator (demo)",
                state="done", progress=1.0, answer=answer)
        )  # fmt: skip
    closed = Change(closures=(Closure(edge),))
    proposals = (
        Proposal(
            ProposalKind.DETOUR, _with_detour(closed, edge), Effect(-6.2, -8.9, -3.5),
            Effect(-9.1, -13.0, -5.2), True, city.network.edges.ids[0], city.network.edges.ids[-1],
            city.network.edges.ids[:3], 42.0, 0.3,
        ),
        Proposal(
            ProposalKind.GATING, closed, Effect(0.4, -1.9, 2.7), Effect(0.3, -2.0, 2.6), False,
            held_junctions=(city.junctions[1].id,),
        ),
    )  # fmt: skip
    found = Proposals("", Closure(edge), 15.0, "micro", 2, 38, proposals)
    folder.save(
        Job("p-closed", 3, "2026-11-22T09:05:00+00:00", None, Asked(Closure(edge)), by="operator (demo)",
            state="done", progress=1.0, found=found)
    )  # fmt: skip


def _with_detour(change: Change, edge: str) -> Change:
    return Change(closures=change.closures, detours=(Detour(edge, 0.3),))


def picture(page: Page, name: str) -> None:
    """As `picture` of this folder's conftest, which not every run can import by name."""
    if os.environ.get("CIVICBRAIN_PICTURES") == "1":
        page.screenshot(path=Path(__file__).parents[2] / "docs" / "images" / f"{name}.png")


class Here:
    """Runs in this process: nothing is simulated."""

    def run_all(self, tasks: Sequence[RunTask], simulate: Simulate, on_done: OnDone) -> None:
        for task in tasks:
            on_done(task, simulate(task))


def keep_study(run_dir: Path) -> None:
    """`ring-road`, of the command line: max pressure better, delay-based worse than the fixed plan."""
    city = replace(fake_city(run_dir / "study-city"), name="ring road")
    options = StudyOptions(("fixed", "max-pressure", "delay-based"), tuple(range(1, 11)))
    folder = run_dir / "studies" / "ring-road"
    run_study(
        ["x"], options, folder, executor=Here(), simulate=simulate, resolve=lambda _: city,
        command="civicbrain evaluate …",
    )  # fmt: skip


def _future(city: City, seed: int, factor: float, edge: str) -> FutureFigures:
    draw = random.Random(f"{seed}")  # the same traffic on both sides
    level = draw.uniform(0.94, 1.06)
    own = random.Random(f"{seed} {factor}").uniform(0.98, 1.02) if factor != 1.0 else 1.0
    base = [level * own * factor * (30.0 + 2.0 * minute) for minute in range(MINUTES)]
    through = 55 * level * (2.0 - factor if factor > 1 else 1.0)
    arrivals = [round((minute + 1) * through) for minute in range(MINUTES)]
    lost = [round(sum(base[: minute + 1]) / 60.0, 2) for minute in range(MINUTES)]
    junctions = []
    for row in range(len(city.junctions)):
        place = random.Random(f"{row}").uniform(200.0, 3000.0)
        hit = random.Random(f"{row} hit").choice((0.0, 0.0, 0.2, 1.0)) * (factor - 1.0)
        junctions.append(
            place * level * (1.0 + hit) * random.Random(f"{row} {seed} {factor}").uniform(0.99, 1.01)
        )
    edges = [600.0 * level * (factor if name == edge else 1.0) for name in city.network.edges.ids]
    return FutureFigures(
        seed=seed, vehicles=1240, arrived=arrivals[-1], departed=800,
        undeparted=round(12 * max(0.0, factor - 1.0)),
        delay_veh_s=1240 * 31.0 * level * own * factor, time_spent_veh_s=3600.0 * 55.0 * level * own * factor,
        diverted=38 if edge else 0,
        series_time_s=tuple(1260.0 + 60.0 * minute for minute in range(MINUTES)),
        queue_veh=tuple(base), running=tuple(412 for _ in range(MINUTES)), arrivals=tuple(arrivals),
        junction_delay_veh_s=tuple(junctions), edge_delay_veh_s=tuple(edges), lost_veh_h=tuple(lost),
    )  # fmt: skip
