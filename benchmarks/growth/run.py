"""How time, memory and decision latency grow with the city: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from drawing import draw  # noqa: E402
from filled import fill  # noqa: E402

from civicbrain.evaluate.storage import write_atomically  # noqa: E402
from civicbrain.twin.generating import GenerateOptions, generate_city  # noqa: E402

SIZES = (10, 100, 1300, 5000)
VEHICLES_A_JUNCTION = 23_000 / 1300
"""As asked for at 1,300 junctions."""
BEGIN_S = 8 * 3600.0
ATTACHED_TARGET, DECISION_TARGET_MS, SNAPSHOT_TARGET_MS, COLD_TARGET_S, MEMORY_TARGET_MB = (
    1.15,
    50,
    5,
    20,
    1500,
)
OF_SIZE = 1300
"""The targets are those of this size."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="junctions; repeat for several")
    parser.add_argument("--settle", type=int, default=90, help="seconds before measuring")
    parser.add_argument("--measured", type=int, default=90, help="seconds measured")
    parser.add_argument("--repeat", type=int, default=3, help="pairs of runs; the median ratio counts")
    parser.add_argument("--control", default="brain")
    arguments = parser.parse_args()
    file = HERE / "results.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for size in arguments.size or SIZES:
        with tempfile.TemporaryDirectory(prefix="civicbrain-growth-") as scratch:
            rows[str(size)] = measure(size, Path(scratch), arguments)
        rows = dict(sorted(rows.items(), key=lambda item: int(item[0])))
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(rows).encode())
        write_atomically(HERE / "growth.svg", draw(rows).encode())
    print(table(rows))
    found = misses(rows)
    print("\n".join(found) or "every target is met")
    return 1 if found else 0


def measure(size: int, scratch: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Pairs of runs of one size, one process at a time, the order swapped from pair to pair."""
    city, full = scratch / "city", scratch / "full"
    generate_city(GenerateOptions(size, _cameras(size)), city)
    length_s = arguments.settle + arguments.measured + 10
    started = fill(city, full, round(size * VEHICLES_A_JUNCTION), BEGIN_S, length_s)
    window = [str(full), str(BEGIN_S), str(arguments.settle), str(arguments.measured)]
    pairs = []
    for number in range(arguments.repeat):
        kinds = ("bare", "attached") if number % 2 == 0 else ("attached", "bare")
        pairs.append({kind: _run(kind, window, arguments.control) for kind in kinds})
        print(f"{size} junctions: {_ratio(pairs[-1]):.2f}", file=sys.stderr)
    middle = sorted(pairs, key=_ratio)[len(pairs) // 2]
    return {
        "junctions": size,
        "vehicles_started": started,
        "control": arguments.control,
        "measured_s": arguments.measured,
        "ratio": round(statistics.median(map(_ratio, pairs)), 3),
        "ratios": [round(_ratio(pair), 3) for pair in pairs],
        "ratio_same_traffic": round(statistics.median(map(_same_traffic, pairs)), 3),
        "bare": middle["bare"],
        "attached": middle["attached"],
        "brain_mb": round(middle["attached"]["brain_rss_mb"], 0),
    }


def _cameras(size: int) -> int:
    """Field cameras, as many a junction as Hangzhou's 4,500 on 1,300."""
    return round(size * 4500 / 1300)


def _run(kind: str, window: list[str], control: str) -> dict[str, Any]:
    more = [control] if kind == "attached" else []
    done = subprocess.run(
        [sys.executable, str(HERE / "one_run.py"), kind, *window, *more],
        check=True, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _ratio(pair: dict[str, Any]) -> float:
    """Processor time of a simulated second with everything attached, over SUMO's alone."""
    return float(pair["attached"]["cpu_ms_a_second"]) / float(pair["bare"]["step"]["mean_ms"])


def _same_traffic(pair: dict[str, Any]) -> float:
    """The same over SUMO's own steps in the same run."""
    return float(pair["attached"]["cpu_ms_a_second"]) / float(pair["attached"]["sumo"]["mean_ms"])


def misses(rows: dict[str, Any]) -> list[str]:
    """The targets that are missed."""
    row = rows.get(str(OF_SIZE))
    if row is None:
        return [f"{OF_SIZE} junctions: not measured"]
    ours = row["attached"]
    asked = [
        ("time with everything attached over SUMO alone", row["ratio"], ATTACHED_TARGET),
        ("decision p99, ms", ours["decision"]["p99_ms"], DECISION_TARGET_MS),
        ("snapshot p99, ms", ours["snapshot"]["p99_ms"], SNAPSHOT_TARGET_MS),
        ("cold start, s", ours["cold_start_s"], COLD_TARGET_S),
        ("memory of the brain process, MB", row["brain_mb"], MEMORY_TARGET_MB),
    ]
    return [f"{what}: {value:g}, at most {most:g} asked" for what, value, most in asked if value > most]


def table(rows: dict[str, Any]) -> str:
    """Markdown: a row a size."""
    heads = (
        "junctions", "vehicles", "SUMO alone, ms/s", "everything, ms/s", "ratio", "to SUMO in the same run",
        "decision p50, p99", "snapshot p99", "brain, MB", "all, MB", "cold start",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|" + "---:|" * len(heads)]
    for row in rows.values():
        ours, alone = row["attached"], row["bare"]
        lines.append(
            f"| {row['junctions']:,} | {ours['vehicles']:,} | {alone['step']['mean_ms']:.1f} | "
            f"{ours['cpu_ms_a_second']:.1f} | {row['ratio']:.2f} | {row['ratio_same_traffic']:.2f} | "
            f"{ours['decision']['p50_ms']:.1f}, {ours['decision']['p99_ms']:.1f} | "
            f"{ours['snapshot']['p99_ms']:.2f} | {row['brain_mb']:.0f} | {ours['rss_mb']:.0f} | "
            f"{ours['cold_start_s']:.1f} s |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
