"""`civicbrain evaluate` as a user meets it: real runs, bad input, and stdout that holds JSON alone."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from civicbrain.cli.main import run
from civicbrain.evaluate.records import WALL_CLOCK_FIELDS

needs_scenarios = pytest.mark.skipif(
    importlib.util.find_spec("sumo_rl") is None, reason="the scenarios extra is not installed"
)
FIRST_MINUTES = ["--begin", "25200", "--end", "25500"]


def civicbrain(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "civicbrain.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


@needs_scenarios
def test_real_runs_repeat_to_the_last_digit_and_stdout_is_json(tmp_path: Path) -> None:
    studies = []
    for number in ("first", "second"):
        done = civicbrain(
            "evaluate", "cologne1", "--control", "fixed", "--control", "max-pressure", "--seeds", "1,7",
            *FIRST_MINUTES, "--jobs", "1", "--out", str(tmp_path / number), "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert json.loads(done.stdout) == json.loads((tmp_path / number / "evaluation.json").read_text())
        studies.append(json.loads(done.stdout))
    runs = [study["runs"] for study in studies]
    for run_ in runs[0] + runs[1]:
        for name in WALL_CLOCK_FIELDS:
            assert run_.pop(name) >= 0
    assert runs[0] == runs[1]
    assert studies[0]["series"] == studies[1]["series"]
    by_control = {(one["control"], one["seed"]): one for one in runs[0]}
    assert by_control["fixed", 1] != by_control["fixed", 7], "the seed must matter"
    assert by_control["fixed", 1]["vehicles_due"] == by_control["max-pressure", 1]["vehicles_due"] > 50
    assert all(one["unsafe_states"] == 0 for one in runs[0] if one["control"] == "max-pressure")
    assert (studies[0]["begin_s"], studies[0]["end_s"]) == (25200.0, 25500.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--control", "max-presure"], "no control 'max-presure'"),
        (["--control", "fixed", "--seeds", "0"], "0 seeds"),
        (["--control", "fixed", "--seeds", "1,-2"], "seed -2"),
        (["--control", "fixed", "--coverage", "1.2"], "coverage 1.2"),
        (["--control", "fixed", "--coverage", "nan"], "coverage nan"),
        (["--control", "fixed", "--jobs", "0"], "jobs 0"),
        (["--control", "fixed", "--sensing", "radar"], "no sensing 'radar'"),
        (["--control", "fixed", "--begin", "30000"], "is empty"),
        (["--control", "fixed", "--baseline", "actuated"], "not among the controls"),
    ],
)
@needs_scenarios
def test_bad_input_ends_with_2_and_words_before_anything_is_written(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["evaluate", "cologne1", *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "remedy:" in error
    assert not out.exists()


def test_a_scenario_that_does_not_exist_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "colonge1", "--control", "fixed", "--out", str(tmp_path / "out")]) == 2
    assert "colonge1" in capsys.readouterr().err


@needs_scenarios
def test_a_folder_that_cannot_be_written_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["evaluate", "cologne1", "--control", "fixed", "--out", str(tmp_path / "file" / "out")]) == 2
    assert "cannot write here" in capsys.readouterr().err
