"""A command that is ended while it works leaves nothing half-made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_city_that_is_being_made_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    scratch, place = tmp_path / "scratch", tmp_path / "cities"
    scratch.mkdir()
    place.mkdir()
    command = [sys.executable, "-m", "civicbrain.cli.main", "generate", "city", "--junctions", "1000"]
    making = subprocess.Popen(
        [*command, "--out", str(place / "big")],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # whoever runs the tests may ignore it, as nohup does
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    until = time.monotonic() + 60.0
    # not the first file there: that is Python's own trial of the folder, gone a moment later or, where the
    # signal comes just then, left by Python
    while not any(scratch.glob("*/*")):
        assert making.poll() is None, making.stderr and making.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    making.send_signal(number)
    _, said = making.communicate(timeout=60.0)
    assert making.returncode == 128 + number
    assert "Traceback" not in said
    assert list(scratch.iterdir()) == []
    assert list(place.iterdir()) == []
