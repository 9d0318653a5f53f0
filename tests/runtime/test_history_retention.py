"""Nothing is kept longer than it may be, and the disk is bounded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))
from history_samples import make_sample

from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.configuration import HistoryTable, parse_configuration
from civicbrain.runtime.history import layout
from civicbrain.runtime.history.layout import (
    JUNCTION,
    LANE,
    SECOND_SIGNALS,
    SECOND_VEHICLES,
    Period,
    Resolution,
    Table,
    file_of,
    list_periods,
    table_folder,
)
from civicbrain.runtime.history.limits import Limits
from civicbrain.runtime.history.recorder import Recorder
from civicbrain.runtime.history.retention import disk_bytes, enforce
from civicbrain.runtime.history.storage import Storage, open_engine

CITY = sandbox_city()
ENGINE = open_engine(64)
EPOCH_S = CITY.epoch.timestamp()
TABLES = [
    (Resolution.SECOND, SECOND_VEHICLES, 1),
    (Resolution.SECOND, SECOND_SIGNALS, 60),
    (Resolution.MINUTE, LANE, 1440),
    (Resolution.QUARTER, JUNCTION, 1440),
    (Resolution.HOUR, JUNCTION, 1440),
]


def touch(run: Path, resolution: Resolution, table: Table, minute: int, length: int, size: int = 10) -> Path:
    file = file_of(table_folder(run, resolution, table), Period.around(minute, length))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    return file


def record(folder: Path, first_s: int, last_s: int, wall_s: float) -> Recorder:
    recorder = Recorder(folder, CITY, Storage(ENGINE), wall=lambda: wall_s)
    for second in range(first_s, last_s, 20):
        recorder.take(make_sample(CITY, float(second), [(0, 5.0, 0.0, 0)]))
    recorder.flush()
    return recorder


def vehicles(run: Path) -> list[Period]:
    return list_periods(table_folder(run, Resolution.SECOND, SECOND_VEHICLES))


@settings(deadline=None, max_examples=30)  # it makes and deletes files
@given(st.integers(30_000_000, 30_100_000), st.lists(st.integers(0, 200_000), max_size=12))
def test_no_file_outlives_its_limit(now_min: int, ages_min: list[int]) -> None:
    import tempfile

    limits = Limits()
    with tempfile.TemporaryDirectory() as base:
        run = Path(base) / layout.RUNS / "000001"
        run.mkdir(parents=True)
        (run / "run.json").write_text(f'{{"newest_s": {now_min * 60}, "written_at": 1000.0}}')
        for age in ages_min:
            for resolution, table, length in TABLES:
                touch(run, resolution, table, now_min - age, length)
        enforce(Path(base), limits, 1000.0, run)
        for resolution, table, length in TABLES:
            kept = limits.kept_min(resolution, table)
            wanted = {Period.around(now_min - age, length) for age in ages_min}
            wanted = {period for period in wanted if period.end_min > now_min - kept}
            assert set(list_periods(table_folder(run, resolution, table))) == wanted


def test_positions_go_by_the_minute_though_the_city_stands_still(tmp_path: Path) -> None:
    """Three minutes are recorded, then the twin is paused: the wall clock goes on."""
    recorder = record(tmp_path, 0, 180, wall_s=5_000.0)
    run = recorder.run
    assert run is not None
    limits = Limits(vehicles_min=2.0)
    for paused_s, files in ((0, 3), (19, 3), (20, 2), (80, 1), (140, 0)):  # the newest second is 160
        enforce(tmp_path, limits, 5_000.0 + paused_s, run)
        assert len(vehicles(run)) == files
    assert list_periods(table_folder(run, Resolution.MINUTE, LANE))  # counts stay


def test_what_an_older_run_left_goes_too(tmp_path: Path) -> None:
    record(tmp_path, 0, 180, wall_s=5_000.0)
    newest = record(tmp_path, -7200, -7000, wall_s=5_060.0).run
    first, second = layout.list_runs(tmp_path)
    assert second == newest
    enforce(tmp_path, Limits(vehicles_min=10.0), 5_060.0 + 661.0, newest)
    assert not vehicles(first)
    assert not vehicles(second)
    enforce(tmp_path, Limits(), 5_060.0 + 400 * 86_400, newest)
    assert layout.list_runs(tmp_path) == [second]


def test_a_full_quota_takes_the_oldest_of_the_finest_first(tmp_path: Path) -> None:
    run = tmp_path / layout.RUNS / "000001"
    now_min = 30_000_000
    run.mkdir(parents=True)
    (run / "run.json").write_text(f'{{"newest_s": {now_min * 60}, "written_at": 0.0}}')
    old = touch(run, Resolution.MINUTE, LANE, now_min - 3000, 1440, 1000)
    new = touch(run, Resolution.MINUTE, LANE, now_min - 1500, 1440, 1000)
    hour = touch(run, Resolution.HOUR, JUNCTION, now_min - 5000, 1440, 1000)
    seen = touch(run, Resolution.SECOND, SECOND_VEHICLES, now_min - 1, 1, 1000)
    total = disk_bytes(tmp_path)
    assert enforce(tmp_path, Limits(most_bytes=total), 0.0, run) == 0
    assert enforce(tmp_path, Limits(most_bytes=total - 1), 0.0, run) == 1
    assert not seen.exists()
    enforce(tmp_path, Limits(most_bytes=total - 1500), 0.0, run)
    assert (old.exists(), new.exists(), hour.exists()) == (False, True, True)


def test_only_the_owner_may_read_the_history(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    record(folder, 0, 60, 0.0)
    assert folder.stat().st_mode & 0o077 == 0


def test_limits_are_configured_in_the_units_of_their_names() -> None:
    limits = parse_configuration(
        {"history": {"vehicles_minutes": 5, "seconds_hours": 1, "minutes_days": 2, "most_gb": 1.5}}
    ).history.limits()
    assert (limits.vehicles_min, limits.seconds_min, limits.minutes_min) == (5, 60, 2880)
    assert limits.most_bytes == 1_500_000_000
    assert HistoryTable().limits() == Limits()
    with pytest.raises(ConfigurationError, match="vehicles_minutes"):
        parse_configuration({"history": {"vehicles_minutes": -1}})
