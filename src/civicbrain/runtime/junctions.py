"""The desk for single junctions in the brain process: their last minutes, overrides, the worst of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from civicbrain.city.signals import SignalJunction, mode_name
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.junction_recent import JunctionRecent, Planned
from civicbrain.contracts.wire import BrainCommand, pack_array
from civicbrain.contracts.worst import WorstPlace
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.overrides import OVERRIDE_ACTIONS
from civicbrain.runtime.planned import Claims, planned_at
from civicbrain.runtime.recent import Recent
from civicbrain.runtime.worst import Known, WorstPlaces

if TYPE_CHECKING:
    from civicbrain.runtime.server import BrainServer

JUNCTION_ACTIONS = ("recent", "planned", "worst", "queues", *OVERRIDE_ACTIONS)
MOST_PLANNED = 200
"""Junctions whose plans are told at once."""


class Asked(msgspec.Struct, frozen=True):
    """Body of "planned"."""

    junctions: Annotated[list[str], msgspec.Meta(max_length=MOST_PLANNED)]


class JunctionDesk:
    """`take` once a tick; `obey` raises what the parts raise."""

    def __init__(self, server: BrainServer) -> None:
        self._server = server
        self.recent = Recent(server.city)
        self.worst = WorstPlaces(server.city, self.recent)

    def take(self, snapshot: Snapshot) -> None:
        """What is known after a tick."""
        self.recent.take(snapshot)

    def vitals(self, snapshot: Snapshot) -> dict[str, Any]:
        """Fields of `CityState`: what the strip shows of queues, cameras and incidents."""
        standing = self.recent.standing_at_junctions().astype(np.float32)
        return {
            "overrides": self._server.loop.overrides.list_now(),
            "junction_standing_veh": pack_array(standing),
            **self.counts(snapshot),
        }

    def counts(self, snapshot: Snapshot) -> dict[str, int | None]:
        """Of the strip, for the history, too; None: not known."""
        return {
            "spill_backs": self.worst.count_spill_backs(snapshot),
            "cameras_silent": self.worst.count_silent(snapshot),
            "incidents_open": len(snapshot.incidents),
        }

    def brains_running(self) -> int:
        """Of the strip, for the history."""
        health = self._server.loop.health(self._server.time_s)
        return sum(brain.state == "running" for brain in health)

    def obey(self, command: BrainCommand) -> Any:
        """The body of the reply to one of JUNCTION_ACTIONS."""
        if command.action == "recent":
            return self._recent_of(command.text)
        if command.action == "planned":
            return self._list_planned(msgspec.convert(command.body, Asked).junctions)
        if command.action == "queues":
            return self.worst.list_queues(self._server.snapshot())
        if command.action == "worst":
            return self._list_worst(command.limit)
        server, control = self._server, self._server.control
        before = control.twin_program
        body = server.loop.overrides.obey(command, server.snapshot(), server.time_s)
        if control.twin_program != before:  # the controllers listen as long as somebody overrides one
            server.tell_program()
        server.publish_soon()
        return body

    def _recent_of(self, junction: str) -> JunctionRecent:
        loop = self._server.loop
        return with_plans(
            self.recent.of(junction), self._server.city.signals.get_junction(junction), loop,
            self._server.time_s,
        )  # fmt: skip

    def _list_planned(self, junctions: list[str]) -> dict[str, list[Planned]]:
        server, told = self._server, {}
        signals, modes = server.city.signals, server.snapshot().signals.mode
        for name in junctions:
            place, mode = signals.get_junction(name), mode_name(int(modes[signals.row[name]]))
            told[name] = planned_at(place, claims_on(place, mode, server.loop, server.time_s), server.time_s)
        return told

    def _list_worst(self, limit: int) -> list[WorstPlace]:
        server = self._server
        loop, guard = server.loop, server.loop.guard
        overrides = {override.junction: override for override in loop.overrides.list_now()}
        holders = {
            junction.id: holder
            for junction in server.city.junctions
            if (holder := guard.find_holder(junction.id, server.time_s)) is not None
        }
        figures = server.delay.figures()
        known = Known(
            figures.delay_s.astype(np.float64), figures.queue_veh.astype(np.float64),
            server.control.brain_state, overrides, holders,
        )  # fmt: skip
        return self.worst.list_now(server.snapshot(), known, limit)


def with_plans(recent: JunctionRecent, place: SignalJunction, loop: Loop, now_s: float) -> JunctionRecent:
    """The last minutes with who holds the junction, and what is meant to be shown next."""
    claims = claims_on(place, recent.modes[-1].value if recent.modes else "", loop, now_s)
    planned = planned_at(place, claims, now_s)
    return msgspec.structs.replace(recent, holder=claims.holder, override=claims.override, planned=planned)


def claims_on(place: SignalJunction, mode: str, loop: Loop, now_s: float) -> Claims:
    """Who wants what of a junction now. mode: its controller's."""
    holder, override = loop.guard.find_holder(place.id, now_s), loop.overrides.find(place.id)
    return Claims(mode, holder, override, loop.explanations.get(place.id, {}), loop.missions.plans.values())
