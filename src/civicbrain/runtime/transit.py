"""The desk for buses in the brain process: lines, buses and requests, as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.transit.timetable import Timetable
from civicbrain.contracts.transit import BusPlan
from civicbrain.contracts.wire import BrainCommand
from civicbrain.core.errors import NotFoundError
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.transit_log import AskRecord

TRANSIT_ACTIONS = ("transit-lines", "transit-buses", "transit-bus", "transit-asks")

T = TypeVar("T")


class TransitDesk:
    """Raises NotFoundError for a trip that is not under way, and where the city has no timetable.

    Reads the timetable when it is made (CityError where it is unfit): that takes seconds in a large city, and
    at the first bus the loop would stand still for them, longer than the controllers' watchdog waits.
    """

    def __init__(self, city: City, loop: Loop) -> None:
        self._known, self._loop = city.timetable, loop

    def obey(self, command: BrainCommand, now_s: float) -> Any:
        """The body of the reply to one of TRANSIT_ACTIONS."""
        timetable = self._timetable()
        offset, limit = command.offset, command.limit
        match command.action:
            case "transit-lines":
                return self._lines(timetable, now_s)
            case "transit-bus":
                bus = self._loop.transit.buses.get(command.text)
                if bus is None:
                    raise NotFoundError(
                        f"no bus of trip {command.text[:80]!r} is under way",
                        remedy="list them with GET /v1/transit/buses",
                    )
                return self._bus(bus)
            case "transit-buses":
                buses = [b for b in self._loop.transit.buses.values() if command.text in ("", b.line)]
                buses.sort(key=lambda bus: (-bus.behind_s, bus.trip))
                body = _page([self._bus(bus) for bus in _part(buses, offset, limit)], buses, command)
                return {**body, "time_s": now_s, "refused": self._refused()}
        asks = [ask for ask in reversed(self._loop.transit.asks) if command.text in ("", ask.line)]
        return {**_page([_ask(a) for a in _part(asks, offset, limit)], asks, command), "time_s": now_s}

    def _lines(self, timetable: Timetable, now_s: float) -> dict[str, object]:
        buses = list(self._loop.transit.buses.values())
        lines = []
        for line, name in timetable.lines.items():
            patterns = [p.id for p in timetable.patterns.values() if p.line == line]
            own = [bus for bus in buses if bus.line == line]
            gaps = [
                timetable.headway_s[trip.id]
                for pattern in patterns
                for trip in timetable.trips_of[pattern][1:]
            ]
            asked = [ask for ask in self._loop.transit.asks if ask.line == line]
            lines.append({
                "id": line, "name": name, "patterns": len(patterns),
                "trips": sum(len(timetable.trips_of[pattern]) for pattern in patterns),
                "frequent": any(timetable.frequent[pattern] for pattern in patterns),
                "headway_s": float(np.median(gaps)) if gaps else None, "buses": len(own),
                "mean_late_s": round(float(np.mean([bus.late_s for bus in own])), 1) if own else None,
                "most_behind_s": max((bus.behind_s for bus in own), default=None),
                "asks": len(asked), "asks_open": sum(ask.ended_s is None for ask in asked),
            })  # fmt: skip
        return {"time_s": now_s, "lines": lines, "notes": list(timetable.notes)}

    def _bus(self, bus: BusPlan) -> dict[str, object]:
        timetable = self._timetable()
        trip = timetable.trips[bus.trip]
        tracks = self._loop.last_snapshot.buses if self._loop.last_snapshot is not None else ()
        track = next((track for track in tracks if track.trip == bus.trip), None)
        refused = self._loop.store.buses.refused
        view: dict[str, object] = msgspec.to_builtins(bus)
        return {
            **view,
            "speed_mps": track.speed_mps if track else None,
            "heading_deg": track.heading_deg if track and track.heading_deg >= 0.0 else None,
            "fix_s": track.fix_s if track else None,
            "reported_delay_s": track.reported_delay_s if track else None,
            "start_s": trip.start_s,
            "refused": {rule: count for (name, rule), count in refused.items() if name == bus.trip},
        }

    def _refused(self) -> dict[str, int]:
        result: dict[str, int] = {}
        for (_, rule), count in self._loop.store.buses.refused.items():
            result[rule] = result.get(rule, 0) + count
        return result

    def _timetable(self) -> Timetable:
        if self._known is None:
            raise NotFoundError(
                "the city has no timetable",
                remedy="import one: civicbrain import SOURCE --timetable GTFS.zip",
            )
        return self._known


def _ask(record: AskRecord) -> dict[str, object]:
    return {
        "trip": record.trip, "line": record.line, "brain": record.brain,
        "junction": record.ask.junction, "kind": str(record.ask.kind), "stage": record.ask.stage,
        "since_s": record.ask.since_s, "until_s": record.ask.until_s, "eta_s": record.ask.eta_s,
        "behind_s": record.behind_s, "reason": record.ask.reason, "outcome": record.outcome,
        "by": record.by, "rule": record.rule, "why": record.why, "refusals": record.refusals,
        "ended_s": record.ended_s, "end": record.end,
    }  # fmt: skip


def _part(items: Sequence[T], offset: int, limit: int) -> Sequence[T]:
    return items[max(0, offset) : max(0, offset) + max(0, limit)]


def _page(shown: list[dict[str, object]], of: Sequence[object], command: BrainCommand) -> dict[str, object]:
    return {"items": shown, "count": len(of), "offset": command.offset, "limit": command.limit}
