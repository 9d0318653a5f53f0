"""`civicbrain cases` and `civicbrain handover` on the files of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from civicbrain.city.cases import CaseState
from civicbrain.city.folder import save_city
from civicbrain.city.incidents import IncidentKind, Place
from civicbrain.city.model import DemandFiles
from civicbrain.cli.main import build_app, run
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.cases.conduct import Conduct
from civicbrain.runtime.cases.desk import CaseDesk
from civicbrain.runtime.cases.procedures import load_procedures
from civicbrain.runtime.cases.store import CaseStore


@pytest.fixture
def city(tmp_path: Path) -> Path:
    import dataclasses

    folder = tmp_path / "city"
    made = dataclasses.replace(sandbox_city(), demand=DemandFiles(net_file="twin/net.xml"))
    save_city(made, folder, {"twin/net.xml": b"<net/>"})
    return folder


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    store = CaseStore(folder / "cases")
    desk = CaseDesk(store, Conduct(load_procedures()))
    desk.open(IncidentKind.CRASH, Place(1.0, 2.0, edge="main street"), "operator:anna")
    desk.move("case-1", CaseState.TRIAGE, "operator:anna", reason="seen\x1b[31m on camera")
    store.close()
    return folder


def command(*words: object) -> str:
    done = CliRunner().invoke(build_app(), [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_cases_are_listed_and_shown(city: Path, run_dir: Path) -> None:
    listed = command("cases", "list", city, "--run-dir", run_dir)
    assert "case-1" in listed
    assert "main street" in listed
    shown = command("cases", "show", city, "case-1", "--run-dir", run_dir)
    assert "[open   ] Ask whether anybody is hurt" in shown
    assert "operator:anna" in shown
    assert "\x1b" not in shown


def test_the_note_and_the_week_are_printed(city: Path, run_dir: Path) -> None:
    note = command("handover", city, "--run-dir", run_dir)
    assert "case-1" in note
    assert "the city does not run" in note
    assert json.loads(command("handover", city, "--run-dir", run_dir, "--json"))["live"] is False
    week = json.loads(command("cases", "quality", city, "--run-dir", run_dir, "--json"))
    assert week["kinds"][0]["opened"] == 1
    assert "crash" in command("cases", "quality", city, "--run-dir", run_dir)


def test_what_is_not_there_is_said_in_a_sentence(
    city: Path, run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cases", "show", str(city), "case-9", "--run-dir", str(run_dir)]) == 2
    assert run(["cases", "list", str(city), "--run-dir", str(tmp_path)]) == 2
    assert run(["cases", "quality", str(city), "--run-dir", str(run_dir), "--week", "soon"]) == 2
    said = capsys.readouterr().err
    assert "no case 'case-9'" in said
    assert "no cases are kept here" in said


def test_procedures_are_checked_before_they_are_needed(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "crash" in command("cases", "check", city)
    (city / "procedures").mkdir()
    (city / "procedures/crash.yaml").write_text("kind: crash\ntitle: Crash\ndeadlin: 5 min\n")
    assert run(["cases", "check", str(city)]) == 2
    assert "crash.yaml:3: unknown key 'deadlin'" in capsys.readouterr().err
