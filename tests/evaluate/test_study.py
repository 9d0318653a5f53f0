"""Studies: what they write, what survives a failed run, a full disk and a kill, and that they repeat."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_runs
import pytest

from civicbrain.city.model import City
from civicbrain.core.errors import ConfigurationError, NotFoundError, StudyError
from civicbrain.evaluate import plan
from civicbrain.evaluate.evaluator import StudyEvaluator
from civicbrain.evaluate.plan import RunTask, StudyOptions
from civicbrain.evaluate.records import WALL_CLOCK_FIELDS, Evaluation, Failure, RunFile
from civicbrain.evaluate.study import run_study

RUN_FIELDS = {
    "control", "seed", "vehicles_due", "departed", "arrived", "undeparted", "mean_delay_s",
    "mean_time_loss_s", "mean_depart_delay_s", "mean_travel_time_s", "mean_waiting_s", "max_waiting_s",
    "stops_per_vehicle", "co2_kg", "teleports", "collisions", "emergency_stops", "refused_requests",
    "unsafe_states", "deadlock", "wall_s", "sim_s_per_wall_s", "decision_ms_p50", "decision_ms_p99",
}  # fmt: skip
STUDY_FIELDS = {
    "scenario", "sumo_version", "civicbrain_version", "sensing", "coverage", "begin_s", "end_s", "runs",
    "summary", "paired",
}  # fmt: skip


class Watch:
    """Counts what ran."""

    def __init__(self) -> None:
        self.before = 0
        self.outcomes: list[tuple[RunTask, RunFile | Failure]] = []

    def start(self, total: int, finished_before: int) -> None:
        self.before = finished_before

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:
        self.outcomes.append((task, outcome))


@pytest.fixture(autouse=True)
def _code_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody editing the sources while the tests run must not make finished runs look outdated."""
    monkeypatch.setattr(plan, "hash_code", lambda: "code")


@pytest.fixture
def city(tmp_path: Path) -> City:
    return fake_runs.fake_city(tmp_path / "city")


def study(
    city: City, out: Path, *controls: str, seeds: int = 3, simulate: Any = fake_runs.simulate, **more: Any
) -> Evaluation:
    options = StudyOptions(controls=controls or ("fixed", "max-pressure"), seeds=tuple(range(1, seeds + 1)))
    if "jobs" not in more:
        more["executor"] = fake_runs.AtOnce()
    return run_study(["sandbox"], options, out, simulate=simulate, resolve=lambda _: city, **more)[0]


