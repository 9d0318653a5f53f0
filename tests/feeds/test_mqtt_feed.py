"""The MQTT feed against a real mosquitto: recorded payloads, keys, TLS, a broker that dies and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gmqtt import Client

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "city/intake"))
from intake_world import NOW_S, Clock, camera_city, frame, world
from mosquitto_broker import Broker, free_port, require_mosquitto

from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.conformance import check_room, require
from civicbrain.contracts.rooms import get_room
from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.feeds.mqtt import MqttFeed, MqttOptions, create

RECORDED = Path(__file__).parent / "recorded"
TOPIC = "civicbrain/observations/"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    require_mosquitto()
    made = Broker(tmp_path)
    yield made
    made.kill()


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def opened(intake, port: int, clock: Clock | None = None, **options: object) -> MqttFeed:
    feed = MqttFeed(MqttOptions(port=port, **options), intake, shared=True, clock=clock or time.monotonic)  # type: ignore[arg-type]
    feed.poll(NOW_S)
    return feed


def publish(port: int, *messages: tuple[str, bytes], username: str = "", ssl: object = False) -> None:
    async def send() -> None:
        client = Client("sender")
        if username:
            client.set_auth_credentials(username, "sender-password")
        await client.connect("127.0.0.1", port, ssl=ssl)
        for topic, payload in messages:
            client.publish(TOPIC + topic, payload, qos=1)
        await asyncio.sleep(0.2)
        await client.disconnect()

    asyncio.run(send())


def test_it_keeps_the_contract():
    require(check_room(get_room("feeds", "mqtt")))


def test_recorded_payloads_come_in_as_they_were_sent(broker: Broker):
    intake, seen = world()
    feed = opened(intake, broker.port)
    until(lambda: feed.connected)
    for name in ("frames.json", "frames.msgpack"):
        publish(broker.port, ("gateway-7", (RECORDED / name).read_bytes()))
        until(lambda: intake.summary(NOW_S).queued_rows)
        assert feed.poll(NOW_S) == []
        intake.take(NOW_S)
        rows = seen.pop()
        assert [intake.sources.ids[row] for row in rows.source.tolist()] == ["camera-1", "camera-2"]
        assert rows.distance_m.tolist() == [12.5, 31.0, 6.25]
        intake.reset()
    feed.close()


def test_bad_payloads_are_counted_and_the_good_one_comes_in(broker: Broker):
    intake, seen = world()
    feed = opened(intake, broker.port)
    until(lambda: feed.connected)
    publish(
        broker.port, ("camera-1", b""), ("camera-1", b"\xff\xfe"),
        ("camera-1", frame(intake, "camera-1", key="of somebody else")),
        ("camera-1", frame(intake, "camera-1")),
    )  # fmt: skip
    until(lambda: feed.messages == 4)
    intake.take(NOW_S)
    assert intake.summary(NOW_S).dropped == {"malformed": 2, "unauthenticated": 1}
    assert seen[0].source.tolist() == [0]
    feed.close()


def test_where_the_broker_vouches_the_topic_says_who_speaks(broker: Broker):
    intake, seen = world()
    feed = opened(intake, broker.port, vouched=True)
    until(lambda: feed.connected)
    publish(
        broker.port, ("camera-1", frame(intake, "camera-1", key="")),
        ("camera-1", frame(intake, "camera-2", key="")),
    )  # fmt: skip
    until(lambda: feed.messages == 2)
    intake.take(NOW_S)
    assert seen[0].source.tolist() == [0]
    assert intake.summary(NOW_S).dropped == {"unauthenticated": 1}
    feed.close()


def test_a_broker_that_dies_is_told_and_comes_back_by_itself(broker: Broker, capsys):
    intake, _ = world()
    clock = Clock()
    feed = opened(intake, broker.port, clock)
    until(lambda: feed.connected)
    broker.kill()
    until(lambda: not feed.connected)
    clock.now += 4.0
    assert feed.poll(NOW_S) == []
    clock.now += 2.0
    for _ in range(3):
        with pytest.raises(ServiceError, match="away for 6 s") as error:
            feed.poll(NOW_S)
    assert error.value.place == f"127.0.0.1:{broker.port}"
    broker.start()
    until(lambda: feed.connected)
    assert feed.poll(NOW_S) == []
    publish(broker.port, ("camera-1", frame(intake, "camera-1")))
    until(lambda: intake.summary(NOW_S).queued_rows)
    feed.close()
    said = capsys.readouterr().out
    assert said.count("the broker is away") == 1
    assert said.count("the broker is back") == 1


@pytest.mark.quiet
def test_a_broker_that_was_never_there_holds_nothing_up():
    intake, _ = world()
    clock = Clock()
    start = time.monotonic()
    feed = opened(intake, free_port(), clock)
    clock.now += 60.0
    with pytest.raises(ServiceError, match=r"\[feeds.mqtt\]|correct|away"):
        feed.poll(NOW_S)
    feed.close()
    assert time.monotonic() - start < 5.0


def test_password_and_tls(tmp_path: Path):
    require_mosquitto()
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = make_certificate(tmp_path)
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "centre", "right-password"], check=True)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "sender", "sender-password"], check=True)
    passwords.chmod(0o600)
    broker = Broker(
        tmp_path,
        f"allow_anonymous false\npassword_file {passwords}\ncertfile {certificate}\nkeyfile {key}",
    )
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for path in (right, wrong):
        path.write_text(f"{path.name}-password\n")
        path.chmod(0o600)
    options = {"tls": True, "ca_file": str(certificate), "username": "centre", "host": "localhost"}
    intake, _ = world()
    with contextlib.closing(opened(intake, broker.port, password_file=str(wrong), **options)) as refused:
        until(lambda: refused.last_error)
        assert not refused.connected
    with contextlib.closing(opened(intake, broker.port, **options | {"ca_file": ""})) as untrusting:
        until(lambda: untrusting.last_error)
        assert "certificate" in untrusting.last_error.lower()
    with contextlib.closing(opened(intake, broker.port, password_file=str(right), **options)) as feed:
        until(lambda: feed.connected)
        trusting = MqttOptions(tls=True, ca_file=str(certificate)).ssl_context()
        assert trusting is not None
        trusting.check_hostname = False
        publish(broker.port, ("a", frame(intake, "camera-1")), username="sender", ssl=trusting)
        until(lambda: intake.summary(NOW_S).queued_rows)
    broker.kill()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "broker.crt", folder / "broker.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hots": "x"}, "unknown key 'hots'"),
        ({"port": 0}, "port"),
        ({"host": "broker.example"}, "tls = true"),
        ({"ca_file": "/tmp/x"}, "tls = false"),
        ({"password_file": "/does/not/exist"}, "cannot be read"),
        ({"tls": True, "ca_file": "/does/not/exist"}, "certificates"),
    ],
)
def test_wrong_options_are_named(options, says):
    with pytest.raises(ConfigurationError, match=says):
        create(BrainContext(camera_city(), options=options))


def test_a_password_file_open_to_others_is_refused(tmp_path: Path):
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to others"):
        create(BrainContext(camera_city(), options={"password_file": str(path)}))
