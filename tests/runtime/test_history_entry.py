"""The brain process's door to the history: never waits, sheds the oldest, counts by source."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zmq

from civicbrain.city.observations import Kind, Observation
from civicbrain.contracts.transport import HISTORY_IN, decode, open_puller, receive
from civicbrain.contracts.wire import unpack_array
from civicbrain.runtime.history.entry import HistoryEntry
from civicbrain.runtime.history.wire import BATCH_TOPIC, SERIES_TOPIC, Batch, SeriesList


@pytest.fixture
def run_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:  # short, for Unix sockets
        yield Path(folder)


def flush_until(entry: HistoryEntry, puller: zmq.Socket[bytes], count: int) -> list[list[bytes]]:
    messages: list[list[bytes]] = []
    end = time.monotonic() + 60
    while len(messages) < count and time.monotonic() < end:
        entry.flush()
        messages += list(receive(puller))
        time.sleep(0.01)
    return messages


def test_observations_arrive_with_the_names_of_their_series(run_dir: Path) -> None:
    entry, puller = HistoryEntry(run_dir), open_puller(run_dir, HISTORY_IN, 16)
    flow = entry.series("loops", "lane:a_0", "flow_veh_per_h", "veh/h")
    speed = entry.series("loops", "lane:a_0", "speed_mps", "m/s")
    assert entry.series("loops", "lane:a_0", "flow_veh_per_h", "veh/h") == flow
    taken = entry.offer([flow, speed, 99, flow], [1.0, 1.0, 1.0, 2.0], [600.0, 9.5, 1.0, np.nan])
    assert taken == 2  # an unknown series and no number are left out
    (series_topic, series), (batch_topic, batch) = flush_until(entry, puller, 2)[:2]
    assert (series_topic, batch_topic) == (SERIES_TOPIC, BATCH_TOPIC)
    assert [one.property for one in decode(SeriesList, series).series] == ["flow_veh_per_h", "speed_mps"]
    columns = decode(Batch, batch)
    assert unpack_array(columns.series).tolist() == [flow, speed]
    assert unpack_array(columns.value).tolist() == [600.0, 9.5]
    entry.close()
    puller.close()


@pytest.mark.quiet
def test_without_a_history_process_the_oldest_are_shed_and_counted_by_source(run_dir: Path) -> None:
    entry = HistoryEntry(run_dir, most_rows=1000)
    a = entry.series("source-a", "x", "p", "1")
    b = entry.series("source-b", "x", "p", "1")
    entry.offer(np.full(600, a), np.zeros(600), np.zeros(600))
    entry.offer(np.full(900, b), np.zeros(900), np.zeros(900))
    started = time.perf_counter()
    entry.flush()
    assert time.perf_counter() - started < 0.1
    assert entry.shed == {"source-a": 500}
    entry.offer(np.full(5000, b), np.zeros(5000), np.zeros(5000))
    assert entry.shed == {"source-a": 600, "source-b": 4900}
    entry.close()


def test_observations_may_be_offered_by_any_thread(run_dir: Path) -> None:
    entry, puller = HistoryEntry(run_dir), open_puller(run_dir, HISTORY_IN, 16)
    number = entry.series("s", "x", "p", "1")
    threads = [
        threading.Thread(
            target=lambda: [entry.offer([number] * 10, [1.0] * 10, [2.0] * 10) for _ in range(50)]
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    rows, end = 0, time.monotonic() + 60
    while rows < 2000 and time.monotonic() < end:
        entry.flush()
        for topic, body in receive(puller):
            if topic == BATCH_TOPIC:
                rows += len(unpack_array(decode(Batch, body).value))
    assert rows == 2000
    assert not entry.shed
    entry.close()
    puller.close()


def test_forecasts_are_no_history(run_dir: Path) -> None:
    entry = HistoryEntry(run_dir)
    epoch = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        Observation("weather", "city", "rain_mm_per_h", 1.5, "mm/h", kind, epoch, epoch.replace(minute=5))
        for kind in (Kind.MEASURED, Kind.FORECAST)
    ]
    assert entry.observe(rows, epoch) == 1
    entry.close()


def test_columns_that_do_not_belong_together_are_refused(run_dir: Path) -> None:
    entry = HistoryEntry(run_dir)
    with pytest.raises(ValueError, match="shapes differ"):
        entry.offer([0, 0], [1.0], [1.0])
    entry.close()
