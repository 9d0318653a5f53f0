"""Which segments are shown, and how long they are kept."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from grid_city import grid_city
from test_playback_segments import a_minute

from civicbrain.api.playback import recorder as recorder_module
from civicbrain.api.playback.access_log import AccessLog
from civicbrain.api.playback.reading import Strip, alerts_of, list_figures, read_window
from civicbrain.api.playback.recorder import FrameKeeper, RecorderStatus, city_mark
from civicbrain.api.playback.segment import AlertNote, Figures
from civicbrain.api.playback.shelf import Shelf, Span

FRAME = a_minute(vehicles=8, frames=1)[0]
HOUR_S = 3600.0


def keeper_of(folder: Path, most_bytes: int = 10**9) -> FrameKeeper:
    return FrameKeeper(Shelf(folder, "grid"), HOUR_S, most_bytes, RecorderStatus())


def record(keeper: FrameKeeper, start_s: int, end_s: int, **figures: object) -> None:
    for second in range(start_s, end_s):
        keeper.add(replace(FRAME, time_s=float(second)), Figures(vehicles=second, **figures))  # type: ignore[arg-type]


def times(shelf: Shelf, run: int, start_s: float, end_s: float, step_s: float = 1.0) -> list[float]:
    return [one.time_s for one in read_window(shelf, run, start_s, end_s, step_s)]


def test_a_segment_is_a_minute_and_a_window_goes_over_them(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 100, 300)
    assert [one.first_s for one in keeper.shelf.list_segments(1)] == [100, 160, 220, 280]
    assert times(keeper.shelf, 1, 150, 170) == [float(t) for t in range(150, 170)]
    assert times(keeper.shelf, 1, 150, 230, 20.0) == [150, 170, 190, 210]
    assert keeper.shelf.list_spans(1) == [Span(100, 300)]
    numbers = [set(one.number.tolist()) for one in read_window(keeper.shelf, 1, 155, 165)]
    assert numbers[0] == numbers[4] != numbers[5] == numbers[9]
    assert not numbers[4] & numbers[5]  # nobody is paired across segments


def test_one_frame_a_second_and_none_while_time_stands(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    for time_s, due in (
        (5.0, True),
        (5.0, False),
        (5.4, False),
        (6.0, True),
        (6.9, False),
        (9.0, True),
        (4.0, True),
    ):
        assert keeper.wants(time_s) is due, time_s
        if due:
            keeper.add(replace(FRAME, time_s=time_s), Figures())


def test_what_a_resumed_twin_does_again_takes_the_place_of_before(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 0, 100)
    record(keeper, 40, 80)  # from its checkpoint on
    assert keeper.shelf.list_runs() == [1]
    assert times(keeper.shelf, 1, 0, 200) == [float(t) for t in range(80)]
    record(keeper, 80, 120)
    assert times(keeper.shelf, 1, 0, 200) == [float(t) for t in range(120)]


def test_a_twin_that_begins_again_begins_a_run(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 500, 520)
    record(keeper, 0, 30)
    assert keeper.shelf.list_runs() == [1, 2]
    assert times(keeper.shelf, 2, 0, 600) == [float(t) for t in range(30)]
    assert times(keeper.shelf, 1, 0, 600) == [float(t) for t in range(500, 520)]


def test_a_recorder_that_starts_again_goes_on_in_the_same_run(tmp_path: Path) -> None:
    first = keeper_of(tmp_path)
    record(first, 0, 30)
    second = keeper_of(tmp_path)  # the one before was killed, and closed nothing
    assert not second.wants(29.0)
    record(second, 33, 50)
    assert second.shelf.list_runs() == [1]
    assert times(second.shelf, 1, 0, 60) == [*map(float, range(30)), *map(float, range(33, 50))]
    record(second, 200, 210)
    assert second.shelf.list_spans(1) == [Span(0, 50), Span(200, 210)]


def test_what_is_past_its_time_goes_and_what_is_written_stays(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 0, 200)
    old = keeper.shelf.list_segments(1)
    for segment in old:
        os.utime(segment.path, (0, time.time() - HOUR_S - 5))
    os.utime(old[1].path, (0, time.time() - HOUR_S + 60))
    keeper.tidy()
    left = [one.first_s for one in keeper.shelf.list_segments(1)]
    assert left == [60, 180]  # still within the hour; being written
    assert times(keeper.shelf, 1, 0, 300) == [*map(float, range(60, 120)), *map(float, range(180, 200))]


def test_a_run_without_segments_goes(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 500, 510)
    record(keeper, 0, 10)
    os.utime(keeper.shelf.list_segments(1)[0].path, (0, 0))
    keeper.tidy()
    assert keeper.shelf.list_runs() == [2]


def test_the_disk_limit_holds(tmp_path: Path) -> None:
    free = keeper_of(tmp_path / "free")
    record(free, 0, 300)
    one = free.shelf.disk_bytes() / 5
    tight = keeper_of(tmp_path / "tight", most_bytes=int(2.5 * one))
    record(tight, 0, 300)
    assert tight.shelf.disk_bytes() <= 3.5 * one  # the limit, and the minute that is being written
    assert times(tight.shelf, 1, 0, 300)[-1] == 299
    tight.tidy()
    assert tight.shelf.disk_bytes() <= 2.5 * one


def test_a_full_disk_makes_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 0, 10)
    write = os.write
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    record(keeper, 10, 12)
    assert (keeper.status.failed, keeper.status.last_error) == (2, "No space left on device")
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(recorder_module, "PAUSE_AFTER_FAULT_S", 0.0)
    keeper._retry_at = 0.0
    record(keeper, 12, 20)
    assert keeper.status.last_error == ""
    assert times(keeper.shelf, 1, 0, 30) == [*map(float, range(10)), *map(float, range(12, 20))]


def test_a_picture_of_another_city_is_not_shown(tmp_path: Path) -> None:
    record(keeper_of(tmp_path), 0, 10)
    assert times(Shelf(tmp_path, "another"), 1, 0, 10) == []
    assert city_mark(grid_city(2)) != city_mark(grid_city(3))


def test_alerts_and_strip(tmp_path: Path) -> None:
    keeper = keeper_of(tmp_path)
    record(keeper, 0, 20)
    alert = AlertNote("a", "warning", "queue", "J1")
    record(keeper, 20, 21, alerts=(alert,))
    marks = alerts_of(list_figures(keeper.shelf, 1, 0, 100))
    assert [(one.time_s, one.kind, one.text) for one in marks] == [(20, "alert", "queue")]
    strip = Strip(0, 30, 3)
    for time_s, figures in list_figures(keeper.shelf, 1, 0, 100):
        strip.add(time_s, figures)
    assert strip.step_s == 10
    assert strip.series()["vehicles"] == [4.5, 14.5, 20.0]
    assert strip.series()["delay_s"] == [None, None, None]


def test_who_looks_is_written_down_once(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    log = AccessLog(tmp_path / "p" / "access.jsonl")
    start, minute = datetime(2026, 1, 5, 8, tzinfo=UTC), timedelta(minutes=1)
    for k in range(5):  # one look, in pieces
        log.note("operator:kim", "frames", start + k * minute, start + (k + 1) * minute)
    log.note("operator:lee", "frames", start, start + minute)
    for k in range(30):  # somebody watches for half an hour
        log.note("operator:ann", "corridor", start + k * minute, start + (k + 10) * minute)
    log.note("operator:kim", "frames", start - 60 * minute, start - 59 * minute)
    lines = (tmp_path / "p" / "access.jsonl").read_text().splitlines()
    assert [line.split("operator:")[1][:3] for line in lines] == ["kim", "lee", "ann", "ann", "ann", "kim"]
    assert (tmp_path / "p" / "access.jsonl").stat().st_mode & 0o077 == 0
