"""How long a what-if takes beside a running city, and how far its answer is right: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import tomli_w

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "growth"))

from filled import fill  # noqa: E402

from civicbrain.city.folder import load_city  # noqa: E402
from civicbrain.city.model import City  # noqa: E402
from civicbrain.city.whatif import Change, Closure, Question, TrafficModel  # noqa: E402
from civicbrain.contracts.transport import (  # noqa: E402
    BRAIN_PUB,
    TWIN_PUB,
    decode,
    open_subscriber,
    receive,
)
from civicbrain.contracts.wire import STATE_TOPIC, STATUS_TOPIC, CityState, TwinStatus  # noqa: E402
from civicbrain.evaluate.storage import write_atomically  # noqa: E402
from civicbrain.evaluate.whatif.conduct import Conduct, answer_question  # noqa: E402
from civicbrain.evaluate.whatif.records import WhatIfAnswer  # noqa: E402
from civicbrain.evaluate.whatif.said import ANSWER_FILE, QUESTION_FILE  # noqa: E402
from civicbrain.evaluate.whatif.source import take_from_run  # noqa: E402
from civicbrain.twin.generating import GenerateOptions, generate_city  # noqa: E402
from civicbrain.twin.whatif.branch import BRANCH_FOLDER, read_traffic  # noqa: E402

BEGIN_S = 8 * 3600.0
SETTLE_S = 60.0  # the streets sort themselves out
BEFORE_S = 20.0  # of the cadence without a what-if
LIVE_CONTROLS = ("fixed", "brain")
ANSWER_TARGET_S = 20.0
WORTH_VEH_H = 1.0
"""Effects on the time spent that are microscopically smaller than this are not asked for their sign."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=("answer", "agreement"))
    parser.add_argument("--junctions", type=int, default=100)
    parser.add_argument("--vehicles", type=int, default=6500, help="set out at once; some 5,000 are left")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--closures", type=int, default=4, help="roads closed in the part agreement")
    parser.add_argument("--control", action="append", help="of the part agreement; default: fixed, brain")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    asked = parser.parse_args()
    result: dict[str, Any] = json.loads(asked.out.read_text()) if asked.out.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="civicbrain-whatif-") as scratch:
        city = make_city(asked, Path(scratch))
        for part in asked.part or ("answer", "agreement"):
            run = measure_answers if part == "answer" else measure_agreement
            result[part] = {
                "junctions": asked.junctions,
                "minutes": asked.minutes,
                **run(city, asked),
            }
            write_atomically(asked.out, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result, indent=1))
    late = [
        one
        for one in result.get("answer", {}).get("controls", {}).values()
        if one["first_s"] > ANSWER_TARGET_S
    ]
    return 1 if late else 0


def make_city(asked: argparse.Namespace, scratch: Path) -> City:
    """A generated city at eight in the morning, its streets full from the first second."""
    generate_city(GenerateOptions(asked.junctions), scratch / "made")
    fill(scratch / "made", scratch / "full", asked.vehicles, BEGIN_S, 3600.0)
    file = scratch / "full" / "city.toml"
    words = tomllib.loads(file.read_text())
    words["begin_s"], words["end_s"] = BEGIN_S, BEGIN_S + 3600.0
    file.write_text(tomli_w.dumps(words))
    return load_city(scratch / "full")


# -- how long an answer takes, and what the live city notices of it


def measure_answers(city: City, asked: argparse.Namespace) -> dict[str, Any]:
    controls: dict[str, Any] = {}
    for control in LIVE_CONTROLS:
        with tempfile.TemporaryDirectory(prefix="cb-") as short:  # Unix sockets have short names
            controls[control] = answer_beside(city, asked, Path(short), control)
            print(control, controls[control], file=sys.stderr)
    return {
        "seeds": asked.seeds,
        "repeat": asked.repeat,
        "cores": len(os.sched_getaffinity(0)),
        "controls": controls,
    }


def answer_beside(city: City, asked: argparse.Namespace, run_dir: Path, control: str) -> dict[str, Any]:
    """Twin and brain live, at real time; what-ifs beside them. Medians of the repeats."""
    place = ["--city", str(city.folder), "--run-dir", str(run_dir)]
    started = [
        subprocess.Popen([sys.executable, "-m", module, *place, *more], stdout=subprocess.DEVNULL)
        for module, more in (
            ("civicbrain.twin.server", ["--speed", "1", "--warmup", str(SETTLE_S)]),
            ("civicbrain.runtime.server", ["--control", control]),
        )
    ]
    try:
        cadence = Cadence(run_dir)
        cadence.wait(BEGIN_S + SETTLE_S + 5.0)
        before = cadence.watch(BEFORE_S)
        edge = busiest_edges(run_dir, 1)[0]
        question = Question(Change(closures=(Closure(edge),)), Change(), asked.minutes, asked.seeds)
        runs = [one_answer(run_dir, place, question, cadence, row) for row in range(asked.repeat)]
    finally:
        for process in started:
            process.terminate()
            process.wait(20)
    result = {name: statistics.median(run[name] for run in runs) for name in runs[0] if name != "model"}
    return {**result, "model": runs[0]["model"], "alone": before}


def one_answer(
    run_dir: Path, place: list[str], question: Question, cadence: Cadence, row: int
) -> dict[str, Any]:
    folder = run_dir / BRANCH_FOLDER / f"bench-{row}"
    folder.mkdir(parents=True)
    (folder / QUESTION_FILE).write_bytes(msgspec.json.encode(question))
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "civicbrain.evaluate.whatif", *place, "--folder", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    first_s = 0.0
    cadence.clear()
    while process.poll() is None:
        cadence.look(0.05)
        if not first_s and (folder / ANSWER_FILE).exists():
            first_s = time.monotonic() - began
    all_s = time.monotonic() - began
    answer = msgspec.json.decode((folder / ANSWER_FILE).read_bytes(), type=WhatIfAnswer)
    beside = cadence.figures()
    return {
        "vehicles": answer.vehicles, "model": answer.model, "first_s": round(first_s, 1),
        "all_s": round(all_s, 1), "pause_ms": round(1000 * answer.timing_s["pause"], 1),
        "state_s": answer.timing_s["state"], "cpu_s": answer.timing_s["cpu"],
        **{f"beside_{name}": value for name, value in beside.items()},
    }  # fmt: skip


class Cadence:
    """Wall time between the seconds of the live city, and between the states of its brain process."""

    def __init__(self, run_dir: Path) -> None:
        self._twin = open_subscriber(run_dir, TWIN_PUB, [STATUS_TOPIC])
        self._brain = open_subscriber(run_dir, BRAIN_PUB, [STATE_TOPIC])
        self.time_s = self._state_s = 0.0
        self._steps: list[float] = []
        self._states: list[float] = []

    def look(self, seconds: float) -> None:
        self._twin.poll(int(1000 * seconds))
        now = time.monotonic()
        for frames in receive(self._twin):
            status = decode(TwinStatus, frames[-1])
            if status.time_s > self.time_s:
                self.time_s = status.time_s
                self._steps.append(now)
        for frames in receive(self._brain):
            state = decode(CityState, frames[-1])
            if state.time_s > self._state_s:
                self._state_s = state.time_s
                self._states.append(now)

    def wait(self, time_s: float, seconds: float = 600.0) -> None:
        end = time.monotonic() + seconds
        while (self.time_s < time_s or not self._states) and time.monotonic() < end:
            self.look(0.1)

    def clear(self) -> None:
        self._steps, self._states = self._steps[-1:], self._states[-1:]

    def watch(self, seconds: float) -> dict[str, float]:
        self.clear()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look(0.05)
        return self.figures()

    def figures(self) -> dict[str, float]:
        steps, states = np.diff(self._steps), np.diff(self._states)
        if not len(steps) or not len(states):
            return {}
        return {
            "step_median_s": round(float(np.median(steps)), 3), "step_worst_s": round(float(steps.max()), 3),
            "state_median_s": round(float(np.median(states)), 3),
            "state_worst_s": round(float(states.max()), 3),
        }  # fmt: skip


def busiest_edges(run_dir: Path, count: int) -> list[str]:
    """Those that most drivers of the running city have ahead."""
    folder = run_dir / BRANCH_FOLDER / "busiest" / "state"
    folder.parent.mkdir(parents=True, exist_ok=True)
    take_from_run(run_dir, folder)
    return busiest_of(folder, count)


def busiest_of(folder: Path, count: int) -> list[str]:
    ahead: dict[str, int] = {}
    for one in read_traffic(folder).vehicles:
        for edge in one.edges[2:-1]:
            ahead[edge] = ahead.get(edge, 0) + 1
    ranked = sorted(ahead, key=lambda edge: (-ahead[edge], edge))
    return [ranked[row * len(ranked) // (8 * count)] for row in range(count)]  # of the busiest eighth


# -- how far the mesoscopic answer is right


def measure_agreement(city: City, asked: argparse.Namespace) -> dict[str, Any]:
    """The same questions of one state answered mesoscopically and microscopically: there a closed road is
    really closed, everybody drives, and the control decides each second."""
    branch = city.folder.parent / "branch"
    subprocess.run([sys.executable, str(HERE / "branch.py"), str(city.folder), str(branch)], check=True)
    start = city.network.edges.lane_start
    changes: dict[str, Change] = {"demand +20 %": Change(demand_factor=1.2)}
    for edge in busiest_of(branch, asked.closures):
        changes[f"close {edge}"] = Change(closures=(Closure(edge),))
        row = city.network.edges.row[edge]
        if start[row + 1] - start[row] > 1:
            changes[f"close a lane of {edge}"] = Change(closures=(Closure(edge, (0,)),))
    found: dict[str, Any] = {}
    for control in asked.control or LIVE_CONTROLS:
        rows: dict[str, Any] = {}
        for name, change in changes.items():
            rows[name] = {}
            for model in (TrafficModel.MESO, TrafficModel.MICRO):
                conduct = Conduct(nice=0)
                question = Question(change, Change(), asked.minutes, 1, model)
                answer = answer_question(city, question, branch, control, conduct)
                rows[name][str(model)] = {
                    one.name: [one.against.mean, one.change.mean] for one in answer.indicators
                } | {"cpu_s": answer.timing_s["cpu"]}  # fmt: skip
            print(control, name, rows[name], file=sys.stderr)
        found[control] = {"questions": rows, **agreement(rows)}
    return {"controls": found}


def agreement(rows: dict[str, Any]) -> dict[str, Any]:
    """How the effects on the time spent, veh·h, compare."""
    effects = {
        name: {model: round(row[model]["time_spent"][1] - row[model]["time_spent"][0], 2) for model in row}
        for name, row in rows.items()
    }
    worth = [one for one in effects.values() if abs(one["micro"]) >= WORTH_VEH_H]
    ratios = [row["meso"]["time_spent"][0] / row["micro"]["time_spent"][0] for row in rows.values()]
    speed = [row["micro"]["cpu_s"] / row["meso"]["cpu_s"] for row in rows.values()]
    return {
        "effects": effects, "same_sign": sum(one["micro"] * one["meso"] > 0 for one in worth),
        "of": len(worth), "time_spent_ratio": round(statistics.median(ratios), 3),
        "speed_up": round(statistics.median(speed), 1),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
