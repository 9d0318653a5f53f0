"""The last minutes of a junction, and where the city does worst, from vehicles placed by hand."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from watched_street import CITY, Street, queue

from civicbrain.city.approaches import list_approaches
from civicbrain.city.incidents import Incident, IncidentKind, Place
from civicbrain.contracts.overrides import Holder, Override, OverrideAction
from civicbrain.core.errors import NotFoundError
from civicbrain.runtime.recent import KEPT, Recent


@pytest.fixture
def street():
    return Street()


def test_each_lane_in_view_belongs_to_one_approach_of_its_junction():
    approaches = list_approaches(CITY)
    assert {(CITY.junctions[a.junction].id, a.edge) for a in approaches} >= {("A", "WA"), ("B", "AB")}
    rows = np.concatenate([a.lanes for a in approaches])
    assert sorted(rows.tolist()) == sorted(CITY.cameras.lane.tolist())
    west = next(a for a in approaches if a.edge == "WA")
    assert west.storage_veh == pytest.approx(150.0 / 7.5)  # the camera's view of one lane
    assert all(CITY.junctions[0].groups[g].approach == "WA" for g in west.groups)


def test_stretches_of_lamps_and_stages_and_what_came_and_went(street):
    for second in range(60):
        vehicles = queue("WA_0", 3) if second < 30 else [("WA_0", 4.0, 10.0)]
        street.second(vehicles, stage=1 if second < 30 else 0)
    recent = street.recent.of("A")
    assert [(s.value, s.from_s, s.until_s) for s in recent.stages] == [
        ("side", 101.0, 131.0), ("main", 131.0, 160.0),
    ]  # fmt: skip
    lamps = next(g for g in recent.groups if g.group == "W-through").lamps
    assert [s.value for s in lamps] == ["r", "G"]
    west = next(a for a in recent.approaches if a.approach == "WA")
    assert west.queue_veh == [3.0, 3.0, 3.0, 0.0, 0.0, 0.0]
    assert sum(west.served_veh) == 30.0
    assert sum(west.arrived_veh) == 28.0  # three stood there already, one still does
    assert recent.modes[0].value == "central"
    with pytest.raises(NotFoundError):
        street.recent.of("Z")


def test_who_creeps_up_to_red_is_not_served_and_who_starts_at_green_is(street):
    for _ in range(10):
        street.second([("WA_0", 1.0, 1.5)], stage=1)  # red for the west: creeping
    street.second([("WA_0", 1.0, 0.4)], stage=0)  # off at green: over the line before the next look
    west = next(a for a in street.recent.of("A").approaches if a.approach == "WA")
    assert sum(west.served_veh) == 1.0


def test_who_is_inside_the_junction_is_served_once(street):
    for second in range(10):
        on_its_way = [("WA_0", 4.0, 10.0)] if second == 5 else []
        street.second([*on_its_way, ("WA_0", -6.0, 3.0), ("WA_0", -12.0, 8.0)])
    west = next(a for a in street.recent.of("A").approaches if a.approach == "WA")
    assert sum(west.served_veh) == 1.0


def test_vehicles_that_a_look_misses_do_not_come_twice(street):
    for second in range(60):
        street.second(queue("WA_0", 5 if second % 10 else 3), stage=1)  # two are overlooked now and then
    west = next(a for a in street.recent.of("A").approaches if a.approach == "WA")
    assert sum(west.served_veh) == 0.0
    assert sum(west.arrived_veh) <= 2.0  # who was overlooked at first


def test_a_queue_that_each_green_clears_is_no_demand_beyond_capacity(street):
    for second in range(200):
        street.second([*queue("WA_0", 0 if second % 40 > 30 else 12 + second // 30), *queue("NAA_0", 3)])
    causes = [str(c.kind) for place in street.list() for c in place.causes]
    assert "demand" not in causes


def test_the_queue_now_is_that_of_the_last_second_not_the_largest_of_its_step(street):
    for second in range(19):
        street.second(queue("WA_0", 9 if second < 17 else 2))
    approach = next(one for one in street.recent.of("A").approaches if one.approach == "WA")
    assert approach.queue_veh[-1] == 9.0
    assert approach.now_veh == 2.0


def test_what_no_camera_sees_is_unknown_not_zero(street):
    for _ in range(25):
        street.second(queue("WA_0", 3), blind=(1,))
    figures = {a.approach: a.queue_veh for a in street.recent.of("B").approaches}
    assert all(set(values) == {None} for values in figures.values())


def test_five_minutes_are_kept_and_time_that_goes_back_begins_anew(street):
    for _ in range(KEPT + 20):
        street.second()
    recent = street.recent.of("A")
    assert recent.until_s - recent.from_s == KEPT - 1
    street.now_s = 50.0
    street.store.reset()
    street.second()
    assert street.recent.of("A").from_s == 51.0


def test_a_tick_costs_next_to_nothing(street):
    street.second(queue("WA_0", 15))
    snapshot = street.snapshot
    fresh = Recent(CITY)
    start = time.process_time()
    for second in range(200):
        object.__setattr__(snapshot, "time_s", 1000.0 + second)
        fresh.take(snapshot)
    assert (time.process_time() - start) / 200 < 0.002


def test_the_worst_comes_first_with_its_cause_and_remedy(street):
    for second in range(240):
        street.second([*queue("WA_0", min(19, second // 12)), *queue("EB_0", 3)])
    worst, second = street.list()
    assert (worst.junction, second.junction) == ("A", "B")
    assert worst.standing_veh > second.standing_veh
    assert worst.fullest == "WA"
    assert (worst.queue_veh, second.queue_veh) == (3.0, 5.0)  # as the page shows it elsewhere
    [cause] = worst.causes
    assert (cause.kind, cause.remedy, cause.stage) == ("demand", "try-what-if", "main")
    assert "no longer clears" in cause.says
    assert cause.figures["after_veh"] - cause.figures["before_veh"] >= 4.0
    assert street.worst.count_spill_backs() == 0  # a long queue fills no road between two signals


def test_what_explains_most_is_told_first(street):
    for _ in range(60):
        street.second([*queue("WA_0", 19), *queue("AB_0", 27)])
    incident = Incident(
        "i-1",
        IncidentKind.CRASH,
        Place(CITY.junctions[0].x_m, CITY.junctions[0].y_m + 20.0),
        0.9,
        1.0,
        2.0,
        3.0,
    )
    object.__setattr__(street.snapshot, "incidents", (incident,))
    override = Override("A", OverrideAction.HOLD, "main", "operator:kim", "test", 100.0, street.now_s + 30.0)
    holder = Holder("priority", 30, "main", 100.0, 200.0, "m-1")
    place = next(
        p for p in street.list(overrides={"A": override}, holders={"A": holder}) if p.junction == "A"
    )
    kinds = [str(cause.kind) for cause in place.causes]
    assert kinds[:2] == ["incident", "override"]
    assert "priority" in kinds
    assert place.causes[0].about == "i-1"
    assert place.causes[1].figures == {"left_s": 30.0}


def test_a_silent_camera_is_a_cause_and_is_counted(street):
    for _ in range(30):
        street.second(queue("WA_0", 4))
    for _ in range(15):
        street.second(blind=(0,))
    assert street.worst.count_silent(street.snapshot) == 1
    [place] = [p for p in street.list() if p.junction == "A"]
    assert place.causes[0].kind == "camera-silent"
    assert place.causes[0].figures["silent_s"] == 15.0


def test_a_junction_in_local_mode_says_why_it_is(street):
    for _ in range(30):
        street.second([*queue("WA_0", 3), *queue("NAA_0", 3)])
    object.__setattr__(street.snapshot.signals, "mode", np.full(len(CITY.junctions), 1, np.uint8))
    [cause] = street.list(brain="backing-off")[0].causes
    assert (cause.kind, cause.about) == ("local-mode", "backing-off")
    assert cause.says == "It runs its local plan: the brain has failed and is started again."


def test_where_no_rule_holds_it_says_so(street):
    for _ in range(60):
        street.second([*queue("WA_0", 3), *queue("NAA_0", 3)])
    [place] = street.list()
    [cause] = place.causes
    assert (cause.kind, cause.remedy) == ("unknown", "show-stage")
    assert cause.stage  # that would serve them
    assert cause.figures == {"queue_veh": 3.0}


def test_the_worst_now_is_not_where_it_was_bad_three_minutes_ago(street):
    for _ in range(150):
        street.second([*queue("WA_0", 15), *queue("EB_0", 2)])
    for _ in range(130):
        street.second([*queue("WA_0", 1), *queue("EB_0", 4)])
    assert street.list()[0].junction == "B"


def test_means_of_two_minutes_are_those_of_the_ticks_that_saw_it(street):
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 12, KEPT + 40)
    for count in counts:
        street.second([*queue("WA_0", count), *queue("EB_0", 2)])
    assert street.recent.standing_at_junctions() == pytest.approx([counts[-120:].mean(), 2.0])
    by_approach = street.recent.standing().sum()
    assert by_approach == pytest.approx(street.recent.standing_at_junctions().sum())
    for _ in range(40):
        street.second(queue("WA_0", 6), blind=(1,))
    assert street.recent.standing_at_junctions()[1] == pytest.approx(2.0, abs=0.2)  # no less when unseen
    for _ in range(130):
        street.second(blind=(1,))
    assert np.isnan(street.recent.standing_at_junctions()[1])  # not known, not 0


def test_who_looks_twice_reads_the_same_cause(street):
    """A queue that fills its camera's view at each red and is served at each green."""
    said = []
    for second in range(600):
        phase = second % 80
        long = min(19, phase // 2) if phase < 60 else max(0, 19 - (phase - 60))
        street.second([*queue("WA_0", long), *queue("NAA_0", 3 + (second % 7 == 0)), *queue("EB_0", 1)])
        if second > 200 and second % 3 == 0:
            [place] = [one for one in street.list() if one.junction == "A"]
            said.append((str(place.causes[0].kind), place.causes[0].about))
    assert len(set(said)) == 1


def test_a_cause_goes_when_it_is_over(street):
    for _ in range(120):
        street.second([*queue("WA_0", 19), *queue("NAA_0", 3)])
    assert street.list()[0].causes[0].kind == "full-approach"
    for _ in range(130):
        street.second([*queue("WA_0", 4), *queue("NAA_0", 3)])
    assert street.list()[0].causes[0].kind == "unknown"


def test_a_quiet_city_has_no_worst_place(street):
    street.second()
    assert street.list() == []
    assert street.worst.count_spill_backs() == 0
