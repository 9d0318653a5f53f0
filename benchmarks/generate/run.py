"""Time, memory and size of generated cities, from 10 to 5,000 junctions: see README.md beside this file."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from civicbrain.city.places import PlaceKind
from civicbrain.evaluate.plan import sumo_version
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.generating import GenerateOptions, generate_city

HERE = Path(__file__).parent
SIZES = (10, 100, 1300, 5000)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--junctions", type=int, action="append", help="default: 10, 100, 1300 and 5000")
    parser.add_argument("--runs", type=int, default=3, help="of each size; 3 or more make a claim")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    rows = []
    for junctions in arguments.junctions or SIZES:
        runs = []
        for number in range(arguments.runs):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                runs.append(pool.submit(measure, junctions).result())
            print(f"{junctions} junctions, run {number + 1}: {runs[-1]['wall_s']} s", file=sys.stderr)
        middle = {
            name: statistics.median(run[name] for run in runs) for name in ("wall_s", "cpu_s", "memory_mb")
        }
        rows.append({"junctions": junctions, **middle, "runs": runs})
    result = {
        "rows": rows,
        "sumo_version": sumo_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())
    for row in rows:
        first = row["runs"][0]
        print(
            f"{row['junctions']:>5} junctions: {row['wall_s']:7.1f} s, {row['cpu_s']:7.1f} s of CPU, "
            f"{row['memory_mb']:6.0f} MB, {first['lanes']} lanes, {first['cars_a_day']} cars a day"
        )
    return 0


def measure(junctions: int) -> dict[str, Any]:
    """Generate one city with seed 1 in this process."""
    with tempfile.TemporaryDirectory(prefix="civicbrain-benchmark-") as scratch:
        begin_s = time.perf_counter()
        city = generate_city(GenerateOptions(junctions), Path(scratch) / "city")
        wall_s = time.perf_counter() - begin_s
        own = resource.getrusage(resource.RUSAGE_SELF)
        programs = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = sum(file.stat().st_size for file in city.folder.rglob("*") if file.is_file())
        return {
            "wall_s": round(wall_s, 2),
            "cpu_s": round(own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime, 2),
            "memory_mb": round(max(own.ru_maxrss, programs.ru_maxrss) / 1024.0, 1),
            "lanes": len(city.network.lanes.ids),
            "cameras": len(city.list_places(PlaceKind.CAMERA)),
            "cars_a_day": _count_cars(city.folder),
            "folder_mb": round(size / 1e6, 2),
        }


def _count_cars(folder: Path) -> int:
    with gzip.open(folder / "twin/cars.rou.xml.gz", "rt") as stream:
        return sum("<vehicle " in line for line in stream)


if __name__ == "__main__":
    sys.exit(main())
