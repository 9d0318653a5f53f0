"""Makes a change happen in the simulation that runs in this process."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import libsumo

from civicbrain.city.model import City
from civicbrain.city.network import RoadUse
from civicbrain.city.whatif import Change, EventDemand, closed_whole
from civicbrain.core.errors import TwinError
from civicbrain.twin.mesoscopic import HEADWAY_S, JAM_HEADWAY_S, count_queues
from civicbrain.twin.whatif.branch import Traffic
from civicbrain.twin.whatif.detours import Detours

AT_THE_LINE_M = 25.0
"""So near to the end of its edge a driver goes on to the next one whatever has changed behind it."""

MOST_TRIES = 60
"""Seconds for which a route that SUMO does not take (the vehicle is inside a junction) is offered again."""

LENGTH_HEADWAY_S = 0.55
"""What a vehicle's length adds to the headway of a queue that leaves at 50 km/h: 7.5 m in 0.54 s."""


def narrowed(city: City, change: Change, blocked: Mapping[str, set[int]]) -> dict[str, float]:
    """Edge -> share of its car lanes that is left, for edges with some lanes closed or blocked."""
    whole = closed_whole(change, city)
    shut: dict[str, set[int]] = {edge: set(lanes) for edge, lanes in blocked.items()}
    for closure in change.closures:
        if closure.edge not in whole:
            shut.setdefault(closure.edge, set()).update(closure.lanes)
    left: dict[str, float] = {}
    for edge, lanes in shut.items():
        row = city.network.edges.row.get(edge)
        if row is None:
            continue
        first, last = int(city.network.edges.lane_start[row]), int(city.network.edges.lane_start[row + 1])
        motor = [i for i in range(last - first) if city.network.lanes.use[first + i] & int(RoadUse.MOTOR)]
        open_ = [i for i in motor if i not in lanes]
        left[edge] = max(len(open_) / max(len(motor), 1), 0.05)
    return left


def write_narrowed(city: City, left: Mapping[str, float], scratch: Path) -> tuple[Path, Path]:
    """(network, additional file) in which these edges let only that share of their flow through, for the
    mesoscopic model: longer headways on all their queues (`<meso>` of an edge type). Raises TwinError."""
    source = city.folder / city.demand.net_file
    try:
        packed = source.read_bytes()
        text = (gzip.decompress(packed) if source.suffix == ".gz" else packed).decode()
    except (OSError, ValueError, EOFError) as error:
        raise TwinError("the network cannot be read", place=str(source), remedy=str(error)) from error
    types = []
    for number, (edge, share) in enumerate(sorted(left.items())):
        name = f"civicbrain-narrowed-{number}"
        pattern = re.compile(rf'<edge id="{re.escape(edge)}"([^>]*)>')
        found = pattern.search(text)
        if found is not None:
            text = text[: found.start()] + _typed(found, name) + text[found.end() :]
        slow_s = HEADWAY_S / share + LENGTH_HEADWAY_S * (1.0 / share - 1.0)
        types.append(
            f'<type id="{name}"><meso tauff="{slow_s:.3f}" taufj="{slow_s:.3f}" taujf="{slow_s:.3f}" '
            f'taujj="{JAM_HEADWAY_S:.3f}" junctionControl="true"/></type>'
        )
    network, more = scratch / "narrowed.net.xml", scratch / "narrowed.add.xml"
    network.write_text(text)
    more.write_text("<additional>" + "".join(types) + "</additional>")
    return network, more


def _typed(found: re.Match[str], name: str) -> str:
    rest = re.sub(r' type="[^"]*"', "", found.group(1))
    closed = rest.endswith("/")
    return (
        f'{found.group(0).split(found.group(1))[0]} type="{name}"{rest.rstrip("/")}{"/" if closed else ""}>'
    )


