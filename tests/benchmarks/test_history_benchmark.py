"""The history benchmark runs from end to end on a small city, and its questions have answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parent.parent.parent / "benchmarks" / "history" / "run.py"


def test_a_small_history_is_made_and_asked(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, str(RUN), "--small", "--out", str(out)], capture_output=True, text=True, timeout=290
    )
    assert out.exists(), done.stderr[-3000:]
    result = json.loads(out.read_text())
    assert result["rows"]["1min lane"] > 10_000
    assert result["loop"]["shed"] == {}
    asked = {name: answer["values"] for name, answer in result["questions"].items()}
    assert asked["10 s of playback"] == 10
    assert all(asked.values()), asked
    # processor time: a busy machine says nothing about wall time
    assert max(answer["cpu_s_p95"] for answer in result["questions"].values()) < result["target_s"]
