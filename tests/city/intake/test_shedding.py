"""Under overload: oldest first, per source, counted; bounded whatever happens; back to normal afterwards."""

from __future__ import annotations

import logging
import resource
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from intake_world import NOW_S, Clock, frame, world

from civicbrain.city.intake.columns import Frames, in_turn, newest_that_fit


def frames_of(source: list[int], rows: list[int]) -> Frames:
    count, total = len(source), sum(rows)
    return Frames(
        np.array(source, np.int32), np.arange(count, dtype=float), np.zeros(count), np.zeros(count),
        np.array(rows, np.int32), np.zeros(total, np.uint8), np.zeros(total, np.float32),
        np.zeros(total, np.float32), np.zeros(total, np.uint8),
    )  # fmt: skip


def test_the_oldest_frames_of_a_full_queue_are_shed():
    # source 0 has 5+5+5 rows for room of 10; source 1 has one frame larger than its queue; 2 is well
    frames = frames_of([0, 1, 0, 2, 0], [5, 40, 5, 3, 5])
    assert newest_that_fit(frames, 10).tolist() == [False, True, True, True, True]
    assert newest_that_fit(frames, 4).tolist() == [False, True, False, True, True]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=40), st.integers(1, 25))
def test_of_each_source_the_newest_stay_and_fit(pairs, room):
    source, rows = [p[0] for p in pairs], [p[1] for p in pairs]
    keep = newest_that_fit(frames_of(source, rows), room)
    for one in set(source):
        mine = [number for number, s in enumerate(source) if s == one]
        kept = [bool(keep[number]) for number in mine]
        assert kept[-1]
        assert kept == sorted(kept)  # nothing newer goes before something older
        used = sum(max(rows[n], 1) for n, k in zip(mine, kept, strict=True) if k)
        assert used <= room or sum(kept) == 1
        first = kept.index(True)
        if first:  # one more would not have fitted
            assert used + max(rows[mine[first - 1]], 1) > room


def test_sources_take_turns_within_the_budget():
    frames = frames_of([0, 1, 2, 0, 1, 2], [4, 4, 4, 4, 4, 4])
    mine, turn = in_turn(frames, 16, 0, 3)
    assert mine.tolist() == [True, True, False, True, True, False]
    assert turn == 2
    mine, turn = in_turn(frames, 16, turn, 3)
    assert mine.tolist() == [True, False, True, True, False, True]
    assert turn == 1
    assert in_turn(frames, 1, 2, 3)[0].tolist() == [False, False, True, False, False, True]  # one at least
    assert in_turn(frames, 24, 2, 3)[0].all()


def test_a_babbling_source_loses_its_own_oldest_and_harms_no_other():
    intake, seen = world(queue_rows=10)
    intake.offer(frame(intake, "camera-2", NOW_S, 3), NOW_S)
    for number in range(100):
        time_s = NOW_S + number / 1000
        intake.offer(frame(intake, "camera-1", time_s, 2), time_s)
    intake.take(NOW_S + 0.1)
    babbler = seen[0].source == 0
    assert seen[0].time_s[babbler].tolist() == pytest.approx([NOW_S + n / 1000 for n in range(95, 100)])
    assert (seen[0].source == 1).sum() == 1
    assert intake.counts.of_source(0) == {"shed": 95}
    assert intake.counts.of_source(1) == {}
    summary = intake.summary(NOW_S)
    assert summary.shed_rows == 190
    assert summary.dropped == {"shed": 95}
    assert summary.shedding


def flood(intake, clock, now_s: float, per_source: int) -> None:
    for source in intake.sources.ids:
        for number in range(per_source):
            time_s = now_s + number / 1000
            intake.offer(frame(intake, source, time_s, 5), time_s)
    clock.now += 0.1