class Changes:
    """Call `begin` once and `act` before each step. In the mesoscopic model those on the street have been
    sent round before SUMO starts (`Detours.divert`)."""

    def __init__(
        self, city: City, change: Change, traffic: Traffic, detours: Detours, *, mesoscopic: bool
    ) -> None:
        self._city, self._change, self._mesoscopic = city, change, mesoscopic
        self._detours = detours
        self._events = [_Event(i, event, traffic.time_s) for i, event in enumerate(change.events)]
        self._kind = _usual_kind(traffic)
        self._waiting: dict[str, int] = {}  # vehicle -> tries left
        self.diverted = 0

    def begin(self) -> None:
        """Close lanes, and send those round who are on the street."""
        if self._mesoscopic:
            return
        whole = closed_whole(self._change, self._city)
        for closure in self._change.closures:
            if closure.edge not in whole:
                for lane in closure.lanes:
                    libsumo.lane.setDisallowed(f"{closure.edge}_{lane}", ["all"])
        self._take(libsumo.vehicle.getIDList())
        self._take(libsumo.simulation.getPendingVehicles())

    def act(self, now_s: float) -> None:
        """Who has just set out, who could not be sent round before, and the visitors of events."""
        if self._detours.concerns_anybody:
            self._take(libsumo.simulation.getDepartedIDList())
            if self._waiting:
                running = set(libsumo.vehicle.getIDList())
                self._take([name for name in self._waiting if name in running])
        for event in self._events:
            event.act(now_s, self._detours, self._kind)

    def _take(self, names: Sequence[str]) -> None:
        if not self._detours.concerns_anybody:
            return
        vehicle = libsumo.vehicle
        for name in names:
            place = max(0, vehicle.getRouteIndex(name))
            edges = vehicle.getRoute(name)[place:]
            if self._detours.find_route(name, edges) is None:
                self._waiting.pop(name, None)
                continue
            route = self._new_route(name, edges)
            if route is None or self._set(name, route):
                self._waiting.pop(name, None)
            else:
                left = self._waiting.get(name, MOST_TRIES) - 1
                self._waiting[name] = left
                if left <= 0:
                    del self._waiting[name]

    def _new_route(self, name: str, edges: Sequence[str]) -> tuple[str, ...] | None:
        """From the edge on which it still can choose. None: it drives on as it is."""
        on_line = bool(libsumo.vehicle.getStops(name, 1))
        return self._detours.choose(name, edges, lane=self._lane_at_line(name, edges[0]), on_line=on_line)

    def _lane_at_line(self, name: str, edge: str) -> int | None:
        """The lane by which it leaves when it can no longer choose: near the line, inside the junction (-1),
        or (queues, one a lane) in the last queue of the edge."""
        vehicle = libsumo.vehicle
        road = vehicle.getRoadID(name)
        row = self._city.network.edges.row.get(edge)
        if road == "" or row is None:
            return None
        if road.startswith(":"):
            return -1
        length_m = float(self._city.network.lanes.length_m[self._city.network.edges.lane_start[row]])
        if self._mesoscopic:
            near = vehicle.getSegmentIndex(name) >= count_queues(length_m) - 1
        else:
            near = vehicle.getLanePosition(name) > length_m - AT_THE_LINE_M
        return int(vehicle.getLaneIndex(name)) if near else None

    def _set(self, name: str, route: Sequence[str]) -> bool:
        vehicle = libsumo.vehicle
        try:
            if not self._mesoscopic:  # there replaceStop ends SUMO 1.28; a bus that sets out keeps its way
                for row, stop in reversed(list(enumerate(vehicle.getStops(name)))):
                    if stop.lane.rpartition("_")[0] not in route:
                        vehicle.replaceStop(name, row, "")  # a stop that the detour leaves out
            vehicle.setRoute(name, list(route))
        except (libsumo.TraCIException, libsumo.FatalTraCIError):
            return False
        self.diverted += name not in self._waiting
        return True


class _Event:
    """Visitors of an event set out, evenly spread."""

    def __init__(self, number: int, event: EventDemand, begin_s: float) -> None:
        self._number, self._event, self._begin_s = number, event, begin_s
        self._sent = 0
        self._route: tuple[str, ...] | None = None

    def act(self, now_s: float, detours: Detours, kind: str) -> None:
        event = self._event
        if self._route is None:
            self._route = detours.find_way(event.from_edge, event.to_edge, detours.closed)
            if self._route is None:
                raise TwinError(
                    f"there is no way from {event.from_edge!r} to {event.to_edge!r}", place="what-if",
                    remedy="give the event other edges",
                )  # fmt: skip
            libsumo.route.add(f"event:{self._number}", list(self._route))
        due = int((now_s - self._begin_s) * event.veh_per_h / 3600.0)
        while self._sent < due:
            name = f"event:{self._number}:{self._sent}"
            libsumo.vehicle.add(name, f"event:{self._number}", typeID=kind, departLane="best")
            self._sent += 1


def _usual_kind(traffic: Traffic) -> str:
    """The vehicle type of most."""
    count: dict[str, int] = {}
    for one in traffic.vehicles:
        count[one.kind] = count.get(one.kind, 0) + 1
    return max(sorted(count), key=lambda kind: count[kind], default="DEFAULT_VEHTYPE")
