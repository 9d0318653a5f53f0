"""Replay recordings through the brain: found, missed, named, false, each with its reason. For development.

python benchmarks/incidents/develop.py --recordings /tmp/incidents            # all development runs
python benchmarks/incidents/develop.py --recordings /tmp/incidents cologne8   # those whose key has this
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from recordings import recorded, replay, run_of  # noqa: E402
from runs import DEVELOP, Spec, develop_elsewhere  # noqa: E402
from scoring import Queues, hear, match_run  # noqa: E402

from civicbrain.brains.incidents import IncidentsBrain  # noqa: E402
from civicbrain.city.folder import load_city  # noqa: E402
from civicbrain.city.observations import Detections  # noqa: E402
from civicbrain.city.store import Store  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("only", nargs="*", help="parts of the keys of the runs")
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--sensitivity", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--elsewhere", type=Path, help="a clone of sumo-scenarios: its cities as well")
    parser.add_argument("--present", action="store_true", help="only what is recorded already")
    arguments = parser.parse_args()
    known = [*DEVELOP, *(develop_elsewhere(arguments.elsewhere) if arguments.elsewhere else ())]
    specs = [s for s in known if not arguments.only or any(part in s.key for part in arguments.only)]
    if arguments.present:
        specs = [s for s in specs if s.file(arguments.recordings).is_file()]
    work = [(spec, arguments.recordings, arguments.sensitivity) for spec in specs]
    with ProcessPoolExecutor(arguments.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(look, work))
    for row in rows:
        print("\n".join(row["lines"]))
    print(report(rows))
    return 0


def look(work: tuple[Spec, Path, float]) -> dict[str, Any]:
    """One recording through one brain."""
    spec, folder, sensitivity = work
    file = recorded(spec, folder)
    run = run_of(file)
    city = load_city(run.city_folder)
    store, brain, queues = Store(city), IncidentsBrain(city, sensitivity), Queues(city)
    told: dict[str, Any] = {}
    truths: list[Any] = []
    for item in replay(file):
        if isinstance(item, dict):
            truths = list(item.values())
            break
        at_s, data = item
        store.fold(data, at_s)
        for one in data:
            if isinstance(one, Detections):
                queues.take(one)
        hear(told, brain.advise(store.snapshot(at_s)).incidents)
    scored = match_run(city, truths, list(told.values()), run, queues=queues)
    lines = [f"== {spec.label}: {scored.summary()}"]
    found = []
    for truth, one in scored.pairs:
        thing = truth.incident
        row = (
            str(thing.kind),
            thing.mode,
            str(one.kind) if one else "-",
            one.detected_s - truth.began_s if one else 0.0,
        )
        found.append(row)
        if one is None:
            where = thing.junction[:24] or ",".join(thing.lanes) + f"@{thing.position_m:.0f}"
            lines.append(f"  miss  {thing.kind} {thing.mode} {where} {truth.began_s:.0f}-{truth.ended_s:.0f}")
    for one, cause in zip(scored.false, scored.causes, strict=True):
        place = one.place
        where = f"{place.edge} {place.lanes} @{place.position_m:.0f} {place.junction[:24]}"
        times = f"{one.onset_s:.0f}/{one.detected_s:.0f}-{one.cleared_s:.0f}"
        why = [str(said) for said in one.evidence[:2]]
        lines.append(f"  FALSE ({cause}) {one.kind} {where} {times} {why}")
    hours = len(city.junctions) * spec.seconds / 3600.0 * spec.coverage
    return {"lines": lines, "found": found, "false": [str(one.kind) for one in scored.false], "hours": hours}


def report(rows: list[dict[str, Any]]) -> str:
    """Sums over runs, a confusion table by kind, false alarms by kind."""
    found = [one for row in rows for one in row["found"]]
    false = Counter(kind for row in rows for kind in row["false"])
    hours = sum(row["hours"] for row in rows)
    seen = [one for one in found if one[2] != "-"]
    table: dict[str, Counter[str]] = defaultdict(Counter)
    times: dict[str, list[float]] = defaultdict(list)
    for kind, mode, told, after_s in found:
        name = f"{kind} {mode}".strip()
        table[name][told] += 1
        if told != "-":
            times[name].append(after_s)
    lines = [
        f"{name:28s} n {sum(c.values()):3d} miss {c['-']:2d} "
        f"median {np.median(times[name] or [np.nan]):5.0f} s  "
        + ", ".join(f"{k} {n}" for k, n in c.most_common() if k != "-")
        for name, c in sorted(table.items())
    ]
    total = sum(false.values())
    median = np.median([one[3] for one in seen]) if seen else float("nan")
    recall, precision = len(seen) / max(len(found), 1), len(seen) / max(len(seen) + total, 1)
    lines.append(
        f"found {len(seen)}/{len(found)} = {recall:.3f}, precision {precision:.3f}, median {median:.0f} s, "
        f"false {total} in {hours:.0f} junction hours = {100 * total / hours:.1f} per 100"
    )
    lines.append(f"false by kind: {dict(false)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