def without_wall_clock(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    for run in content["runs"]:
        for name in WALL_CLOCK_FIELDS:
            del run[name]
    for metrics in content["summary"].values():
        for name in WALL_CLOCK_FIELDS:
            del metrics[name]
    return content


def test_the_file_holds_what_is_promised(
    city: City, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study(city, tmp_path / "out", "max-pressure", "fixed", jobs=1)
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert set(content) >= STUDY_FIELDS
    assert all(set(run) >= RUN_FIELDS for run in content["runs"])
    assert [(run["control"], run["seed"]) for run in content["runs"]] == [
        (control, seed) for control in ("max-pressure", "fixed") for seed in (1, 2, 3)
    ]
    assert (content["begin_s"], content["end_s"]) == (25200.0, 28800.0)
    assert set(content["summary"]) == {"fixed", "max-pressure"}
    assert set(content["summary"]["fixed"]) >= RUN_FIELDS - {"control", "seed"}
    delays = [run["mean_delay_s"] for run in content["runs"] if run["control"] == "fixed"]
    summary = content["summary"]["fixed"]["mean_delay_s"]
    assert summary["mean"] == pytest.approx(sum(delays) / 3)
    assert summary["ci95"][0] < summary["mean"] < summary["ci95"][1]
    pair = content["paired"]["max-pressure"]
    assert list(content["paired"]) == ["max-pressure"]
    assert pair["baseline"] == "fixed"
    assert 0.55 < pair["delay_ratio"] < 0.65
    assert pair["ci95"][0] < pair["delay_ratio"] < pair["ci95"][1]
    assert capfd.readouterr().out == "", "what a run prints must not reach stdout"


def test_a_retiming_is_not_overwritten(city: City, tmp_path: Path) -> None:
    (tmp_path / "plans.json").write_text("{}")
    (tmp_path / "report.html").write_text("the retiming")
    with pytest.raises(StudyError, match="holds a retiming"):
        study(city, tmp_path, seeds=1)
    assert (tmp_path / "report.html").read_text() == "the retiming"


def test_one_seed_has_no_interval(city: City, tmp_path: Path) -> None:
    result = study(city, tmp_path / "out", seeds=1)
    assert result.summary["fixed"]["mean_delay_s"].ci95 is None
    assert result.paired["max-pressure"].ci95 is None
    assert result.paired["max-pressure"].delay_ratio is not None


def test_the_same_study_twice_is_the_same_to_the_last_digit(city: City, tmp_path: Path) -> None:
    study(city, tmp_path / "a", jobs=1)
    study(city, tmp_path / "b", jobs=2)
    first = without_wall_clock(tmp_path / "a" / "evaluation.json")
    assert first == without_wall_clock(tmp_path / "b" / "evaluation.json")


def test_finished_runs_are_not_run_again_unless_something_changed(city: City, tmp_path: Path) -> None:
    out = tmp_path / "out"
    study(city, out, seeds=2)
    watch = Watch()
    study(city, out, seeds=3, progress=watch)
    assert watch.before == 4
    assert sorted((task.control.name, task.seed) for task, _ in watch.outcomes) == [
        ("fixed", 3), ("max-pressure", 3),
    ]  # fmt: skip
    (out / "runs" / "fixed-1.json").write_text("{ cut off")
    assert city.demand.route_files
    watch = Watch()
    study(city, out, seeds=3, progress=watch)
    assert [(task.control.name, task.seed) for task, _ in watch.outcomes] == [("fixed", 1)]
    (city.folder / "routes.rou.xml").write_text("<routes><!-- other demand --></routes>")
    watch = Watch()
    study(city, out, seeds=3, progress=watch)
    assert (watch.before, len(watch.outcomes)) == (0, 6)


def test_a_run_that_fails_is_named_with_its_reason_and_takes_no_other_with_it(
    city: City, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = study(city, out, "fixed", "actuated", simulate=fake_runs.simulate_or_fail, jobs=1)
    reasons = {failure.seed: failure.reason for failure in result.failures}
    assert "tls.add.xml: SUMO could not read" in reasons[1]
    assert "ZeroDivisionError: a defect" in reasons[2]
    assert "SIGSEGV" in reasons[3]
    assert "corrupted double-linked list" in reasons[3]
    assert "Traceback" in (out / "runs" / "actuated-2.log").read_text()
    assert [(run.control, run.seed) for run in result.runs] == [("fixed", 1), ("fixed", 2), ("fixed", 3)]
    assert not list((out / "runs").glob("fixed-*.log"))
    assert result.paired["actuated"].delay_ratio is None
    assert "failed and counts nowhere" in (out / "report.html").read_text()
    watch = Watch()
    study(city, out, "fixed", "actuated", progress=watch)
    assert watch.before == 3, "only what failed runs again"


def test_when_the_disk_is_full_finished_runs_stay_and_the_study_goes_on_later(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    calls = 0
    sync = os.fsync

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 4:  # file and folder of two runs
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StudyError, match="no space left on the disk") as caught:
            study(city, out)
    assert "finished runs are kept" in str(caught.value)
    assert caught.value.exit_code == 2
    assert sorted(path.name for path in (out / "runs").glob("*.json")) == [
        "fixed-1.json",
        "max-pressure-1.json",
    ]
    assert not list(out.rglob("*.tmp")), "nothing half-written"
    watch = Watch()
    study(city, out, progress=watch)
    assert watch.before == 2
    study(city, tmp_path / "whole")
    assert without_wall_clock(out / "evaluation.json") == without_wall_clock(
        tmp_path / "whole" / "evaluation.json"
    )


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "tiny"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_disk_that_is_really_full_loses_no_finished_run(city: City, tiny_disk: Path) -> None:
    with pytest.raises(StudyError, match="no space left on the disk"):
        study(city, tiny_disk / "out", seeds=10)
    kept = sorted((tiny_disk / "out" / "runs").glob("*.json"))
    assert kept
    for path in kept:
        json.loads(path.read_text())
    subprocess.run(["mount", "-o", "remount,size=8m", str(tiny_disk)], check=True)
    watch = Watch()
    study(city, tiny_disk / "out", seeds=10, progress=watch)
    assert watch.before == len(kept)
    assert len(json.loads((tiny_disk / "out" / "evaluation.json").read_text())["runs"]) == 20


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
import fake_runs
from civicbrain.evaluate import plan
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.study import run_study

plan.hash_code = lambda: "code"
if __name__ == "__main__":
    city = fake_runs.fake_city(Path({city!r}))
    options = StudyOptions(controls=("fixed", "max-pressure"), seeds=(1, 2, 3))
    run_study(["sandbox"], options, Path({out!r}), simulate=fake_runs.simulate_slowly, resolve=lambda _: city)
"""


def test_a_study_killed_in_the_middle_goes_on_to_the_same_result(city: City, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "study_script.py"
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent), city=str(city.folder), out=str(out)))
    with subprocess.Popen([sys.executable, str(script)]) as process:
        deadline = time.monotonic() + 60
        while len(list(out.glob("runs/*.json"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    kept = len(list(out.glob("runs/*.json")))
    assert 2 <= kept < 6
    assert not (out / "evaluation.json").exists()
    watch = Watch()
    study(city, out, progress=watch)
    assert watch.before >= 2
    study(city, tmp_path / "whole")
    assert without_wall_clock(out / "evaluation.json") == without_wall_clock(
        tmp_path / "whole" / "evaluation.json"
    )


def test_several_scenarios_have_a_folder_each_and_one_page_together(tmp_path: Path) -> None:
    from dataclasses import replace

    def resolve(name: str | Path) -> City:
        return replace(fake_runs.fake_city(tmp_path / str(name)), name=str(name))

    options = StudyOptions(controls=("fixed", "actuated"), seeds=(1, 2))
    out = tmp_path / "out"
    results = run_study(
        ["east", "west", "east"], options, out, executor=fake_runs.AtOnce(), simulate=fake_runs.simulate,
        resolve=resolve,
    )  # fmt: skip
    assert [result.scenario for result in results] == ["east", "west"]
    whole = json.loads((out / "evaluation.json").read_text())
    assert [one["scenario"] for one in whole["studies"]] == ["east", "west"]
    assert json.loads((out / "west" / "evaluation.json").read_text()) == whole["studies"][1]
    page = (out / "report.html").read_text()
    assert "east" in page
    assert "west" in page


def test_what_is_wrong_is_found_before_any_run_and_nothing_is_written(city: City, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(NotFoundError, match="max-presure"):
        study(city, out, "max-presure")
    with pytest.raises(ConfigurationError, match="jobs 0"):
        study(city, out, jobs=0)
    assert not out.exists()
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StudyError, match="cannot write here"):
        study(city, blocked)


def test_the_evaluator_door_returns_the_file_and_refuses_half_an_answer(city: City, tmp_path: Path) -> None:
    evaluator = StudyEvaluator(simulate=fake_runs.simulate, resolve=lambda _: city, folder=tmp_path / "kept")
    answer = evaluator.evaluate("sandbox", ["fixed", "max-pressure"], [1, 2])
    assert json.loads((tmp_path / "kept" / "evaluation.json").read_text()) == json.loads(json.dumps(answer))
    broken = StudyEvaluator(simulate=fake_runs.simulate_or_fail, resolve=lambda _: city)
    with pytest.raises(StudyError, match="actuated, seed 1"):
        broken.evaluate("sandbox", ["fixed", "actuated"], [1])


def test_the_mesoscopic_model_is_not_asked_what_it_cannot_answer(city: City, tmp_path: Path) -> None:
    for controls, more in ((("fixed", "actuated"), {}), (("fixed",), {"bound": True})):
        options = StudyOptions(controls=controls, seeds=(1,), mesoscopic=True, **more)
        with pytest.raises(ConfigurationError, match="mesoscopic"):
            run_study(["sandbox"], options, tmp_path / "out", resolve=lambda _: city)
    assert not (tmp_path / "out").exists()
