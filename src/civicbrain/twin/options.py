"""How a twin runs: seed, program, sensing, window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.faults import NO_FAULTS, Faults
from civicbrain.twin.incidents import RoadIncident

PROGRAMS = ("central", "fixed", "actuated", "delay-based")
SENSING = ("camera", "oracle")
ORACLE_RANGE_M = 200.0


@dataclass(frozen=True)
class TwinOptions:
    """Options of one run.

    program: "central" (our controllers; local plan as fallback), "fixed" (SUMO runs the city's plan),
    "actuated" or "delay-based" (SUMO's own, made from the city's plan).
    sensing: "camera" or "oracle" (every vehicle within 200 m, next movement known, no misses, no latency).
    coverage: share of the signal junctions with a camera, drawn with the seed.
    latency_s: age of a frame when it is delivered, rounded up to whole steps. miss_rate: chance that a
    camera overlooks a vehicle in one frame. position_sd_m, speed_sd_mps: standard
    deviation of the error of each position and speed, drawn anew for each frame (Gaussian; real errors also
    hang together over time, these do not). frame_period_s: time between two frames of a camera.
    sees_inside: cameras see who is inside their junction as well (`box_views.py`); not mesoscopic.
    begin_s, end_s: platform seconds; the city's own window where None.
    sumo_log: file for SUMO's warnings and errors. watchdog_s: silence of the centre after which a
    controller takes its local plan.
    track_live: keep the cumulative delay of `status()` up to date each step (for the live map; costs time).
    emissions: sample CO2 every 10 s for the metrics; False leaves co2_kg at 0.
    sample: sample queues and junctions every 10 s for the metrics; False leaves their series empty.
    faults: what goes wrong on purpose (`faults.py`); checked against the city when the twin starts.
    incidents: what happens on the road on purpose (`incidents.py`), checked likewise; `Twin.truths` tells.
    delay_index_limit: follow the delay index and count who entered before it reached this (`delay_index.py`);
    stop_at_limit: end the run there.
    mesoscopic: SUMO's queue model instead of single vehicles' driving (`mesoscopic.py`): faster, coarser.
    """

    seed: int = 0
    program: str = "central"
    sensing: str = "camera"
    coverage: float = 1.0
    latency_s: float = 0.5
    miss_rate: float = 0.05
    range_m: float = 150.0
    position_sd_m: float = 0.0
    speed_sd_mps: float = 0.0
    begin_s: float | None = None
    end_s: float | None = None
    sumo_log: Path | None = None
    watchdog_s: float = 4.0
    frame_period_s: float = 1.0
    sees_inside: bool = False
    track_live: bool = False
    emissions: bool = True
    sample: bool = True
    faults: Faults = NO_FAULTS
    incidents: tuple[RoadIncident, ...] = ()
    delay_index_limit: float | None = None
    stop_at_limit: bool = False
    mesoscopic: bool = False

    def __post_init__(self) -> None:
        if self.program not in PROGRAMS:
            raise ConfigurationError(
                f"no program {self.program!r}",
                place="TwinOptions.program",
                remedy="use " + ", ".join(PROGRAMS),
            )
        if self.sensing not in SENSING:
            raise ConfigurationError(
                f"no sensing {self.sensing!r}",
                place="TwinOptions.sensing",
                remedy="use " + ", ".join(SENSING),
            )
        _require_between("seed", self.seed, 0, 2**31 - 1)
        _require_between("coverage", self.coverage, 0.0, 1.0)
        _require_between("miss_rate", self.miss_rate, 0.0, 1.0)
        _require_between("position_sd_m", self.position_sd_m, 0.0, 20.0)
        _require_between("speed_sd_mps", self.speed_sd_mps, 0.0, 10.0)
        _require_between("latency_s", self.latency_s, 0.0, 60.0)
        _require_between("range_m", self.range_m, 0.0, 10_000.0)
        _require_between("frame_period_s", self.frame_period_s, 0.0, 60.0)
        _require_between("watchdog_s", self.watchdog_s, 1.0, 60.0)
        if self.sees_inside and self.mesoscopic:
            raise ConfigurationError(
                "the mesoscopic model has nobody inside a junction",
                place="TwinOptions.sees_inside",
                remedy="run it microscopically, or leave sees_inside out",
            )
        if self.delay_index_limit is not None:
            _require_between("delay_index_limit", self.delay_index_limit, 1.0, 1000.0)
        if self.begin_s is not None and self.end_s is not None and not self.begin_s < self.end_s:
            raise ConfigurationError(
                f"the window ends at {self.end_s} s, not after its begin {self.begin_s} s",
                place="TwinOptions.end_s",
                remedy="give an end_s above begin_s",
            )


def _require_between(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigurationError(
            f"{name} is {value}", place=f"TwinOptions.{name}", remedy=f"use a value from {low} to {high}"
        )
