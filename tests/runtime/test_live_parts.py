"""The parts of a live city by themselves: pace, checkpoints, figures, comparison run, run folder, port."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.city.observations import Detections
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.wire import TwinStatus
from civicbrain.core.errors import ConfigurationError, RequestRefusedError, ServiceError
from civicbrain.runtime.baseline import by_minute
from civicbrain.runtime.control import require_live
from civicbrain.runtime.indicators import JunctionDelay, RunFigures, to_indicators
from civicbrain.runtime.live import children, live_options
from civicbrain.runtime.rundir import RunDir, default_run_dir
from civicbrain.runtime.supervise import check_port
from civicbrain.twin.checkpoints import Checkpoints
from civicbrain.twin.pace import GRACE_S, Pace


def status(time_s: float, *, run: int = 0, **counters: float) -> TwinStatus:
    values = {
        "running": 0,
        "departed": 0,
        "arrived": 0,
        "waiting_to_depart": 0,
        "delay_veh_s": 0.0,
    } | counters
    return TwinStatus(
        time_s=time_s, begin_s=0.0, end_s=3600.0, run=run, paused=False, speed=1.0, measured_speed=1.0,
        program="central", stopped=0, last_heartbeat_s=0.0, local_junctions=0, refused_requests=0,
        unsafe_states=0, **values,  # type: ignore[arg-type]
    )  # fmt: skip


# -- pace


def drive(pace: Pace, start_s: float, wall_s: float, answer_after_s: float | None) -> int:
    """Steps taken in wall_s; each frame is answered after answer_after_s (None: the centre is dead)."""
    now, time_s, steps = 0.0, start_s, 0
    answers: list[tuple[float, float]] = []
    while now < wall_s:
        for due, frame_s in [a for a in answers if a[0] <= now]:
            answers.remove((due, frame_s))
            pace.hear(time_s, now)
            pace.answer(frame_s)
        wait = pace.wait_s(time_s, now)
        if wait <= 0:
            time_s, steps = time_s + 1.0, steps + 1
            pace.stepped(time_s, now)
            if answer_after_s is not None:
                answers.append((now + answer_after_s, time_s))
            now += 1e-6
        else:
            now = min([now + wait, *(due for due, _ in answers)])
    return steps


def test_real_time_is_one_step_a_second_whether_or_not_the_centre_lives() -> None:
    assert drive(Pace(1.0, 4.0, 1.0, 0.0), 0, 20, None) == pytest.approx(20, abs=1)
    assert drive(Pace(1.0, 4.0, 1.0, 0.0), 0, 20, 0.05) == pytest.approx(20, abs=1)


@pytest.mark.parametrize(("step_wall_s", "answer_wall_s"), [(0.01, 0.008), (0.008, 0.01), (0.0, 0.01)])
def test_at_full_speed_twin_and_centre_work_side_by_side_and_none_is_outrun(
    step_wall_s: float, answer_wall_s: float
) -> None:
    pace = Pace(1.0, 4.0, 0.0, 0.0)
    pace.hear(0.0, 0.0)
    now, frame, answered, busy_until = 0.0, 0, 0, 0.0
    due: list[float] = []  # when the centre, which takes one frame after the other, has answered each
    while now < 2.0:
        while answered < frame and due[answered] <= now:
            answered += 1
            pace.hear(float(frame), now)
            pace.answer(float(answered))
        if pace.wait_s(float(frame), now) > 0:
            now = due[answered]
            continue
        now += step_wall_s
        frame += 1
        pace.stepped(float(frame), now)
        busy_until = max(busy_until, now) + answer_wall_s
        due.append(busy_until)
        while answered < frame and due[answered] <= now:
            answered += 1
            pace.answer(float(answered))
        assert frame - answered <= 2
    assert frame == pytest.approx(2.0 / max(step_wall_s, answer_wall_s), rel=0.03)


def test_a_dead_centre_costs_a_few_steps_of_grace_and_no_more() -> None:
    pace = Pace(1.0, 4.0, 0.0, 0.0)
    pace.hear(0.0, 0.0)
    assert drive(pace, 0.0, 1.9 * GRACE_S, None) <= 4
    pace = Pace(1.0, 4.0, 0.0, 0.0)
    pace.hear(0.0, 0.0)
    assert drive(pace, 0.0, 5 * GRACE_S, None) > 1000


def test_a_stall_is_not_made_up_for_in_a_burst() -> None:
    pace = Pace(1.0, 4.0, 10.0, 0.0)
    pace.stepped(1.0, 0.0)
    pace.stepped(2.0, 30.0)  # the machine slept
    assert 30.0 + pace.wait_s(2.0, 30.0) >= 29.5
    assert drive(pace, 2.0, 1.0, None) <= 20


def test_pause_and_wrong_speeds() -> None:
    pace = Pace(1.0, 4.0, 1.0, 0.0)
    pace.set_paused(True, 5.0)
    assert pace.wait_s(0.0, 100.0) == math.inf
    assert pace.measured_speed(100.0) == 0.0
    for speed in (-1.0, 101.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="speed is"):
            pace.set_speed(speed, 0.0)


# -- checkpoints


def save(checkpoints: Checkpoints, time_s: float) -> Path:
    folder = checkpoints.begin()
    (folder / "state").write_text(str(time_s))
    checkpoints.commit(folder, city="a", seed=1, run=0, time_s=time_s)
    return folder


def test_the_newest_whole_checkpoint_is_found(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.find("a", 1) is None
    save(checkpoints, 60.0)
    save(checkpoints, 120.0)
    begun = checkpoints.begin()  # a kill in the middle of the third
    (begun / "state").write_text("half")
    found = Checkpoints(tmp_path).find("a", 1)
    assert found is not None
    assert found.time_s == 120.0
    assert (checkpoints.folder(found) / "state").read_text() == "120.0"
    assert checkpoints.find("another city", 1) is None
    assert checkpoints.find("a", 2) is None


def test_a_checkpoint_that_kills_the_twin_is_given_up(tmp_path: Path) -> None:
    save(Checkpoints(tmp_path), 60.0)
    found = [Checkpoints(tmp_path).find("a", 1) is not None for _ in range(5)]
    assert found == [True, True, True, False, False]


def test_a_pointer_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_text('{"name":"../../etc","city":"a","seed":1,"run":0,"time_s":1}')
    assert Checkpoints(tmp_path).find("a", 1) is None


# -- figures


def test_the_strip_by_hand() -> None:
    figures = RunFigures()
    figures.update(status(0))
    now = figures.update(
        status(600, running=50, departed=90, arrived=40, waiting_to_depart=10, delay_veh_s=2000)
    )
    assert now.mean_delay_s == 20.0  # 2000 vehicle seconds over 100 vehicles due
    assert now.throughput_veh_per_h == 240.0  # 40 in 600 s: the only two readings
    now = figures.update(status(900, running=50, departed=120, arrived=70, delay_veh_s=2400))
    assert now.throughput_veh_per_h == 360.0  # 30 in the last 300 s
    strip = to_indicators(now, 7, None)
    assert strip.throughput_span_s == 300.0
    assert (strip.vehicles, strip.stopped, strip.fixed_mean_delay_s) == (50, 7, None)


def test_a_window_that_is_not_full_yet_says_how_much_of_it_there_is() -> None:
    figures = RunFigures()
    figures.update(status(0))
    now = figures.update(status(120, departed=30, arrived=10))
    assert now.throughput_veh_per_h == 300.0  # 10 in 120 s: not in 300 s
    assert to_indicators(now, 0, None).throughput_span_s == 120.0


def test_throughput_starts_again_with_a_run_and_when_time_goes_back() -> None:
    figures = RunFigures()
    figures.update(status(3500, arrived=1000))
    assert figures.update(status(1, run=1, arrived=0)).throughput_veh_per_h == 0.0
    figures.update(status(900, run=1, arrived=500))
    assert figures.update(status(840, run=1, arrived=470)).throughput_veh_per_h == 0.0
    assert figures.update(status(850, run=1, arrived=475)).throughput_veh_per_h == 1800.0


@given(st.lists(st.tuples(st.floats(0, 3600), st.integers(0, 3)), max_size=30))
def test_figures_are_finite_whatever_the_order(readings: list[tuple[float, int]]) -> None:
    figures = RunFigures()
    for time_s, run in readings:
        now = figures.update(status(time_s, run=run))
        assert math.isfinite(now.throughput_veh_per_h)
        assert now.mean_delay_s == 0.0


def test_comparison_figures_stand_at_the_end_of_each_minute() -> None:
    def window() -> Iterator[TwinStatus]:
        for second in range(1, 181):
            yield status(second, departed=second, delay_veh_s=float(second * second))

    minutes = list(by_minute(window(), 0.0))
    assert [m.time_s for m in minutes] == [60.0, 120.0, 180.0]
    assert [m.mean_delay_s for m in minutes] == [60.0, 120.0, 180.0]


def frame(time_s: float, vehicles: list[tuple[float, float]]) -> Detections:
    """Vehicles (distance m, speed m/s) before camera 0; camera 1 sees an empty street."""
    count = len(vehicles)
    return Detections(
        "cameras", time_s, time_s, np.array([0, 1], np.int32), np.zeros(count, np.int32),
        np.zeros(count, np.int32),
        np.array([d for d, _ in vehicles], np.float32), np.array([v for _, v in vehicles], np.float32),
        np.zeros(count, np.uint8), np.full(count, -1, np.int32),
    )  # fmt: skip


def test_junction_delay_by_hand() -> None:
    delay = JunctionDelay(sandbox_city())
    assert np.isnan(delay.figures().delay_s).all()
    # each 10 s two vehicles stand for 5 s, then both pass one after the other: 10 veh·s over 2 vehicles
    for second in range(600):
        phase = second % 10
        if phase < 5:
            delay.fold(frame(second, [(2.0, 0.0), (9.0, 0.0)]))
        elif phase in (6, 8):
            delay.fold(frame(second, [(3.0, 8.0)]))
        else:
            delay.fold(frame(second, []))
    found = delay.figures()
    assert found.delay_s[0] == pytest.approx(5.0, rel=0.05)
    assert math.isnan(found.delay_s[1])  # nobody came
    assert found.queue_veh.tolist() == [0.0, 0.0]


def test_who_is_inside_the_junction_has_passed_its_line_once() -> None:
    approaches, both = JunctionDelay(sandbox_city()), JunctionDelay(sandbox_city())
    for second in range(60):
        seen = [(2.0, 0.0), (3.0, 8.0)] if second % 2 else [(2.0, 0.0)]
        approaches.fold(frame(second, seen))
        both.fold(frame(second, [*seen, (-6.0, 8.0), (-15.0, 9.0), (-7.0, 0.0)]))
    np.testing.assert_array_equal(both.figures().delay_s, approaches.figures().delay_s)
    np.testing.assert_array_equal(both.figures().queue_veh, approaches.figures().queue_veh)


def test_a_queue_that_is_not_served_grows_in_delay() -> None:
    delay = JunctionDelay(sandbox_city())
    for second in range(61):
        delay.fold(frame(second, [(2.0, 0.0), (9.0, 0.1)]))
    found = delay.figures()
    assert found.queue_veh[0] == 2.0
    assert 100.0 < found.delay_s[0] < 120.0  # 2 vehicles x 60 s, a little forgotten


def test_a_gap_in_the_frames_is_not_credited_with_a_queue() -> None:
    delay = JunctionDelay(sandbox_city())
    delay.fold(frame(0, [(2.0, 0.0)]))
    delay.fold(frame(1000, [(2.0, 0.0)]))
    delay.fold(frame(500, [(2.0, 0.0)]))  # time went back
    assert math.isnan(delay.figures().delay_s[0])


# -- the folder, the port, the options


def test_the_run_folder_is_private_and_held_by_one(tmp_path: Path) -> None:
    held = RunDir(tmp_path / "run")
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    with pytest.raises(ServiceError, match=f"process {os.getpid()}"):
        RunDir(tmp_path / "run")
    (tmp_path / "run" / "twin.pub").touch()
    held.close()
    assert not (tmp_path / "run" / "twin.pub").exists()
    RunDir(tmp_path / "run").close()


def test_a_folder_with_other_peoples_files_is_not_taken(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "thesis.txt").touch()
    with pytest.raises(ServiceError, match="open to others"):
        RunDir(shared)


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="--run-dir"):
        RunDir(tmp_path / ("x" * 100))


def test_the_default_folder_outlives_a_log_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_run_dir("Köln 8/../x") == Path("/state/civicbrain/run/K-ln-8-x")


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=f"port {port}.*in use") as caught:
            check_port("127.0.0.1", port)
        assert "--port" in str(caught.value)
    check_port("127.0.0.1", port)
    with pytest.raises(ServiceError, match="no such address"):
        check_port("no.such.host.invalid", port)


def test_controls_of_sumo_are_for_studies() -> None:
    assert require_live("fixed").program == "fixed"
    with pytest.raises(RequestRefusedError, match="civicbrain evaluate"):
        require_live("actuated")


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "civicbrain.toml"
    file.write_text('[run]\ncontrol = "fixed"\nseed = 3\n[twin]\nmiss_rate = 0.2\n')
    options = live_options({"run": {"seed": 4, "control": None}}, config=file)
    assert (options.configuration.run.control, options.configuration.run.seed) == ("fixed", 4)
    assert options.configuration.twin.miss_rate == 0.2
    assert options.warmup_s is None
    assert live_options({"run": {"warmup_s": 0.0}}).warmup_s == 0.0
    with pytest.raises(ConfigurationError, match="sensing"):
        live_options({"twin": {"sensing": "radar"}})


@pytest.mark.parametrize(("table", "sees"), [("", True), ("[twin]\nsees_inside = false\n", False)])
def test_live_cameras_see_the_box_unless_told_otherwise(tmp_path: Path, table: str, sees: bool) -> None:
    file = tmp_path / "civicbrain.toml"
    file.write_text(table)
    twin, *_ = children(sandbox_city(), live_options({}, config=file), tmp_path)
    assert ("--sees-inside" in twin.arguments) is sees
