"""The dependency law, rooms with card and tests, names and sizes of modules."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src/civicbrain"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
ROOMS = sorted(
    folder
    for kind in ("brains", "feeds", "actuators")
    for folder in (PACKAGE / kind).iterdir()
    if (folder / "__init__.py").is_file()
)
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
MAX_LINES = 400
CARD_LINES = 20


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_modules_imported_by_short_name_are_told_apart():
    """Test folders and benchmarks put themselves on the path: of two modules of one name one is hidden."""
    shared = [
        path
        for folder in ("tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.stem not in {"__init__", "conftest", "run"} and not path.stem.startswith("test_")
        if "sumo-1.9.2" not in path.parts  # what benchmarks/resco unpacks for itself
    ]
    assert shared
    names = [path.stem for path in shared]
    twice = [str(path.relative_to(ROOT)) for path in shared if names.count(path.stem) > 1]
    assert not twice, f"rename one of {twice}"


def test_imports_point_one_way():
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which(
        "lint-imports"
    )
    if command is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rooms_of_one_kind_do_not_import_each_other():
    for room in ROOMS:
        kind = room.parent.name
        for path in room.rglob("*.py"):
            for other in re.findall(rf"civicbrain\.{kind}\.(\w+)", path.read_text("utf-8")):
                assert other == room.name, f"{name_of(path)} imports {kind}.{other}"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: f"{room.parent.name}/{room.name}")
def test_each_room_has_a_card_tests_and_a_document(room):
    card = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    assert card, "the docstring of a room is its card"
    assert len(card.splitlines()) <= CARD_LINES
    kind, name = room.parent.name, room.name
    tests = [
        *(ROOT / "tests" / kind / name).glob("test_*.py"),
        *(ROOT / "tests" / kind).glob(f"test_{name}*.py"),
    ]
    assert tests, f"tests/{kind}/{name}/test_*.py is missing"
    assert (ROOT / "docs/rooms" / f"{name}.md").is_file(), f"docs/rooms/{name}.md is missing"


def test_no_module_is_named_for_what_it_is_not():
    for path in MODULES:
        parts = {path.stem, *path.relative_to(PACKAGE).parts[:-1]}
        assert not parts & FORBIDDEN_NAMES, name_of(path)


def test_modules_are_short():
    long = {name_of(p): n for p in MODULES if (n := len(p.read_text("utf-8").splitlines())) > MAX_LINES}
    assert long == {}


def test_every_module_says_what_it_is_for():
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []
