"""False alarms of a live city: `civicbrain run` without incidents, beside processes that load the machine.

    python benchmarks/incidents/live.py                              # the cities, seeds and minutes of RUNS
    python benchmarks/incidents/live.py --city cologne8 --seed 3 --minutes 7 --busy 2
    python benchmarks/incidents/live.py --replay /tmp/civicbrain-live/cologne8-3   # what it told

All that is told is false. Each snapshot that the brain was asked with is kept (`tap/`), those of a run in
which nothing was told are thrown away; `--replay` plays them to the brain as it is now, which is the same
second by second: it reads no clock. Writes live.json; stop it and go on any time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402
from loopback import free_port  # noqa: E402
from runs import city_folder  # noqa: E402
from scoring import hear  # noqa: E402

from civicbrain.brains.incidents import IncidentsBrain  # noqa: E402
from civicbrain.city.folder import load_city  # noqa: E402
from civicbrain.city.incidents import Incident  # noqa: E402
from civicbrain.city.model import City  # noqa: E402
from civicbrain.city.snapshot import Snapshot  # noqa: E402
from civicbrain.contracts.snapshot_wire import unpack_snapshot  # noqa: E402
from civicbrain.contracts.transport import BRAIN_PUB, TWIN_PUB, decode, open_subscriber, receive  # noqa: E402
from civicbrain.contracts.wire import INCIDENT_TOPIC, STATUS_TOPIC, TwinStatus  # noqa: E402
from civicbrain.evaluate.storage import write_atomically  # noqa: E402

RUNS = (
    ("ingolstadt21", 202), ("generated-100", 0), ("cologne8", 0), ("ingolstadt7", 0), ("ingolstadt21", 0),
)  # fmt: skip
"""City and seed. In the traffic of seed 202 of ingolstadt21 a closed lane was told that was none."""
SPEED, MINUTES, BUSY = 10.0, 6.5, 1
STARTS_WITHIN_S = 180.0
RESULTS = HERE / "live.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--city", help="one run: of this city")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of wall time, a run")
    parser.add_argument(
        "--busy", type=int, default=BUSY, help="processes beside it that do nothing but compute"
    )
    parser.add_argument("--keep", action="store_true", help="the snapshots of every run")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/civicbrain-live"), help="what is kept")
    parser.add_argument("--replay", type=Path, help="the folder of a run: play what was kept")
    asked = parser.parse_args()
    if asked.replay:
        return _print_replay(asked.replay)
    rows: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for city, seed in ((asked.city, asked.seed),) if asked.city else RUNS:
        key = f"{city}-{seed}"
        if asked.city is None and key in rows:
            continue
        rows[key] = one_run(city, seed, asked.minutes, asked.busy, asked.folder, asked.keep)
        print(key, json.dumps(rows[key]), flush=True)
        write_atomically(RESULTS, (json.dumps(rows, indent=1) + "\n").encode())
    return 0


def one_run(name: str, seed: int, minutes: float, busy: int, folder: Path, keep: bool) -> dict[str, Any]:
    """Run a city for so many minutes; what it told, and how well its brain was asked."""
    where = city_folder(name, folder / "cities")
    city = load_city(where)
    kept = folder / f"{name}-{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    told: dict[tuple[int, str], Incident] = {}
    with _running(where, kept, seed) as run_dir, _busy(busy):
        twin = open_subscriber(run_dir, TWIN_PUB, [STATUS_TOPIC])
        brain = open_subscriber(run_dir, BRAIN_PUB, [INCIDENT_TOPIC])
        end, run, statuses = time.monotonic() + STARTS_WITHIN_S, 0, list[TwinStatus]()
        while time.monotonic() < end:
            twin.poll(200)
            for frames in receive(twin):
                if not statuses:
                    end = time.monotonic() + 60.0 * minutes
                statuses.append(decode(TwinStatus, frames[-1]))
                run = statuses[-1].run
            for frames in receive(brain):
                one = decode(Incident, frames[-1])
                told[run, one.id] = one
    steps = _steps(kept)
    hours = len(city.junctions) * sum(steps) / 3600.0
    settled = statuses[len(statuses) // 10 :]  # signals are local until their brain is ready
    row = {
        "minutes": minutes, "busy": busy, "load": round(os.getloadavg()[1], 1),
        "simulated_s": round(sum(steps)), "speed": round(sum(steps) / (60.0 * minutes), 1),
        "frames_skipped": round(sum(step - 1.0 for step in steps)), "longest_gap_s": max(steps, default=0.0),
        "some_junction_local": round(float(np.mean([s.local_junctions > 0 for s in settled] or [0.0])), 3),
        "junction_hours": round(hours, 1), "false": len(told),
        "told": [
            f"window {run}, {one.detected_s:.0f} s: {one.kind} {one.place.edge or one.place.junction} "
            f"{list(one.place.lanes)} {one.place.position_m:.0f} m: {'; '.join(map(str, one.evidence[:2]))}"
            for (run, _), one in sorted(told.items(), key=lambda item: (item[0][0], item[1].detected_s))
        ],
    }  # fmt: skip
    if not told and not keep:
        for file in kept.glob("*.snapshots"):
            file.unlink()
    return row


@contextlib.contextmanager
def _running(city: Path, kept: Path, seed: int) -> Iterator[Path]:
    """The product, as it is started by hand. Its run folder."""
    run_dir = kept / "run"
    words = [str(Path(sys.executable).parent / "civicbrain"), "run", str(city), "--speed", f"{SPEED:g}"]
    words += ["--seed", str(seed), "--port", str(free_port()), "--run-dir", str(run_dir)]
    paths = [str(HERE / "tap"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "CIVICBRAIN_SNAPSHOTS": str(kept)}
    with (kept / "output").open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        end = time.monotonic() + STARTS_WITHIN_S
        while not run_dir.is_dir():
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the city does not start: see {kept}/output")
            time.sleep(0.1)
        yield run_dir
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    """Processes that compute, and nothing else."""
    some = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in some:
            process.kill()
            process.wait()


def snapshots(kept: Path) -> Iterator[Snapshot]:
    """What a run's brain was asked with; the processes one after the other."""
    for file in sorted(kept.glob("*.snapshots"), key=lambda each: each.stat().st_ctime):
        with file.open("rb") as source:
            while len(head := source.read(4)) == 4:
                data = source.read(int.from_bytes(head, "big"))
                if len(data) == int.from_bytes(head, "big"):
                    yield unpack_snapshot(data)


def _steps(kept: Path) -> list[float]:
    """Simulated seconds from each snapshot to the next; none where a window begins again."""
    times = [one.time_s for one in snapshots(kept)]
    return [b - a for a, b in pairwise(times) if b > a]


def play(city: City, kept: Path) -> Iterator[tuple[Snapshot, tuple[Incident, ...]]]:
    """Each snapshot, and what the brain says of it."""
    brain = IncidentsBrain(city)
    for snapshot in snapshots(kept):
        yield snapshot, brain.advise(snapshot).incidents


def _print_replay(kept: Path) -> int:
    city = load_city(city_folder(kept.name.rpartition("-")[0], kept.parent / "cities"))
    told: dict[str, Incident] = {}
    for snapshot, news in play(city, kept):
        for one in news:
            if one.id not in told or not one.is_open:
                lanes, at_m = list(one.place.lanes), one.place.position_m
                where = f"{one.place.edge or one.place.junction} {lanes} at {at_m:.0f} m"
                print(f"{snapshot.time_s:.0f} {one.id} {one.kind} {where} open={one.is_open}")
                for said in one.evidence:
                    print(f"    {said}")
        hear(told, news)
    print(f"{len(told)} told")
    return 0


if __name__ == "__main__":
    sys.exit(main())