def test_overload_sheds_stays_fresh_and_is_over_when_it_is_over(caplog):
    clock = Clock()
    intake, seen = world(clock, queue_rows=20, rows_per_s=100)
    now_s, heard = NOW_S, set()
    with caplog.at_level(logging.WARNING):
        for _ in range(30):
            now_s += 0.1
            flood(intake, clock, now_s, per_source=10)
            intake.take(now_s + 0.1)
            intake.in_snapshot()
            assert len(seen[-1].lane) <= 25 + 20  # the budget, and what is left of the last source's queue
            assert seen[-1].time_s.min() > now_s - 0.1  # what gets in is new
            heard |= set(seen[-1].source.tolist())
        assert heard == set(range(len(intake.sources.ids)))  # every source has its turn
        loaded = intake.summary(now_s)
        assert loaded.shedding
        assert loaded.shed_rows > 0
        assert loaded.queued_rows <= 20 * len(intake.sources.ids)
        for _ in range(140):  # the queues empty, and the window of ten seconds passes
            now_s += 0.1
            intake.offer(frame(intake, "camera-1", now_s), now_s)
            clock.now += 0.1
            intake.take(now_s)
            intake.in_snapshot()
    calm = intake.summary(now_s)
    assert not calm.shedding
    assert calm.queued_rows == 0
    assert calm.shed_rows_per_s == 0
    assert calm.latency_ms_p99 <= 110
    said = [record.message for record in caplog.records]
    assert len(said) == 2  # once when it began, once when it was over
    assert "nothing has been shed" in said[1]


def test_a_loop_that_does_not_come_costs_no_memory():
    intake, seen = world(queue_rows=20)
    most = intake._most_pending
    body = [frame(intake, source, NOW_S + n / 1e6, 50) for n, source in enumerate(intake.sources.ids)]
    for _ in range(3 * most // 50):
        for one in body:
            intake.offer(one, NOW_S)
    assert intake.summary(NOW_S).queued_rows <= most + 51 * len(body)
    intake.take(NOW_S)
    assert len(seen[0].lane) <= 50 * len(body)  # a queue holds less than a frame: the newest frame each


def test_offers_of_other_threads_lose_nothing():
    intake, _ = world(queue_rows=100_000)

    def send(source: str) -> None:
        for number in range(300):
            time_s = NOW_S + number / 1000
            intake.offer(frame(intake, source, time_s, 2), time_s)

    threads = [threading.Thread(target=send, args=(source,)) for source in intake.sources.ids]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        intake.take(NOW_S + 0.3)
    intake.take(NOW_S + 0.3)
    assert intake.summary(NOW_S).rows == 300 * 2 * len(threads)


def test_a_consumer_that_fails_is_counted_and_stops_nothing():
    intake, seen = world()
    intake.consumers.insert(0, lambda rows: 1 / 0)
    for second in range(3):
        intake.offer(frame(intake, "camera-1", NOW_S + second), NOW_S + second)
        assert intake.take(NOW_S + second)
    assert len(seen) == 3
    assert intake.summary(NOW_S).consumer_failures == 3


def test_after_a_reset_time_may_begin_again():
    intake, _ = world()
    intake.offer(frame(intake, "camera-1", NOW_S), NOW_S)
    intake.take(NOW_S)
    intake.reset()
    intake.offer(frame(intake, "camera-1", 5.0), 5.0)
    detections, _ = intake.take(5.0)
    assert detections.lane.tolist() == [int(intake.sources.lanes_of(0)[0])]


def test_soak_memory_does_not_grow():
    """A day's ticks of a small city at ten times its load, shortened: after a warm-up the process holds no
    more than before. (An hour at full size: benchmarks/observations.)"""
    clock = Clock()
    intake, _ = world(clock, queue_rows=20, rows_per_s=2_000)
    intake.consumers.clear()
    now_s = NOW_S

    def run(ticks: int) -> None:
        nonlocal now_s
        for _ in range(ticks):
            now_s += 0.1
            flood(intake, clock, now_s, per_source=4)
            intake.offer(b"\xc1", now_s)
            intake.offer(frame(intake, f"stranger-{now_s}", now_s), now_s)
            intake.take(now_s + 0.1)
            intake.in_snapshot()
            intake.summary(now_s)

    run(300)
    before_kb = resident_kb()
    run(3_000)
    assert resident_kb() - before_kb < 4_096


def resident_kb() -> int:
    with Path("/proc/self/statm").open() as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() // 1024
