"""The HTTP feed: recorded messages, a frozen clock, bad messages, a brain process that is away and back."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "city/intake"))
from intake_world import NOW_S, TOKEN, Clock, camera_city, frame, json_frame, world

from civicbrain.city.intake import Receipt
from civicbrain.city.observations import Detections, LaneViews
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.conformance import check_room, require
from civicbrain.contracts.feed import Feed
from civicbrain.contracts.rooms import get_room
from civicbrain.contracts.transport import INTAKE_CMD, _socket, socket_address
from civicbrain.core.errors import ConfigurationError
from civicbrain.feeds.http import HttpFeed, create

RECORDED = Path(__file__).parent / "recorded"


class Sender:
    """As the API forwards a message."""

    def __init__(self, run_dir: Path) -> None:
        import zmq

        self.socket = _socket(zmq.DEALER)
        self.socket.connect(socket_address(run_dir, INTAKE_CMD))

    def send(self, body: bytes, key: str = TOKEN) -> None:
        self.socket.send_multipart([b"", key.encode(), body])

    def receipt(self) -> Receipt:
        assert self.socket.poll(3000)
        return msgspec.msgpack.decode(self.socket.recv_multipart()[-1], type=Receipt)


@pytest.fixture
def sender(tmp_path: Path):
    made = Sender(tmp_path)
    yield made
    made.socket.close()


def polled(feed: HttpFeed, now_s: float = NOW_S) -> list[object]:
    assert feed.socket.poll(3000)
    return list(feed.poll(now_s))


def test_it_keeps_the_contract():
    require(check_room(get_room("feeds", "http")))


def test_recorded_messages_come_in_as_they_were_sent(tmp_path: Path, sender: Sender):
    intake, seen = world(Clock())
    feed = HttpFeed(tmp_path, intake, shared=True)
    assert isinstance(feed, Feed)
    for name in ("frames.json", "frames.msgpack"):
        sender.send((RECORDED / name).read_bytes())
        assert polled(feed) == []  # it is the intake's owner who takes
        assert sender.receipt() == Receipt(frames=2, rows=3)
        intake.take(NOW_S)
        rows = seen.pop()
        assert [intake.sources.ids[row] for row in rows.source.tolist()] == ["camera-1", "camera-2"]
        assert rows.distance_m.tolist() == [12.5, 31.0, 6.25]
        assert rows.speed_mps.tolist() == pytest.approx([0.0, 13.5, 8.0])
        assert rows.vehicle_class.tolist() == [0, 2, 5]
        intake.reset()
    feed.close()


def test_alone_it_returns_what_came(tmp_path: Path, sender: Sender):
    feed = create(BrainContext(camera_city(), options={"run_dir": str(tmp_path)}))
    sender.send(b"\xc1", key="")
    assert polled(feed) == []
    assert sender.receipt().reason == "malformed"
    intake, _ = world()
    alone = HttpFeed.__new__(HttpFeed)
    alone._socket, alone._intake, alone._shared = feed.socket, intake, False
    sender.send(frame(intake, "camera-1"))
    assert [type(datum) for datum in polled(alone)] == [Detections, LaneViews]
    feed.close()


def test_bad_messages_are_answered_counted_and_dropped(tmp_path: Path, sender: Sender):
    intake, _ = world()
    feed = HttpFeed(tmp_path, intake, shared=True)
    sender.socket.send_multipart([b"too short"])
    for body, key, reason in (
        (b"{}", TOKEN, "malformed"),
        (frame(intake, "camera-1"), "wrong", "unauthenticated"),
        (frame(intake, "camera-1"), "", "unauthenticated"),  # the key inside does not stand in for the header
        (b"\0" * 2_000_000, TOKEN, "too-large"),
    ):
        sender.send(body, key)
        polled(feed)
        assert sender.receipt().reason == reason
    assert intake.summary(NOW_S).dropped == {"malformed": 1, "too-large": 1, "unauthenticated": 2}
    feed.close()


def test_a_brain_process_that_comes_back_takes_again(tmp_path: Path, sender: Sender):
    intake, _ = world()
    feed = HttpFeed(tmp_path, intake, shared=True)
    sender.send(frame(intake, "camera-1"))
    polled(feed)
    assert sender.receipt().frames == 1
    feed.close()  # as when it is killed
    feed = HttpFeed(tmp_path, intake, shared=True)
    sender.send(frame(intake, "camera-1", NOW_S + 1))
    polled(feed, NOW_S + 1)
    assert sender.receipt().frames == 1
    feed.close()


def test_a_flood_does_not_hold_the_loop(tmp_path: Path, sender: Sender):
    intake, _ = world()
    feed = HttpFeed(tmp_path, intake, shared=True)
    large = json_frames(intake, 2_000)  # some 10 ms each
    for _ in range(60):
        sender.socket.send_multipart([b"", TOKEN.encode(), large])
    start = time.process_time()
    polled(feed)
    assert time.process_time() - start < 0.2
    assert feed.socket.poll(1000)  # the rest waits
    feed.close()


def json_frames(intake, count: int) -> bytes:
    one = json_frame("camera-1", intake.sources.lane_ids(0)[0])
    return b"[" + b",".join([one] * count) + b"]"


def test_missing_folder_is_named():
    with pytest.raises(ConfigurationError, match="run_dir"):
        create(BrainContext(camera_city()))
