"""How far does the mesoscopic twin agree with the microscopic one, and what does it save? See README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau, spearmanr
from simulate import Case, Simulator

from civicbrain.city.model import City
from civicbrain.city.network import RoadUse
from civicbrain.evaluate.plan import sumo_version
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.importing import resolve_scenario

HERE = Path(__file__).parent
simulate = Simulator()
SCENARIOS = ("cologne8", "ingolstadt21", "grid4x4", "generated-100")
CALIBRATED_ON = ("cologne1", "cologne3", "ingolstadt1")
SUMO_TAUS = (1.13, 1.13, 1.73, 1.4)
CONTROLS = ("fixed", "max-pressure", "brain")
REFUSED = ("actuated", "delay-based")
CHANGES: tuple[dict[str, Any], ...] = (
    {"scale": 1.2},
    {"scale": 0.8},
    {"green": 0.6},
    {"green": 1.5},
)
CLOSINGS = 4
LEAST_FLOW_H = 60.0
"""Edges with fewer vehicles an hour say nothing about speeds, and closing them nothing about delay."""
TIE_S = 1.0
"""Differences of delay smaller than this, s per vehicle, are no order."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="default: " + ", ".join(SCENARIOS))
    parser.add_argument("--part", action="append", choices=("capacity", "agreement", "large"))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--length", type=float, default=1200.0, help="seconds of each run")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    parts = arguments.part or ["capacity", "agreement"]
    result: dict[str, Any] = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    result.update(sumo_version=sumo_version(), machine=platform.machine(), cores=os.cpu_count())

    def keep() -> None:
        write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())

    if "capacity" in parts:
        result["capacity"] = [capacity(name) for name in CALIBRATED_ON]
        keep()
    if "agreement" in parts:
        for name in arguments.scenario or SCENARIOS:
            result.setdefault("agreement", {})[name] = agreement(name, arguments.seeds, arguments.length)
            keep()
            say(name, result["agreement"][name])
    if "large" in parts:
        result["large"] = large()
        keep()
    simulate.close()
    return 0


def capacity(scenario: str) -> dict[str, Any]:
    """Vehicles that arrive in half an hour of twice the demand: what the headway was chosen by."""
    case = Case(scenario, scale=2.0)
    models = {
        "micro": case,
        "meso": replace(case, mesoscopic=True),
        "meso_sumo_defaults": replace(case, mesoscopic=True, taus=SUMO_TAUS),
    }
    found = {name: simulate(each) for name, each in models.items()}
    return {
        "scenario": scenario,
        **{f"{name}_arrived": one["arrived"] for name, one in found.items()},
        **{f"{name}_delay_s": round(one["mean_delay_s"], 1) for name, one in found.items()},
    }


