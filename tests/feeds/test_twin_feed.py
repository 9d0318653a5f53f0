"""The twin's feed: recorded frames, bad data, failure and recovery."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from civicbrain.city.observations import Detections, SignalStates
from civicbrain.contracts.feed import Feed
from civicbrain.contracts.transport import TWIN_PUB, open_publisher, publish
from civicbrain.contracts.wire import DETECTIONS_TOPIC, SIGNALS_TOPIC, STATUS_TOPIC, TwinStatus
from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.feeds.twin import TwinFeed, create

STATUS = TwinStatus(
    7.0, 0.0, 3600.0, 0, False, 1.0, 1.0, "central", 5, 6, 1, 0, 2.5, 1, 6.0, 0, 0, 0
)  # fmt: skip


def frame(time_s: float) -> Detections:
    return Detections(
        "twin", time_s, time_s, np.array([0, 1], np.int32), np.array([1], np.int32), np.array([4], np.int32),
        np.array([12.5], np.float32), np.array([3.25], np.float32), np.array([2], np.uint8),
        np.array([-1], np.int32),
    )  # fmt: skip


def lamps(time_s: float) -> SignalStates:
    row = np.zeros(1, np.int32)
    return SignalStates(
        "twin", time_s, np.frombuffer(b"Gr", np.uint8), np.zeros(2, np.float32), row,
        np.zeros(1, np.float32), row, np.ones(1, np.uint8),
    )  # fmt: skip


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[zmq.Socket[bytes]]:
    socket = open_publisher(tmp_path, TWIN_PUB)
    yield socket
    socket.close()


def connected(socket: zmq.Socket[bytes], feed: TwinFeed) -> None:
    """Publish until the subscription has reached the publisher (a late joiner misses what came before)."""
    for _ in range(200):
        publish(socket, STATUS_TOPIC, STATUS)
        if feed.socket.poll(20):
            feed.poll(0)
            if feed.status is not None:
                return
    raise AssertionError("the feed never connected")


def collect(feed: TwinFeed, count: int) -> list[object]:
    data: list[object] = []
    end = time.monotonic() + 60
    while len(data) < count and time.monotonic() < end:
        feed.socket.poll(50)
        data += feed.poll(0)
    return data


def test_data_arrive_unchanged_and_in_order(tmp_path: Path, publisher: zmq.Socket[bytes]) -> None:
    feed = create({"run_dir": str(tmp_path)})
    assert isinstance(feed, Feed)
    connected(publisher, feed)
    publish(publisher, DETECTIONS_TOPIC, frame(7.0))
    publish(publisher, SIGNALS_TOPIC, lamps(7.0))
    seen, shown = collect(feed, 2)
    assert isinstance(seen, Detections)
    assert isinstance(shown, SignalStates)
    assert seen.distance_m.tolist() == [12.5]
    assert seen.cameras.dtype == np.int32
    assert seen.start_s == 7.0
    assert shown.lamps.tobytes() == b"Gr"
    assert feed.status == STATUS
    feed.close()


def test_bad_datum_is_counted_and_dropped(tmp_path: Path, publisher: zmq.Socket[bytes]) -> None:
    feed = TwinFeed(tmp_path)
    connected(publisher, feed)
    publisher.send_multipart([DETECTIONS_TOPIC, b"\xc1 not msgpack"])
    publisher.send_multipart([DETECTIONS_TOPIC, b"\x80"])  # an empty mapping
    publisher.send_multipart([STATUS_TOPIC, b"\x80", b"one frame too many"])
    publish(publisher, DETECTIONS_TOPIC, frame(8.0))
    (seen,) = collect(feed, 1)
    assert isinstance(seen, Detections)
    assert feed.dropped == 3
    feed.close()


def test_silence_raises_and_the_feed_recovers(tmp_path: Path, publisher: zmq.Socket[bytes]) -> None:
    clock = Clock()
    feed = TwinFeed(tmp_path, clock)
    connected(publisher, feed)
    clock.now += 2.9
    assert feed.poll(0) == []
    clock.now += 0.2
    with pytest.raises(ServiceError, match="silent for 3 s"):
        feed.poll(0)
    publish(publisher, DETECTIONS_TOPIC, frame(9.0))
    assert len(collect_after_silence(feed)) == 1
    assert feed.poll(0) == []
    feed.close()


def test_a_twin_that_has_not_spoken_yet_is_loading_and_not_silent(tmp_path: Path) -> None:
    """At 1,300 junctions the street takes half a minute to load; an alarm at each start is one too many."""
    clock = Clock()
    feed = TwinFeed(tmp_path, clock)
    clock.now += 59.0
    assert feed.poll(0) == []
    clock.now += 2.0
    with pytest.raises(ServiceError, match="silent for 61 s"):
        feed.poll(0)
    feed.close()


def collect_after_silence(feed: TwinFeed) -> list[object]:
    assert feed.socket.poll(2000)
    return list(feed.poll(0))


def test_missing_folder_option_is_named() -> None:
    with pytest.raises(ConfigurationError, match="run_dir"):
        create({})
