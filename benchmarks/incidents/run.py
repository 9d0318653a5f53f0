"""Injected incidents against what is detected: see README.md beside this file."""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from draw_incidents import WARM_UP_S  # noqa: E402
from plots import plot  # noqa: E402
from recordings import recorded, replay, run_of  # noqa: E402
from runs import COMPARED, FULL, PILOT, UNDER_BRAIN, Spec, held_out  # noqa: E402
from scoring import AGAIN, EFFECT, Queues, Scored, hear, match_run  # noqa: E402
from summary import VIEWS, condense, table  # noqa: E402

from civicbrain.brains import incidents as room  # noqa: E402
from civicbrain.brains.incidents import IncidentsBrain  # noqa: E402
from civicbrain.city.folder import load_city  # noqa: E402
from civicbrain.city.model import City  # noqa: E402
from civicbrain.city.observations import INSIDE_M, Detections  # noqa: E402
from civicbrain.city.snapshot import Snapshot  # noqa: E402
from civicbrain.city.store import Store  # noqa: E402

NO_BOX = "ours 1, approaches only"
SENSITIVITIES = (0.5, 1.0, 2.0)
CALIFORNIA = (0.25, 0.5, 1.0, 1.5, 2.0)
FOREST = (0.1, 0.03, 0.01, 0.003, 0.001)
BASELINE_NEAR_M = 150.0
"""A baseline says an approach, not a place: anywhere in its view is near enough."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all runs: more than 500 incidents, hours")
    parser.add_argument("--under-brain", action="store_true", help="all runs under the signals brain")
    parser.add_argument("--city", action="append", default=[], help="a held-out one (.sumocfg); repeat")
    parser.add_argument("--only", action="append", default=[], help="runs whose label has this; repeat")
    parser.add_argument("--recordings", type=Path, default=HERE / "recordings", help="kept there, 25 MB each")
    parser.add_argument("--record", action="store_true", help="only record: does not depend on detectors")
    parser.add_argument("--recorded", action="store_true", help="only runs that are recorded already")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--ours", action="store_true", help="no baselines, no other sensitivities")
    parser.add_argument("--box", action="store_true", help="only with the box in view: half the work")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    specs = FULL if arguments.full else [] if arguments.city or arguments.under_brain else PILOT
    specs = [*specs, *(UNDER_BRAIN if arguments.under_brain else ())]
    specs = [*specs, *(spec for city in arguments.city for spec in held_out(city))]
    done = json.loads(arguments.results.read_text())["runs"] if arguments.results.is_file() else []
    brain = fingerprint()
    done = [row for row in done if row.get("brain") == brain]  # of another brain nothing is kept
    specs = [s for s in specs if not arguments.only or any(part in s.label for part in arguments.only)]
    if arguments.record:
        for spec in specs:
            print(recorded(spec, arguments.recordings), flush=True)
        return 0
    if arguments.recorded:
        specs = [spec for spec in specs if spec.file(arguments.recordings).is_file()]
    specs = [spec for spec in specs if spec.label not in {row["run"] for row in done}]
    with ProcessPoolExecutor(
        arguments.jobs, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        choice = arguments.recordings, arguments.ours, not arguments.box
        work = [pool.submit(one_run, spec, *choice) for spec in specs]
        for each in as_completed(work):
            row = each.result() | {"brain": brain}
            done.append(row)
            _write(arguments.results, done)
            print(row["run"], row["detectors"]["ours 1"], flush=True)
    return 0


def fingerprint() -> str:
    """Of what the brain does, without comments and docstrings: results are kept while it stays the same."""
    code = []
    for file in sorted(Path(str(room.__file__)).parent.glob("*.py")):
        tree = ast.parse(file.read_bytes())
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
        code.append(ast.dump(tree))
    return hashlib.sha256("".join(code).encode()).hexdigest()[:12]


def _is_text(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text and isinstance(node.value.value, str)


def _write(file: Path, runs: list[dict[str, Any]]) -> None:
    summary = condense(runs)
    file.write_text(json.dumps({"summary": summary, "runs": runs}, indent=1) + "\n")
    file.with_name("RESULTS.md").write_text(table(summary))
    if len(summary["detectors"]) > len(VIEWS):
        plot(summary, file.with_name("precision-recall.svg"))


def one_run(spec: Spec, recordings: Path, only_ours: bool = False, both_views: bool = True) -> dict[str, Any]:
    """One run, simulated where it is not recorded yet: detectors look on, and are scored; all of them in runs
    that are compared, else ours as it is set, with the box in view and (both_views) without."""
    compared = spec in COMPARED and not only_ours
    levels = SENSITIVITIES if compared else (1.0,)
    file = recorded(spec, recordings)
    run = run_of(file)
    city = load_city(run.city_folder)
    seconds, seed = spec.seconds, spec.seed
    watcher = Watcher(city, levels, both_views)
    truths: list[Any] = []
    for item in replay(file):
        if isinstance(item, dict):
            truths = list(item.values())
        else:
            watcher.watch(*item)
    told = {f"ours {level:g}": list(one.values()) for level, one in watcher.told.items()}
    if both_views:
        told[NO_BOX] = list(watcher.told_without.values())
    scored = {key: match_run(city, truths, each, run, queues=watcher.queues) for key, each in told.items()}
    figures = {key: _figures(one) for key, one in scored.items()}
    if compared:
        figures |= _baselines(spec, recordings)
    return {
        "run": spec.label, "city": spec.name, "coverage": spec.coverage, "scale": spec.scale, "seed": seed,
        "incidents": bool(spec.wanted), "held_out_city": spec.is_held_out, "control": spec.control,
        "junction_hours": len(city.junctions) * seconds / 3600.0 * spec.coverage,
        "out_of_view": scored["ours 1"].unseen,
        "detectors": figures,
        "incident_rows": [_row(truth, found) for truth, found in scored["ours 1"].pairs],
        "false_rows": [
            {"kind": one.kind, "edge": one.place.edge, "junction": one.place.junction, "at_s": one.detected_s,
             "why": [str(said) for said in one.evidence[:2]], "cause": cause}
            for one, cause in zip(scored["ours 1"].false, scored["ours 1"].causes, strict=True)
        ],
        "brain_ms": [round(float(p), 2) for p in np.percentile(np.array(watcher.ms[1.0]) * 1e3, (50, 99))],
    }  # fmt: skip


def _baselines(spec: Spec, recordings: Path) -> dict[str, Any]:
    """What the published detectors find on the same frames; kept beside the recording, as it is the same
    whatever ours does."""
    from baselines import Approaches, california, isolation_forest  # needs scikit-learn; --ours does without

    file = spec.file(recordings)
    kept = file.with_suffix(".baselines.json")
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    run = run_of(file)
    city = load_city(run.city_folder)
    store, approaches, truths = Store(city), Approaches(city), []
    for item in replay(file):
        if isinstance(item, dict):
            truths = list(item.values())
        else:
            store.fold(item[1], item[0])
            approaches.take(_without_box(store.snapshot(item[0])))
    told = {f"california {level:g}": california(approaches, level) for level in CALIFORNIA}
    until_s = city.demand.begin_s + WARM_UP_S
    told |= {f"forest {s:g}": isolation_forest(approaches, s, until_s, spec.seed) for s in FOREST}
    found = {
        key: _figures(match_run(city, truths, each, run, near_m=BASELINE_NEAR_M))
        for key, each in told.items()
    }
    kept.write_text(json.dumps(found))
    return found


class Watcher:
    """Ours at each sensitivity, on the same snapshots, and (both_views) once without what is seen inside
    junctions. told: newest word on each incident."""

    def __init__(self, city: City, levels: tuple[float, ...], both_views: bool = True) -> None:
        self._store = Store(city)
        self._brains = {level: IncidentsBrain(city, level) for level in levels}
        self.told: dict[float, dict[str, Any]] = {level: {} for level in levels}
        self.ms: dict[float, list[float]] = {level: [] for level in levels}
        self._without = IncidentsBrain(city, 1.0) if both_views else None
        self.told_without: dict[str, Any] = {}
        self.queues = Queues(city)

    def watch(self, at_s: float, data: list[Any]) -> None:
        for datum in data:
            if isinstance(datum, Detections):
                self.queues.take(datum)
        self._store.fold(data, at_s)
        snapshot = self._store.snapshot(at_s)
        for level, brain in self._brains.items():
            started = time.process_time()
            advice = brain.advise(snapshot)
            self.ms[level].append(time.process_time() - started)
            hear(self.told[level], advice.incidents)
        if self._without is not None:
            advice = self._without.advise(_without_box(snapshot))
            hear(self.told_without, advice.incidents)


def _without_box(snapshot: Snapshot) -> Snapshot:
    """As cameras see it that look at their approaches alone."""
    seen = snapshot.detections
    return replace(snapshot, detections=seen.only(seen.distance_m >= -INSIDE_M))


def _figures(scored: Scored) -> dict[str, Any]:
    return {
        "incidents": len(scored.pairs),
        "found": sum(found is not None for _, found in scored.pairs),
        "road": sum(truth.incident.kind not in ("wrong_way", "sensor_fault") for truth, _ in scored.pairs),
        "road_found": sum(
            found is not None and truth.incident.kind not in ("wrong_way", "sensor_fault")
            for truth, found in scored.pairs
        ),
        "false": len(scored.false),
        "effects": scored.causes.count(EFFECT),
        "doubles": scored.causes.count(AGAIN),
        "delays_s": [round(found.detected_s - truth.began_s, 1) for truth, found in scored.pairs if found],
    }


def _row(truth: Any, found: Any) -> dict[str, Any]:
    one = truth.incident
    return {
        "kind": one.kind, "mode": one.mode or _width(one),
        "began_s": truth.began_s, "lasted_s": truth.ended_s - truth.began_s,
        "told": None if found is None else found.kind,
        "after_s": None if found is None else round(found.detected_s - truth.began_s, 1),
    }  # fmt: skip


def _width(one: Any) -> str:
    """A crash on one lane is, for a camera that sees no damage, a stopped vehicle."""
    if one.kind != "crash":
        return ""
    return "one lane" if len(one.lanes) == 1 else "several lanes"


if __name__ == "__main__":
    sys.exit(main())
