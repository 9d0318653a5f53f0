"""A study: every control on every seed, each run kept as it finishes, then `evaluation.json` and the reports.

Given the same folder again it goes on where it stopped: a finished run whose key still matches (city,
control, options, sensing, window, versions, code) is not run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import civicbrain
from civicbrain.city.model import City
from civicbrain.contracts.brain import ControlSpec
from civicbrain.contracts.rooms import get_control
from civicbrain.core.errors import CityError, ConfigurationError, StudyError
from civicbrain.evaluate.bound import measure_bound
from civicbrain.evaluate.plan import RunTask, StudyOptions, hash_city, make_tasks, sumo_version
from civicbrain.evaluate.pool import Executor, LocalPool, Simulate
from civicbrain.evaluate.records import (
    Bound,
    ControlNote,
    Evaluation,
    EvaluationSet,
    Failure,
    RunFile,
    encode,
)
from civicbrain.evaluate.report import render_report
from civicbrain.evaluate.run import simulate_run
from civicbrain.evaluate.storage import find_run, prepare_folder, save_run, write_atomically
from civicbrain.evaluate.summary import collect_series, compare, summarise
from civicbrain.evaluate.tables import comparison_csv, runs_csv

Resolve = Callable[[str | Path], City]
FindBound = Callable[[Path, int, float, float], Bound]


class StudyProgress(Protocol):
    """What a study tells while it runs. Counts are of all runs of all scenarios."""

    def start(self, total: int, finished_before: int) -> None:
        """`finished_before` of the `total` runs were found on disk."""
        ...

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:
        """One more run has ended, and is on disk if it did not fail."""
        ...


def resolve_city(scenario: str | Path) -> City:
    """The city of a built-in name, a city folder, or any source that can be imported."""
    from civicbrain.twin.importing import resolve_scenario  # brings SUMO's tools; slow to import

    return resolve_scenario(scenario)


@dataclass(frozen=True)
class PlannedStudy:
    """One scenario of a study: its city, its tasks, and where it is kept."""

    city: City
    folder: Path
    specs: tuple[ControlSpec, ...]
    options: StudyOptions
    tasks: tuple[RunTask, ...]


def run_study(
    scenarios: Sequence[str | Path],
    options: StudyOptions,
    out: Path,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: StudyProgress | None = None,
    command: str = "",
    simulate: Simulate = simulate_run,
    resolve: Resolve = resolve_city,
    find_bound: FindBound = measure_bound,
) -> list[Evaluation]:
    """Run the study and write `out`/evaluation.json, report.html, report.pdf, comparison.csv and runs.csv;
    one Evaluation a scenario.

    With one scenario `out` holds its evaluation. With several, each has a folder `out`/<scenario>, and
    `out`/evaluation.json holds {"studies": [...]}. A run that fails is named in `failures` of its
    evaluation and does not stop the others. jobs: processes at a time. executor: where the runs run; None
    for `jobs` processes of this machine. command: shown in the report.

    Raises ConfigurationError, NotFoundError or CityError before any run, StudyError when the disk takes no
    more, ServiceError when a cluster does not answer; runs finished by then are kept and found again.
    """
    executor = LocalPool(jobs) if executor is None else executor
    studies = plan_studies(scenarios, options, out, resolve)

    finished: dict[tuple[Path, str, int], RunFile] = {}
    failures: dict[Path, list[Failure]] = {study.folder: [] for study in studies}
    missing: list[RunTask] = []
    for study in studies:
        prepare_folder(study.folder)
        for task in study.tasks:
            file = find_run(task.folder, task.control.name, task.seed, task.key)
            if file is None:
                missing.append(task)
            else:
                finished[task.folder, task.control.name, task.seed] = file

    def on_done(task: RunTask, outcome: RunFile | Failure) -> None:
        if isinstance(outcome, RunFile):
            save_run(task.folder, outcome)
            finished[task.folder, task.control.name, task.seed] = outcome
        else:
            failures[task.folder].append(outcome)
        if progress is not None:
            progress.done(task, outcome)

    if progress is not None:
        progress.start(len(finished) + len(missing), len(finished))
    if missing:
        executor.run_all(missing, simulate, on_done)

    evaluations = [_evaluate(study, finished, failures[study.folder]) for study in studies]
    for study, evaluation in zip(studies, evaluations, strict=True):
        if options.bound:
            first = study.tasks[0]
            evaluation.bound = find_bound(first.city_folder, first.seed, first.begin_s, first.end_s)
        write_atomically(study.folder / "evaluation.json", encode(evaluation))
        _write_reports(study.folder, [(evaluation, study.city)], command)
    if len(studies) > 1:
        write_atomically(out / "evaluation.json", encode(EvaluationSet(studies=evaluations)))
        pairs = [(evaluation, study.city) for study, evaluation in zip(studies, evaluations, strict=True)]
        _write_reports(out, pairs, command)
    return evaluations


def _write_reports(folder: Path, studies: Sequence[tuple[Evaluation, City]], command: str) -> None:
    """The same result for the screen, for paper and for whoever calculates on."""
    from civicbrain.evaluate.pdf import render_pdf  # slow to import

    write_atomically(folder / "report.html", render_report(studies, command=command).encode())
    write_atomically(folder / "report.pdf", render_pdf(studies, command=command))
    evaluations = [evaluation for evaluation, _ in studies]
    write_atomically(folder / "comparison.csv", comparison_csv(evaluations).encode())
    write_atomically(folder / "runs.csv", runs_csv(evaluations).encode())


RETIMING_FILE = "plans.json"
"""What `civicbrain retime` leaves in its folder."""


def plan_studies(
    scenarios: Sequence[str | Path], options: StudyOptions, out: Path, resolve: Resolve = resolve_city
) -> list[PlannedStudy]:
    """Everything that can be wrong is found here, before the first run; nothing is written."""
    if not scenarios:
        raise ConfigurationError("no scenario to run", remedy="name at least one, e.g. cologne8")
    options = options.check()
    specs = tuple(get_control(name) for name in options.controls)
    cities = [resolve(scenario) for scenario in dict.fromkeys(scenarios)]
    studies = []
    used: set[str] = set()
    for city in cities:
        folder = out if len(cities) == 1 else out / _folder_name(city.name, used)
        if (folder / RETIMING_FILE).exists():
            raise StudyError(
                "this folder holds a retiming, whose report would be overwritten",
                place=str(folder),
                remedy="choose another folder with --out",
            )
        # a .sumocfg may keep its demand in additional files
        if not city.demand.route_files and not city.demand.additional_files:
            raise CityError(
                "this city has no demand to run",
                place=city.name,
                remedy="import it with demand, or let the import synthesise some",
            )
        tasks = tuple(make_tasks(city, specs, options, folder))
        studies.append(PlannedStudy(city, folder, specs, options, tasks))
    return studies


def _folder_name(name: str, used: set[str]) -> str:
    candidate, number = name, 1
    while candidate in used or candidate == "runs":
        number += 1
        candidate = f"{name}-{number}"
    used.add(candidate)
    return candidate


def _evaluate(
    study: PlannedStudy, finished: dict[tuple[Path, str, int], RunFile], failures: Sequence[Failure]
) -> Evaluation:
    controls = [spec.name for spec in study.specs]
    # by control, then seed, whatever order the processes ended in
    files = [
        file
        for control in controls
        for seed in sorted(study.options.seeds)
        if (file := finished.get((study.folder, control, seed))) is not None
    ]
    runs = [file.run for file in files]
    first = study.tasks[0]
    return Evaluation(
        scenario=study.city.name,
        sumo_version=sumo_version(),
        civicbrain_version=civicbrain.__version__,
        sensing=study.options.sensing,
        coverage=study.options.coverage,
        miss_rate=study.options.miss_rate,
        latency_s=study.options.latency_s,
        faults=study.options.faults,
        mesoscopic=study.options.mesoscopic,
        begin_s=first.begin_s,
        end_s=first.end_s,
        runs=runs,
        summary=summarise(runs, controls),
        paired=compare(runs, controls, study.options.baseline_name),
        baseline=study.options.baseline_name,
        controls=[
            ControlNote(
                name=spec.name,
                program=spec.program,
                brain=spec.brain,
                options=dict(spec.options),
                summary=spec.summary,
                source=spec.source,
            )
            for spec in study.specs
        ],
        seeds=sorted(study.options.seeds),
        failures=sorted(failures, key=lambda failure: (controls.index(failure.control), failure.seed)),
        city_source=study.city.source,
        city_hash=hash_city(study.city),
        series=collect_series(files, controls),
    )


def default_folder(scenarios: Sequence[str], stamp: str) -> Path:
    """studies/<scenario>-<stamp>, where no --out was given."""
    name = Path(scenarios[0].rstrip("/")).name.split(".")[0] or "city"
    more = f"-and-{len(scenarios) - 1}-more" if len(scenarios) > 1 else ""
    return Path("studies") / f"{name}{more}-{stamp}"
