"""The live loop's side of the field: feeds that fail and come back, what a snapshot holds, keys in files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "city/intake"))
from intake_world import NOW_S, Clock, frame, world

from civicbrain.city.observations import Detections
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Severity
from civicbrain.contracts.sandbox import sandbox_detections
from civicbrain.contracts.transport import open_puller
from civicbrain.core.errors import ConfigurationError, NotFoundError, ServiceError
from civicbrain.runtime.configuration import RunConfiguration, parse_configuration
from civicbrain.runtime.field import EVERY_S, CameraHistory, Field, open_field
from civicbrain.runtime.history.entry import HistoryEntry
from civicbrain.runtime.intake_keys import TOKEN_FILE, load_keys


class Observer:
    """What a loop is to a field."""

    def __init__(self, city) -> None:
        self.store = Store(city)
        self.last: Snapshot | None = None

    def observe(self, data, now_s: float) -> Snapshot:
        self.store.fold(data, now_s)
        self.last = self.store.snapshot(now_s)
        return self.last


class Source:
    """A feed that is told what to do. name: of the feed."""

    cadence_s = stale_after_s = 1.0

    def __init__(self, name: str) -> None:
        self.name, self.error, self.data, self.closed = name, None, [], False

    def poll(self, now_s: float):
        if self.error is not None:
            raise self.error
        data, self.data = self.data, []
        return data

    def close(self) -> None:
        self.closed = True


def made(clock: Clock, *feeds: Source):
    intake, _ = world(clock)
    observer = Observer(intake.sources.city)
    told: list[tuple[str, Severity, str]] = []
    field = Field(
        observer,
        feeds,
        intake,
        lambda key, severity, title, _: told.append((key, severity, title.text)),
        clock=clock,
    )  # type: ignore[arg-type]
    return field, intake, observer, told


def test_what_arrives_is_in_a_snapshot_at_the_next_tenth():
    clock = Clock()
    field, intake, observer, _ = made(clock, Source("http"))
    assert field.due_in_s() == 0
    assert not field.step(NOW_S)  # nothing there
    assert field.due_in_s() == pytest.approx(EVERY_S)
    intake.offer(frame(intake, "camera-1"), NOW_S)
    assert not field.step(NOW_S)  # not yet
    clock.now += EVERY_S
    assert field.step(NOW_S + EVERY_S)
    assert observer.last is not None
    assert observer.last.detections.camera.tolist() == [0]
    summary = field.summary(NOW_S)
    assert summary is not None
    assert 90 < summary.latency_ms_p99 < 110


def test_a_feed_that_fails_is_told_once_and_stops_no_other():
    clock = Clock()
    dead, broken, well = Source("mqtt"), Source("weather"), Source("http")
    field, intake, observer, told = made(clock, dead, broken, well)
    dead.error, broken.error = ServiceError("the broker is away"), KeyError("a defect")
    for second in range(3):
        well.data = [sandbox_detections(intake.sources.city, NOW_S + second)]
        clock.now += 1
        assert field.step(NOW_S + second)
    assert observer.last is not None
    assert observer.last.time_s == NOW_S + 2
    assert told == [
        ("feed-mqtt", Severity.CRITICAL, "The data source “mqtt” fails"),
        ("feed-weather", Severity.CRITICAL, "The data source “weather” fails"),
    ]
    dead.error = None
    clock.now += 1
    field.step(NOW_S + 3)
    assert told[2:] == [("feed-mqtt", Severity.INFO, "The data source “mqtt” works again")]
    field.close()
    assert dead.closed
    assert well.closed


def test_where_a_field_camera_speaks_the_twins_is_not_heard():
    clock = Clock()
    field, intake, observer, _ = made(clock, Source("http"))
    twin = sandbox_detections(intake.sources.city, NOW_S)
    assert field.without_spoken(twin) is twin
    assert not field.speaks
    intake.offer(frame(intake, "camera-1"), NOW_S)
    field.step(NOW_S)
    left = field.without_spoken(twin)
    assert isinstance(left, Detections)
    assert left.cameras.tolist() == [1]
    assert set(left.camera.tolist()) == {1}
    observer.observe([left], NOW_S + 0.1)
    lanes = observer.store.snapshot(NOW_S + 0.1).lanes
    at_b = intake.sources.city.cameras.lane[intake.sources.city.cameras.junction == 1]
    assert lanes.observed[at_b].all()  # of B no field camera has spoken: the twin's view stands
    silent = int(intake.sources.lanes_of(1)[0])
    assert not lanes.observed[silent]  # at A camera-2 is silent, and nobody stands in for it
    field.reset()
    assert field.without_spoken(twin) is twin


def test_without_feeds_there_is_nothing_to_do(tmp_path: Path):
    intake, _ = world()
    field = open_field(
        intake.sources.city,
        tmp_path,
        RunConfiguration(),
        Observer(intake.sources.city),
        None,
        lambda *_: None,
    )  # type: ignore[arg-type]
    assert field.feeds == ()
    assert field.due_in_s() == np.inf
    assert not field.step(NOW_S)
    assert field.summary(NOW_S) is None
    assert not (tmp_path / TOKEN_FILE).exists()


def test_the_configuration_opens_the_entry(tmp_path: Path):
    intake, _ = world()
    table = {"intake": {"enabled": True, "queue_rows": 7, "trust_clocks": False}}
    observer = Observer(intake.sources.city)
    field = open_field(
        intake.sources.city, tmp_path, parse_configuration(table), observer, None, lambda *_: None
    )  # type: ignore[arg-type]
    assert [feed.name for feed in field.feeds] == ["http"]
    assert field.intake is not None
    assert field.intake.limits.queue_rows == 7
    token = (tmp_path / TOKEN_FILE).read_text().strip()
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600
    late = frame(intake, "camera-1", NOW_S - 500, key=token)  # its clock is wrong, and not to be trusted
    field.intake.offer(late, NOW_S)
    assert field.step(NOW_S)
    field.close()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"feeds": {"mqtt": {}}}, r"\[intake\]"),
        ({"feeds": {"twin": {}}}, "always there"),
        ({"feeds": {"Not A Slug": {}}}, "slug"),
        ({"intake": {"rows_per_s": 0}}, "rows_per_s"),
        ({"intake": {"enable": True}}, "did you mean 'enabled'"),
    ],
)
def test_wrong_keys_are_named(table, says):
    with pytest.raises(ConfigurationError, match=says) as error:
        parse_configuration(table)
    assert "key ''" not in str(error.value)


def test_unknown_feeds_and_wrong_options_are_named_and_nothing_stays_open(tmp_path: Path):
    intake, _ = world()
    city, observer = intake.sources.city, Observer(intake.sources.city)
    for feeds, kind in (
        ({"weather": {}}, NotFoundError),
        ({"mqtt": {"options": {"hots": 1}}}, ConfigurationError),
    ):
        table = {"intake": {"enabled": True}, "feeds": feeds}
        for _ in range(2):  # the second time the socket must be free again
            with pytest.raises(kind):
                open_field(city, tmp_path, parse_configuration(table), observer, None, lambda *_: None)  # type: ignore[arg-type]


def test_keys_of_single_sources(tmp_path: Path):
    path = tmp_path / "keys.toml"
    path.write_text('camera-1 = "a-key-for-camera-1"\n')
    path.chmod(0o600)
    keys = load_keys(tmp_path, str(path))
    assert keys.allow("a-key-for-camera-1", ["camera-1"])
    assert not keys.allow("a-key-for-camera-1", ["camera-2"])
    assert not (tmp_path / TOKEN_FILE).exists()  # each has its own: no token for all is made
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to others"):
        load_keys(tmp_path, str(path))
    path.chmod(0o600)
    for text, says in (("camera-1 = 5", "no text"), ("camera-1 =", "no TOML"), ('a = "short"', "shorter")):
        path.write_text(text)
        with pytest.raises(ConfigurationError, match=says):
            load_keys(tmp_path, str(path))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_keys(tmp_path, str(tmp_path / "none.toml"))


def test_the_token_stays_from_one_run_to_the_next(tmp_path: Path):
    load_keys(tmp_path, "")
    token = (tmp_path / TOKEN_FILE).read_text()
    load_keys(tmp_path, "")
    assert (tmp_path / TOKEN_FILE).read_text() == token
    assert len(token.strip()) >= 32


def test_cameras_speeds_go_to_the_history(tmp_path: Path):
    puller = open_puller(tmp_path, "history.in", 10)
    intake, _ = world()
    entry = HistoryEntry(tmp_path)
    taken: list[tuple[list[int], list[float], list[float]]] = []
    entry.offer = lambda series, time_s, value: taken.append(  # type: ignore[method-assign,assignment]
        (series.tolist(), time_s.tolist(), value.tolist())
    )
    intake.consumers.append(CameraHistory(intake.sources, entry))
    intake.offer(frame(intake, "camera-2", vehicles=2, speed_mps=[3.0, 4.0]), NOW_S)
    intake.take(NOW_S)
    number = entry.series("camera-2", "camera:camera-2", "speed_mps", "m/s")
    assert taken == [([number, number], [NOW_S, NOW_S], [3.0, 4.0])]
    entry.close()
    puller.close()
