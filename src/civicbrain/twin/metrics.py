"""The figures of one run, from what SUMO writes about every trip.

Delay counts every vehicle due in the window: (time loss + departure delay of those that departed, running
ones included, + waiting of those that never could depart) / all vehicles due. A vehicle is due when its
departure lies in the window; SUMO drops those that should have departed before its begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import numpy as np

from civicbrain.core.errors import TwinError
from civicbrain.core.units import MG_TO_KG
from civicbrain.twin.delay_index import DelayIndex
from civicbrain.twin.incidents import OBSTACLE
from civicbrain.twin.observer import UnsafeKind
from civicbrain.twin.probe import Probe


class RunMetrics(msgspec.Struct, frozen=True):
    """One run.

    vehicles_due: departed + undeparted. Means of delay and departure delay are over all vehicles due;
    means of time loss, travel time and standing time, and stops, over those that departed, running ones
    included with what they had by the end. time loss: time lost against driving at the allowed speed.
    waiting: time spent standing below 0.1 m/s; max_waiting_s: the worst sum of one vehicle.
    co2_kg: sampled every 10 s (`probe.py`). collisions, emergency_stops, teleports: as SUMO counts them.
    unsafe_states: events the independent observer counted; unsafe: by rule, junction and
    group(s). deadlock: see `deadlock.py`.
    travel_time_quantiles_s: of those that arrived, at the probabilities 0, 0.01 … 1; empty where none did.
    vehicles_served, delay_index, delay_index_reached_s: of the city brain challenge (`delay_index.py`), None
    where they were not asked for; reached_s also where the limit was not reached.
    series_*: each 60 s. junction_delay_s: junction id -> delay on its approaches, s per vehicle.
    """

    vehicles_due: int
    departed: int
    arrived: int
    undeparted: int
    mean_delay_s: float
    mean_time_loss_s: float
    mean_depart_delay_s: float
    mean_travel_time_s: float
    mean_waiting_s: float
    max_waiting_s: float
    stops_per_vehicle: float
    co2_kg: float
    teleports: int
    collisions: int
    emergency_stops: int
    refused_requests: int
    unsafe_states: int
    deadlock: bool
    unsafe: tuple[UnsafeKind, ...] = ()
    vehicles_served: int | None = None
    delay_index: float | None = None
    delay_index_reached_s: float | None = None
    series_time_s: tuple[float, ...] = ()
    series_queue_veh: tuple[int, ...] = ()
    series_running: tuple[int, ...] = ()
    junction_delay_s: dict[str, float] = {}
    travel_time_quantiles_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Trips:
    """Sums over the trips of a run, in the words of RunMetrics."""

    departed: int
    arrived: int
    undeparted: int
    time_loss_s: float
    depart_delay_s: float
    travel_time_s: float
    waiting_s: float
    max_waiting_s: float
    stops: int
    travel_time_quantiles_s: tuple[float, ...] = ()


def read_trips(file: Path) -> Trips:
    """Sum up SUMO's tripinfo output (with unfinished and undeparted vehicles); raises TwinError."""
    departed = arrived = undeparted = stops = 0
    time_loss_s, depart_delay_s, travel_time_s, waiting_s = [], [], [], []
    arrived_travel_time_s: list[float] = []
    try:
        for _, element in ElementTree.iterparse(file):  # noqa: S314  (SUMO wrote it a moment ago)
            if element.tag != "tripinfo" or element.attrib["id"].startswith(OBSTACLE):
                continue
            trip = element.attrib
            depart_delay_s.append(float(trip["departDelay"]))
            if float(trip["depart"]) < 0.0:
                undeparted += 1
            else:
                departed += 1
                if float(trip["arrival"]) >= 0.0:
                    arrived += 1
                    arrived_travel_time_s.append(float(trip["duration"]))
                stops += int(trip["waitingCount"])
                time_loss_s.append(float(trip["timeLoss"]))
                travel_time_s.append(float(trip["duration"]))
                waiting_s.append(float(trip["waitingTime"]))
            element.clear()
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        raise TwinError(
            f"SUMO's record of the trips is broken ({error})",
            place=str(file),
            remedy="see whether the disk is full, then run again",
        ) from error
    return Trips(
        departed=departed,
        arrived=arrived,
        undeparted=undeparted,
        time_loss_s=_total(time_loss_s),
        depart_delay_s=_total(depart_delay_s),
        travel_time_s=_total(travel_time_s),
        waiting_s=_total(waiting_s),
        max_waiting_s=max(waiting_s, default=0.0),
        stops=stops,
        travel_time_quantiles_s=_quantiles(arrived_travel_time_s),
    )


