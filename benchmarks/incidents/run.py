"""Injected incidents against what is detected: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from baselines import Approaches, california, isolation_forest  # noqa: E402
from draw_incidents import WARM_UP_S, draw  # noqa: E402
from incident_world import Run, measure_flows, simulate  # noqa: E402
from plots import plot  # noqa: E402
from scoring import Scored, match_run  # noqa: E402
from summary import condense, table  # noqa: E402

from civicbrain.brains.incidents import IncidentsBrain  # noqa: E402
from civicbrain.city.folder import load_city  # noqa: E402
from civicbrain.city.model import City  # noqa: E402
from civicbrain.city.store import Store  # noqa: E402
from civicbrain.twin.generating import GenerateOptions, generate_city  # noqa: E402
from civicbrain.twin.importing import resolve_scenario  # noqa: E402

SENSITIVITIES = (0.5, 1.0, 2.0)
FULL_SENSITIVITIES = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
CALIFORNIA = (0.25, 0.5, 1.0, 1.5, 2.0)
FOREST = (0.1, 0.03, 0.01, 0.003, 0.001)
BASELINE_NEAR_M = 150.0
"""A baseline says an approach, not a place: anywhere in its view is near enough."""

GENERATED = "generated-100"
HELD_OUT_SEED = 2026

PILOT = [
    ("cologne8", 1.0, 1.0, 1, 24), ("cologne8", 0.7, 0.5, 2, 24),
    ("ingolstadt21", 0.7, 1.0, 1, 40), ("ingolstadt21", 0.5, 0.5, 2, 40),
    (GENERATED, 1.0, 1.0, 1, 84),
    ("cologne8", 1.0, 1.0, 3, 0), ("ingolstadt21", 0.7, 1.0, 3, 0), (GENERATED, 1.0, 1.0, 3, 0),
]  # fmt: skip
"""(city, scale of its demand, coverage, seed, incidents wanted); 0: a run without any, for false alarms."""

FULL = [
    *((city, scale, coverage, seed, wanted)
      for city, wanted, scales in (("cologne8", 24, (0.7, 1.0, 1.2)), ("ingolstadt21", 40, (0.5, 0.7, 1.0)),
                                   (GENERATED, 100, (0.8, 1.0, 1.2)))
      for seed, scale in enumerate(scales, start=1)
      for coverage in (1.0, 0.5)),
    *((city, scale, 1.0, 9, 0) for city in ("cologne8", "ingolstadt21", GENERATED) for scale in (0.7, 1.0)),
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all runs: more than 500 incidents, hours")
    parser.add_argument("--only", type=int, action="append", help="this run of the list; repeat for several")
    parser.add_argument("--seconds", type=float, default=2400.0, help="length of each run")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    runs = FULL if arguments.full else PILOT
    levels = FULL_SENSITIVITIES if arguments.full else SENSITIVITIES
    chosen = arguments.only if arguments.only is not None else range(len(runs))
    done: list[dict[str, Any]] = []
    if arguments.results.is_file() and arguments.only is not None:
        done = json.loads(arguments.results.read_text())["runs"]
    with tempfile.TemporaryDirectory(prefix="civicbrain-incidents-") as scratch:
        for number in chosen:
            started = time.monotonic()
            row = _in_process(one_run, runs[number], arguments.seconds, levels, Path(scratch))
            done = [other for other in done if other["run"] != row["run"]] + [row]
            _write(arguments.results, done)
            ours = row["detectors"]["ours 1"]
            print(row["run"], ours, f"{time.monotonic() - started:.0f} s", flush=True)
    return 0


def _write(file: Path, runs: list[dict[str, Any]]) -> None:
    summary = condense(runs)
    file.write_text(json.dumps({"summary": summary, "runs": runs}, indent=1) + "\n")
    file.with_name("RESULTS.md").write_text(table(summary))
    plot(summary, file.with_name("precision-recall.svg"))


def _in_process(function: Any, *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def city_folder(name: str, scratch: Path) -> Path:
    """The folder of a city of this benchmark, made where it must be."""
    if name != GENERATED:
        return resolve_scenario(name).folder
    folder = scratch / GENERATED
    if not folder.is_dir():
        generate_city(GenerateOptions(100, seed=HELD_OUT_SEED), folder)
    return folder


def one_run(
    spec: tuple[str, float, float, int, int], seconds: float, levels: tuple[float, ...], scratch: Path
) -> dict[str, Any]:
    """Simulate one run, let all detectors look on, and score them."""
    name, scale, coverage, seed, wanted = spec
    folder = city_folder(name, scratch)
    city = load_city(folder)
    begin_s = city.demand.begin_s
    incidents = ()
    if wanted:
        flows = _in_process(measure_flows, Run(folder, 1000 + seed, scale, 1.0, min(seconds, 900.0)))
        incidents = tuple(draw(city, flows, seed, begin_s, begin_s + seconds, wanted))
    run = Run(folder, seed, scale, coverage, seconds, incidents)
    watcher = Watcher(city, levels)
    started = time.process_time()
    truths = list(simulate(run, watcher.watch).values())
    cpu_s = time.process_time() - started
    told = {f"ours {level:g}": list(one.values()) for level, one in watcher.told.items()}
    told |= {f"california {level:g}": california(watcher.approaches, level) for level in CALIFORNIA}
    until_s = begin_s + WARM_UP_S
    told |= {f"forest {s:g}": isolation_forest(watcher.approaches, s, until_s, seed) for s in FOREST}
    scored = {
        key: match_run(city, truths, each, run, near_m=None if key.startswith("ours") else BASELINE_NEAR_M)
        for key, each in told.items()
    }
    return {
        "run": f"{name}, demand x {scale:g}, coverage {coverage:g}, seed {seed}"
        + ("" if wanted else ", no incidents"),
        "city": name, "coverage": coverage, "scale": scale, "seed": seed, "incidents": bool(wanted),
        "junction_hours": len(city.junctions) * seconds / 3600.0 * coverage,
        "out_of_view": scored["ours 1"].unseen,
        "detectors": {key: _figures(one) for key, one in scored.items()},
        "incident_rows": [_row(truth, found) for truth, found in scored["ours 1"].pairs],
        "false_rows": [
            {"kind": one.kind, "edge": one.place.edge, "junction": one.place.junction, "at_s": one.detected_s,
             "why": list(one.evidence[:2])}
            for one in scored["ours 1"].false
        ],
        "brain_ms": [round(float(p), 2) for p in np.percentile(np.array(watcher.ms[1.0]) * 1e3, (50, 99))],
        "cpu_s": round(cpu_s, 1),
    }  # fmt: skip


class Watcher:
    """All detectors, fed with the same snapshots. told: newest word on each incident, a sensitivity."""

    def __init__(self, city: City, levels: tuple[float, ...]) -> None:
        self._store = Store(city)
        self._brains = {level: IncidentsBrain(city, level) for level in levels}
        self.told: dict[float, dict[str, Any]] = {level: {} for level in levels}
        self.ms: dict[float, list[float]] = {level: [] for level in levels}
        self.approaches = Approaches(city)

    def watch(self, _: City, at_s: float, data: list[Any]) -> None:
        self._store.fold(data, at_s)
        snapshot = self._store.snapshot(at_s)
        for level, brain in self._brains.items():
            started = time.process_time()
            advice = brain.advise(snapshot)
            self.ms[level].append(time.process_time() - started)
            self.told[level].update({one.id: one for one in advice.incidents})
        self.approaches.take(snapshot)


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
        "delays_s": [round(found.detected_s - truth.began_s, 1) for truth, found in scored.pairs if found],
    }


def _row(truth: Any, found: Any) -> dict[str, Any]:
    one = truth.incident
    return {
        "kind": one.kind, "mode": one.mode,
        "began_s": truth.began_s, "lasted_s": truth.ended_s - truth.began_s,
        "told": None if found is None else found.kind,
        "after_s": None if found is None else round(found.detected_s - truth.began_s, 1),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
