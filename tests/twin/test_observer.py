"""The observer has to be able to fail: crafted lamp sequences, good and bad."""

from __future__ import annotations

import pytest

from civicbrain.city.signals import GroupKind, PlanStep, SignalGroup, SignalJunction, SignalPlan, Stage
from civicbrain.evaluate.unsafe import describe_unsafe
from civicbrain.twin.observer import JunctionObserver, Observer, UnsafeKind, merge_kinds


def junction() -> SignalJunction:
    """Links 0, 1 main; 2 left that yields to main; 3 side, which conflicts with all."""
    groups = (
        SignalGroup("main", GroupKind.VEHICLE, (0, 1), 3.0, 5.0),
        SignalGroup("left", GroupKind.VEHICLE, (2,), 3.0, 5.0),
        SignalGroup("side", GroupKind.VEHICLE, (3,), 3.0, 6.0),
    )
    conflict = ((0, 1, 2), (1, 0, 2), (2, 2, 0))
    gaps = ((0.0, 4.0, 5.0), (4.0, 0.0, 6.0), (5.0, 5.0, 0.0))
    stages = (Stage("a", "Ggr"), Stage("b", "rrG"))
    plan = SignalPlan("p", (PlanStep(0, 30.0), PlanStep(1, 20.0)))
    return SignalJunction("x", "x", 0.0, 0.0, ("x",), 4, groups, conflict, gaps, stages, plan)


def rules(*shown: tuple[float, str]) -> list[str]:
    """Rules broken by (second, lamp string) pairs, in order."""
    observer = JunctionObserver(junction())
    return [event.rule for time_s, lamps in shown for event in observer.look(lamps, time_s)]


GOOD = (
    (0.0, "rrrr"), (5.0, "GGgr"), (15.0, "yyyr"), (18.0, "rrrr"), (21.0, "rrrG"),
    (30.0, "rrry"), (33.0, "rrrr"), (35.0, "GGgr"), (45.0, "gggr"), (49.0, "ggGr"),
)  # fmt: skip


def test_a_sound_sequence_passes() -> None:
    assert rules(*GOOD) == []


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([(0, "rrrr"), (5, "GGgG")], ["prohibited-pair", "prohibited-pair"]),
        ([(0, "rrrr"), (5, "rrgg")], ["prohibited-pair"]),
        ([(0, "rrrr"), (5, "GGGr")], ["permitted-pair"]),
        ([(0, "rrrr"), (5, "GGgr"), (15, "yyyr"), (18, "rrrG")], ["intergreen", "intergreen"]),
        ([(0, "rrrr"), (5, "GGrr"), (15, "yyrr"), (19.9, "rrrG")], ["intergreen"]),
        ([(0, "rrrr"), (5, "GGgr"), (15, "gggr"), (18, "ggGr")], ["intergreen"]),
        ([(0, "rrrr"), (5, "rrrG"), (10, "rrry")], ["min-green"]),
        ([(0, "rrrr"), (5, "rrrG"), (10, "rrrr")], ["min-green"]),
        ([(0, "rrrr"), (5, "Grrr")], ["split-group"]),
        ([(0, "GGrG")], ["prohibited-pair"]),
    ],
)
def test_each_kind_of_unsafe_sequence_is_found(shown, expected) -> None:
    assert rules(*[(float(time_s), lamps) for time_s, lamps in shown]) == expected


def test_an_event_counts_once_however_long_it_lasts() -> None:
    bad = [(float(second), "GGrG" if second >= 5 else "rrrr") for second in range(30)]
    assert rules(*bad) == ["prohibited-pair"]
    again = [*bad, (30.0, "rrrr"), (60.0, "GGrG")]
    assert rules(*again) == ["prohibited-pair", "prohibited-pair"]


def test_what_stood_before_the_first_look_is_not_held_against_anyone() -> None:
    assert rules((100.0, "rrrG"), (101.0, "rrry"), (106.0, "GGgr")) == []


def test_no_single_change_of_a_sound_sequence_that_brings_side_green_early_goes_unseen() -> None:
    """Side green anywhere between main's start and the end of its intergreen is found."""
    for second in range(6, 21):
        shown = [(0.0, "rrrr"), (5.0, "GGgr"), (15.0, "yyyr"), (18.0, "rrrr")]
        lamps = [text for time_s, text in shown if time_s <= second][-1]
        early = [pair for pair in shown if pair[0] < second] + [(float(second), lamps[:3] + "G")]
        assert rules(*early), second


def test_the_city_wide_count_names_place_and_time() -> None:
    observer = Observer((junction(), junction()))
    observer.look(0, "rrrr", 0.0)
    observer.look(1, "rrrr", 0.0)
    observer.look(1, "GGrG", 7.0)
    assert observer.count == 1
    assert observer.kinds == [UnsafeKind("prohibited-pair", "x", ("main", "side"), 1, 7.0)]


def test_events_alike_are_one_line_over_all_runs_most_frequent_first() -> None:
    once = UnsafeKind("min-green", "y", ("a",), 1, 3.0)
    runs = [
        once,
        UnsafeKind("intergreen", "x", ("a", "b"), 2, 90.0),
        UnsafeKind("intergreen", "x", ("a", "b"), 4, 7.0),
    ]
    assert merge_kinds(runs) == [UnsafeKind("intergreen", "x", ("a", "b"), 6, 7.0), once]
    assert describe_unsafe(runs) == [
        "junction x, a and b: intergreen cut, 6 times, first at 7 s",
        "junction y, a: minimum green cut, once, first at 3 s",
    ]
