"""What is seen and asked for on the hand-made street of `contracts.sandbox`, and short runs in the twin.

Junction A has two stages: `main` (W-E) and `side` (N-S), six seconds apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Advice, Brain, StageRequest
from civicbrain.contracts.sandbox import sandbox_signals

Seen = tuple[str, float, float]
"""Lane, metres to the stop line, metres a second."""


def detections(city: City, time_s: float, seen: Iterable[Seen], cameras: Iterable[int]) -> Detections:
    """A frame. cameras: junction rows of those that deliver."""
    rows = list(seen)
    lanes = np.array([city.network.get_lane(lane) for lane, _, _ in rows], np.int32)
    camera_of = dict(zip(city.cameras.lane.tolist(), city.cameras.junction.tolist(), strict=True))
    return Detections(
        "test", time_s, time_s,
        cameras=np.array(list(cameras), np.int32),
        camera=np.array([camera_of[lane] for lane in lanes.tolist()], np.int32),
        lane=lanes,
        distance_m=np.array([metres for _, metres, _ in rows], np.float32),
        speed_mps=np.array([speed for _, _, speed in rows], np.float32),
        vehicle_class=np.zeros(len(rows), np.uint8),
        next_movement=np.full(len(rows), -1, np.int32),
    )  # fmt: skip


def frame(
    city: City, time_s: float, standing: Mapping[str, int], moving: Mapping[str, float] | None = None
) -> Detections:
    """standing: vehicles queued from the stop line back, by lane; moving: one at that distance, 13.9 m/s."""
    rows = [(lane, 3.0 + 7.5 * place, 0.0) for lane, count in standing.items() for place in range(count)]
    rows += [(lane, metres, 13.9) for lane, metres in (moving or {}).items()]
    return detections(city, time_s, rows, range(len(city.junctions)))


def ask(brain: Brain, city: City, seen: Detections, signals: SignalStates) -> Advice:
    """What the brain says to one frame, all before it unknown."""
    store = Store(city)
    store.fold([seen, signals], seen.end_s)
    return brain.advise(store.snapshot(seen.end_s))


def stage_of(advice: Advice, junction: str = "A") -> str | None:
    """The stage asked for at a junction."""
    for request in advice.requests:
        assert isinstance(request, StageRequest)
        if request.junction == junction:
            return request.stage
    return None


def side_road_served(brain: Brain, city: City, seconds: int) -> list[float]:
    """A closed loop: main is flooded for ever, one car stands in the side road. When that had green."""
    store = Store(city)
    stage, since, target, left = 0, 0.0, 0, None
    lamp_change, served = 0.0, []
    for now in range(1, seconds):
        t = float(now)
        signals = replace(
            sandbox_signals(city, t, stage, lamp_change),
            stage_since_s=np.array([since, 0.0], np.float32),
            target=np.array([target, 0], np.int32),
        )
        if target != stage:
            lamps = signals.lamps.copy()
            lamps[: len(city.junctions[0].groups)] = ord("r")
            signals = replace(signals, lamps=lamps)
        store.fold([frame(city, t, {"WA_0": 12, "BA_0": 12, "NAA_0": 1}), signals], t)
        wanted = stage_of(brain.advise(store.snapshot(t)))
        if target == stage and wanted != city.junctions[0].stages[stage].id:
            target, left, lamp_change = 1 - stage, t, t
        elif left is not None and t - left >= 6.0:
            stage, since, lamp_change, left = target, t, t, None
        if stage == 1 and target == 1:
            served.append(t)
    return served


def drive(
    scenario: str, length_s: float, program: str, options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Figures of one run in the twin; libsumo is global to a process, so each needs its own.

    program: fixed, or central with the control `brain`."""
    from civicbrain.brains.signals import create
    from civicbrain.contracts.brain import BrainContext
    from civicbrain.twin.importing import resolve_scenario
    from civicbrain.twin.options import TwinOptions
    from civicbrain.twin.simulation import Twin

    city = resolve_scenario(scenario)
    twin = Twin(
        city, TwinOptions(seed=1, program=program, end_s=city.demand.begin_s + length_s, emissions=False)
    )
    brain, store = (
        create(BrainContext(city=city, options={"control": "brain", **(options or {})})),
        Store(city),
    )
    requests = 0
    while not twin.ended:
        twin.step()
        if program == "fixed":
            continue
        twin.heartbeat()
        store.fold(twin.sense(), twin.time_s)
        advice = brain.advise(store.snapshot(twin.time_s))
        requests += len(advice.requests)
        twin.apply(advice.requests)
    metrics = twin.finish()
    return {
        "unsafe": metrics.unsafe_states,
        "collisions": metrics.collisions,
        "delay_s": metrics.mean_delay_s,
        "due": metrics.vehicles_due,
        "refused": metrics.refused_requests,
        "requests": requests,
    }
