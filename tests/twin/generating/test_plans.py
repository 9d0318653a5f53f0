"""Fixed plans by hand-computed answers."""

from __future__ import annotations

import pytest

from civicbrain.city.signals import GroupKind, PlanStep, SignalGroup, SignalJunction, SignalPlan, Stage
from civicbrain.twin.generating.timing import _best_split, _fill, _Lane, _split


def crossing() -> SignalJunction:
    """Two streets, two stages, 4 s from one to the other."""
    groups = tuple(SignalGroup(f"g{n}", GroupKind.VEHICLE, (n - 1,), 3.0, 5.0) for n in (1, 2))
    return SignalJunction(
        "J1", "J1", 0.0, 0.0, ("J1",), 2, groups, ((0, 2), (2, 0)), ((0.0, 4.0), (4.0, 0.0)),
        (Stage("s1", "Gr"), Stage("s2", "rG")), SignalPlan("0", (PlanStep(0, 1.0), PlanStep(1, 1.0))),
    )  # fmt: skip


def test_greens_are_in_proportion_to_the_flow_ratios() -> None:
    """52 s of green, 1 s lost of each, for flow ratios 0.3 and 0.1: 50 s useful in the ratio 3 to 1."""
    lanes = [_Lane(0, 0.15, (0.5, 0.0)), _Lane(1, 0.05, (0.0, 0.5))]
    found = _split(crossing(), lanes, [4.0, 4.0], 60)
    assert found.steps_s in ([42, 18], [43, 17])  # 38.5 and 13.5
    assert found.saturation == pytest.approx(
        [0.3 * 60 / (found.steps_s[0] - 5), 0.1 * 60 / (found.steps_s[1] - 5)]
    )


def test_no_green_is_shorter_than_the_least() -> None:
    lanes = [_Lane(0, 0.3, (0.5, 0.0)), _Lane(1, 0.0, (0.0, 0.5))]
    found = _split(crossing(), lanes, [4.0, 4.0], 60)
    assert found.steps_s == [51, 9]


def test_drivers_fill_the_emptier_lanes_first() -> None:
    assert _fill([3.0, 0.0], 1.0) == [0.0, 1.0]
    assert _fill([3.0, 0.0], 5.0) == [1.0, 4.0]
    assert _fill([0.0, 0.0, 0.0], 6.0) == [2.0, 2.0, 2.0]


def test_a_quiet_junction_runs_half_of_the_cycle_and_a_full_one_all_of_it() -> None:
    quiet = [_Lane(0, 0.05, (0.5, 0.0)), _Lane(1, 0.05, (0.0, 0.5))]
    full = [_Lane(0, 0.2, (0.5, 0.0)), _Lane(1, 0.2, (0.0, 0.5))]
    assert sum(_best_split(crossing(), quiet, [4.0, 4.0], 100).steps_s) == 50
    assert sum(_best_split(crossing(), full, [4.0, 4.0], 100).steps_s) == 100
