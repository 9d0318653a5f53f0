"""The time-space diagram of a corridor, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from civicbrain.api.corridors.bands import bands_of, cycle_of, greens_of, known_of
from civicbrain.api.corridors.tracks import Seen
from civicbrain.api.corridors.ways import Way
from civicbrain.api.models.corridors import (
    CorridorStop,
    CorridorTrack,
    CorridorWay,
    GreenBand,
    SignalState,
    SignalStretch,
)
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.signals import SignalJunction
from civicbrain.contracts.junction_recent import Planned

HORIZON_S = 120.0
"""So far ahead of the end is shown what is planned."""

MOST_TRACKS = 3000

Plans = Mapping[str, Sequence[Planned]]


def way_view(
    city: City, way: Way, seen: Seen, axis_m: Sequence[float], speed_mps: float | None, planned: Plans,
    end_s: float,
) -> CorridorWay:  # fmt: skip
    """axis_m: where each stop line lies on the common axis. speed_mps: of the progression, None: the limits.
    planned: what is meant to come, by junction, where the diagram ends (end_s) now."""
    stops = way.stop_lines
    apart_m = stops[-1].distance_m - stops[0].distance_m if stops else 0.0
    if speed_mps is None:
        travel_s = [stop.travel_s for stop in stops]
        speed_mps = apart_m / travel_s[-1] if stops and travel_s[-1] > 0 else 13.9
    else:
        travel_s = [(stop.distance_m - stops[0].distance_m) / speed_mps for stop in stops]
    found = bands_of(seen.timelines, travel_s)
    to_axis = _Axis([stop.distance_m for stop in stops], axis_m)
    return CorridorWay(
        length_m=round(way.length_m, 1),
        progression_mps=round(speed_mps, 2),
        stops=[
            CorridorStop(
                junction=city.junctions[stop.junction].id,
                name=city.junctions[stop.junction].name,
                distance_m=round(stop.distance_m, 1),
                axis_m=round(axis_m[k], 1),
                travel_s=round(travel_s[k], 1),
                green_share=_share(seen.timelines[k]),
                cycle_s=_rounded(cycle_of(seen.timelines[k])),
                signals=[SignalStretch(a, b, s) for a, b, s in seen.timelines[k]],  # type: ignore[arg-type]
                planned=_planned(city, way, k, planned, end_s),
            )
            for k, stop in enumerate(stops)
        ],
        bands=[GreenBand(round(start, 1), round(end, 1)) for start, end in found.bands],
        bandwidth_s=_rounded(found.bandwidth_s),
        cycle_s=_rounded(found.cycle_s),
        efficiency=_rounded(found.efficiency, 3),
        attainability=_rounded(found.attainability, 3),
        tracks=[
            CorridorTrack(
                one.kind, [round(t, 1) for t in one.time_s],
                np.round(to_axis(np.array(one.distance_m)), 1).tolist(),
            )
            for one in seen.tracks[:MOST_TRACKS]
        ],
    )  # fmt: skip


def axis_of(forward: Way, back: Way | None) -> tuple[list[float], list[float]]:
    """Where the stop lines of both ways lie on the forward way's axis: the same junctions at the same
    place, the others between them."""
    own = [stop.distance_m for stop in forward.stop_lines]
    if back is None:
        return own, []
    place = {stop.junction: stop.distance_m for stop in forward.stop_lines}
    known = [(stop.distance_m, place[stop.junction]) for stop in back.stop_lines if stop.junction in place]
    to_axis = _Axis([one[0] for one in known], [one[1] for one in known], towards=-1.0)
    return own, to_axis(np.array([stop.distance_m for stop in back.stop_lines])).tolist()


class _Axis:
    """Distances of a way as places on the axis, in straight lines between stop lines and with slope ±1
    beyond."""

    def __init__(self, distance_m: Sequence[float], axis_m: Sequence[float], towards: float = 1.0) -> None:
        self._distance, self._axis = np.array(distance_m), np.array(axis_m)
        if len(self._axis) > 1:
            towards = 1.0 if self._axis[-1] >= self._axis[0] else -1.0
        self._towards = towards

    def __call__(self, distance_m: F64) -> F64:
        if not len(self._distance):
            return self._towards * distance_m
        result: F64 = np.interp(distance_m, self._distance, self._axis)
        before, after = distance_m < self._distance[0], distance_m > self._distance[-1]
        result[before] = self._axis[0] + self._towards * (distance_m[before] - self._distance[0])
        result[after] = self._axis[-1] + self._towards * (distance_m[after] - self._distance[-1])
        return result


def _share(timeline: Sequence[tuple[float, float, str]]) -> float | None:
    known_s = sum(end - start for start, end in known_of(timeline))
    return round(sum(end - start for start, end in greens_of(timeline)) / known_s, 3) if known_s > 0 else None


def stretches_of(
    junction: SignalJunction, groups: Sequence[int], planned: Sequence[Planned], until_s: float
) -> list[SignalStretch]:
    """What these groups (rows within the junction) are meant to be shown, until until_s. A stage counts with
    the transition to it; yellow is not told apart from red."""
    lamps = {stage.id: stage.lamps for stage in junction.stages}
    found: list[SignalStretch] = []
    for part in planned:
        start_s, end_s = part.from_s, min(part.until_s, until_s)
        if part.stage not in lamps or end_s <= start_s:
            continue
        state: SignalState = "green" if any(lamps[part.stage][group] in "Gg" for group in groups) else "red"
        if found and (found[-1].state, found[-1].end_s) == (state, start_s):
            found[-1] = SignalStretch(found[-1].start_s, end_s, state)
        else:
            found.append(SignalStretch(start_s, end_s, state))
    return found


def _planned(city: City, way: Way, k: int, planned: Plans, end_s: float) -> list[SignalStretch]:
    stop = way.stop_lines[k]
    junction, first = city.junctions[stop.junction], int(city.signals.group_start[stop.junction])
    groups = [group - first for group in stop.groups]
    return stretches_of(junction, groups, planned.get(junction.id, ()), end_s + HORIZON_S)


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
