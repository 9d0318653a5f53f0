#!/usr/bin/env python3
"""What keeping the moving picture costs: bytes an hour, milliseconds a frame.

    python benchmarks/playback/run.py [--junctions 300] [--from-hour 7.6] [--seconds 180]

A generated city in SUMO in the morning, each second's frame written as the control room's recorder does
(encoded, told by its difference, compressed, one write), then read again. Time is that of the processor.
Beside it made-up traffic of 10,000 vehicles, as the control room's tests have it. Writes results.json."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "api"))
from grid_city import grid_city
from stand_in import StandIn

from civicbrain import __version__
from civicbrain.api.frames import FrameEncoder
from civicbrain.api.playback.columns import Columns
from civicbrain.api.playback.segment import Figures, Head, SegmentWriter, read_columns
from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.observations import SignalStates
from civicbrain.contracts import wire
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

HERE = Path(__file__).parent
SETTLE_S = 420
SEGMENT_S = 60
Frame = tuple[wire.VehicleFrame, wire.CityState]


def driven(city: City, begin_s: float, seconds: int) -> Iterator[Frame]:
    """Frames of the twin under the city's own plan, after it has filled."""
    # the figures of junctions are the stand-in's: they cost what they cost whatever they say
    quiet = StandIn(city, 1)
    options = TwinOptions(seed=1, begin_s=begin_s, end_s=begin_s + SETTLE_S + seconds + 1, emissions=False)
    with closing(Twin(city, options)) as twin:
        for second in range(SETTLE_S + seconds):
            twin.step()
            quiet.time_s = twin.time_s
            if second >= SETTLE_S:
                lamps = next((one.lamps for one in twin.sense() if isinstance(one, SignalStates)), None)
                if lamps is not None:
                    quiet.lamps = lamps
                yield twin.vehicle_frame(), quiet.city_state()


def made_up(city: City, vehicles: int, seconds: int) -> Iterator[Frame]:
    stand_in = StandIn(city, vehicles)
    for _ in range(seconds):
        stand_in.step()
        yield stand_in.vehicle_frame(), stand_in.city_state()


def measure(city: City, frames: Iterator[Frame], folder: Path) -> dict[str, Any]:
    """Segments of a minute."""
    encoder, writer = FrameEncoder(city), None
    sizes: list[int] = []
    raw: list[int] = []
    write_ms: list[float] = []
    count: list[int] = []
    paths: list[Path] = []
    for number, (vehicles, state) in enumerate(frames):
        if number % SEGMENT_S == 0:
            if writer:
                writer.close()
            paths.append(folder / f"{len(paths)}.cbs")
            writer = SegmentWriter(paths[-1], Head("benchmark", 0.0))
        assert writer is not None
        start = time.process_time()
        frame = encoder.encode(number, vehicles, state, 1.0)
        columns = Columns.read(frame)
        sizes.append(writer.add(columns, Figures()))
        write_ms.append(1000 * (time.process_time() - start))
        raw.append(len(frame))
        count.append(len(columns.number))
    assert writer is not None
    writer.close()
    start = time.process_time()
    read = sum(1 for path in paths for _ in read_columns(path))
    read_ms = 1000 * (time.process_time() - start) / read
    vehicles_mean = statistics.mean(count)
    mb_per_hour = statistics.mean(sizes) * 3600 / 1e6
    return {
        "junctions": len(city.junctions), "vehicles": round(vehicles_mean), "frames": read,
        "raw_mb_per_hour": round(statistics.mean(raw) * 3600 / 1e6, 1),
        "mb_per_hour": round(mb_per_hour, 1),
        "bytes_per_vehicle_and_frame": round(statistics.mean(sizes) / vehicles_mean, 2),
        "write_ms_p50": round(statistics.median(write_ms), 2),
        "write_ms_p99": round(sorted(write_ms)[int(0.99 * len(write_ms))], 2),
        "read_ms": round(read_ms, 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--junctions", type=int, default=300)
    parser.add_argument("--from-hour", type=float, default=7.6)
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args()
    results: dict[str, Any] = {"civicbrain": __version__, "python": platform.python_version()}
    with tempfile.TemporaryDirectory() as base:
        grid = grid_city(20)
        results["made_up"] = measure(grid, made_up(grid, 10_000, options.seconds), Path(base) / "made_up")
        print(results["made_up"], flush=True)
        folder = Path(base) / "city"
        generate_city(GenerateOptions(junctions=options.junctions, name="playback"), folder)
        city = load_city(folder)
        begin_s = options.from_hour * 3600
        results["driven"] = measure(city, driven(city, begin_s, options.seconds), Path(base) / "driven")
        print(results["driven"], flush=True)
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
