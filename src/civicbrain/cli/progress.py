"""How far a long command is, on stderr: a bar for who watches, lines in a log, nothing beside --json."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

    from civicbrain.evaluate.plan import RunTask
    from civicbrain.evaluate.records import Failure, RunFile


def write_line(text: str) -> None:
    """A line on stderr, with the time of day: of two lines in a log one sees how long it took."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@contextmanager
def saying(first: str, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """To be told what is being done; `first`: what is done now."""
    from rich.console import Console

    if quiet or not sys.stderr.isatty():
        say = (lambda _: None) if quiet else write_line
        say(first)
        yield say
        return
    with Console(stderr=True).status(first) as status:
        yield status.update


class StudyProgress:
    """The runs of a study: those done, and the time left where it is a bar."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._quiet = quiet
        self._is_bar = not quiet and sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs,"),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
            disable=not self._is_bar,
        )
        self._task: TaskID | None = None
        self._total = self._done = 0

    def __enter__(self) -> StudyProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, total: int, finished_before: int) -> None:
        self._total, self._done = total, finished_before
        self._task = self._progress.add_task("running", total=total, completed=finished_before)
        if finished_before:
            self._say(f"{finished_before} of {total} runs are there already; going on")

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:
        if self._task is None:
            return
        self._done += 1
        name = f"{task.control.name}, seed {task.seed}"
        self._progress.update(self._task, advance=1, description=name)
        reason = getattr(outcome, "reason", None)
        if reason is not None:
            self._say(f"{name} failed: {reason}")
        elif not self._is_bar:
            self._say(f"{name}: {self._done} of {self._total} runs done")

    def _say(self, text: str) -> None:
        if self._is_bar:
            self._progress.console.print(text, markup=False)
        elif not self._quiet:
            write_line(text)
