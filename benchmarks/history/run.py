"""A week of a city's history, asked: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

import civicbrain
from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.snapshot import LaneStates, Snapshot
from civicbrain.city.store import Store
from civicbrain.contracts.transport import HISTORY_IN, decode, open_puller, receive
from civicbrain.contracts.wire import pack_array
from civicbrain.runtime.history.entry import HistoryEntry
from civicbrain.runtime.history.layout import (
    LANE,
    Resolution,
    Table,
    each_table,
    file_of,
    list_periods,
    list_runs,
    without_covered,
)
from civicbrain.runtime.history.minutes import Columns
from civicbrain.runtime.history.playback import read_moments
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.question import Question
from civicbrain.runtime.history.recorder import Recorder
from civicbrain.runtime.history.sampler import Sampler
from civicbrain.runtime.history.storage import Storage, open_engine, reading
from civicbrain.runtime.history.wire import Sample
from civicbrain.twin.generating import GenerateOptions, generate_city

HERE = Path(__file__).parent
VEHICLES = 23_000
"""Of the city of 1,300 junctions at its peak; other sizes in proportion."""

TARGET_S = 1.0
DAY_S = 86_400


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--junctions", type=int, default=1300)
    parser.add_argument("--city", type=Path, help="a generated city's folder, instead of making one")
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--samples-a-minute", type=int, default=1, help="of the week; see README.md")
    parser.add_argument("--full-minutes", type=int, default=5, help="minutes of 60 samples, timed")
    parser.add_argument("--repeats", type=int, default=15, help="times each question is asked")
    parser.add_argument(
        "--keep", type=Path, help="make the week here, go on with the one that is here, or ask it"
    )
    parser.add_argument("--small", action="store_true", help="20 junctions, three hours, for tests")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    if options.small:
        options.junctions, options.days, options.full_minutes, options.repeats = 20, 3 / 24, 1, 3
    with tempfile.TemporaryDirectory(prefix="cb-h-") as scratch:
        base = options.keep or Path(scratch)
        city = load_city(options.city) if options.city else made_city(options.junctions, base)
        traffic = Traffic(city, seed=1)
        loop = loop_cost(city, traffic)
        folder = base / "history"
        made = {} if (base / "made.json").exists() else make_week(city, traffic, folder, options)
        if made:
            (base / "made.json").write_text(json.dumps(made))
        else:
            made = json.loads((base / "made.json").read_text())
        answers = ask_all(city, folder, made, options.repeats)
        result = {
            "junctions": len(city.junctions),
            "lanes": len(city.network.lanes.ids),
            "vehicles_in_view": len(traffic.lane),
            "days": options.days,
            "loop": loop,
            "writing": made,
            "disk_mb": disk_mb(folder),
            "rows": rows(folder),
            "questions": answers,
            "slowest_p95_s": max(answer["wall_s_p95"] for answer in answers.values()),
            "slowest_cpu_p95_s": max(answer["cpu_s_p95"] for answer in answers.values()),
            "target_s": TARGET_S,
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "load_average": round(os.getloadavg()[0], 1),
            "duckdb_version": duckdb.__version__,
            "civicbrain_version": civicbrain.__version__,
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    return 0 if result["slowest_p95_s"] <= TARGET_S else 1


def made_city(junctions: int, base: Path) -> City:
    folder = base / f"city-{junctions}"
    if not folder.exists():
        generate_city(GenerateOptions(junctions, None, 1, None, 1.0, None), folder, replace_city=False)
    return load_city(folder)


class Traffic:
    """Made-up detections on the lanes that cameras see: places and speeds are drawn anew at each sample, more
    of them at the peaks, so that rows are as varied (and as hard to compress) as they can be."""

    def __init__(self, city: City, seed: int) -> None:
        self.city, self.rng = city, np.random.default_rng(seed)
        count = max(1, round(VEHICLES * len(city.junctions) / 1300))
        self.lane = np.sort(self.rng.choice(city.cameras.lane, count)).astype(np.int32)
        self.observed = np.zeros(len(city.network.lanes.ids), np.bool_)
        self.observed[city.cameras.lane] = True
        self.sample_of_store = Store(city).snapshot(city.demand.begin_s)

    def snapshot(self, time_s: float) -> Snapshot:
        """As the store would hand it out."""
        busy = 0.25 + 0.75 * np.sin(np.pi * ((time_s / DAY_S * 2) % 1.0)) ** 2  # two peaks a day
        lane = self.lane[self.rng.random(len(self.lane)) < busy]
        count = len(lane)
        base = self.sample_of_store
        speed = np.maximum(self.rng.normal(6.0, 6.0, count), 0.0).astype(np.float32)
        stage = (base.signals.stage * 0 + int(time_s // 20) % 2).astype(np.int32)
        lanes = LaneStates(
            self.observed,
            np.where(self.observed, 0.5, np.inf).astype(np.float32),
            *(base.lanes.speed_mps,) * 3,
        )
        detections = type(base.detections)(
            "bench", time_s - 1, time_s, base.detections.cameras, lane, lane,
            (self.rng.random(count) * 150).astype(np.float32), speed,
            self.rng.integers(0, 3, count).astype(np.uint8), np.full(count, -1, np.int32),
        )  # fmt: skip
        signals = type(base.signals)(
            "bench", time_s, base.signals.lamps, base.signals.lamps_since_s, stage,
            base.signals.stage_since_s, stage, np.full(len(stage), 2, np.uint8),
        )  # fmt: skip
        return Snapshot(
            1, time_s, detections, lanes, signals, base.closed_lanes, base.staleness_s, base.values
        )

    def sample(self, time_s: float) -> Sample:
        snapshot = self.snapshot(time_s)
        seen, lanes, signals = snapshot.detections, snapshot.lanes, snapshot.signals
        columns: tuple[Any, ...] = (
            seen.lane, seen.distance_m, seen.speed_mps, seen.vehicle_class, lanes.observed, lanes.age_s,
            signals.lamps, signals.stage, signals.mode,
        )  # fmt: skip
        city = {"vehicles": float(len(seen.lane)), "mean_delay_s": 30.0}
        return Sample(time_s, 0, "bench", *map(pack_array, columns), city=city, staleness_s={"twin": 0.5})


def loop_cost(city: City, traffic: Traffic) -> dict[str, Any]:
    """What handing a sample over costs the loop, and observations 50,000 a second, in processor time of the
    loop's own thread."""
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        puller = open_puller(Path(folder), HISTORY_IN, 16)
        stop = threading.Event()

        def drain() -> None:
            while not stop.wait(0.001):
                for _ in receive(puller):
                    pass

        thread = threading.Thread(target=drain)
        thread.start()
        sampler = Sampler(city, Path(folder))
        entry = sampler.entry
        assert isinstance(entry, HistoryEntry)
        time.sleep(0.3)
        numbers = np.array([entry.series("cameras", f"camera:{i}", "speed_mps", "m/s") for i in range(4500)])
        took_ms, offered_ms = [], []
        for second in range(60):
            snapshot = traffic.snapshot(float(second))
            series = numbers[traffic.rng.integers(0, 4500, 50_000)]
            value = traffic.rng.random(50_000)
            start = time.thread_time()
            for part in np.array_split(np.arange(50_000), 50):
                entry.offer(series[part], np.full(len(part), float(second)), value[part])
            middle = time.thread_time()
            sampler.take(snapshot, "bench", None, None, alerts_open=0, decision_ms=1.0)
            took_ms.append((time.thread_time() - middle) * 1000)
            offered_ms.append((middle - start) * 1000)
            time.sleep(0.02)
        shed = dict(entry.shed)
        sampler.close()
        stop.set()
        thread.join()
        puller.close()
    return {
        "take_and_flush_cpu_ms_p50": round(statistics.median(took_ms), 3),
        "take_and_flush_cpu_ms_p99": round(float(np.percentile(took_ms, 99)), 3),
        "offer_50000_in_50_batches_cpu_ms_p50": round(statistics.median(offered_ms), 3),
        "shed": shed,
    }