def agreement(name: str, seeds: int, length_s: float) -> dict[str, Any]:
    """Both models under every control and change, the same seeds."""
    scenario = place_of(name)
    base = Case(scenario, length_s=length_s)
    rows: dict[str, Any] = {}
    micro_edges: dict[str, float] = {}
    for control in (*CONTROLS, *REFUSED):
        runs = seeds if control in CONTROLS else 1
        rows[control], micro_edges = pair(replace(base, control=control), runs, micro_edges)
        say(f"{name} {control}", rows[control])
    changes: dict[str, Any] = {}
    for change in CHANGES:
        label = " ".join(f"{key} {value:g}" for key, value in change.items())
        changes[label], _ = pair(replace(base, **change), seeds, {})
    closable, beside = roads(resolve_scenario(scenario), micro_edges)
    for lane in closable:
        changes[f"closed {lane}"], _ = pair(replace(base, closed=(lane,)), seeds, {})
    forced = {
        lane: pair(replace(base, closed=(lane,), forced=True), 1, {})[0] for lane in beside[: CLOSINGS // 2]
    }
    return {
        "seeds": seeds,
        "length_s": length_s,
        "controls": rows,
        "changes_of_fixed": changes,
        "lanes_beside_others_closed": forced,
        "order": order(rows, changes),
    }


def place_of(name: str) -> str:
    """Name or folder; a generated city is made once."""
    if not name.startswith("generated-"):
        return name
    folder = HERE / "studies" / name
    if not (folder / "city.toml").is_file():
        generate_city(GenerateOptions(int(name.removeprefix("generated-"))), folder)
    return str(folder)


def pair(case: Case, seeds: int, edges: dict[str, float]) -> tuple[dict[str, Any], dict[str, float]]:
    """Means over the seeds in both models, the edges compared, and the microscopic flows (of `fixed`)."""
    runs: dict[str, list[dict[str, Any]]] = {"micro": [], "meso": []}
    edges_agree: list[dict[str, float]] = []
    for seed in range(1, seeds + 1):
        both = [
            simulate(replace(case, seed=seed, mesoscopic=meso, edges=not case.closed))
            for meso in (False, True)
        ]
        for model, run in zip(runs, both, strict=True):
            runs[model].append(run)
        if not case.closed:
            edges_agree.append(compare_edges(both[0]["edges"], both[1]["edges"]))
            edges = edges or {edge: flow for edge, (flow, _) in both[0]["edges"].items()}
    row: dict[str, Any] = {}
    for model, found in runs.items():
        for figure in ("mean_delay_s", "mean_travel_time_s", "arrived", "undeparted", "cpu_s"):
            row[f"{model}_{figure}"] = round(statistics.mean(run[figure] for run in found), 2)
        row[f"{model}_deadlocks"] = sum(run["deadlock"] for run in found)
        row[f"{model}_unsafe_states"] = sum(run["unsafe_states"] or 0 for run in found)
        row[f"{model}_delays_s"] = [round(run["mean_delay_s"], 2) for run in found]
    row["delay_ratio"] = round(row["meso_mean_delay_s"] / max(row["micro_mean_delay_s"], 0.1), 3)
    row["speed_up"] = round(
        statistics.median(a["cpu_s"] / b["cpu_s"] for a, b in zip(*runs.values(), strict=True)), 2
    )
    for key in edges_agree[0] if edges_agree else ():
        row[key] = round(statistics.mean(each[key] for each in edges_agree), 3)
    return row, edges


def compare_edges(micro: dict[str, Any], meso: dict[str, Any]) -> dict[str, float]:
    """geh_below_5: share of edges (GEH statistic of the UK's Design Manual for Roads and Bridges, vol. 12:
    sqrt(2 (m - c)² / (m + c)), vehicles an hour; 85 % is its mark). Correlations of flow, and of speed on
    edges with traffic; speed_ratio: median of mesoscopic over microscopic speed."""
    names = sorted(micro.keys() | meso.keys())
    a, b = (np.array([model.get(name, (0.0, 0.0))[0] for name in names]) for model in (micro, meso))
    geh = np.sqrt(2.0 * (a - b) ** 2 / np.maximum(a + b, 1e-9))
    busy = [name for name in micro.keys() & meso.keys() if micro[name][0] >= LEAST_FLOW_H]
    u, v = (np.array([model[name][1] for name in sorted(busy)]) for model in (micro, meso))
    return {
        "geh_below_5": float((geh < 5.0).mean()),
        "flow_r": float(np.corrcoef(a, b)[0, 1]),
        "speed_r": float(np.corrcoef(u, v)[0, 1]),
        "speed_ratio": float(np.median(v / u)),
    }


def roads(city: City, flows: dict[str, float]) -> tuple[list[str], list[str]]:
    """Lanes to close, drawn among roads with traffic, 60 m or more long: on roads with one lane for motor
    traffic, and on roads with several."""
    lanes, edges = city.network.lanes, city.network.edges
    motor = (lanes.use & RoadUse.MOTOR) > 0
    alone: list[str] = []
    beside: list[str] = []
    for row, edge in enumerate(edges.ids):
        mine = [lane for lane in range(edges.lane_start[row], edges.lane_start[row + 1]) if motor[lane]]
        if mine and flows.get(edge, 0.0) >= LEAST_FLOW_H and lanes.length_m[mine[0]] >= 60.0:
            (alone if len(mine) == 1 else beside).append(lanes.ids[mine[0]])
    draw = random.Random(1)
    return tuple(draw.sample(found, min(CLOSINGS, len(found))) for found in (alone, beside))  # type: ignore[return-value]


def order(rows: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Does the mesoscopic model put them into the same order? By seed for the controls; by the effect on mean
    delay for the changes of `fixed`."""

    def pairs_alike(names: Sequence[str]) -> tuple[int, int]:
        alike = told = 0
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                for index in range(min(len(rows[each]["micro_delays_s"]) for each in (one, other))):
                    micro, meso = (
                        rows[one][f"{model}_delays_s"][index] - rows[other][f"{model}_delays_s"][index]
                        for model in ("micro", "meso")
                    )
                    if abs(micro) >= TIE_S:
                        told += 1
                        alike += micro * meso > 0
        return alike, told

    base = rows["fixed"]
    effects = {
        name: tuple(
            row[f"{model}_mean_delay_s"] - base[f"{model}_mean_delay_s"] for model in ("micro", "meso")
        )
        for name, row in changes.items()
    }
    micro, meso = (np.array([effect[model] for effect in effects.values()]) for model in (0, 1))
    clear = np.abs(micro) >= TIE_S
    alike, told = pairs_alike(CONTROLS)
    all_alike, all_told = pairs_alike((*CONTROLS, *REFUSED))
    return {
        "controls_pairs_alike": [alike, told],
        "with_refused_pairs_alike": [all_alike, all_told],
        "effects_s": {name: [round(float(value), 2) for value in effect] for name, effect in effects.items()},
        "effects_same_sign": [int((micro * meso > 0)[clear].sum()), int(clear.sum())],
        "effects_spearman": round(float(spearmanr(micro, meso).statistic), 3),
        "effects_kendall": round(float(kendalltau(micro, meso).statistic), 3),
    }


def large() -> dict[str, Any]:
    """A generated city of 1,300 junctions, ten minutes of its peak hour, one seed."""
    case = Case(place_of("generated-1300"), length_s=600.0)
    return {control: pair(replace(case, control=control), 1, {})[0] for control in ("fixed", "max-pressure")}


def say(what: str, row: dict[str, Any]) -> None:
    """Progress, for people."""
    short = {key: value for key, value in row.items() if not isinstance(value, dict)}
    print(what, short, row.get("order", ""), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
