"""What is written, hand-computed: sums, gaps, runs, and what a kill leaves."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))
from history_samples import Seen, make_sample

from civicbrain.city.model import City
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.wire import pack_array, unpack_array
from civicbrain.core.errors import ConfigurationError, NotFoundError
from civicbrain.runtime.history import layout
from civicbrain.runtime.history.layout import JUNCTION, LANE, SECOND_VEHICLES, Period, Resolution
from civicbrain.runtime.history.minutes import NOT_SEEN, nearest_rank_p95
from civicbrain.runtime.history.playback import read_moments
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.question import Answer, Question
from civicbrain.runtime.history.recorder import Recorder
from civicbrain.runtime.history.storage import SETTLE_MIN, Storage, open_engine
from civicbrain.runtime.history.wire import Batch, Series, SeriesList

CITY = sandbox_city()
LANE_ROW = CITY.network.lanes.row
WEST, NORTH = LANE_ROW["WA_0"], LANE_ROW["NAA_0"]  # two approaches of junction A
QUEUED: Seen = (WEST, 5.0, 0.0, 0)
ROLLING: Seen = (WEST, 50.0, 10.0, 0)
ENGINE = open_engine(64)


@dataclass
class Made:
    """A history being written, and asked."""

    folder: Path
    recorder: Recorder
    storage: Storage
    history: History

    def ask(self, indicator: str, start_s: float, end_s: float, **more: object) -> Answer:
        return self.history.ask(
            Question(indicator=indicator, start=at(start_s), end=at(end_s), **more)  # type: ignore[arg-type]
        )


def at(time_s: float) -> datetime:
    return CITY.epoch + timedelta(seconds=time_s)


def make(folder: Path, city: City = CITY) -> Made:
    storage = Storage(ENGINE)
    return Made(folder, Recorder(folder, city, storage), storage, History(folder, ENGINE, city))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "history [1]")  # a name with what SQL would take for a pattern


def feed(
    made: Made, first_s: int, last_s: int, seen: tuple[Seen, ...] = (), step: int = 1, **more: object
) -> None:
    for second in range(first_s, last_s, step):
        made.recorder.take(make_sample(CITY, float(second), seen, **more))  # type: ignore[arg-type]


def test_a_minute_by_hand(made: Made) -> None:
    """30 s with two queued and one rolling vehicle, 30 s with none: every indicator computed by hand."""
    feed(made, 0, 30, (QUEUED, QUEUED, ROLLING), mode=2, stage=0)
    feed(made, 30, 60, (), mode=1, stage=1)
    made.recorder.flush()

    def a(indicator: str) -> float | None:
        return made.ask(indicator, 0, 60, junctions=("A",)).mean[0][0]

    assert a("queue_veh") == 1.0  # 2 x 30 / 60
    assert a("vehicles_veh") == 1.5
    assert a("speed_mps") == pytest.approx(10 / 3, abs=1e-3)  # one of three moves
    # 3 cars of 5 m for 30 s over four approaches of which the camera sees its range, 60 s
    seen_m = 4 * min(300.0, CITY.cameras.range_m)
    assert a("occupancy_share") == pytest.approx(3 * 5 * 30 / (seen_m * 60), abs=1e-4)
    assert a("central_share") == 0.5
    assert a("local_share") == 0.5
    assert a("override_share") == 0.0
    assert a("stage_changes_per_h") == 60.0
    assert a("delay_s") is None  # nobody crossed
    answer = made.ask("queue_veh", 0, 60, junctions=("A",))
    assert (answer.highest, answer.p95) == ([[2.0]], [[2.0]])
    assert made.ask("queue_veh", 0, 60, junctions=("B",)).mean == [[0.0]]
    assert made.ask("queue_veh", 0, 60).mean == [[1.0]]  # the whole city
    assert made.ask("queue_veh", 0, 60, lanes=("WA_0",)).mean == [[1.0]]
    assert made.ask("queue_veh", 0, 60, approach="WA").mean == [[1.0]]


def test_vehicles_that_cross_are_counted_once(made: Made) -> None:
    """A platoon at 10 m/s, one vehicle each 30 m: one crosses each 3 s."""
    for second in range(61):
        line = (10.0 * second) % 30.0
        seen = [(WEST, 30.0 * number - line, 10.0, 0) for number in range(1, 5)]
        made.recorder.take(make_sample(CITY, float(second), seen))
    made.recorder.flush()
    assert made.ask("flow_veh_per_h", 0, 60, lanes=("WA_0",)).mean == [[pytest.approx(1200.0, abs=60.0)]]
    assert made.ask("flow_veh_per_h", 0, 60).mean == made.ask("flow_veh_per_h", 0, 60, lanes=("WA_0",)).mean


def test_a_queue_at_red_sends_nobody_over_the_line(made: Made) -> None:
    """Vehicles roll up to a red lamp; one is overlooked now and then. Stage 1 is red for this approach."""
    for second in range(60):
        leader = max(1.0, 20.0 - 4.0 * second)
        seen = [(WEST, leader, 0.0 if leader == 1.0 else 4.0, 0), (WEST, leader + 8.0, 0.0, 0)]
        made.recorder.take(make_sample(CITY, float(second), seen[second % 7 == 6 :], stage=1))
    made.recorder.flush()
    assert made.ask("flow_veh_per_h", 0, 60, lanes=("WA_0",)).mean == [[0.0]]


def test_a_queue_is_counted_as_it_starts(made: Made) -> None:
    """Green at second 10: five standing vehicles, 7.5 m apart, start 1.2 s after one another at 2 m/s2."""
    for second in range(60):
        seen = []
        for number in range(5):
            moving_s = max(0.0, second - 10.0 - 1.2 * number)
            distance = 1.0 + 7.5 * number - moving_s**2
            if distance >= 0.0:
                seen.append((WEST, distance, 2.0 * moving_s, 0))
        made.recorder.take(make_sample(CITY, float(second), seen, stage=int(second < 10)))
    made.recorder.flush()
    assert made.ask("flow_veh_per_h", 0, 60, lanes=("WA_0",)).mean == [[5 * 60.0]]


def test_a_frame_that_stands_still_counts_nobody_again(made: Made) -> None:
    """The camera's last frame is 0 to 3 s old: the vehicle at the line is one vehicle."""
    made.recorder.take(make_sample(CITY, 0.0, [(WEST, 15.0, 10.0, 0), (WEST, 35.0, 10.0, 0)]))
    made.recorder.take(make_sample(CITY, 1.0, [(WEST, 5.0, 10.0, 0), (WEST, 25.0, 10.0, 0)]))
    for age in range(4):
        sample = make_sample(CITY, 2.0 + age, [(WEST, 15.0, 10.0, 0)])
        ages = unpack_array(sample.age_s).copy()
        ages[np.isfinite(ages)] = age
        made.recorder.take(type(sample)(**{
            field: getattr(sample, field) for field in sample.__struct_fields__
        } | {"age_s": pack_array(ages)}))  # fmt: skip
    feed(made, 8, 60)  # silent for so long that nobody is credited
    made.recorder.flush()
    assert made.ask("flow_veh_per_h", 0, 60, lanes=("WA_0",)).mean == [[pytest.approx(60.0, abs=3.0)]]


