"""What the live loop takes in from field cameras, how soon, and what overload does: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import civicbrain
from civicbrain.evaluate.storage import write_atomically
from civicbrain.runtime.intake_keys import TOKEN_FILE, load_keys

sys.path.insert(0, str(Path(__file__).parents[1]))

from loopback import free_port

HERE = Path(__file__).parent
TARGET_ROWS_PER_S, TARGET_P99_MS, TARGET_RECOVERY_S = 50_000, 250.0, 10.0
SETTLE_S = 12.0
"""Not counted: the brain's process starts, compiled code is read, caches fill."""

START_AT_MOST_S = 180.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, help="a city folder; by default one is generated")
    parser.add_argument("--junctions", type=int, default=1300)
    parser.add_argument("--cameras", type=int, default=4500)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument(
        "--vehicles", type=int, default=4, help="rows of a frame; fps x vehicles = 20 a second"
    )
    parser.add_argument("--control", default="brain")
    parser.add_argument("--steady", type=float, default=60.0, help="seconds at the peak")
    parser.add_argument("--overload", type=float, default=20.0, help="seconds at ten times the peak")
    parser.add_argument("--after", type=float, default=30.0, help="seconds at the peak after that")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--by", choices=["socket", "http", "mqtt"], default="socket")
    parser.add_argument("--small", action="store_true", help="10 junctions, one run of seconds")
    parser.add_argument("--first", action="store_true", help="the centre before other work here (root)")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.small:
        options.junctions, options.cameras, options.runs = 10, 30, 1
        options.steady, options.overload, options.after = 8.0, 5.0, 8.0
    if options.by != "socket":
        options.overload = 0.0
    name = "results.json" if options.by == "socket" else f"results-{options.by}.json"
    out = options.out or (None if options.small else HERE / name)
    with tempfile.TemporaryDirectory(prefix="cb-obs-") as scratch:
        city = options.city or generated(options, Path(scratch))
        runs = [run_once(options, city, Path(scratch) / f"r{number}") for number in range(options.runs)]
    result = summarise(options, runs)
    if out is not None:
        write_atomically(out, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps({key: value for key, value in result.items() if key != "runs"}, indent=1))
    return 0 if all(result["met"].values()) else 1


def generated(options: Any, folder: Path) -> Path:
    target = folder / "city"
    command = [
        sys.executable, "-m", "civicbrain.cli.main", "generate", "city", "--junctions",
        str(options.junctions), "--cameras", str(options.cameras), "--seed", "1", "--out", str(target),
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def run_once(options: Any, city: Path, run_dir: Path) -> dict[str, Any]:
    """Start history, centre (and API or broker) and the field; one line a second of the centre comes back."""
    run_dir.mkdir(mode=0o700)
    load_keys(run_dir, "")
    place = ["--city", str(city), "--run-dir", str(run_dir)]
    config = run_dir / "civicbrain.toml"
    start = time.monotonic()
    with ExitStack() as stack:
        address = carrier(options, place, run_dir, config, stack)
        history = spawn(stack, ["-m", "civicbrain.runtime.history.server", *place], run_dir, "history")
        command = [
            str(HERE / "centre.py"), *place, "--config", str(config), "--control", options.control,
            "--start", str(start),
        ]  # fmt: skip
        command += ["--first"] if options.first else []
        centre = spawn(stack, command, run_dir, "centre", stdout=subprocess.PIPE, start_new_session=True)
        phases = [(1.0, SETTLE_S if not options.small else 4.0), (1.0, options.steady)]
        if options.overload:
            phases += [(10.0, options.overload), (1.0, options.after)]
        wait_for(run_dir / "intake.cmd", centre)
        command = [
            str(HERE / "field_emulator.py"), *place, "--start", str(start), "--fps", str(options.fps),
            "--vehicles", str(options.vehicles), "--by", options.by, "--place", address,
            "--key-file", str(run_dir / TOKEN_FILE),
            "--phases", ",".join(f"{load:g}:{seconds:g}" for load, seconds in phases),
        ]  # fmt: skip
        field = spawn(stack, command, run_dir, "field", stdout=subprocess.PIPE)
        lines = list(listen(centre, field))
        said = json.loads(field.stdout.read().splitlines()[-1])  # its figures
        alive = centre.poll() is None and history.poll() is None
    return judge(lines, said, phases, alive)


def carrier(options: Any, place: list[str], run_dir: Path, config: Path, stack: ExitStack) -> str:
    """What lies between field and centre: its host:port, "" for none. Writes the configuration."""
    text = "[intake]\nenabled = true\n"
    address = ""
    port = free_port()
    if options.by == "http":
        address = f"127.0.0.1:{port}"
        spawn(stack, ["-m", "civicbrain.api.server", *place, "--port", str(port)], run_dir, "api")
    elif options.by == "mqtt":
        address = f"127.0.0.1:{port}"
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        conf = run_dir / "mosquitto.conf"
        conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 20000\n")
        stack.callback(end, subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL))
        text += f"[feeds.mqtt.options]\nport = {port}\n"
    config.write_text(text)
    return address


