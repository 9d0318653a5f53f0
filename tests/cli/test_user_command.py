"""`civicbrain user`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from civicbrain.cli.main import run
from civicbrain.ledger import LedgerReader
from civicbrain.runtime.login import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def call(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = run(["user", *words, "--run-dir", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_user_from_first_to_last(user, tmp_path: Path) -> None:
    added = user("add", "Kim", "--role", "operator", "--password-stdin", typed="lantern-meadow-73\n")
    assert added[0] == 0, added
    assert "kim is operator" in added[1]
    assert "the first user" in added[1]
    assert user("set-role", "kim", "--role", "engineer")[0] == 0
    assert user("disable", "kim")[0] == user("enable", "kim")[0] == 0
    assert user("set-password", "kim", "--password-stdin", typed="orchard-signal-20\n")[0] == 0
    listed = user("list")[1]
    assert "kim" in listed
    assert "engineer" in listed
    assert "never" in listed
    assert "everybody is operator again" in user("remove", "kim")[1]
    file = tmp_path / "login.sqlite"
    assert file.stat().st_mode & 0o077 == 0
    assert run(["ledger", "verify", str(file)]) == 0
    with LedgerReader(file) as reader:
        entries = reader.page()
    assert [entry.kind for entry in entries] == [
        "user-added", "user-role", "user-disabled", "user-enabled", "user-password", "user-removed",
    ]  # fmt: skip
    assert all(entry.actor.startswith("cli") for entry in entries)
    assert b"lantern-meadow" not in file.read_bytes()


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (("add", "kim", "--role", "operator", "--password-stdin"), "short\n", "fewer than 12"),
        (("add", "kim", "--role", "operator", "--password-stdin"), "password1234\n", "tried first"),
        (("add", "k im", "--role", "operator", "--password-stdin"), "lantern-meadow-73\n", "no name"),
        (("add", "kim", "--role", "operator"), "", "--password-stdin"),
        (("set-role", "nobody-here", "--role", "viewer"), "", "there is no user"),
        (("remove", "nobody-here"), "", "there is no user"),
    ],
)
def test_mistakes_say_what_to_do_and_change_nothing(user, words, typed, says) -> None:
    code, _, said = user(*words, typed=typed)
    assert code == 2
    assert says in said
    assert "remedy:" in said
    assert "Traceback" not in said
    assert "0 in" in user("list")[1]


def test_a_file_that_others_may_read_is_not_used(user, tmp_path: Path) -> None:
    file = tmp_path / "login.sqlite"
    file.touch(mode=0o644)
    file.chmod(0o644)
    code, _, said = user("list")
    assert code == 2
    assert "chmod 600" in said


def test_a_file_that_is_none(user, tmp_path: Path) -> None:
    file = tmp_path / "login.sqlite"
    file.write_bytes(b"this is no database at all, but words" * 50)
    file.chmod(0o600)
    code, _, said = user("list")
    assert code == 2
    assert "cannot be used" in said
