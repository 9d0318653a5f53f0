"""The history process: takes samples and observations, writes them, answers questions.

    python -m civicbrain.runtime.history.server --city DIR --run-dir DIR [--config FILE]

Three threads: this one takes and writes minutes; one joins files, rolls up and deletes; one answers. It may
be killed at any time: the brain process keeps two minutes of samples, and only the open minute is lost.
"""

from __future__ import annotations

import argparse
import math
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import structlog
import zmq

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.contracts.transport import (
    HISTORY_CMD,
    HISTORY_IN,
    HISTORY_PUB,
    answer,
    decode,
    open_publisher,
    open_puller,
    open_responder,
    publish,
    receive,
)
from civicbrain.contracts.wire import Reply
from civicbrain.runtime.configuration import HistoryTable, RunConfiguration, load_configuration
from civicbrain.runtime.history.answers import reply_to
from civicbrain.runtime.history.entry import QUEUE_MESSAGES
from civicbrain.runtime.history.files import remove_parts
from civicbrain.runtime.history.layout import list_runs
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.recorder import Recorder
from civicbrain.runtime.history.retention import disk_bytes, enforce
from civicbrain.runtime.history.storage import Storage, open_engine
from civicbrain.runtime.history.wire import (
    BATCH_TOPIC,
    SAMPLE_TOPIC,
    SERIES_TOPIC,
    STATUS_TOPIC,
    Ask,
    Batch,
    HistoryStatus,
    Sample,
    SeriesList,
)
from civicbrain.runtime.rundir import HISTORY_FOLDER
from civicbrain.runtime.serving import serve_until_stopped

STATUS_EVERY_S = 1.0
TIDY_EVERY_S = 30.0
POLL_MS, POLL_WHILE_ASKED_MS = 250, 5
MOST_WAITING = 16
"""Questions that wait; who comes then is told to try again."""

ANSWER_WITHIN_S = 10.0
SCRATCH = "scratch"

_log = structlog.get_logger("civicbrain.runtime.history")


class HistoryServer:
    """One history. `serve` runs until `stop`."""

    def __init__(self, city: City, run_dir: Path, table: HistoryTable) -> None:
        self.folder = run_dir / HISTORY_FOLDER
        self.folder.mkdir(mode=0o700, exist_ok=True)
        remove_parts(self.folder)
        scratch = self.folder / SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
        # each has an engine of its own: joining a day, which fills its memory, must not fail a minute
        minutes, self._joining = (Storage(open_engine(table.memory_mb, scratch)) for _ in range(2))
        self.recorder = Recorder(self.folder, city, minutes, keep_vehicles=table.vehicles_minutes > 0)
        self._city, self._limits = city, table.limits()
        self._history = History(self.folder, open_engine(table.memory_mb, scratch), city)
        self._input = open_puller(run_dir, HISTORY_IN, QUEUE_MESSAGES)
        self._responder = open_responder(run_dir, HISTORY_CMD)
        self._publisher = open_publisher(run_dir, HISTORY_PUB)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._waiting: list[tuple[list[bytes], Future[Reply]]] = []
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._tidier = threading.Thread(target=self._tidy_for_good, name="tidy", daemon=True)
        self._newest: Sample | None = None
        self._disk_bytes = 0
        self._odd_messages = 0

    def serve(self) -> None:
        """Take, write and answer until told to stop."""
        self._tidier.start()
        poller = zmq.Poller()
        poller.register(self._input, zmq.POLLIN)
        poller.register(self._responder, zmq.POLLIN)
        said_at, minutes = 0.0, 0
        while not self._stopping.is_set():
            poller.poll(POLL_WHILE_ASKED_MS if self._waiting else POLL_MS)
            self._take()
            if self.recorder.counts.minutes != minutes:
                minutes = self.recorder.counts.minutes
                self._wake.set()
            self._answer()
            now = time.monotonic()
            if now - said_at >= STATUS_EVERY_S:
                said_at = now
                publish(self._publisher, STATUS_TOPIC, self.status())

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def close(self) -> None:
        """Write the open minute and let everything go."""
        self.stop()
        self._take()
        self.recorder.flush()
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._history.interrupt()
        for socket in (self._input, self._responder, self._publisher):
            socket.close()

    def status(self) -> HistoryStatus:
        """How it does."""
        recorder, counts, newest = self.recorder, self.recorder.counts, self._newest
        return HistoryStatus(
            run=int(recorder.run.name) if recorder.run else 0,
            time_s=newest.time_s if newest else None,
            samples=counts.samples,
            observations=counts.observations,
            minutes=counts.minutes,
            rows=counts.rows,
            disk_bytes=self._disk_bytes,
            late=recorder.late,
            unnamed=counts.unnamed,
            odd_samples=counts.odd_samples + self._odd_messages,
            failed=counts.failed,
            last_error=counts.last_error,
            written_ms=round(counts.last_write_ms, 2),
            shed=newest.shed if newest else {},
        )

    # -- steps

    def _take(self) -> None:
        for frames in receive(self._input):
            try:
                topic, body = frames
                if topic == SAMPLE_TOPIC:
                    self._newest = decode(Sample, body)
                    self.recorder.take(self._newest)
                elif topic == BATCH_TOPIC:
                    self.recorder.take_batch(decode(Batch, body))
                elif topic == SERIES_TOPIC:
                    self.recorder.take_series(decode(SeriesList, body))
            except (ValueError, IndexError) as error:
                self._odd_messages += 1
                if self._odd_messages == 1:
                    _log.warning("a message was dropped; further ones are only counted", reason=str(error))

    def _answer(self) -> None:
        for frames in receive(self._responder):
            try:
                ask = decode(Ask, frames[-1])
            except ValueError as error:
                answer(
                    self._responder, frames, Reply(False, error=f"not a question: {error}", kind="invalid")
                )
                continue
            if len(self._waiting) >= MOST_WAITING:
                busy = "too many questions wait for the history; try again"
                answer(self._responder, frames, Reply(False, error=busy, kind="unavailable"))
                continue
            task = self._worker.submit(reply_to, ask, self._history, self._city, ANSWER_WITHIN_S)
            self._waiting.append((frames, task))
        for frames, task in [entry for entry in self._waiting if entry[1].done()]:
            self._waiting.remove((frames, task))
            answer(self._responder, frames, task.result())

    def _tidy_for_good(self) -> None:
        while not self._stopping.is_set():
            try:
                self._tidy()
            except Exception:
                _log.exception("files could not be joined or deleted; tried again")
            self._wake.wait(TIDY_EVERY_S)
            self._wake.clear()

    def _tidy(self) -> None:
        """Retention first: what is past its time is not joined to a new file."""
        current = self.recorder.run
        enforce(self.folder, self._limits, time.time(), current)
        for run in list_runs(self.folder):
            newest_min = self.recorder.newest_s / 60 if run == current else math.inf
            self._joining.settle(run, newest_min)
        self._disk_bytes = disk_bytes(self.folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="keep a city's history as a process")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    options = parser.parse_args()
    configuration = load_configuration(options.config) if options.config else RunConfiguration()
    server = HistoryServer(load_city(options.city), options.run_dir, configuration.history)
    serve_until_stopped(server)


if __name__ == "__main__":
    main()