def spawn(stack: ExitStack, arguments: list[str], run_dir: Path, name: str, **how: Any) -> Any:
    log = stack.enter_context((run_dir / f"{name}.log").open("wb"))
    how.setdefault("stdout", log)
    process = subprocess.Popen([sys.executable, *arguments], stderr=log, **how)
    stack.callback(end, process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_AT_MOST_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the centre does not start: {(path.parent / 'centre.log').read_text()[-3000:]}")
        time.sleep(0.05)


def listen(centre: Any, field: Any) -> Iterator[dict[str, Any]]:
    """Lines of the centre until the field has ended."""
    for line in centre.stdout:
        if line.startswith(b"{"):  # the rest is its log
            yield json.loads(line)
        if field.poll() is not None:
            return


def judge(
    lines: list[dict[str, Any]], said: dict[str, Any], phases: list[tuple[float, float]], alive: bool
) -> dict[str, Any]:
    """The figures of one run. A second belongs to the phase in which all of it lies."""
    bounds = said["bounds"]

    def within(number: int) -> list[dict[str, Any]]:
        low, high = bounds[number]
        return [line for line in lines if low + 1.0 <= line["wall"] <= high]

    def figures(part: list[dict[str, Any]]) -> dict[str, Any]:
        span_s = part[-1]["wall"] - part[0]["wall"]
        known = [line["latency_ms"] for line in part if line["latency_ms"]]
        return {
            "rows_per_s": round(sum(line["rows"] for line in part[1:]) / span_s),
            "latency_p50_ms": statistics.median(line[0] for line in known),
            "latency_p99_ms": round(percentile([line[1] for line in known], 0.5), 1),
            "latency_p99_worst_second_ms": max(line[1] for line in known),
            "seconds_within_target": round(sum(line[1] <= TARGET_P99_MS for line in known) / len(known), 3),
            "centre_cpu_share": round((part[-1]["cpu_s"] - part[0]["cpu_s"]) / span_s, 3),
            "starved_share": round((part[-1]["starved_s"] - part[0]["starved_s"]) / span_s, 3),
            "shed_rows_per_s": round((part[-1]["shed_rows"] - part[0]["shed_rows"]) / span_s),
            "snapshots_per_s": round(sum(line["snapshots"] for line in part[1:]) / span_s, 1),
            "decision_ms_p50": round(percentile([ms for line in part for ms in line["decision_ms"]], 0.5), 1),
            "rss_mb": part[-1]["rss_mb"],
        }

    steady = within(1)
    result: dict[str, Any] = {"alive_at_the_end": alive, "steady": figures(steady), "field": said}
    result["dropped"] = {reason: n for reason, n in lines[-1]["dropped"].items() if reason != "shed"}
    result["history_shed"] = lines[-1]["history_shed"]
    if len(phases) > 2:
        result["overload"] = figures(within(2))
        result["overload"]["offered_rows_per_s"] = round(said["sent_rows"][2] / phases[2][1])
        result["overload"]["refused_rows"] = said["refused_rows"]
        result["recovery_s"] = recovery_s(lines, *bounds[2:4])
        result["after"] = figures(within(3))
    return result


def recovery_s(
    lines: list[dict[str, Any]], overload: tuple[float, float], after: tuple[float, float]
) -> float | None:
    """Seconds after the overload until nothing is shed and the p99 is within the target for good, or None."""
    end = overload[1]
    good_from = None
    before = None
    for line in lines:
        if not end < line["wall"] <= after[1]:
            continue
        shed = before is not None and line["shed_rows"] > before
        before = line["shed_rows"]
        late = not line["latency_ms"] or line["latency_ms"][1] > TARGET_P99_MS
        if shed or late:
            good_from = None
        elif good_from is None:
            good_from = line["wall"]
    return None if good_from is None else round(max(0.0, good_from - end), 1)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summarise(options: Any, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the runs, and every run."""

    def median(part: str, key: str) -> float:
        return round(statistics.median(run[part][key] for run in runs), 3)

    result: dict[str, Any] = {
        "by": options.by,
        "junctions": options.junctions, "cameras": options.cameras, "control": options.control,
        "peak": f"{options.fps:g} frames a second of {options.vehicles} vehicles, each camera",
        "centre_before_other_work": options.first,
        "load_average": round(os.getloadavg()[0], 1),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "python": platform.python_version(), "civicbrain": civicbrain.__version__,
        "steady": {key: median("steady", key) for key in runs[0]["steady"]},
    }  # fmt: skip
    met = {
        "rows": result["steady"]["rows_per_s"] >= TARGET_ROWS_PER_S or options.small,
        "latency": result["steady"]["latency_p99_ms"] <= TARGET_P99_MS,
        "survived": all(run["alive_at_the_end"] for run in runs),
    }
    if "overload" in runs[0]:
        result["overload"] = {key: median("overload", key) for key in runs[0]["overload"]}
        result["after"] = {key: median("after", key) for key in runs[0]["after"]}
        times = [run["recovery_s"] for run in runs]
        result["recovery_s"] = None if None in times else statistics.median(times)
        met["recovery"] = result["recovery_s"] is not None and result["recovery_s"] <= TARGET_RECOVERY_S
    return {**result, "met": met, "runs": runs}


if __name__ == "__main__":
    sys.exit(main())