def test_a_gap_is_a_gap_and_no_zero(made: Made) -> None:
    feed(made, 0, 60)
    feed(made, 60, 120, blind=[WEST])
    feed(made, 240, 300)
    made.recorder.flush()
    assert made.ask("queue_veh", 0, 300, lanes=("WA_0",)).mean == [[0.0, None, None, None, 0.0]]
    answer = made.ask("queue_veh", 0, 300, junctions=("A", "B"))
    assert answer.mean == [[0.0, 0.0, None, None, 0.0]]
    assert answer.observed == [[2, 2, 0, 0, 2]]
    assert made.ask("queue_veh", 0, 300, junctions=("A", "B"), each=True).ids == ["A", "B"]


def test_hours_and_days_are_joined_and_rolled_up_without_changing_an_answer(made: Made) -> None:
    """The same questions before and after; 15 minutes and hours are right even while the hour goes on."""
    for minute in range(0, 26 * 60, 30):
        queue = (QUEUED,) * (minute // 30 % 7)
        feed(made, minute * 60, minute * 60 + 60, (*queue, ROLLING), step=20)
    made.recorder.flush()
    end_s = 26 * 3600
    places = ({}, {"junctions": ("A",)}, {"junctions": ("A", "B"), "each": True}, {"approach": "WA"})
    questions = [("queue_veh", "1h", place) for place in places]
    questions += [("speed_mps", step, {"junctions": ("A",)}) for step in ("1min", "15min", "1h")]
    questions += [("occupancy_share", "15min", {"approach": "WA"})]
    before = [made.ask(i, 0, end_s, resolution=r, **p) for i, r, p in questions]
    newest_min = (CITY.epoch.timestamp() + end_s) / 60
    assert made.storage.settle(run_of(made), newest_min) > 0
    made.storage.settle(run_of(made), newest_min)  # takes away what was joined
    assert [made.ask(i, 0, end_s, resolution=r, **p) for i, r, p in questions] == before
    names = {p.name for p in layout.list_periods(layout.table_folder(run_of(made), Resolution.MINUTE, LANE))}
    assert at(0).strftime("%Y-%m-%d") in names
    assert len(names) == 1 + 1 + 2  # a day, an hour, and the hour that has not settled
    hour = made.ask("queue_veh", 0, 3600, resolution="1h", junctions=("A",))
    minutes = made.ask("queue_veh", 0, 3600, resolution="1min", junctions=("A",))
    known = [value for value in minutes.mean[0] if value is not None]
    assert hour.mean[0][0] == pytest.approx(np.mean(known), abs=1e-3)
    assert hour.highest[0][0] == max(value for value in minutes.highest[0] if value is not None)


def run_of(made: Made) -> Path:
    return layout.list_runs(made.folder)[-1]


def test_a_kill_while_files_are_joined_doubles_nothing(made: Made) -> None:
    """After the hour is written and before its minutes are taken away both are there."""
    feed(made, 0, 3600 + 60 * (SETTLE_MIN + 1), (QUEUED,), step=30)
    made.recorder.flush()
    before = made.ask("queue_veh", 0, 3600, resolution="1min", lanes=("WA_0",))
    made.storage.settle(run_of(made), made.recorder.newest_s / 60)  # a kill here
    folder = layout.table_folder(run_of(made), Resolution.MINUTE, LANE)
    assert len(layout.list_periods(folder)) > 60
    again = make(made.folder)
    assert again.ask("queue_veh", 0, 3600, resolution="1min", lanes=("WA_0",)) == before
    again.storage.settle(run_of(made), made.recorder.newest_s / 60)
    assert len(layout.list_periods(folder)) < 60
    assert again.ask("queue_veh", 0, 3600, resolution="1min", lanes=("WA_0",)) == before


def test_a_killed_recorder_loses_the_open_minute_only(made: Made) -> None:
    feed(made, 0, 150, (QUEUED,))
    again = make(made.folder)  # the first one was never told to end
    feed(again, 170, 240, (QUEUED,))
    again.recorder.flush()
    answer = again.ask("queue_veh", 0, 240, lanes=("WA_0",))
    assert answer.mean == [[1.0, 1.0, 1.0, 1.0]]
    assert answer.run == 1
    assert not list(made.folder.rglob("*.part"))


def test_a_twin_that_resumes_from_its_checkpoint_writes_the_minutes_again(made: Made) -> None:
    feed(made, 0, 130, (QUEUED,))
    feed(made, 65, 180, (QUEUED, QUEUED))  # back to a checkpoint 64 s ago
    made.recorder.flush()
    assert made.ask("queue_veh", 0, 180, lanes=("WA_0",)).mean == [[1.0, 2.0, 2.0]]
    assert len(layout.list_runs(made.folder)) == 1


def test_a_window_that_begins_again_is_a_run_of_its_own(made: Made) -> None:
    feed(made, 0, 300, (QUEUED,))
    feed(made, 0, 60, (QUEUED, QUEUED))
    made.recorder.flush()
    assert made.ask("queue_veh", 0, 120, lanes=("WA_0",)).mean == [[2.0, None]]
    assert made.ask("queue_veh", 0, 120, lanes=("WA_0",), run=1).mean == [[1.0, 1.0]]
    with pytest.raises(NotFoundError, match="no run 7"):
        made.ask("queue_veh", 0, 120, run=7)


def test_series_of_sources(made: Made) -> None:
    """City-wide indicators, ages of sources and observations; late ones are counted."""
    made.recorder.take_series(SeriesList((Series(0, "loops", "lane:WA_0", "flow", "veh/h"),)))
    columns = ([0, 0, 5], np.int32), ([10.0, 50.0, 50.0], float), ([100.0, 300.0, 1.0], float)
    batch = Batch(*(pack_array(np.array(values, kind)) for values, kind in columns))
    made.recorder.take_batch(batch)  # before the first sample
    feed(made, 0, 30, city={"vehicles": 12.0}, staleness_s={"twin": 0.25})
    made.recorder.take_batch(batch)
    feed(made, 30, 65, city={"vehicles": 24.0})
    made.recorder.take_batch(batch)
    made.recorder.flush()
    assert made.recorder.counts.failed == 0
    assert made.recorder.counts.unnamed == 3
    assert made.recorder.late == 2
    flow = made.ask("flow", 0, 60, entity="lane:WA_0")
    assert (flow.mean, flow.highest, flow.unit) == ([[200.0]], [[300.0]], "veh/h")
    assert made.ask("vehicles", 0, 60, entity="city").mean == [[18.0]]
    assert made.ask("staleness_s", 0, 60, entity="source:twin").mean == [[0.25]]
    with pytest.raises(NotFoundError):
        made.ask("flow", 0, 60, entity="lane:nowhere")


def test_raw_seconds_are_shown_again(made: Made) -> None:
    for second in range(60):
        stage = int(second >= 20)
        seen = [(WEST, 42.4, 3.14, 1)] * (second % 3)
        made.recorder.take(make_sample(CITY, float(second), seen, stage=stage))
    made.recorder.flush()
    told = read_moments(made.history, CITY, at(18), 4)
    assert [moment.time_s for moment in told.moments] == [18.0, 19.0, 20.0, 21.0]
    assert [int(unpack_array(m.stage)[0]) for m in told.moments] == [0, 0, 1, 1]
    assert unpack_array(told.moments[2].lamps).tobytes().decode() == CITY.junctions[0].stages[1].lamps * 2
    assert [len(unpack_array(m.lane)) for m in told.moments] == [0, 1, 2, 0]
    assert unpack_array(told.moments[1].lane).tolist() == [WEST]
    assert unpack_array(told.moments[1].distance_m).tolist() == [42.0]
    assert unpack_array(told.moments[1].speed_mps).tolist() == pytest.approx([3.1])
    queue = made.ask("queue_veh", 18, 22, resolution="1s", junctions=("A",))
    assert queue.mean == [[0.0, 0.0, 0.0, 0.0]]
    with pytest.raises(ConfigurationError):
        read_moments(made.history, CITY, at(0), 9999)


def test_no_positions_where_they_are_not_wanted(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, CITY, Storage(ENGINE), keep_vehicles=False)
    for second in range(61):
        recorder.take(make_sample(CITY, float(second), [QUEUED]))
    recorder.flush()
    run = layout.list_runs(tmp_path)[0]
    assert not layout.list_periods(layout.table_folder(run, Resolution.SECOND, SECOND_VEHICLES))
    assert layout.list_periods(layout.table_folder(run, Resolution.MINUTE, JUNCTION))


def test_what_is_written_says_nothing_of_identities(made: Made) -> None:
    feed(made, 0, 60, (QUEUED,))
    made.recorder.flush()
    for file in made.folder.rglob("vehicles/*.parquet"):
        columns = duckdb.sql(f"DESCRIBE SELECT * FROM '{str(file).replace('[', '[[]')}'").fetchall()
        assert {column[0] for column in columns} == {
            "second", "lane", "distance_m", "speed_dmps", "vehicle_class",
        }  # fmt: skip


def test_a_sample_of_another_city_is_counted_and_dropped(made: Made) -> None:
    sample = make_sample(CITY, 0.0)
    made.recorder.take(type(sample)(**{
        field: getattr(sample, field) for field in sample.__struct_fields__
    } | {"stage": pack_array(np.zeros(99, np.int32))}))  # fmt: skip
    assert made.recorder.counts.odd_samples == 1
    assert made.recorder.run is None


def test_a_full_disk_leaves_a_gap_and_the_history_goes_on(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(made, 0, 60)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "write", full)
        feed(made, 60, 122)
    assert made.recorder.counts.failed > 0
    assert "No space" in made.recorder.counts.last_error
    feed(made, 122, 250)
    made.recorder.flush()
    assert made.recorder.counts.last_error == ""
    assert made.ask("queue_veh", 0, 240, junctions=("A",)).mean == [[None, None, 0.0, 0.0]]


@given(st.lists(st.lists(st.integers(-1, 50), min_size=3, max_size=3), min_size=1, max_size=60))
def test_p95_is_the_nearest_rank(values: list[list[int]]) -> None:
    array = np.array(values, np.int16)
    result = nearest_rank_p95(array)
    for column, value in zip(array.T, result, strict=True):
        seen = sorted(v for v in column.tolist() if v != NOT_SEEN)
        if seen:
            assert value == seen[math.ceil(0.95 * len(seen)) - 1]


@given(st.integers(0, 2**25), st.sampled_from([1, 60, 1440]))
def test_names_of_files_say_their_period(minute: int, length: int) -> None:
    period = Period.around(minute, length)
    assert Period.find(period.name) == period
    assert period.start_min <= minute < period.end_min


@given(st.lists(st.tuples(st.integers(0, 3000), st.sampled_from([1, 60, 1440])), max_size=30))
def test_every_minute_that_a_file_holds_is_read_once(parts: list[tuple[int, int]]) -> None:
    periods = [Period.around(minute, length) for minute, length in parts]
    kept = layout.without_covered(periods)
    minutes = [m for p in kept for m in range(p.start_min, p.end_min)]
    assert len(minutes) == len(set(minutes))
    assert set(minutes) == {m for p in periods for m in range(p.start_min, p.end_min)}


def test_a_brain_process_that_started_again_numbers_its_series_anew(made: Made) -> None:
    def tell(name: str, value: float) -> None:
        made.recorder.take_series(SeriesList((Series(0, "loops", name, "flow", "veh/h"),)))
        columns = ([0], np.int32), ([30.0], float), ([value], float)
        made.recorder.take_batch(Batch(*(pack_array(np.array(v, kind)) for v, kind in columns)))

    tell("a", 1.0)
    tell("b", 2.0)
    feed(made, 0, 60, step=20)
    made.recorder.flush()
    assert made.ask("flow", 0, 60, entity="a").mean == [[1.0]]
    assert made.ask("flow", 0, 60, entity="b").mean == [[2.0]]
