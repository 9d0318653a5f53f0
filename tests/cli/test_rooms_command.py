"""`civicbrain new brain`, `where`, `check`: a new room passes its checks and its tests at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import civicbrain

SOURCE = Path(civicbrain.__file__).parent


def command(*arguments, cwd, path=()):
    """Run with `path` in front of the installed package."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=cwd, env=environment, text=True, capture_output=True,
        check=False, timeout=280,
    )  # fmt: skip


def civic(*arguments, cwd, path=()):
    return command("civicbrain.cli.main", *arguments, cwd=cwd, path=path)


def pytest_in(tests, *, cwd, path):
    return command("pytest", "-q", "-p", "no:cacheprovider", str(tests), cwd=cwd, path=path)


@pytest.mark.slow
def test_a_new_package_passes_at_once(tmp_path):
    made = civic("new", "brain", "ramp-metering", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    package = tmp_path / "civicbrain-ramp-metering"
    project = tomllib.loads((package / "pyproject.toml").read_text())
    entries = project["project"]["entry-points"]["civicbrain.brains"]
    assert entries == {"ramp_metering": "civicbrain_ramp_metering"}
    info = package / "src" / "civicbrain_ramp_metering-0.1.0.dist-info"  # what an installer would write
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: civicbrain-ramp-metering\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[civicbrain.brains]\nramp_metering = civicbrain_ramp_metering\n")
    path = [package / "src"]
    checked = civic("check", "ramp_metering", cwd=tmp_path, path=path)
    assert checked.returncode == 0, checked.stdout
    assert "civicbrain-ramp-metering" in checked.stdout
    tested = pytest_in(package / "tests", cwd=package, path=path)
    assert tested.returncode == 0, tested.stdout
    where = civic("where", "ramp_metering", cwd=tmp_path, path=path)
    assert "civicbrain_ramp_metering/brain.py" in where.stdout
    again = civic("new", "brain", "ramp-metering", cwd=tmp_path)
    assert again.returncode == 2
    assert "already there" in again.stderr


@pytest.mark.slow
def test_a_new_room_in_the_source_tree_passes_at_once(tmp_path):
    checkout = tmp_path / "checkout"
    shutil.copytree(
        SOURCE, checkout / "src/civicbrain", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    (checkout / "pyproject.toml").write_text('[project]\nname = "civicbrain"\n')
    path = [checkout / "src"]
    made = civic("new", "brain", "drainage", cwd=checkout / "src", path=path)
    assert made.returncode == 0, made.stderr
    files = {str(p.relative_to(checkout)) for p in checkout.rglob("*drainage*/*.py")}
    assert files == {
        "src/civicbrain/brains/drainage/__init__.py", "src/civicbrain/brains/drainage/brain.py",
        "tests/brains/drainage/test_drainage.py",
    }  # fmt: skip
    assert (checkout / "docs/rooms/drainage.md").is_file()
    checked = civic("check", "drainage", cwd=checkout, path=path)
    assert checked.returncode == 0, checked.stdout
    tested = pytest_in(checkout / "tests", cwd=checkout, path=path)
    assert tested.returncode == 0, tested.stdout
    where = civic("where", "drainage", cwd=checkout, path=path).stdout
    for line in ("tests/brains/drainage/test_drainage.py", "docs/rooms/drainage.md",
                 "/v1/brains/drainage", "[brains.drainage]"):  # fmt: skip
        assert line in where


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new", "brain", "signals"), "already a brain"),
        (("new", "brain", "operator"), "reserved"),
        (("new", "brain", "class"), "reserved"),
        (("new", "brain", "No Slug"), "slug"),
        (("new", "brain", "../../etc"), "slug"),
        (("where", "signal"), "did you mean 'signals'"),
        (("check", "none"), "no room 'none'"),
        (("ledger", "verify", "none.ledger"), "no ledger"),
        (("ledger", "show", "."), "no ledger in this folder"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(tmp_path, arguments, words):
    done = civic(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_fails_with_exit_code_1_and_names_the_fault(tmp_path):
    (tmp_path / "bad_room.py").write_text(
        '"""Bad."""\n'
        "class B:\n"
        "    name, cadence_s, budget_s = 'bad', 1.0, 1.0\n"
        "    def advise(self, snapshot): return [1]\n"
        "def create(context): return B()\n"
    )
    info = tmp_path / "bad-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[civicbrain.brains]\nbad = bad_room\n")
    done = civic("check", cwd=tmp_path, path=[tmp_path])
    assert done.returncode == 1
    assert "advise returned a list" in done.stdout
    assert "brains/signals" in done.stdout
    assert "1 of " in done.stderr