def make_week(city: City, traffic: Traffic, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Write the days through the recorder, rolling up each hour, then full minutes, timed."""
    by_the_hour = HourStorage(open_engine(scratch=folder / "scratch"))
    storage = Storage(open_engine(scratch=folder / "scratch"))
    recorder = Recorder(folder, city, by_the_hour, keep_vehicles=False)
    step = 60.0 / options.samples_a_minute
    wall = time.perf_counter()
    count = int(options.days * DAY_S / step)
    joins = {"hour_s": [], "day_s": []}  # type: dict[str, list[float]]
    first = begin(folder, city, step)
    recorder.newest_s = min(recorder.newest_s, city.epoch.timestamp() + first * step)
    for number in range(first, count):
        time_s = number * step
        if (
            time_s >= count * step - 2 * 3600
        ):  # the last two hours go by the minute, as they do in a live city
            by_the_hour.flush()
            recorder._storage = storage
        recorder.take(traffic.sample(time_s))
        if options.samples_a_minute == 1:
            swell(recorder, traffic.rng)
        if number and time_s % 3600 == 600 and recorder.run is not None:
            start = time.process_time()
            storage.settle(recorder.run, recorder.newest_s / 60)
            took = time.process_time() - start
            ended_day = time_s % DAY_S < 3600 and number - first > 3600 / step
            joins["day_s" if ended_day else "hour_s"].append(took)
            if time_s % DAY_S == 600:
                done = f"{number / count:.0%} after {time.perf_counter() - wall:.0f} s"
                print(done, file=sys.stderr)
    first_s = count * step
    recorder._keep_vehicles = True
    folding_ms, writing_ms = [], []
    for minute in range(options.full_minutes):
        for second in range(60):
            sample = decode(Sample, encode(traffic.sample(first_s + 60.0 * minute + second)))
            start = time.process_time()
            before = recorder.counts.minutes
            recorder.take(sample)
            took_ms = (time.process_time() - start) * 1000
            (writing_ms if recorder.counts.minutes > before else folding_ms).append(took_ms)
    recorder.flush()
    assert recorder.run is not None
    start = time.process_time()
    joined = storage.settle(recorder.run, recorder.newest_s / 60)
    last_join_s = time.process_time() - start
    assert recorder.counts.failed == 0, recorder.counts.last_error
    return {
        "samples_a_minute": options.samples_a_minute,
        "fold_a_second_cpu_ms_p50": round(statistics.median(folding_ms), 2),
        "write_a_minute_cpu_ms_p50": round(statistics.median(writing_ms), 1),
        "last_join_cpu_s": round(last_join_s, 2),
        "last_join_files": joined,
        "join_and_roll_up_an_hour_cpu_s_p50": round(statistics.median(joins["hour_s"]), 2)
        if joins["hour_s"]
        else None,
        "join_a_day_cpu_s_p50": middle(joins["day_s"]),
        "end_s": first_s,
        "last_s": first_s + 60.0 * options.full_minutes,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def middle(values: list[float]) -> float | None:
    return round(statistics.median(values), 2) if values else None


def begin(folder: Path, city: City, step_s: float) -> int:
    """The first sample that is not there yet: a week that was broken off is gone on with, by the hour."""
    history = History(folder, open_engine(), city)
    if not list_runs(folder):
        return 0
    kept = history.extent(history.run(), Resolution.MINUTE, LANE)
    return round((kept[1] - city.epoch).total_seconds() / step_s) if kept else 0


class HourStorage(Storage):
    """Writes an hour's file at once instead of 60 that are joined to it: the same file, in less time."""

    def __init__(self, engine: duckdb.DuckDBPyConnection) -> None:
        super().__init__(engine)
        self._parts: dict[tuple[Path, Resolution, Table, int], list[Columns]] = {}

    def write(self, run: Path, resolution: Resolution, table: Table, minute: int, columns: Any,
              length_min: int = 60) -> int:  # fmt: skip  # noqa: ARG002
        hour = minute - minute % 60
        for key in [key for key in self._parts if key[2] is table and key[3] != hour]:
            self._write_hour(key)
        self._parts.setdefault((run, resolution, table, hour), []).append(columns)
        return len(columns[table.key])

    def flush(self) -> None:
        for key in list(self._parts):
            self._write_hour(key)

    def _write_hour(self, key: tuple[Path, Resolution, Table, int]) -> None:
        parts, (run, resolution, table, hour) = self._parts.pop(key), key
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        super().write(run, resolution, table, hour, columns, length_min=60)


def swell(recorder: Recorder, rng: np.random.Generator) -> None:
    """Make of a minute's only sample what 60 would have added up to, each lane a little otherwise: the rows
    are as large and as varied as real ones, at a sixtieth of the time."""
    minute = recorder._minute
    assert minute is not None
    minute.samples *= 60
    for name, values in minute.sums.items():
        minute.sums[name] = np.rint(values * 60 * rng.uniform(0.8, 1.2, len(values)))
    minute.queue[:] = minute.queue[0]
    for name in ("signal_s", "central_s"):
        minute.signals[name] *= 60
    minute.signals["stage_changes"] += rng.integers(0, 4, len(minute.signals["stage_changes"]))


def encode(sample: Sample) -> bytes:
    from civicbrain.contracts.transport import encode as packed

    return packed(sample)


def questions(
    city: City, end: datetime, days: float, rng: random.Random
) -> dict[str, Callable[[], Question]]:
    """What an engineer asks, about another place each time."""
    week, day, hour = timedelta(days=days), timedelta(days=min(1.0, days)), timedelta(hours=1)

    def junction() -> str:
        return rng.choice(city.junctions).id

    def lanes() -> tuple[str, ...]:
        return (city.network.lanes.ids[int(rng.choice(city.cameras.lane.tolist()))],)

    def box() -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = city.network.bounds_m
        width, height = (x1 - x0) / 3, (y1 - y0) / 3
        x, y = rng.uniform(x0, x1 - width), rng.uniform(y0, y1 - height)
        return (x, y, x + width, y + height)

    def some(count: int) -> tuple[str, ...]:
        return tuple(j.id for j in rng.sample(city.junctions, min(count, len(city.junctions))))

    def q(indicator: str, window: timedelta, **more: Any) -> Question:
        return Question(indicator=indicator, start=end - window, end=end, **more)

    return {
        "junction, a week by auto": lambda: q("queue_veh", week, junctions=(junction(),)),
        "junction, a week by 1 min": lambda: q("queue_veh", week, junctions=(junction(),), resolution="1min"),
        "junction, a day by 1 min": lambda: q(
            "vehicles_veh", day, junctions=(junction(),), resolution="1min"
        ),
        "junction, the last hour": lambda: q("flow_veh_per_h", hour, junctions=(junction(),)),
        "lane, a week by 15 min": lambda: q("flow_veh_per_h", week, lanes=lanes(), resolution="15min"),
        "lane, a week by 1 min": lambda: q("occupancy_share", week, lanes=lanes(), resolution="1min"),
        "30 junctions, a week by 15 min": lambda: q(
            "speed_mps", week, junctions=some(30), resolution="15min"
        ),
        "district (a ninth), a week by 15 min": lambda: q("queue_veh", week, box=box(), resolution="15min"),
        "district (a ninth), a day by 1 min": lambda: q("queue_veh", day, box=box(), resolution="1min"),
        "city, a week by 1 min": lambda: q("queue_veh", week, resolution="1min"),
        "city, a week by auto": lambda: q("speed_mps", week),
        "every junction, a week by 1 h": lambda: q("vehicles_veh", week / 7 * 6, each=True, resolution="1h"),
        "every junction, the last hour by 15 min": lambda: q(
            "queue_veh", hour, each=True, resolution="15min"
        ),
        "series, a week": lambda: q("vehicles", week, entity="city"),
    }


def ask_all(city: City, folder: Path, made: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Each question often, in turn, the first time of each left out (files that the disk has to find)."""
    history = History(folder, open_engine(scratch=folder / "scratch"), city)
    end = city.epoch + timedelta(seconds=made["end_s"])
    asked = questions(city, end, made["end_s"] / DAY_S, random.Random(1))
    wall: dict[str, list[float]] = {name: [] for name in [*asked, "10 s of playback"]}
    cpu: dict[str, list[float]] = {name: [] for name in wall}
    values: dict[str, int] = {}
    for _ in range(repeats + 1):
        for name, make in asked.items():
            question = make()
            started, started_cpu = time.perf_counter(), time.process_time()
            answer = history.ask(question)
            wall[name].append(time.perf_counter() - started)
            cpu[name].append(time.process_time() - started_cpu)
            values[name] = sum(value is not None for line in answer.mean for value in line)
        name, start = "10 s of playback", end + timedelta(seconds=20)
        started, started_cpu = time.perf_counter(), time.process_time()
        values[name] = len(read_moments(history, city, start, 10).moments)
        wall[name].append(time.perf_counter() - started)
        cpu[name].append(time.process_time() - started_cpu)
    return {
        name: {
            "values": values[name],
            "first_wall_s": round(wall[name][0], 4),
            "wall_s_p50": round(statistics.median(wall[name][1:]), 4),
            "wall_s_p95": round(float(np.percentile(wall[name][1:], 95)), 4),
            "cpu_s_p50": round(statistics.median(cpu[name][1:]), 4),
            "cpu_s_p95": round(float(np.percentile(cpu[name][1:], 95)), 4),
        }
        for name in wall
    }


def rows(folder: Path) -> dict[str, int]:
    """By resolution and table."""
    counts: dict[str, int] = {}
    engine = open_engine()
    for run in (folder / "runs").iterdir():
        for resolution, table, place in each_table(run):
            files = [file_of(place, period) for period in without_covered(list_periods(place))]
            if files:
                [(count,)] = engine.execute(f"SELECT count(*) FROM {reading(files)}").fetchall()
                counts[f"{resolution} {table.name}"] = count
    return counts


def disk_mb(folder: Path) -> dict[str, float]:
    """By resolution and table."""
    sizes: dict[str, float] = {}
    for run in (folder / "runs").iterdir():
        for resolution, table, place in each_table(run):
            size = sum(file.stat().st_size for file in place.glob("*.parquet")) / 1e6
            if size:
                key = f"{resolution} {table.name}"
                sizes[key] = round(sizes.get(key, 0.0) + size, 2)
    return sizes | {"all": round(sum(sizes.values()), 2)}


if __name__ == "__main__":
    sys.exit(main())
