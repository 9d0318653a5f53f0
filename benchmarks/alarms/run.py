#!/usr/bin/env python3
"""A flood of alarms: none lost, a handful of groups, an API that answers.

    python benchmarks/alarms/run.py [--alarms 10000] [--seconds 60]

Starts the cases process and the API as a live city has them, on a sandbox city, and hands over alarms as the
brain process does (`CasesEntry`), evenly over the time. Meanwhile an operator's page asks /v1/alarms five
times a second. In the second half the cases process is killed once with SIGKILL and started again. At the end
every alarm is looked for by its key. Writes results.json."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from civicbrain import __version__
from civicbrain.city.folder import save_city
from civicbrain.city.model import DemandFiles
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.cases.entry import CasesEntry
from civicbrain.runtime.cases.store import FILE, FOLDER, open_reader

sys.path.insert(0, str(Path(__file__).parents[1]))

from loopback import free_port

OUT = Path(__file__).with_name("results.json")
ASK_EVERY_S = 0.2
MATTERS = (
    ("Camera cam_{n} is silent", Severity.WARNING), ("Signals at J{n} are dark", Severity.CRITICAL),
    ("Detector d_{n} jumps", Severity.WARNING), ("Queue at J{n} spills back", Severity.WARNING),
    ("Controller at J{n} refuses stage 3", Severity.CRITICAL), ("Frame of cam_{n} is late", Severity.WARNING),
    ("Clock of controller {n} is off", Severity.WARNING), ("Lane e{n}_0 is never served", Severity.WARNING),
    ("Power of cabinet {n} fails", Severity.CRITICAL), ("Door of cabinet {n} is open", Severity.WARNING),
)  # fmt: skip
"""What fails in a power cut: ten matters, three more than are shown apart."""


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.DEVNULL)


def wait_for(client: httpx.Client) -> None:
    """Until the cases process answers."""
    for _ in range(600):
        try:
            if client.get("/v1/health").json()["cases"]["answering"]:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the processes did not start")


class Page(threading.Thread):
    """An operator's page. ms: how long each answer took; asked again after a failure, which is counted."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.ms, self.failed, self.groups = url, [], 0, 0
        self.stopping = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self.stopping.wait(ASK_EVERY_S):
                begun = time.perf_counter()
                answer = client.get("/v1/alarms", params={"limit": 50})
                if answer.status_code == 200:
                    self.ms.append((time.perf_counter() - begun) * 1000.0)
                    self.groups = max(self.groups, len(answer.json()["groups"]))
                else:
                    self.failed += 1


def percentiles(ms: list[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(ms, p)), 1) for p in (50, 95, 99)} | {"answers": len(ms)}


def measure(alarms: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="cb-") as base:
        run_dir, folder, port = Path(base) / "r", Path(base) / "city", free_port()
        run_dir.mkdir(mode=0o700)
        city = dataclasses.replace(sandbox_city(), demand=DemandFiles(net_file="twin/net.xml"))
        save_city(city, folder, {"twin/net.xml": b"<net/>"})
        place = ("--city", str(folder), "--run-dir", str(run_dir))
        cases = start("civicbrain.runtime.cases.server", *place)
        api = start("civicbrain.api.server", *place, "--port", str(port), "--read-rate", "1e9")
        url = f"http://127.0.0.1:{port}"
        entry = CasesEntry(run_dir)
        page, after = Page(url), Page(url)
        try:
            with httpx.Client(base_url=url, timeout=30) as client:
                wait_for(client)
                page.start()
                begun, said, killed, cpu_s = time.monotonic(), 0, False, 0.0
                worst_flush_ms = 0.0
                while said < alarms or entry.waiting:
                    wanted = min(alarms, int((time.monotonic() - begun) / seconds * alarms) + 1)
                    for number in range(said, wanted):
                        title, severity = MATTERS[number % len(MATTERS)]
                        key, junction = f"alarm-{number}", f"J{number}"
                        entry.alert(
                            Alert(key, severity, title.format(n=number), "", 0.0, "signals", junction)
                        )
                    said = wanted
                    flushed = time.perf_counter()
                    entry.flush()
                    worst_flush_ms = max(worst_flush_ms, (time.perf_counter() - flushed) * 1000.0)
                    if not killed and said > alarms * 0.6:
                        killed = True
                        cpu_s += sum(psutil.Process(cases.pid).cpu_times()[:2])
                        cases.kill()
                        cases.wait()
                        cases = start("civicbrain.runtime.cases.server", *place)
                    time.sleep(0.1)
                took_s = time.monotonic() - begun
                page.stopping.set()
                page.join()
                cpu_s += sum(psutil.Process(cases.pid).cpu_times()[:2])
                after.start()
                time.sleep(10.0)
                after.stopping.set()
                after.join()
                listed = client.get("/v1/alarms").json()
                acknowledged = time.perf_counter()
                for group in listed["groups"]:
                    if group["id"] != "rest":
                        client.post("/v1/alarms/acknowledgements", json={"group": group["id"]})
                acknowledged_s = time.perf_counter() - acknowledged
            db = open_reader(run_dir / FOLDER / FILE)
            keys = {row[0] for row in db.execute("SELECT key FROM alarm")}
            raised = db.execute("SELECT count(*) FROM activation").fetchone()[0]
        finally:
            page.stopping.set()
            after.stopping.set()
            entry.close()
            for process in (cases, api):
                process.kill()
                process.wait()
    return {
        "alarms": alarms, "seconds": round(took_s, 1),
        "missing": alarms - sum(key.startswith("alarm-") for key in keys),
        "others": sorted(key for key in keys if not key.startswith("alarm-")),  # the platform's own
        "twice": raised - len(keys), "lost_by_entry": listed["lost"], "standing": listed["standing"],
        "groups_shown": page.groups, "in_groups": sum(group["alarms"] for group in listed["groups"]),
        "flood": listed["flood"], "answer_ms": percentiles(page.ms),
        "answer_ms_all_standing": percentiles(after.ms), "unavailable_while_killed": page.failed,
        "acknowledge_groups_s": round(acknowledged_s, 2), "cases_cpu_s": round(cpu_s, 2),
        "entry_worst_flush_ms": round(worst_flush_ms, 1),
        "load_of_machine": round(psutil.getloadavg()[0], 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alarms", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    results = measure(options.alarms, options.seconds)
    results["machine"] = {
        "cores": psutil.cpu_count(),
        "python": platform.python_version(),
        "civicbrain": __version__,
    }
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))
    good = results["missing"] == 0 and results["twice"] == 0 and results["in_groups"] == results["standing"]
    sys.exit(0 if good and results["answer_ms"]["p95"] <= 200.0 else 1)


if __name__ == "__main__":
    main()
