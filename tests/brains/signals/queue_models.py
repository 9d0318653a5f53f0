"""Queue models small enough to reckon by hand, and schedules played on them second by second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from civicbrain.brains.signals.schedules import (
    MOST_LANES,
    MOST_STREAMS,
    MOST_VEHICLES,
    Beam,
    Lanes,
    Scene,
    Street,
    Weights,
    expect,
    play_second,
)

HORIZON_S = 40
FLOW = 0.48
START_S = 6
GREEN_S = 5

PLAIN = Weights(stop_s=0.0, gap_s=4, change_veh_s=1.0, left_s=0.0, left_by_queue_s=0.0, crowded_veh=3.0)
"""Nothing but waiting counts."""

USUAL = Weights(stop_s=2.0, gap_s=4, change_veh_s=1.0, left_s=4.0, left_by_queue_s=1.0, crowded_veh=3.0)

Rivals = Mapping[tuple[int, int], Sequence[tuple[int, int]]]
"""(stage, lane) -> the lanes it yields to, and which streams of them by bit."""


def model(
    stages: Sequence[Sequence[str]], *, start_s: int = START_S, green_s: int = GREEN_S, yellow_s: int = 0,
    share: Sequence[Sequence[float]] = (), rivals: Rivals | None = None, usable: Sequence[bool] = (),
    extra: Sequence[bool] = (), every_s: int = 1,
) -> Lanes:  # fmt: skip
    """One junction. stages: for each the lamps of each lane, a letter for each stream of it. What was red
    shows green `start_s` after the stage before was left, and stays for `green_s` at least."""
    count, lanes = len(stages), len(stages[0])
    span = start_s + green_s + 1
    shown = np.zeros((count + 1, count, span, lanes), np.uint8)
    for c in range(count + 1):
        for s in range(count):
            for lane in range(lanes):
                for bit, lamp in enumerate(stages[s][lane]):
                    old = stages[c - 1][lane][bit] if c else lamp
                    begins = 0 if old in "Gg" else start_s
                    if lamp in "Gg":
                        shown[c, s, begins:, lane] |= 1 << (bit if lamp == "G" else bit + MOST_STREAMS)
                    if c and old == "G":
                        shown[c, s, :yellow_s, lane] |= 1 << bit
    ready_s = np.full((count + 1, count), start_s + green_s, np.int32)
    ready_s[0] = green_s
    share = share or [[1.0]] * lanes
    table = np.zeros((lanes, MOST_STREAMS))
    for lane, row in enumerate(share):
        table[lane, : len(row)] = row
    yields = [(rivals or {}).get((s, lane), ()) for s in range(count) for lane in range(lanes)]
    flat = [pair for pairs in yields for pair in pairs]
    return Lanes(
        lane_start=np.array([0, lanes], np.int32),
        stage_of=np.array([0, count], np.int32),
        usable=np.array(usable or [True] * count, dtype=np.bool_),
        extra=np.array(extra or [False] * count, dtype=np.bool_),
        span=np.array([span], np.int32),
        shown_of=np.array([0, shown.size], np.int64),
        shown=shown.reshape(-1),
        every_s=np.array([every_s], np.int32),
        ready_s=ready_s,
        share=table,
        yield_of=np.array([0, count * lanes], np.int64),
        rival_of=np.cumsum([0, *map(len, yields)]).astype(np.int32),
        rival=np.array([lane for lane, _ in flat], np.int32),
        rival_bits=np.array([bits for _, bits in flat], np.uint8),
    )


def two_lanes(*, yellow_s: int = 0, usable: Sequence[bool] = ()) -> Lanes:
    """Stage 0 serves lane 0, stage 1 lane 1; each flows START_S after the other stage is left."""
    return model([["G", "r"], ["r", "G"]], yellow_s=yellow_s, usable=usable)


def shared_lane(first_share: float) -> Lanes:
    """Lane 0 has two streams: stage 0 lets the first go, stage 1 the second and lane 1."""
    return model([["Gr", "r"], ["rG", "G"]], share=[[first_share, 1.0 - first_share], [1.0]])


def yielding_lane(rival_bits: int = 1, rival_share: Sequence[float] = (1.0,)) -> Lanes:
    """Stage 0 shows both lanes green, lane 0 yields to streams of lane 1; stage 1 serves lane 1 alone."""
    all_green = "G" * len(rival_share)
    return model(
        [["g", all_green], ["r", all_green]], share=[[1.0], rival_share], rivals={(0, 0): [(1, rival_bits)]}
    )


def scene(
    *arrivals: dict[int, float], head: Sequence[int] = (), room: Sequence[float] = (), heard_s: int = 0
) -> Scene:
    """arrivals: for each lane second -> vehicles; those of second 0 stand at the line."""
    count = len(arrivals)
    come = np.zeros((count, HORIZON_S))
    for lane, row in enumerate(arrivals):
        for second, vehicles in row.items():
            come[lane, second] = vehicles
    return Scene(
        arrivals=come,
        usual=np.zeros(count),
        head=np.array(head or [0] * count, np.int64),
        heard_s=np.array([heard_s], np.int32),
        flow=np.full(count, FLOW),
        room=np.array(room or [np.inf] * count),
        weight=np.ones(count),
    )


def new_street(lanes: Lanes, seen: Scene, seconds: int = HORIZON_S, tick: int = 0) -> Street:
    """Whole vehicles of one drawing."""
    street = Street(
        np.zeros((seconds, MOST_LANES), np.int64), np.zeros((MOST_LANES, MOST_VEHICLES), np.uint8)
    )
    expect(lanes, seen, 0, len(seen.flow), seconds, tick, street)
    return street


class Player:
    """Plays schedules second by second; one state for each second, so that they branch."""

    def __init__(
        self, lanes: Lanes, seen: Scene, weights: Weights, shown: int, seconds: int, tick: int = 0
    ) -> None:
        self.lanes, self.seen, self.weights = lanes, seen, weights
        self.shown, self.seconds = shown, seconds
        self.street = new_street(lanes, seen, seconds, tick)
        size = (2, seconds + 1)
        self.beam = Beam(
            *(np.zeros(size, np.int64) for _ in range(4)), np.zeros((*size, MOST_LANES), np.int64),
            np.ones((*size, MOST_LANES)), np.zeros(size), np.zeros(size),
        )  # fmt: skip
        self.beam.age_s[0, 0] = lanes.span[0]
        self.beam.now[0, 0] = shown

    def second(self, u: int, stage: int) -> None:
        """Show the stage in second u, after the states that the calls for 0 to u - 1 left."""
        old, new, beam = u % 2, (u + 1) % 2, self.beam
        now = beam.now[old, u]
        if stage == now:
            beam.before[new, u + 1] = beam.before[old, u]
            beam.age_s[new, u + 1] = min(beam.age_s[old, u], self.lanes.span[0])
        else:
            beam.before[new, u + 1], beam.age_s[new, u + 1] = now + 1, 0
        beam.now[new, u + 1] = stage
        play_second(
            self.lanes, self.seen, self.weights, self.street, beam, 0, u, self.seconds, old, u, new, u + 1
        )
        beam.age_s[new, u + 1] += 1

    def stages_for(self, u: int) -> Iterator[int]:
        """Those that may be shown in second u."""
        old, beam = u % 2, self.beam
        now, usable = int(beam.now[old, u]), self.lanes.usable
        stay = now >= 0 and (u > 0 or usable[now])
        if stay:
            yield now
        if u == 0 or beam.age_s[old, u] >= self.lanes.ready_s[beam.before[old, u], now]:
            yield from (stage for stage in range(len(usable)) if usable[stage] and stage != now)

    def gone(self, u: int) -> NDArray[np.int64]:
        """(l,) vehicles that have crossed by the end of second u."""
        return self.beam.gone[(u + 1) % 2, u + 1, : len(self.seen.flow)].copy()

    def score(self) -> float:
        """After the last second: cost in veh s, with what the queues left will cost."""
        return float(self.beam.score[self.seconds % 2, self.seconds])

    def cost(self) -> float:
        """… without."""
        return float(self.beam.cost[self.seconds % 2, self.seconds])


def play(
    lanes: Lanes, seen: Scene, schedule: Sequence[int], *, weights: Weights = PLAIN, shown: int = 0,
    tick: int = 0,
) -> tuple[float, NDArray[np.int64]]:  # fmt: skip
    """(score in veh s, vehicles that leave each lane in each second) of one schedule."""
    player = Player(lanes, seen, weights, shown, len(schedule), tick)
    gone = np.zeros((len(seen.flow), len(schedule) + 1), np.int64)
    for u, stage in enumerate(schedule):
        player.second(u, stage)
        gone[:, u + 1] = player.gone(u)
    return player.score(), np.diff(gone, axis=1)


def keep(stage: int = 0, seconds: int = HORIZON_S) -> list[int]:
    """The stage all the time."""
    return [stage] * seconds


def change(after_s: int = 0, then: int = 1, seconds: int = HORIZON_S) -> list[int]:
    """The other stage for so long, then this one."""
    return [1 - then] * after_s + [then] * (seconds - after_s)


def check_conserved(lanes: Lanes, seen: Scene, served: NDArray[Any], tick: int) -> None:
    """Whole vehicles, one a second at most, and nobody leaves before coming."""
    come = new_street(lanes, seen, tick=tick).come[: served.shape[1], : len(served)].T
    assert set(np.unique(served)) <= {0, 1}
    assert (np.cumsum(served, axis=1) <= come).all()


arrivals = st.dictionaries(st.integers(0, HORIZON_S - 1), st.floats(0.0, 3.0), max_size=12)
models = st.sampled_from([two_lanes(yellow_s=1), shared_lane(0.75), shared_lane(0.4), yielding_lane()])
