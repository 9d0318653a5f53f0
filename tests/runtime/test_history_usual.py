"""The usual day: medians of the same quarter hour on earlier days, with days that are easy to count."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from history_samples import make_sample

from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.recorder import Recorder
from civicbrain.runtime.history.storage import Storage, open_engine
from civicbrain.runtime.history.usual import read_usual

CITY = sandbox_city()
ENGINE = open_engine(256)
DAY_S = 86_400


@pytest.fixture
def history(tmp_path: Path) -> tuple[Recorder, History]:
    return Recorder(tmp_path, CITY, Storage(ENGINE)), History(tmp_path, ENGINE, CITY)


def minute(recorder: Recorder, at_s: float, **city: float) -> None:
    for second in (0, 30, 61):
        recorder.take(make_sample(CITY, at_s + second, city=city))


def usual(history: History, at_s: float) -> dict[str, tuple[float, int]]:
    told = read_usual(history, CITY.epoch + timedelta(seconds=at_s), ("mean_delay_s", "spill_backs"))
    return {name: (figure.value, figure.days) for name, figure in told.figures.items()}


def test_nothing_is_usual_before_there_were_days(history: tuple[Recorder, History]) -> None:
    recorder, asked = history
    assert usual(asked, 600.0) == {}
    minute(recorder, 600.0, mean_delay_s=30.0)
    recorder.flush()
    assert usual(asked, 700.0) == {}  # today is not usual yet


def test_the_median_of_the_same_weekday_and_quarter_hour(history: tuple[Recorder, History]) -> None:
    recorder, asked = history
    for week, delay_s in enumerate((20.0, 90.0, 30.0)):
        minute(recorder, week * 7 * DAY_S + 600.0, mean_delay_s=delay_s)
        minute(recorder, week * 7 * DAY_S + 4000.0, mean_delay_s=500.0)  # another hour
        minute(recorder, (week * 7 + 1) * DAY_S + 600.0, mean_delay_s=700.0)  # another weekday
    now_s = 3 * 7 * DAY_S + 640.0
    minute(recorder, now_s - 40.0, mean_delay_s=1000.0)
    recorder.flush()
    assert usual(asked, now_s) == {"mean_delay_s": (30.0, 3)}


def test_each_run_of_a_window_is_a_day(history: tuple[Recorder, History]) -> None:
    recorder, asked = history
    for delay_s in (10.0, 20.0, 60.0):
        minute(recorder, 600.0, mean_delay_s=delay_s, spill_backs=2.0)
        minute(recorder, 7200.0, mean_delay_s=500.0)
    recorder.flush()
    assert usual(asked, 650.0) == {"mean_delay_s": (15.0, 2), "spill_backs": (2.0, 2)}
