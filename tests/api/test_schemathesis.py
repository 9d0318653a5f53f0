"""schemathesis against the running API, every check, positive and negative data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from api_place import Place

THOROUGH = os.environ.get("CIVICBRAIN_SCHEMATHESIS") == "thorough"
"""Also the phase that goes through every boundary of every schema, and many more examples: minutes."""
PHASES, EXAMPLES, LONGEST_S = (
    ("examples,coverage,fuzzing,stateful", 100, 1800) if THOROUGH else ("examples,fuzzing,stateful", 6, 240)
)
SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.slow
def test_schemathesis_finds_nothing(live: Place, tmp_path: Path) -> None:
    program = shutil.which("st", path=str(Path(sys.executable).parent)) or shutil.which("st")
    if program is None:
        pytest.skip("schemathesis is not installed (pip install '.[test]')")
    done = subprocess.run(
        [program, "--config-file", str(SETTINGS), "run", f"{live.url}/openapi.json", "--checks", "all",
         "--mode", "all", "--phases", PHASES, "--max-examples", str(EXAMPLES), "--continue-on-failure",
         "--seed", "1"],
        capture_output=True, text=True, cwd=tmp_path, timeout=LONGEST_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_answers_are_not_held_back(client: httpx.Client) -> None:
    """Without TCP_NODELAY each answer waits 40 ms for the acknowledgement of its head."""
    fastest_s = min(client.get("/v1/health").elapsed.total_seconds() for _ in range(20))
    assert fastest_s < 0.03
