"""What is kept of a run with missions: small enough that the runs of a study stand beside its table."""

from __future__ import annotations

import msgspec


class MissionRecord(msgspec.Struct, frozen=True, array_like=True):
    """One mission in one arm. travel_s: from when it was due to its arrival, None where it did not arrive.
    predictions: how many were made, each 10 s for every stop line that was reached within 5 minutes; to_go_s:
    the time to go in all of them; error_s, late_s: sums of how far they were off, without and with their sign
    (above 0: predicted later than it came). arrivals: each 10 s, how long the way to the mission's end was
    expected to take yet, and how much later than that the vehicle came, s (below 0: sooner)."""

    id: str
    blue_light: bool
    signals: int
    due_s: float
    travel_s: float | None
    depart_delay_s: float
    time_loss_s: float
    cross_wait_veh_s: float
    predictions: int = 0
    to_go_s: float = 0.0
    error_s: float = 0.0
    late_s: float = 0.0
    arrivals: list[tuple[float, float]] = []


class MissionRunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run. commit: of the code that ran, "" where nobody said. others_delay_s: mean delay of all other
    vehicles due, s."""

    arm: str
    seed: int
    commit: str = ""
    missions: list[MissionRecord]
    others_due: int
    others_delay_s: float
    unsafe_states: int
    collisions: int
    emergency_stops: int
    refused: dict[str, int]
    ledger_entries: int
    cpu_s: float
