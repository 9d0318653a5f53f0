"""Buses on a street without SUMO: the late one gets its green sooner, within bounds, and never unsafely."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from bus_street import LINES_M, SPEED_MPS, BusStreet, Driver
from corridor_street import driver as ambulance
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.transit_headway import Headways
from civicbrain.brains.priority.transit_plan import next_stage, serves_from_s, serves_until_s
from civicbrain.city.signals import PlanStep, SignalPlan
from civicbrain.contracts.brain import Priority, StageRequest
from civicbrain.contracts.transit import AskKind, BusMode

LATE = (-300.0,)  # the timetable had it here five minutes ago
OPTIONS = PriorityOptions()


def passed(start_s, starts_s=LATE, **options):
    """When a bus passes both lines; the street."""
    street = BusStreet([Driver("t1", start_s)], starts_s=starts_s, options=options)
    street.run(start_s + 250.0)
    return street.drivers[0].passed_s, street


@pytest.mark.parametrize("start_s", [20.0, 40.0, 50.0, 60.0, 70.0])
def test_a_late_bus_is_through_no_later_and_often_sooner(start_s):
    with_, street = passed(start_s)
    without, _ = passed(start_s, buses=False)
    assert all(with_[name] <= without[name] for name in LINES_M)
    assert street.observer.count == 0


def test_priority_saves_time_over_the_cycle():
    saved = [passed(float(s), buses=False)[0]["B"] - passed(float(s))[0]["B"] for s in range(20, 95, 15)]
    assert np.mean(saved) > 5.0


@pytest.mark.parametrize("start_s", [20.0, 50.0, 80.0])
def test_a_bus_on_time_asks_for_nothing(start_s):
    _, street = passed(start_s, starts_s=(start_s,))
    # it is early or on time until a red holds it up by more than the threshold
    early = [second for second, _ in street.asked if second < start_s + 300.0 / SPEED_MPS - 2.0]
    assert early == []


def test_lateness_is_what_the_timetable_says():
    street = BusStreet([Driver("t1", 10.0)], starts_s=(0.0,), options={"bus_weight_veh": 0.0})
    street.run(20.0)
    [bus] = street.advice.transit.buses
    # second 20: 11 steps of 12 m. Its stops: 20 m (0 s), 350 m (40 s): due at 132 m is 112 / 330 * 40 s
    assert bus.progress_m == pytest.approx(132.0, abs=1.0)
    assert bus.late_s == pytest.approx(20.0 - 112.0 / 330.0 * 40.0, abs=0.5)
    assert bus.mode is BusMode.TIMETABLE


def bounds_hold(street, lost_s=0):
    """No request longer than its kind allows, none after the bus has passed, a rest after each.
    lost_s: longest time without a position."""
    assert street.observer.count == 0
    spans = {}
    for end in street.ended:
        limit_s = OPTIONS.bus_extension_s if end.kind is AskKind.EXTENSION else OPTIONS.bus_hold_s
        assert end.ended_s - end.since_s <= limit_s + 1.0
        spans.setdefault(end.junction, []).append((end.since_s, end.ended_s))
    for own in spans.values():
        for (_, ended_s), (since_s, _) in pairwise(sorted(own)):
            assert since_s - ended_s >= OPTIONS.bus_cool_down_s
    for second, request in street.asked:
        assert request.priority == Priority.TRANSIT
        assert second < request.expires_s <= second + OPTIONS.valid_s
        inside = [s for s, e in spans.get(request.junction, []) if s <= second < e]
        still_open = [b.ask for b in street.advice.transit.buses if b.ask] if street.advice.transit else []
        assert inside or still_open
    for driver in street.drivers:
        for junction, passed_s in driver.passed_s.items():
            after = [
                s for s, r in street.asked
                if r.junction == junction and r.claim.mission == driver.trip and s > passed_s + 3.0 + lost_s
            ]  # fmt: skip
            assert after == []  # 10 m behind the line at 12 m/s, and the second in which it is seen


@settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # fmt: skip
@given(data=st.data())
def test_requests_stay_within_their_bounds(data):
    starts = sorted(data.draw(st.lists(st.integers(5, 160), min_size=1, max_size=4, unique=True)))
    late_s = [data.draw(st.sampled_from([-30, 0, 20, 90, 300])) for _ in starts]
    lost = data.draw(st.integers(0, 3))
    due = tuple(float(start - late) for start, late in zip(starts, late_s, strict=True))
    count = Counter()

    def seen(position):
        count[position.trip] += 1
        return [position] if count[position.trip] % 4 >= lost else []  # some reports never come

    drivers = [Driver(f"t{n}", float(start)) for n, start in enumerate(starts, start=1)]
    bounds_hold(BusStreet(drivers, starts_s=due, seen=seen).run(240.0), lost)


def test_an_ambulance_goes_before_a_bus_and_both_are_in_the_record():
    street = BusStreet([Driver("t1", 30.0)], starts_s=LATE)
    other = ambulance("m1", ("NA", "A", "SA"), 33.0)
    while street.now_s < 120.0:
        street.step()
        now_s = street.now_s
        if now_s == 33.0:
            street.extra = [other.mission]
        elif 33.0 < now_s < 70.0:
            other.driven_m = 14.0 * (now_s - 33.0)
            street.extra = [other.position(now_s)] if other.driven_m < 590.0 else []
        ranks = {r.priority for r in street.advice.requests if r.junction == "A"}
        assert len(ranks) <= 1  # never both for one junction in one second
    assert street.observer.count == 0
    whats = {(entry.body["what"], entry.actor) for entry in street.entries("transit")}
    assert ("seen", "tracking") in whats
    assert any(what == "ask" for what, _ in whats)


def test_a_junction_that_an_operator_holds_is_not_asked():
    street = BusStreet([Driver("t1", 20.0)], starts_s=LATE)
    while street.now_s < 60.0:
        hold = StageRequest("A", "side", street.now_s, street.now_s + 10.0, "operator", Priority.OPERATOR)
        street.guard.handle([hold], street.now_s)
        street.step()
        if street.now_s > 12.0:
            assert not street.green("A")
    assert [r for s, r in street.asked if r.junction == "A" and s > 12.0] == []


def test_a_bus_that_falls_silent_gives_its_green_back():
    street = BusStreet([Driver("t1", 40.0)], starts_s=LATE)
    while not street.asked:
        street.step()
    street.seen = lambda position: []
    street.run(street.now_s + 80.0)
    assert street.ended
    assert street.asked[-1][0] <= street.ended[-1].ended_s
    bounds_hold(street)


def test_every_request_and_its_verdict_is_shown_and_recorded():
    _, street = passed(50.0)
    asks = list(street.loop.transit.asks)
    assert asks
    assert all(ask.outcome == "accepted" and ask.end for ask in asks)
    recorded = [entry.body for entry in street.entries("transit") if entry.body["what"] == "ask"]
    assert [body["junction"] for body in recorded] == [ask.ask.junction for ask in asks]
    assert all("behind" in str(body["reason"]) for body in recorded)
    requests = [entry.body for entry in street.entries("request") if entry.body["priority"] == 20.0]
    assert {body["trip"] for body in requests} == {"t1"}
    assert not any("mission" in body for body in requests)  # a bus is no mission


def test_a_frequent_line_is_judged_by_the_bus_in_front():
    drivers = [Driver("t1", 10.0), Driver("t2", 130.0)]  # 120 s apart, 60 s due
    street = BusStreet(drivers, starts_s=(10.0, 70.0, 130.0)).run(140.0)
    second = next(bus for bus in street.advice.transit.buses if bus.trip == "t2")
    assert second.mode is BusMode.HEADWAY
    assert second.headway_s == pytest.approx(120.0, abs=2.0)
    assert second.headway_due_s == 60.0
    assert second.behind_s == pytest.approx(60.0, abs=2.0)


def test_a_bus_that_has_caught_up_asks_for_nothing():
    drivers = [Driver("t1", 10.0), Driver("t2", 40.0)]  # 30 s apart, 300 s due, both late by the timetable
    street = BusStreet(drivers, starts_s=(-600.0, -300.0)).run(200.0)
    assert {r.claim.mission for _, r in street.asked} <= {"t1"}


def test_headways_between_marks():
    timetable = BusStreet([], starts_s=(0.0, 100.0)).city.timetable
    headways = Headways(timetable)
    for second in range(30):
        headways.saw("7/1", "t1", 10.0 * second, float(second))
    assert headways.gap("7/1", "t2", 105.0, 60.0) == (pytest.approx(60.0 - 10.5), 100.0)
    assert headways.gap("7/1", "t2", 600.0, 60.0) is None  # nobody was there
    assert headways.gap("7/1", "t1", 105.0, 60.0) is None  # nobody in front


PLAN = SignalPlan("p", (PlanStep(0, 40.0), PlanStep(1, 30.0), PlanStep(2, 20.0)), offset_s=5.0)


def test_what_the_plan_is_about_to_show():
    serves = np.array([False, True, True])
    # second 10 is 5 s into stage 0: stage 1 begins at 45 and stage 2 ends at 95
    assert serves_from_s(PLAN, serves, 10.0) == 45.0
    assert serves_until_s(PLAN, serves, 50.0) == 95.0
    assert serves_from_s(PLAN, serves, 50.0) == 50.0
    assert serves_until_s(PLAN, serves, 10.0) == 10.0
    assert next_stage(PLAN, 10.0) == 1
    assert serves_from_s(PLAN, np.zeros(3, bool), 10.0) == float("inf")
    assert serves_until_s(PLAN, np.ones(3, bool), 10.0) == float("inf")
