"""The traffic of a branch as a state file of SUMO's mesoscopic model.

Loaded, not inserted: SUMO lets vehicles depart into a queue only up to its jam threshold, and would keep half
of a full street waiting outside. The file has what SUMO 1.28 writes itself (`MSStateHandler`,
`MEVehicle::saveState`, `MESegment::saveState`): vehicles with their queue and the time when they can leave
it, and each queue's vehicles from its tail to its head. A test loads one and looks at where everybody stands.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import RoadUse
from civicbrain.twin.mesoscopic import count_queues
from civicbrain.twin.whatif.branch import Stop, Traffic, VehicleNow

_NEVER_MS = 2**63 - 1 - 1000  # SUMOTime_MAX
_SINCE_EVER_MS = -(2**63)
_TYPE = re.compile(r"<(vType(?:Distribution)?)\s[^>]*?(?:/>|(?<!/)>.*?</\1>)", re.DOTALL)
_SHORT_STOP_S = 60.0
"""Who stands on a lane for longer than this, at no bus stop, blocks it."""


def write_meso_state(
    city: City, traffic: Traffic, file: Path, types: Sequence[str] = ()
) -> dict[str, set[int]]:
    """Write the state, with these vehicle types (`read_types`).

    Returns edge -> lanes that somebody blocks (an incident that is there already): the blockers are left out,
    for the model holds everybody behind them, and the caller narrows the road."""
    places = _Places(city)
    queues: dict[tuple[str, int], dict[int, list[tuple[float, str]]]] = {}
    blocked: dict[str, set[int]] = {}
    now_ms = round(traffic.time_s * 1000)
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=1) as sink:
        sink.write(f'<snapshot type="meso" version="1.28.0" time="{traffic.time_s:.2f}">\n')
        kept = []
        for one in traffic.vehicles:
            block = find_block(one, traffic.time_s)
            if block is not None:
                edge, _, lane = block.lane.rpartition("_")
                blocked.setdefault(edge, set()).add(int(lane))
            elif one.edges and one.edges[0] in city.network.edges.row:
                kept.append(one)
        for row, one in enumerate(kept):
            sink.write(f'<route id="!w{row}" state="1" edges={quoteattr(" ".join(one.edges))}/>\n')
        sink.write(_header(now_ms))
        sink.writelines(types)
        for row, one in enumerate(kept):
            place = places.of(one)
            segment, queue, leave_s = place
            state = (
                f"0 {now_ms} 0 0 {segment} {queue} {now_ms + round(leave_s * 1000)} {now_ms} {_NEVER_MS} 0 0"
            )
            if one.waiting:
                state = f"0 {_NEVER_MS} 0 -1000 -1 0 {_SINCE_EVER_MS} {_SINCE_EVER_MS} {_NEVER_MS} 0 0"
            else:
                lanes = queues.setdefault((one.edges[0], segment), {})
                lanes.setdefault(queue, []).append((one.position_m, one.id))
            sink.write(
                f'<vehicle id={quoteattr(one.id)} type={quoteattr(one.kind)} depart="{traffic.time_s:.2f}" '
                f'route="!w{row}" distance="0 0" speedFactor="{one.speed_factor:.4f}" state="{state}">'
            )
            sink.writelines(_stops(one))
            sink.write("</vehicle>\n")
        for edge, segment in sorted(queues):
            sink.write(f"<segment id={quoteattr(f'{edge}:{segment}')}>")
            for queue in range(places.lanes(edge)):
                inside = sorted(queues[edge, segment].get(queue, []))
                names = quoteattr(" ".join(name for _, name in inside))
                sink.write(f'<vehicles time="-1" blockTime="{_SINCE_EVER_MS}" value={names}/>')
            sink.write("</segment>\n")
        sink.write("</snapshot>\n")
    return blocked


def _header(now_ms: int) -> str:
    """Counters from 0; route files are read on from now. SUMO 1.28 dies without one of these attributes."""
    return (
        '<delay number="0" begin="0" end="0" depart="0.00" time="0.00" speedFactor="2.00" decel="4.00" '
        f'loaderTime="{now_ms}"/>\n'
    )


def read_types(state: Path) -> list[str]:
    """The vehicle types of a state that SUMO has written, as they stand there: those of route files are not
    known yet when the state is loaded."""
    text = gzip.decompress(state.read_bytes()).decode()
    return [found.group(0) for found in _TYPE.finditer(text)]


def find_block(one: VehicleNow, now_s: float) -> Stop | None:
    """The stop that makes a vehicle block its lane, None where it does not."""
    for stop in one.stops[:1]:
        if not stop.bus_stop and stop.lane.rpartition("_")[0] == one.edges[0]:
            ends_s = max(stop.until_s, now_s + max(stop.duration_s, 0.0))
            if ends_s > now_s + _SHORT_STOP_S:
                return stop
    return None


def _stops(one: VehicleNow) -> Iterator[str]:
    for stop in one.stops:
        if stop.bus_stop:
            until = f' until="{stop.until_s:.2f}"' if stop.until_s > 0.0 else ""
            duration_s = max(stop.duration_s, 0.0)
            yield f'<stop busStop={quoteattr(stop.bus_stop)} duration="{duration_s:.2f}"{until}/>'


class _Places:
    """Queue and time to leave it of vehicles."""

    def __init__(self, city: City) -> None:
        network = city.network
        self._edges = network.edges
        self._length_m = network.lanes.length_m
        self._speed_mps = network.lanes.speed_mps
        self._motor = (network.lanes.use & int(RoadUse.MOTOR)) != 0
        moves = network.movements
        self._into: dict[tuple[int, int], set[int]] = {}
        for lane, to_lane in zip(moves.from_lane.tolist(), moves.to_lane.tolist(), strict=True):
            key = (int(network.lanes.edge[lane]), int(network.lanes.edge[to_lane]))
            self._into.setdefault(key, set()).add(int(network.lanes.index[lane]))

    def lanes(self, edge: str) -> int:
        row = self._edges.row[edge]
        return int(self._edges.lane_start[row + 1] - self._edges.lane_start[row])

    def of(self, one: VehicleNow) -> tuple[int, int, float]:
        """(segment, queue, seconds until it can leave it)."""
        row = self._edges.row[one.edges[0]]
        first = int(self._edges.lane_start[row])
        length_m = float(self._length_m[first])
        count = count_queues(length_m)
        segment = min(int(one.position_m / length_m * count), count - 1)
        choice = self._allowed(row, one, last=segment == count - 1)
        queue = min(choice, key=lambda lane: (abs(lane - one.lane), lane))
        end_m = length_m * (segment + 1) / count
        speed_mps = max(float(self._speed_mps[first]) * one.speed_factor, 1.0)
        return segment, queue, max(0.0, end_m - one.position_m) / speed_mps

    def _allowed(self, row: int, one: VehicleNow, *, last: bool) -> list[int]:
        count = self.lanes(one.edges[0])
        first = int(self._edges.lane_start[row])
        if last and len(one.edges) > 1 and one.edges[1] in self._edges.row:
            into = self._into.get((row, self._edges.row[one.edges[1]]))
            if into:
                return sorted(into)
        motor = np.flatnonzero(self._motor[first : first + count]).tolist()
        return motor or list(range(count))
