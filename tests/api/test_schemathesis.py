"""schemathesis against the running API, every check, positive and negative data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Place


@pytest.mark.slow
def test_schemathesis_finds_nothing(live: Place, tmp_path: Path) -> None:
    program = shutil.which("st", path=str(Path(sys.executable).parent)) or shutil.which("st")
    if program is None:
        pytest.skip("schemathesis is not installed (pip install '.[test]')")
    done = subprocess.run(
        [program, "run", f"{live.url}/openapi.json", "--checks", "all", "--mode", "all",
         "--max-examples", "10", "--continue-on-failure", "--seed", "1"],
        capture_output=True, text=True, cwd=tmp_path, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
