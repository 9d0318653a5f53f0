"""What can be asked for, and how rows are brought together for it.

An indicator is a ratio of sums, numerator / denominator x factor, so it is the same whether it was added up
from seconds, minutes or hours. `adds_up`: over several junctions or lanes it is the sum of each one's ratio
(queues, vehicles, flows); the others (speeds, shares, delays) are the ratio of all sums.
"""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.core.errors import NotFoundError
from civicbrain.runtime.history.layout import JUNCTION, LANE, Table


@dataclass(frozen=True)
class Indicator:
    """numerator, denominator: SQL over columns of the table. highest, p95: columns, "" where there is none.
    tables: those that hold it. raw: column of the raw seconds, "" where they do not hold it."""

    name: str
    unit: str
    title: str
    numerator: str
    denominator: str
    factor: float = 1.0
    adds_up: bool = False
    highest: str = ""
    p95: str = ""
    tables: tuple[Table, ...] = (JUNCTION, LANE)
    raw: str = ""


INDICATORS = (
    Indicator(
        "queue_veh", "veh", "vehicles standing or creeping (below 5 km/h)", "queued_s", "samples",
        adds_up=True, highest="queue_max", p95="queue_p95", raw="queue",
    ),
    Indicator("vehicles_veh", "veh", "vehicles in view of the cameras", "vehicle_s", "samples", adds_up=True),
    Indicator(
        "flow_veh_per_h", "veh/h", "vehicles that crossed the stop lines", "served_veh", "samples", 3600.0,
        adds_up=True,
    ),
    Indicator("speed_mps", "m/s", "space-mean speed of those in view", "travelled_m", "vehicle_s"),
    Indicator("occupancy_share", "1", "share of the lanes' length under vehicles", "covered_m_s", "seen_m_s"),
    Indicator(
        "delay_s", "s/veh", "time stood for each vehicle that crossed, estimated from cameras", "queued_s",
        "served_veh",
    ),
    Indicator(
        "stage_changes_per_h", "1/h", "changes of stage, a junction", "stage_changes", "signal_s", 3600.0,
        tables=(JUNCTION,),
    ),
    Indicator(
        "central_share", "1", "share of the time under the centre", "central_s", "signal_s",
        tables=(JUNCTION,),
    ),
    Indicator(
        "local_share", "1", "share of the time in the local plan", "local_s", "signal_s", tables=(JUNCTION,)
    ),
    Indicator(
        "override_share", "1", "share of the time held by an operator or by priority", "override_s",
        "signal_s", tables=(JUNCTION,),
    ),
)  # fmt: skip
BY_NAME = {indicator.name: indicator for indicator in INDICATORS}


def get_indicator(name: str) -> Indicator:
    """Raises NotFoundError, with those there are."""
    found = BY_NAME.get(name)
    if found is None:
        raise NotFoundError(
            f"no indicator {name[:60]!r}",
            remedy=f"use one of {', '.join(BY_NAME)}; a series of a source is asked for with its entity",
        )
    return found


CITY_SERIES = {
    "vehicles": "veh",
    "mean_delay_s": "s/veh",
    "throughput_veh_per_h": "veh/h",
    "stopped": "veh",
    "waiting_to_depart": "veh",
    "alerts_open": "1",
    "local_junctions": "1",
    "spill_backs": "1",
    "cameras_silent": "1",
    "incidents_open": "1",
    "brains_running": "1",
    "refused_requests": "1",
    "decision_ms": "ms",
}
"""City-wide indicators of the live strip, kept as series of the entity `city`, with their units."""
