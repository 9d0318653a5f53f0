"""One ordered study as a process: what the API starts, and may kill at any time.

    python -m civicbrain.evaluate.ordered FOLDER [--jobs N]

FOLDER holds order.json. Runs, results and reports come into it as with `civicbrain evaluate --out FOLDER`,
and progress.json anew after each run. Given the same folder again it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

import msgspec

from civicbrain.core.errors import CivicBrainError
from civicbrain.evaluate.ordered.records import (
    ORDER_FILE,
    PROGRESS_FILE,
    RunDone,
    StudyOrder,
    StudyProgressNow,
)
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.records import Failure, RunFile
from civicbrain.evaluate.report import best_control, headline
from civicbrain.evaluate.storage import find_run, write_atomically
from civicbrain.evaluate.study import plan_studies, run_study


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="carry out one ordered study")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    folder = options.folder.absolute()
    teller = Teller(folder)
    try:
        order = msgspec.json.decode((folder / ORDER_FILE).read_bytes(), type=StudyOrder)
        study_options = order.options()
        teller.find_finished(order)
        evaluations = run_study(
            list(order.scenarios), study_options, folder, jobs=options.jobs, progress=teller,
            command=command_of(order),
        )  # fmt: skip
    except CivicBrainError as error:
        teller.tell(error=str(error))
        return error.exit_code
    except (OSError, msgspec.MsgspecError) as error:
        teller.tell(error=f"the study cannot be carried out: {error}")
        return 2
    teller.tell(headlines=tuple(headline(study, best_control(study)) for study in evaluations))
    failed = sum(len(study.failures) for study in evaluations)
    if failed and not any(study.runs for study in evaluations):
        teller.tell(error="every run failed; the first says why: " + evaluations[0].failures[0].reason)
        return 2
    return 0


class Teller:
    """`StudyProgress` into progress.json."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._now = folder, StudyProgressNow()
        self._scenario: dict[Path, str] = {}
        self._began = time.monotonic()

    def find_finished(self, order: StudyOrder) -> None:
        """Name the scenarios' folders, and the runs that are there already."""
        runs = []
        for study in plan_studies(list(order.scenarios), order.options(), self._folder):
            self._scenario[study.folder] = study.city.name
            for task in study.tasks:
                file = find_run(task.folder, task.control.name, task.seed, task.key)
                if file is not None:
                    delay_s = file.run.mean_delay_s
                    runs.append(RunDone(study.city.name, task.control.name, task.seed, delay_s, before=True))
        self._now = StudyProgressNow(runs=tuple(runs))

    def start(self, total: int, finished_before: int) -> None:
        """As `StudyProgress.start`; those found before stand in the record already."""
        del finished_before
        self._began = time.monotonic()
        self.tell(total=total)

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:
        """As `StudyProgress.done`."""
        name = self._scenario.get(task.folder, "")
        if isinstance(outcome, Failure):
            run = RunDone(name, task.control.name, task.seed, reason=outcome.reason[:500])
        else:
            run = RunDone(name, task.control.name, task.seed, outcome.run.mean_delay_s)
        self.tell(runs=(*self._now.runs, run), spent_s=round(time.monotonic() - self._began, 1))

    def tell(self, **changes: object) -> None:
        """Change the record, and write it."""
        self._now = msgspec.structs.replace(self._now, **changes)
        write_atomically(self._folder / PROGRESS_FILE, msgspec.json.encode(self._now))


def command_of(order: StudyOrder) -> str:
    """The command that makes the study again, for the reports."""
    words = ["civicbrain", "evaluate", *order.scenarios]
    for name in order.controls:
        words += ["--control", name]
    words += ["--seeds", str(order.seeds), "--sensing", order.sensing, "--coverage", f"{order.coverage:g}"]
    for option, value in (("--begin", order.begin_s), ("--end", order.end_s)):
        if value is not None:
            words += [option, f"{value:g}"]
    if order.baseline:
        words += ["--baseline", order.baseline]
    if order.mesoscopic:
        words.append("--mesoscopic")
    return shlex.join(words)


if __name__ == "__main__":
    sys.exit(main())
