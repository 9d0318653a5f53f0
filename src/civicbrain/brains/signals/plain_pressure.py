"""The control `plain-pressure`: each 10 s the stage of the greatest pressure, and nothing else. A yardstick.

Pressure of a stage: over the lanes that it shows 'G', vehicles seen on the lane less the mean of those on the
lanes of each road entered from it. Neither switching nor waits count, and no wait is bounded.

Source: Varaiya 2013, "Max pressure control of a network of signalized intersections", Transportation
Research C 36, as in the agent that the City Brain Challenge gave to its participants ("MaxPressure": three
times the vehicles on the lanes let go less those on the roads of three lanes that they enter, each 10 s).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.asking import Asking
from civicbrain.brains.signals.choice import Choice
from civicbrain.brains.signals.inside import before_the_line
from civicbrain.brains.signals.stages import StageTable, build_stages, never_full
from civicbrain.brains.signals.waiting import Waiting
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice


@dataclass(frozen=True, slots=True)
class PlainPressureOptions:
    """every_s: time between decisions. valid_s: how long a request holds. stale_s: a camera silent this long
    leaves its junction to the local plan. explain: build explanations."""

    every_s: float = 10.0
    valid_s: float = 10.0
    stale_s: float = 10.0
    explain: bool = False


class PlainPressureBrain:
    """See the module. Deterministic: ties go to the stage shown, then to the lower one."""

    cadence_s = 1.0
    budget_s = 0.5

    def __init__(self, city: City, options: PlainPressureOptions, name: str = "signals") -> None:
        self.name = name
        self.options = options
        streams = build_streams(city)
        self.stages: StageTable = build_stages(city, streams, extra=False)
        waiting = Waiting(city, streams, never_full(self.stages))
        self._choice = Choice(
            city, streams, self.stages, waiting, max_red_s=1e9, margin=1.0, min_stage_s=0.0,
            stale_s=options.stale_s, order_bonus=1.0,
        )  # fmt: skip
        self._asking = Asking(city, name, options.valid_s)
        self._serves = _lane_weights(city, streams, self.stages)
        self._chosen: I32 = np.full(len(city.junctions), -1, dtype=np.int32)
        self._turn = -1

    def advise(self, snapshot: Snapshot) -> Advice:
        """Requests for all junctions that can be decided on; explanations if asked for."""
        if self.stages.count == 0:
            return Advice()
        snapshot, _ = before_the_line(snapshot)
        ready, current = self._choice.look(snapshot)
        pressure = self.weigh(snapshot)
        turn = int(snapshot.time_s // self.options.every_s)
        if turn != self._turn:
            self._turn = turn
            for j in range(len(self._chosen)):
                first, last = self.stages.stage_of[j], self.stages.stage_of[j + 1]
                own = pressure[first:last]
                best = int(np.argmax(own)) + first if len(own) else -1
                if current[j] >= 0 and best >= 0 and pressure[current[j]] == pressure[best]:
                    best = int(current[j])
                self._chosen[j] = best
        asked = np.where(ready, self._chosen, -1).astype(np.int32)
        nobody = np.full(len(asked), -1, dtype=np.int32)
        explain = functools.partial(self._explain, pressure) if self.options.explain else None
        return self._asking.advice(snapshot.time_s, asked, nobody, explain)

    def weigh(self, snapshot: Snapshot) -> F64:
        """Pressure of each stage, (s,) vehicles; -inf of those that are not to be asked for."""
        lane, stage, weight = self._serves
        seen = np.bincount(snapshot.detections.lane, minlength=len(snapshot.lanes.queued))
        pressure: F64 = np.zeros(self.stages.count)
        np.add.at(pressure, stage, weight * seen[lane])
        pressure[~self.stages.usable | self.stages.extra] = -np.inf
        return pressure

    def _explain(self, pressure: F64, junction: int) -> dict[str, object]:
        own = pressure[self.stages.stage_of[junction] : self.stages.stage_of[junction + 1]]
        worth = [round(float(value), 3) if np.isfinite(value) else None for value in own]
        return {"worth": worth, "why": "the stage of the greatest pressure"}


def _lane_weights(city: City, streams: Streams, stages: StageTable) -> tuple[I32, I32, F64]:
    """Rows of (lane, stage, weight): what a vehicle on the lane adds to the pressure of the stage."""
    network = city.network
    moves, lanes = network.movements, network.lanes
    edges_of: dict[int, set[int]] = {}
    for row in np.flatnonzero(streams.movement_stream >= 0).tolist():
        edge = int(lanes.edge[moves.to_lane[row]])
        edges_of.setdefault(int(streams.movement_stream[row]), set()).add(edge)
    rows: dict[tuple[int, int], float] = {}
    for entry in np.flatnonzero((stages.stream < streams.count) & ~stages.permitted).tolist():
        stream, stage = int(stages.stream[entry]), int(stages.stage[entry])
        share, entering = float(streams.share[stream]), edges_of.get(stream, set())
        own = (int(streams.lane[stream]), stage)
        rows[own] = rows.get(own, 0.0) + share
        for edge in entering:
            inside = range(int(network.edges.lane_start[edge]), int(network.edges.lane_start[edge + 1]))
            for lane in inside:
                rows[lane, stage] = rows.get((lane, stage), 0.0) - share / len(entering) / len(inside)
    pairs = np.array(list(rows), dtype=np.int32).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy(), np.array(list(rows.values()), dtype=np.float64)
