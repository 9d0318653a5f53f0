"""The same study twice, compared to the last digit: see README.md beside this file."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.records import WALL_CLOCK_FIELDS, RunFile
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import run_study

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="default: cologne1 and cologne8")
    parser.add_argument("--control", action="append", help="default: fixed, actuated and max-pressure")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    scenarios = arguments.scenario or ["cologne1", "cologne8"]
    controls = tuple(arguments.control or ("fixed", "actuated", "max-pressure"))
    options = StudyOptions(controls=controls, seeds=tuple(range(1, arguments.seeds + 1)))
    with tempfile.TemporaryDirectory(prefix="civicbrain-reproducibility-") as scratch:
        tables = []
        for jobs in (1, 2):
            folder = Path(scratch) / str(jobs)
            studies = run_study(scenarios, options, folder, jobs=jobs)
            failures = [failure for study in studies for failure in study.failures]
            if failures:
                print(f"a run failed: {failures[0].reason}", file=sys.stderr)
                return 2
            tables.append(
                {str(path.relative_to(folder)): figures(path) for path in folder.rglob("runs/*.json")}
            )
    different = [name for name in sorted(tables[0]) if tables[0][name] != tables[1].get(name)]
    digest = hashlib.sha256(json.dumps(tables[0], sort_keys=True).encode()).hexdigest()
    result = {
        "identical": not different,
        "different": different,
        "runs_compared": len(tables[0]),
        "digest": digest,
        "scenarios": scenarios,
        "controls": list(controls),
        "seeds": arguments.seeds,
        "sumo_version": studies[0].sumo_version,
        "civicbrain_version": studies[0].civicbrain_version,
        "machine": platform.machine(),
    }
    write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())
    print(f"{len(tables[0])} runs compared, {len(different)} differ {different or ''}; digest {digest[:16]}")
    return 1 if different else 0


def figures(path: Path) -> dict[str, Any]:
    """A finished run without what the machine's speed decides."""
    file = msgspec.json.decode(path.read_bytes(), type=RunFile)
    run: dict[str, Any] = msgspec.to_builtins(file.run)
    for name in WALL_CLOCK_FIELDS:
        del run[name]
    return {"run": run, "series": msgspec.to_builtins(file.series)}


if __name__ == "__main__":
    sys.exit(main())
