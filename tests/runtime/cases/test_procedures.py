"""Procedures: the package's own, a city's own, and errors that say file, line and remedy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.city.cases import CaseState
from civicbrain.city.incidents import IncidentKind
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.cases.conditions import Comparison, Condition
from civicbrain.runtime.cases.procedures import PACKAGED, load_procedures, read_procedure
from civicbrain.runtime.cases.reporters import load_reporters
from civicbrain.runtime.configuration import RunConfiguration, parse_configuration
from civicbrain.runtime.live import check_cases


def test_every_kind_of_incident_has_a_procedure() -> None:
    found = load_procedures()
    assert set(found) == set(IncidentKind)
    assert all(procedure.rules(CaseState.RECEPTION).deadline for procedure in found.values())


def test_a_city_replaces_one_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures/crash.yaml").write_text("kind: crash\ntitle: Unfall\n")
    found = load_procedures(tmp_path)
    assert found[IncidentKind.CRASH].title == "Unfall"
    assert found[IncidentKind.WRONG_WAY].digest == load_procedures()[IncidentKind.WRONG_WAY].digest


GOOD = (PACKAGED / "crash.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("title: Crash\n", "titel: Crash\n", 3, "titel"),
        ("deadline: 1 min\n    escalation", "deadline: soon\n    escalation", 13, "no duration"),
        ("kind: crash", "kind: fire", 2, "kind"),
        ("at_most: 0.34", "equal: 0.34", 8, "equal"),
        ("{capacity_left: {at_most: 0.34}}", "{colour: red}", 8, "no field 'colour'"),
        ("{capacity_left: {at_most: 0.34}}", "{capacity_left: high}", 8, "use below"),
        ("- notify: [police, ambulance]", "- notify: [police]\n        assign: tow", 42, "exactly one"),
        ("- propose: what_if", "- run: rm -rf /", 29, "run"),
        ("- propose: what_if", "- advance: closed", 29, "no procedure closes"),
        ("    deadline: 45 min\n", "", 46, "no deadline"),
        ("opens_from_confidence: 0.4", "opens_from_confidence: 4", 4, "less than or equal to 1"),
        ("kind: crash\n", "kind: crash\nkind: crash\n", 3, "twice"),
        ("urgency:\n", "urgency: *anchor\n", 6, "refers to"),
        ("states:\n", "states: [\n", None, "no YAML"),
        ("- id: swept", "- id: injured", None, "two states"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int | None, said: str
) -> None:
    assert old in GOOD
    path = tmp_path / "crash.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_procedure(path)
    assert said in str(caught.value)
    assert caught.value.remedy
    assert caught.value.place is not None
    if line is not None:
        assert caught.value.place == f"{path}:{line}", caught.value


def test_a_city_does_not_start_with_a_wrong_procedure_or_secret(tmp_path: Path) -> None:
    city = dataclasses.replace(sandbox_city(), folder=tmp_path)
    check_cases(city, RunConfiguration())
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures/crash.yaml").write_text("kind: crash\ntitle: Crash\nsteps: []\n")
    with pytest.raises(ConfigurationError, match=r"crash\.yaml:3: unknown key 'steps'"):
        check_cases(city, RunConfiguration())
    check_cases(city, parse_configuration({"cases": {"enabled": False}}))
    (tmp_path / "procedures/crash.yaml").unlink()
    police = {"url": "https://police.example/", "secret_file": str(tmp_path / "none")}
    with pytest.raises(ConfigurationError, match="secret cannot be read"):
        check_cases(city, parse_configuration({"notices": {"recipients": {"police": police}}}))
    with pytest.raises(ConfigurationError, match="keys cannot be read"):
        check_cases(city, parse_configuration({"cases": {"reporters_file": str(tmp_path / "none")}}))


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ('[app]\nkey = "short"\nrole = "citizen"\n', 0o600, "app.key"),
        ('[app]\nkey = "long-enough-to-be-one"\nrole = "mayor"\n', 0o600, "app.role"),
        ("[app\n", 0o600, "no TOML"),
        ('[app]\nkey = "long-enough-to-be-one"\nrole = "citizen"\n', 0o644, "open to others"),
    ],
)
def test_a_wrong_file_of_reporters_is_refused(tmp_path: Path, text: str, mode: int, said: str) -> None:
    path = tmp_path / "reporters.toml"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=said):
        load_reporters(str(path), 30.0)


def test_a_file_under_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures/accident.yaml").write_text("kind: crash\ntitle: Unfall\n")
    with pytest.raises(ConfigurationError, match=r"crash\.yaml"):
        load_procedures(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"- a\n- b\n", b"x" * 200_000, b"just words"])
def test_what_is_no_procedure_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "crash.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        read_procedure(path)


@given(value=st.floats(0, 1), limit=st.floats(0, 1))
def test_comparisons_are_what_they_say(value: float, limit: float) -> None:
    assert Comparison(below=limit).holds(value) == (value < limit)
    assert Comparison(at_least=limit).holds(value) == (value >= limit)
    assert Comparison(above=limit).holds(value) == (value > limit)
    assert Comparison(at_most=limit).holds(value) == (value <= limit)


def test_all_of_a_condition_must_hold() -> None:
    condition = Condition.model_validate({"confidence": {"at_least": 0.5}, "reporter": {"in": ["police"]}})
    facts = {"confidence": 0.6, "reporter": ("citizen", "police")}
    assert condition.holds(facts)
    assert not condition.holds({**facts, "reporter": ("citizen",)})
    assert not condition.holds({**facts, "confidence": 0.4})
    assert Condition().holds({})
