"""The HTTP feed: recorded messages, a frozen clock, bad messages, a brain process that is away and back."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "city/intake"))
from intake_world import NOW_S, TOKEN, Clock, camera_city, frame, world

from civicbrain.city.intake import Intake, Receipt
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

    def send_until_taken(self, body: bytes) -> Receipt:
        """As a camera does that is told 503: what was on its way to a process that went is lost."""
        for _ in range(20):
            self.send(body)
            if self.socket.poll(500):
                return self.receipt()
        raise AssertionError("nobody took it")

    def receipt(self) -> Receipt:
        assert self.socket.poll(3000)
        return msgspec.msgpack.decode(self.socket.recv_multipart()[-1], type=Receipt)


@pytest.fixture
def sender(tmp_path: Path):
    made = Sender(tmp_path)
    yield made
    made.socket.close()


def opened(run_dir: Path, intake: Intake) -> HttpFeed:
    """Its clock stands still, so every message arrives at NOW_S."""
    return HttpFeed(run_dir, intake, shared=True, now_s=NOW_S, clock=Clock())


def test_it_keeps_the_contract():
    require(check_room(get_room("feeds", "http")))


def test_recorded_messages_come_in_as_they_were_sent(tmp_path: Path, sender: Sender):
    intake, seen = world(Clock())
    feed = opened(tmp_path, intake)
    assert isinstance(feed, Feed)
    for name in ("frames.json", "frames.msgpack"):
        sender.send((RECORDED / name).read_bytes())
        assert sender.receipt() == Receipt(frames=2, rows=3)
        assert feed.poll(NOW_S) == []  # it is the intake's owner who takes
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
    assert sender.receipt().reason == "malformed"
    assert feed.poll(NOW_S) == []
    feed.close()
    intake, _ = world()
    alone = HttpFeed(tmp_path, intake, shared=False, now_s=NOW_S, clock=Clock())
    assert sender.send_until_taken(frame(intake, "camera-1")).rows == 1
    assert [type(datum) for datum in alone.poll(NOW_S)] == [Detections, LaneViews]
    alone.close()


def test_bad_messages_are_answered_counted_and_dropped(tmp_path: Path, sender: Sender):
    intake, _ = world()
    feed = opened(tmp_path, intake)
    sender.socket.send_multipart([b"too short"])
    for body, key, reason in (
        (b"{}", TOKEN, "malformed"),
        (frame(intake, "camera-1"), "wrong", "unauthenticated"),
        (frame(intake, "camera-1"), "", "unauthenticated"),  # the key inside does not stand in for the header
        (b"\0" * 2_000_000, TOKEN, "too-large"),
    ):
        sender.send(body, key)
        assert sender.receipt().reason == reason
    assert intake.summary(NOW_S).dropped == {"malformed": 1, "too-large": 1, "unauthenticated": 2}
    feed.close()


def test_a_brain_process_that_comes_back_takes_again(tmp_path: Path, sender: Sender):
    intake, _ = world()
    feed = opened(tmp_path, intake)
    sender.send(frame(intake, "camera-1"))
    assert sender.receipt().frames == 1
    feed.close()  # as when it is killed
    feed = opened(tmp_path, intake)
    assert sender.send_until_taken(frame(intake, "camera-1", NOW_S + 1)).frames == 1
    feed.close()


def test_messages_are_taken_while_the_loop_does_something_else(tmp_path: Path, sender: Sender):
    intake, _ = world()
    feed = opened(tmp_path, intake)
    for number in range(300):  # nobody polls, and nobody takes
        sender.send(frame(intake, "camera-1", NOW_S + number / 1e4))
        assert sender.receipt().frames == 1
    assert feed.messages == 300
    intake.take(NOW_S)
    assert intake.counts.of_source(0) == {"shed": 240}  # the newest 60 were kept
    feed.close()


def test_missing_folder_is_named():
    with pytest.raises(ConfigurationError, match="run_dir"):
        create(BrainContext(camera_city()))
