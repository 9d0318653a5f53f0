"""Jobs stand back: processor and disk go to the live loop first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from civicbrain.core.low_priority import JOB_NICE
from civicbrain.runtime import child

LOOK = "import os, psutil; print(os.nice(0), int(psutil.Process().ionice().ioclass))\n"
IDLE = 3


@pytest.mark.parametrize("nice", [0, 5, JOB_NICE])
def test_a_job_leaves_processor_and_disk_to_others(tmp_path: Path, nice: int) -> None:
    (tmp_path / "look.py").write_text(LOOK)
    command = child.command("look", [], run_dir=tmp_path, name="look", nice=nice)
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
    own = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout
    assert int(told[0]) == min(19, int(own.split()[0]) + nice)
    assert (int(told[1]) == IDLE) == (nice >= JOB_NICE)
