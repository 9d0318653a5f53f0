"""The brain process as `civicbrain run` starts it, with a probe: a line of JSON a second.

Latency here is stricter than the intake's own figure: from the moment the sender stamped a frame, so queues
of the sender, the API, the broker and the socket are in it. The comparison run with SUMO is left out; there
is no twin in this benchmark to compare with.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from civicbrain.city.folder import load_city
from civicbrain.city.intake import FieldRows
from civicbrain.runtime.configuration import load_configuration
from civicbrain.runtime.server import BrainServer
from civicbrain.runtime.serving import serve_until_stopped


class Probe:
    """Between the loop and its field: notes when frames were sent, and when a snapshot holds them."""

    def __init__(self, server: BrainServer, start: float) -> None:
        self._server = server
        self._zero = server.city.demand.begin_s - start
        self._step = server.field.step
        self._sent: list[np.ndarray] = []
        self._latency_s: list[np.ndarray] = []
        self._rows = self._snapshots = 0
        self._second = int(time.monotonic())
        self._decisions = 0
        server.field.step = self.step  # type: ignore[method-assign]
        assert server.field.intake is not None
        server.field.intake.consumers.append(self.consume)

    def consume(self, rows: FieldRows) -> None:
        self._sent.append(rows.time_s)
        self._rows += len(rows.lane)

    def step(self, now_s: float) -> bool:
        done = self._step(now_s)
        wall = time.monotonic()
        if self._sent:
            self._latency_s.append(wall + self._zero - np.concatenate(self._sent))
            self._sent.clear()
            self._snapshots += 1
        if int(wall) != self._second:
            self._tell(wall)
        return done

    def _tell(self, wall: float) -> None:
        server = self._server
        latency_ms = np.concatenate(self._latency_s or [np.zeros(0)]) * 1000.0
        percentiles = np.percentile(latency_ms, [50, 99, 100]).round(1).tolist() if len(latency_ms) else []
        intake = server.field.intake
        assert intake is not None
        summary = intake.summary(server.platform_s())
        entry = server.history.entry
        line = {
            "wall": round(wall, 2), "rows": self._rows, "snapshots": self._snapshots,
            "latency_ms": percentiles, "cpu_s": round(time.process_time(), 3), "rss_mb": resident_mb(),
            "starved_s": starved_s(),
            "shed_rows": summary.shed_rows, "queued_rows": summary.queued_rows,
            "shedding": summary.shedding, "speaking": summary.speaking, "dropped": summary.dropped,
            "own_p99_ms": summary.latency_ms_p99,
            "history_shed": sum(entry.shed.values()) if entry is not None else 0,
            "decision_ms": [round(ms, 1) for ms in server.loop.decision_ms[self._decisions:]],
        }  # fmt: skip
        self._decisions = len(server.loop.decision_ms)
        print(json.dumps(line), flush=True)
        self._rows = self._snapshots = 0
        self._latency_s.clear()
        self._second = int(wall)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


def starved_s() -> float:
    """Seconds for which the loop's thread could have run and had no processor (schedstat, Documentation of
    the Linux scheduler): what others on the machine cost it."""
    return round(int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--control", default="brain")
    parser.add_argument("--start", type=float, required=True)
    parser.add_argument("--first", action="store_true")
    options = parser.parse_args()
    if options.first:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
        autogroup = Path("/proc/self/autogroup")
        if autogroup.exists():  # sched(7): there the session's niceness counts, not the process's
            autogroup.write_text("-10")
    server = BrainServer(
        load_city(options.city), options.run_dir, 0, options.control, load_configuration(options.config)
    )
    server.baseline.start = lambda: None  # type: ignore[method-assign]
    Probe(server, options.start)
    serve_until_stopped(server)


if __name__ == "__main__":
    main()
