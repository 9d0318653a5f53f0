#!/usr/bin/env python3
"""The control room at 10,000 vehicles and five frames a second: page, wire and server.

    python benchmarks/control_room/run.py [--seconds 20] [--vehicles 10000]

Starts the API in front of a stand-in that makes up traffic (no SUMO: its time is not what is measured), then
measures one after another: 1, 20 clients and a slow one beside them; the opening of the page; drawing, on a
screen of 1440 x 900 and on a small one. Writes results.json. Needs Chromium and the built page."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clients
import httpx
import page
import psutil
from playwright.sync_api import sync_playwright

from civicbrain import __version__

sys.path.insert(0, str(Path(__file__).parents[1]))

from loopback import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STATIC = ROOT / "src" / "civicbrain" / "api" / "static"
RATE_HZ = 5
SIDE, BIG_SIDE = 16, 36  # of the grids of junctions
SLOW_BYTES_PER_S = 150_000
# without a display and without a graphics card: WebGL in software
FLAGS = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--use-gl=angle",
         "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]  # fmt: skip


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure_wire(port: int, api: psutil.Process, seconds: float) -> dict[str, Any]:
    """Bytes and processor of the server with no, one and twenty clients; and a slow one beside five."""

    def with_clients(number: int) -> tuple[list[clients.Count], float]:
        before, start = cpu_s(api), time.monotonic()
        if number:
            counts = clients.fast_clients(port, number, seconds)
        else:
            counts = []
            time.sleep(seconds)
        return counts, (cpu_s(api) - before) / (time.monotonic() - start)

    _, idle = with_clients(0)
    (one,), cpu_1 = with_clients(1)
    twenty, cpu_20 = with_clients(20)
    slow: list[clients.Count] = []
    thread = threading.Thread(
        target=lambda: slow.append(clients.slow_client(port, seconds, SLOW_BYTES_PER_S))
    )
    thread.start()
    beside, _ = with_clients(5)
    thread.join()
    return {
        "bytes_per_s_one_client": round(one.bytes / seconds),
        "bytes_per_frame": round(one.bytes / max(1, one.frames)),
        "frames_per_s_one_client": round(one.frames / seconds, 2),
        "server_cores_no_client": round(idle, 3),
        "server_cores_1_client": round(cpu_1, 3),
        "server_cores_20_clients": round(cpu_20, 3),
        "frames_per_s_of_20_least": round(min(c.frames for c in twenty) / seconds, 2),
        "slow_client_reads_bytes_per_s": SLOW_BYTES_PER_S,
        "slow_client_frames_per_s": round(slow[0].frames / seconds, 2),
        "frames_per_s_beside_the_slow_least": round(min(c.frames for c in beside) / seconds, 2),
        "longest_gap_beside_the_slow_s": round(max(gap for c in beside for gap in gaps(c)), 3),
        "longest_gap_without_it_s": round(max(gap for c in twenty for gap in gaps(c)), 3),
    }


def gaps(count: clients.Count) -> list[float]:
    return [b - a for a, b in zip(count.arrived_s, count.arrived_s[1:], strict=False)]


def measure_bundle() -> dict[str, int]:
    """Bytes as they go over the wire: what is fetched before the first picture, and the lazy rest."""
    html = (STATIC / "index.html").read_text()
    first = {name.removeprefix("./") for name in re.findall(r'(?:src|href)="([^"]+\.(?:js|css|mjs))"', html)}
    size = {
        str(file.relative_to(STATIC)): len(gzip.compress(file.read_bytes(), 9))
        for file in STATIC.rglob("*")
        if file.suffix in (".js", ".css", ".mjs", ".html")
    }
    at_start = size["index.html"] + sum(size[name] for name in first)
    return {"at_start_gzip": at_start, "all_gzip": sum(size.values()), "largest_gzip": max(size.values())}


@contextmanager
def stand_in(vehicles: int, side: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The API in front of made-up traffic on side x side junctions, and its port."""
    with tempfile.TemporaryDirectory(prefix="cb-") as name:
        process, port = start(Path(name), vehicles, side)
        try:
            yield process, port
        finally:
            process.terminate()
            process.wait()


def start(folder: Path, vehicles: int, side: int) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "api" / "stand_in.py"), "--run-dir", str(folder / "run"),
         "--vehicles", str(vehicles), "--size", str(side), "--port", str(port), "--no-limits"],
        stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    for _ in range(300):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/v1/health").json()["status"] == "ok":
                break
        except (httpx.TransportError, KeyError):
            pass
        time.sleep(0.2)
    else:
        raise SystemExit((folder / "log").read_text()[-2000:])
    # the stand-in moves once a simulated second: five of them a second make five frames
    httpx.patch(f"http://127.0.0.1:{port}/v1/twin", json={"speed": RATE_HZ}).raise_for_status()
    return process, port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--vehicles", type=int, default=10_000)
    parser.add_argument("--only", choices=("wire", "page"), help="only this part, nothing written")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    results: dict[str, Any] = {"vehicles": options.vehicles, "seconds": options.seconds}
    with stand_in(options.vehicles, SIDE) as (process, port):
        url = f"http://127.0.0.1:{port}/"
        if options.only != "page":
            results["wire"] = measure_wire(port, psutil.Process(process.pid), options.seconds)
        if options.only != "wire":
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                results["bundle"] = measure_bundle()
                results["opening"] = page.measure_opening(browser, url, 5)
                results["drawing"] = page.measure_drawing(browser, url, (1440, 900), options.seconds)
                results["drawing_small"] = page.measure_drawing(browser, url, (1000, 640), options.seconds)
                results["chromium"] = browser.version
                browser.close()
    if options.only != "page":
        with stand_in(options.vehicles, BIG_SIDE) as (process, port):
            results["wire_1296_junctions"] = measure_wire(port, psutil.Process(process.pid), options.seconds)
    results |= {
        "load_average_at_the_end": [round(x, 1) for x in os.getloadavg()],
        "cores": os.cpu_count(),
        "civicbrain": __version__,
        "python": platform.python_version(),
    }
    print(json.dumps(results, indent=2))
    if not options.only:
        HERE.joinpath("results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
