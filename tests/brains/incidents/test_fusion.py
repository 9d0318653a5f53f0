"""One incident for one thing: the index finds what looking at everything finds, and one driver stays one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from civicbrain.brains.incidents import fusion
from civicbrain.brains.incidents.fusion import Fusion
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.things import Thing, ThingIndex
from civicbrain.city.folder import load_city
from civicbrain.city.incidents import IncidentKind
from civicbrain.twin.importing import resolve_scenario

LAYOUT = Layout(load_city(resolve_scenario("cologne3").folder))
SEEN = np.flatnonzero((LAYOUT.camera >= 0) & LAYOUT.motor)
BLOCKED = IncidentKind.BLOCKED_JUNCTION
SPOTS = (IncidentKind.STOPPED_VEHICLE, IncidentKind.CLOSED_LANE, IncidentKind.WRONG_WAY)


class _All(ThingIndex):
    """Looks at everything, as it was before there was an index."""

    def __init__(self, layout: Layout, things: Sequence[Thing] = ()) -> None:
        self._things: list[Thing] = list(things)

    def add(self, thing: Thing) -> None:
        if not any(each is thing for each in self._things):
            self._things.append(thing)

    def near(self, group: Sequence[Suspicion]) -> list[Thing]:
        return self._things

    def beside(self, thing: Thing) -> list[Thing]:
        return self._things


def drawn(rng: np.random.Generator, now_s: float) -> list[Suspicion]:
    """Some suspicions of all kinds, many of them of the same places."""
    found = []
    for _ in range(int(rng.integers(0, 8))):
        lane = int(rng.choice(SEEN))
        d = float(LAYOUT.beyond_m[lane]) + float(rng.choice([2.0, 30.0, 90.0]))
        junction = int(LAYOUT.junction[lane])
        draw = rng.random()
        if draw < 0.2 and junction >= 0:
            kind = rng.choice([IncidentKind.SENSOR_FAULT, IncidentKind.SIGNAL_FAULT])
            found.append(Suspicion(IncidentKind(kind), 1.5, now_s - 5.0, "it", junction=junction))
        elif draw < 0.6 and junction >= 0:
            found.append(
                Suspicion(SPOTS[0], 1.2, now_s - 9.0, "head", lane, d, junction, at_line=True, quiet_s=40.0)
            )
        else:
            found.append(Suspicion(SPOTS[int(rng.integers(3))], 1.1, now_s, "it", lane, d, speed_mps=10.0))
    return found


def things_of(seed: int) -> list[list[Any]]:
    rng, one, told = np.random.default_rng(seed), Fusion(LAYOUT), []
    for second in range(400):
        over = one.update(drawn(rng, float(second)), float(second))
        told.append([(t.kind, t.onset_s, t.last_s, t.junction, dict(t.lanes)) for t in (*one.things, *over)])
    return told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_index_finds_what_looking_at_everything_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed = things_of(seed)
    monkeypatch.setattr(fusion, "ThingIndex", _All)
    assert indexed == things_of(seed)
    assert max(len(each) for each in indexed) > 5


def test_what_is_looked_at_in_a_flood_does_not_grow_with_what_is_open() -> None:
    index = ThingIndex(LAYOUT)
    for lane in SEEN.tolist():
        index.add(
            Thing(SPOTS[0], 0.0, 0.0, 0.0, 20.0, lanes={lane: 10.0}, junction=int(LAYOUT.junction[lane]))
        )
    stems, counts = np.unique(LAYOUT.stem[SEEN], return_counts=True)
    lane = int(SEEN[LAYOUT.stem[SEEN] == stems[counts.argmin()]][0])
    near = index.near([Suspicion(SPOTS[0], 1.0, 0.0, "it", lane, 10.0, int(LAYOUT.junction[lane]))])
    assert 1 <= len(near) < 0.5 * len(SEEN)
    assert lane in {row for thing in near for row in thing.lanes}


def head(lane: int, now_s: float) -> Suspicion:
    d, junction = float(LAYOUT.beyond_m[lane]) + 2.0, int(LAYOUT.junction[lane])
    return Suspicion(SPOTS[0], 1.5, now_s - 20.0, "head", lane, d, junction, at_line=True, quiet_s=40.0)


def test_what_is_seen_in_mid_lane_keeps_its_place_though_approaches_beside_it_do_not_go() -> None:
    lanes = [row for row in SEEN.tolist() if LAYOUT.junction[row] >= 0 and LAYOUT.length_m[row] > 90.0]
    first = lanes[0]
    other = next(
        row
        for row in SEEN.tolist()
        if LAYOUT.junction[row] == LAYOUT.junction[first] and LAYOUT.stem[row] != LAYOUT.stem[first]
    )
    one = Fusion(LAYOUT)
    d = float(LAYOUT.beyond_m[first]) + 80.0
    stopped = [Suspicion(SPOTS[0], 1.5, 90.0, "a vehicle stands", first, d)]
    one.update(stopped, 100.0)
    for second in range(101, 200):
        now_s = float(second)
        one.update([*stopped, head(first, now_s), head(other, now_s)], now_s)
    [thing] = one.things
    assert thing.kind is IncidentKind.STOPPED_VEHICLE
    assert thing.lanes == {first: d}
    before = Fusion(LAYOUT)  # without it the same two are a blocked junction
    before.update([head(first, 100.0), head(other, 100.0)], 100.0)
    [thing] = before.things
    assert thing.kind is IncidentKind.BLOCKED_JUNCTION


@pytest.mark.parametrize(("speed_mps", "drivers"), [(10.0, 1), (11.0, 1), (7.5, 2)])
def test_a_wrong_way_driver_comes_into_view_again_at_about_his_speed(speed_mps: float, drivers: int) -> None:
    lane = int(SEEN[np.argmax(LAYOUT.length_m[SEEN])])
    one = Fusion(LAYOUT)

    def seen(d: float, at_mps: float) -> list[Suspicion]:
        return [Suspicion(IncidentKind.WRONG_WAY, 1.2, 0.0, "it", lane, d, quiet_s=30.0, speed_mps=at_mps)]

    one.update(seen(20.0, 10.0), 100.0)
    one.update(seen(110.0, speed_mps), 109.0)
    assert len(one.things) == drivers


@pytest.mark.parametrize(("speed_mps", "late_s", "drivers"), [(10.2, 0.0, 1), (11.0, 0.0, 2), (10.0, 8.0, 2)])
def test_round_a_u_turn_a_wrong_way_driver_comes_at_his_speed_where_that_brings_him(
    speed_mps: float, late_s: float, drivers: int
) -> None:
    movements = LAYOUT.city.network.movements
    back = next(
        row
        for row in np.flatnonzero(movements.turn == ord("t")).tolist()
        if {int(movements.from_lane[row]), int(movements.to_lane[row])} <= set(SEEN.tolist())
    )
    lane, other = int(movements.to_lane[back]), int(movements.from_lane[back])
    one = Fusion(LAYOUT)

    def seen(row: int, before_m: float, at_mps: float) -> list[Suspicion]:
        d = float(LAYOUT.beyond_m[row]) + before_m
        return [Suspicion(IncidentKind.WRONG_WAY, 1.2, 0.0, "it", row, d, quiet_s=30.0, speed_mps=at_mps)]

    one.update(seen(lane, float(LAYOUT.length_m[lane]) - 5.0, 10.0), 100.0)
    gone_m = 5.0 + float(movements.length_m[back]) + 60.0
    one.update(seen(other, 60.0, speed_mps), 100.0 + gone_m / 10.0 + late_s)
    assert len(one.things) == drivers


def test_who_stands_before_a_blocked_junction_is_no_incident_of_his_own() -> None:
    junction = int(np.flatnonzero(np.bincount(LAYOUT.junction[LAYOUT.junction >= 0]))[0])
    lane = int(np.flatnonzero((LAYOUT.junction == junction) & LAYOUT.motor & (LAYOUT.camera == junction))[0])
    blocked = Suspicion(BLOCKED, 1.5, 100.0, "inside", junction=junction, quiet_s=30.0)
    fusion_ = Fusion(LAYOUT)
    fusion_.update([blocked], 120.0)
    far_m = float(LAYOUT.beyond_m[lane]) + 30.0
    behind = Suspicion(SPOTS[0], 1.2, 110.0, "behind", lane, far_m, quiet_s=40.0)
    fusion_.update([blocked, behind], 121.0)
    [thing] = fusion_.things
    assert thing.kind is BLOCKED
    assert list(thing.effects.values()) == [(lane, far_m, 110.0)], "and it is known why he stands"
    before = Suspicion(SPOTS[0], 1.2, 60.0, "before", lane, far_m, quiet_s=40.0)
    fusion_.update([blocked, before], 122.0)
    assert len(fusion_.things) == 2, "who stood there before it is a thing of his own"


def test_an_obstacle_that_holds_up_nobody_for_eight_minutes_keeps_its_id() -> None:
    lane = int(SEEN[0])
    one = Suspicion(SPOTS[1], 1.2, 100.0, "it", lane, float(LAYOUT.beyond_m[lane]) + 30.0, quiet_s=20.0)
    fusion_ = Fusion(LAYOUT)
    fusion_.update([one], 120.0)
    [thing] = fusion_.things
    for now_s in (150.0, 400.0):
        fusion_.update([], now_s)
    assert fusion_.things == []
    fusion_.update([one], 600.0)
    assert fusion_.things == [thing]


def test_who_was_told_before_its_junction_was_known_to_be_blocked_is_part_of_that() -> None:
    junction = int(np.flatnonzero(np.bincount(LAYOUT.junction[LAYOUT.junction >= 0]))[0])
    lanes = np.flatnonzero((LAYOUT.junction == junction) & LAYOUT.motor & (LAYOUT.camera == junction))
    lane, other = int(lanes[0]), int(lanes[LAYOUT.stem[lanes] != LAYOUT.stem[lanes[0]]][0])

    def far(row: int, onset_s: float) -> Suspicion:
        d = float(LAYOUT.beyond_m[row]) + 30.0
        return Suspicion(SPOTS[0], 1.2, onset_s, "it", row, d, quiet_s=40.0)

    fusion_ = Fusion(LAYOUT)
    fusion_.update([far(lane, 100.0)], 120.0)
    fusion_.things[0].id = "first"
    fusion_.update([far(lane, 100.0), far(other, 105.0)], 125.0)
    fusion_.things[1].id = "second"
    blocked = Suspicion(BLOCKED, 1.5, 95.0, "inside", junction=junction, quiet_s=30.0)
    [over] = fusion_.update([far(lane, 100.0), far(other, 105.0), blocked], 130.0)
    [thing] = fusion_.things
    assert (thing.kind, thing.id, thing.first_s) == (BLOCKED, "first", 120.0)
    assert (over.id, over.whole, over.cleared_s) == ("second", thing, 130.0)
    assert {lane for lane, _, _ in thing.effects.values()} == {lane, other}