def read_safety(file: Path) -> tuple[int, int, int]:
    """(teleports, collisions, emergency stops) from SUMO's statistic output; raises TwinError."""
    try:
        root = ElementTree.parse(file).getroot()  # noqa: S314
        teleports, safety = root.find("teleports"), root.find("safety")
        assert teleports is not None
        assert safety is not None
        counts = (teleports.attrib["total"], safety.attrib["collisions"], safety.attrib["emergencyStops"])
        return int(counts[0]), int(counts[1]), int(counts[2])
    except (OSError, ElementTree.ParseError, AssertionError, KeyError, ValueError) as error:
        raise TwinError(
            f"SUMO's statistics are broken ({error})",
            place=str(file),
            remedy="see whether the disk is full, then run again",
        ) from error


def make_metrics(
    trips: Trips, safety: tuple[int, int, int], probe: Probe, refused_requests: int, unsafe_states: int
) -> RunMetrics:
    """Put a run's figures together."""
    due = trips.departed + trips.undeparted
    by_due, by_departed = 1.0 / max(due, 1), 1.0 / max(trips.departed, 1)
    return RunMetrics(
        vehicles_due=due,
        departed=trips.departed,
        arrived=trips.arrived,
        undeparted=trips.undeparted,
        mean_delay_s=(trips.time_loss_s + trips.depart_delay_s) * by_due,
        mean_time_loss_s=trips.time_loss_s * by_departed,
        mean_depart_delay_s=trips.depart_delay_s * by_due,
        mean_travel_time_s=trips.travel_time_s * by_departed,
        mean_waiting_s=trips.waiting_s * by_departed,
        max_waiting_s=trips.max_waiting_s,
        stops_per_vehicle=trips.stops * by_departed,
        co2_kg=probe.co2_mg * MG_TO_KG,
        teleports=safety[0],
        collisions=safety[1],
        emergency_stops=safety[2],
        refused_requests=refused_requests,
        unsafe_states=unsafe_states,
        deadlock=probe.deadlock,
        series_time_s=tuple(probe.series_time_s),
        series_queue_veh=tuple(probe.series_queue_veh),
        series_running=tuple(probe.series_running),
        junction_delay_s=probe.junction_delay_s(),
        travel_time_quantiles_s=trips.travel_time_quantiles_s,
    )


def with_delay_index(metrics: RunMetrics, index: DelayIndex) -> RunMetrics:
    """The figures of a run with those of its delay index."""
    return msgspec.structs.replace(
        metrics,
        vehicles_served=index.served,
        delay_index=index.value,
        delay_index_reached_s=index.reached_s,
    )


def without_standing(metrics: RunMetrics) -> RunMetrics:
    """The figures of a mesoscopic run: who stood how often and for how long is known of the heads of queues
    only, and is no figure (NaN)."""
    nan = float("nan")
    return msgspec.structs.replace(metrics, mean_waiting_s=nan, max_waiting_s=nan, stops_per_vehicle=nan)


def _quantiles(values: list[float]) -> tuple[float, ...]:
    return tuple(float(q) for q in np.quantile(values, np.linspace(0.0, 1.0, 101))) if values else ()


def _total(values: list[float]) -> float:
    return float(np.sum(np.array(values))) if values else 0.0
