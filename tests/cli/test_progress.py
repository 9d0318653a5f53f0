"""What a long command says of itself where nobody watches a bar: in a log, through ssh, under nohup."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from civicbrain.cli.progress import StudyProgress, saying


def run_of(control: str, seed: int) -> SimpleNamespace:
    return SimpleNamespace(control=SimpleNamespace(name=control), seed=seed)


def say_all(*, quiet: bool) -> None:
    progress = StudyProgress(quiet=quiet)
    with progress:
        progress.start(4, 1)
        progress.done(run_of("fixed", 1), SimpleNamespace())  # type: ignore[arg-type]
        progress.done(run_of("brain", 2), SimpleNamespace(reason="SUMO ended"))  # type: ignore[arg-type]


def test_each_run_is_a_line_of_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    say_all(quiet=False)
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert [line[9:] for line in lines] == [
        "1 of 4 runs are there already; going on",
        "fixed, seed 1: 2 of 4 runs done",
        "brain, seed 2 failed: SUMO ended",
    ]


def test_beside_json_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    say_all(quiet=True)
    with saying("reading the city", quiet=True) as say:
        say("making plans")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_what_is_being_done_is_a_line_of_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with saying("reading the city", quiet=False) as say:
        say("making plans")
    assert [line[9:] for line in capsys.readouterr().err.splitlines()] == ["reading the city", "making plans"]


def test_the_package_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "civicbrain", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert re.search(r"\d+\.\d+", done.stdout)
