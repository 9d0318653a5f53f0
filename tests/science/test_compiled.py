"""Machine code kept on disk is used only while all that it was made from is unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from numba.core import config

from civicbrain.science.compiled import sources_digest


def test_the_folder_is_that_of_the_sources() -> None:
    package = Path(sys.modules["civicbrain.science.compiled"].__file__ or "").parents[1]
    assert Path(config.CACHE_DIR).name == f"compiled-{sources_digest(package)}"


def test_any_module_of_science_or_brains_makes_another_digest(tmp_path: Path) -> None:
    for folder in ("science", "brains/signals", "api"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "one.py").write_text("A = 1\n")
    before = sources_digest(tmp_path)
    (tmp_path / "api/one.py").write_text("A = 2\n")
    assert sources_digest(tmp_path) == before
    (tmp_path / "brains/signals/one.py").write_text("A = 2\n")
    changed = sources_digest(tmp_path)
    assert changed != before
    (tmp_path / "brains/signals/one.py").rename(tmp_path / "brains/signals/other.py")
    assert sources_digest(tmp_path) not in (before, changed)


def test_a_given_cache_folder_is_used_and_old_states_are_forgotten(tmp_path: Path) -> None:
    old, foreign = tmp_path / "compiled-0123", tmp_path / "somebody-elses"
    for folder in (old, foreign):
        folder.mkdir()
        os.utime(folder, (0.0, 0.0))
    code = "import civicbrain.science.compiled; from numba.core import config; print(config.CACHE_DIR)"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, text=True, capture_output=True, check=True
    )
    assert Path(done.stdout.strip()).parent == tmp_path
    assert foreign.is_dir()
    assert not old.exists()
