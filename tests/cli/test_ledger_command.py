"""`civicbrain ledger show|verify`."""

from __future__ import annotations

import json
import sqlite3

import pytest

from civicbrain.cli.main import run
from civicbrain.ledger import Ledger


@pytest.fixture
def folder(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for number in range(30):
            body = {"junction": "A", "stage": f"s{number}", "reason": "\x1b[31mred\n"}
            ledger.append("request", "signals", body, float(number))
    return tmp_path


def test_show_prints_the_last_entries_and_no_control_characters(folder, capsys):
    assert run(["ledger", "show", str(folder), "--last", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["28", "29", "30"]
    assert "stage=s29" in lines[-1]
    assert "\x1b" not in "".join(lines)


def test_show_as_json_from_an_offset(folder, capsys):
    assert (
        run(["ledger", "show", str(folder / "ledger.sqlite"), "--offset", "0", "--last", "2", "--json"]) == 0
    )
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


def test_verify_says_ok_and_gives_a_head_that_can_be_kept(folder, capsys):
    assert run(["ledger", "verify", str(folder)]) == 0
    text = capsys.readouterr().out
    head = text.split("head ")[1].strip()
    assert text.startswith("ok: 30 entries")
    assert run(["ledger", "verify", str(folder), "--head", head]) == 0
    db = sqlite3.connect(folder / "ledger.sqlite")
    db.executescript("DROP TRIGGER entry_no_delete; DELETE FROM entry WHERE seq > 20;")
    db.close()
    assert run(["ledger", "verify", str(folder)]) == 0  # a cut tail alone does not show …
    assert run(["ledger", "verify", str(folder), "--head", head]) == 1  # … a kept head shows it
    assert run(["ledger", "verify", str(folder), "--head", "nonsense"]) == 2


def test_verify_places_tampering(folder, capsys):
    db = sqlite3.connect(folder / "ledger.sqlite")
    db.executescript("DROP TRIGGER entry_no_update; UPDATE entry SET actor = 'x' WHERE seq = 7;")
    db.close()
    assert run(["ledger", "verify", str(folder)]) == 1
    assert "broken at entry 7" in capsys.readouterr().err
