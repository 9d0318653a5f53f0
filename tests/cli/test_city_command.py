"""`civicbrain import`, `civicbrain city show` and what main does with errors."""

from __future__ import annotations

import dataclasses
import errno
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from civicbrain.cli import main as command
from civicbrain.cli.city import _print_junctions
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import CityError


def test_show_and_plot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    import importlib.util

    if importlib.util.find_spec("sumo_rl") is None:
        pytest.skip("the scenarios extra is not installed")
    assert command.run(["city", "show", "cologne1", "--json"]) == 0
    junction = json.loads(capsys.readouterr().out)["junctions"][0]
    assert len(junction["groups"]) == 8
    picture = tmp_path / "stages.svg"
    assert (
        command.run(["city", "show", "cologne1", "--junction", junction["id"], "--plot", str(picture)]) == 0
    )
    assert "intergreens" in capsys.readouterr().out
    assert picture.read_text().startswith("<?xml")
    assert command.run(["city", "show", "cologne1", "--junction", "nowhere"]) == 2
    assert "no junction 'nowhere'" in capsys.readouterr().err
    assert command.run(["city", "show", "cologne1", "--plot", str(tmp_path / "x.doc")]) == 2


def test_the_list_of_junctions_is_read_in_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names were folded to five letters a line once, beside seven columns of figures."""
    monkeypatch.setenv("COLUMNS", "80")
    city = sandbox_city()
    junction = replace(city.junctions[0], name="Jahnstraße / Bergstraße / Stolze-Schrey-Straße")
    _print_junctions(Console(), dataclasses.replace(city, junctions=(junction,)))
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.strip().startswith(junction.id)).split()
    extra = sum(stage.extra for stage in junction.stages)
    added = sum(stage.derived for stage in junction.stages) - extra
    assert row[1:5] == [str(n) for n in (len(junction.groups), len(junction.stages), added, extra)]
    assert any("Jahnstraße / Bergstraße" in line for line in lines)


def test_a_wrong_source_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "town.net.xml").write_text("<net")
    assert command.run(["import", str(tmp_path / "town.net.xml"), "--out", str(tmp_path / "city")]) == 2
    shown = capsys.readouterr().err
    assert "town.net.xml, line 1" in shown
    assert "remedy:" in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "city").exists()


def test_a_city_is_not_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "city.toml").write_text("")
    assert command.run(["import", "cologne1", "--out", str(tmp_path / "city")]) == 2
    assert "--replace" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CityError("broken", place="a file", remedy="mend it"), 2, "a file: broken"),
        (OSError(errno.ENOSPC, "No space left on device", "out.json"), 2, "free some space"),
        (OSError(errno.EADDRINUSE, "Address already in use"), 2, "another port"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_sentences(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(command, "build_app", lambda: lambda **_: fail())
    assert command.run([]) == code
    assert words in capsys.readouterr().err


def test_unknown_command() -> None:
    assert command.run(["dance"]) == 2
