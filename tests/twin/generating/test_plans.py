"""Fixed plans by hand-computed answers."""

from __future__ import annotations

import pytest

from civicbrain.city.signals import GroupKind, PlanStep, SignalGroup, SignalJunction, SignalPlan, Stage
from civicbrain.twin.generating.timing import _fill, _Lane, _split


def crossing() -> SignalJunction:
    """Two streets, two stages, 4 s from one to the other."""
    groups = tuple(SignalGroup(f"g{n}", GroupKind.VEHICLE, (n - 1,), 3.0, 5.0) for n in (1, 2))
    return SignalJunction(
        "J1", "J1", 0.0, 0.0, ("J1",), 2, groups, ((0, 2), (2, 0)), ((0.0, 4.0), (4.0, 0.0)),
        (Stage("s1", "Gr"), Stage("s2", "rG")), SignalPlan("0", (PlanStep(0, 1.0), PlanStep(1, 1.0))),
    )  # fmt: skip


def test_greens_are_in_proportion_to_the_flow_ratios() -> None:
    """52 s of green for flow ratios 0.3 and 0.1: 39 s and 13 s, saturated to 0.4 * 60 / 52 both."""
    lanes = [_Lane(0, 0.15, (0.5, 0.0)), _Lane(1, 0.05, (0.0, 0.5))]
    seconds, saturation = _split(crossing(), lanes, [4.0, 4.0], 60)
    assert seconds == [43, 17]
    assert saturation == pytest.approx([0.3 * 60 / 39, 0.1 * 60 / 13])


def test_no_green_is_shorter_than_the_least() -> None:
    lanes = [_Lane(0, 0.3, (0.5, 0.0)), _Lane(1, 0.0, (0.0, 0.5))]
    seconds, _ = _split(crossing(), lanes, [4.0, 4.0], 60)
    assert seconds == [50, 10]


def test_drivers_fill_the_emptier_lanes_first() -> None:
    assert _fill([3.0, 0.0], 1.0) == [0.0, 1.0]
    assert _fill([3.0, 0.0], 5.0) == [1.0, 4.0]
    assert _fill([0.0, 0.0, 0.0], 6.0) == [2.0, 2.0, 2.0]
