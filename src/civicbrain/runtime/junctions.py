"""The desk for single junctions in the brain process: their last minutes, overrides, the worst of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from civicbrain.city.signals import SignalJunction, mode_name
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.junction_recent import JunctionRecent, Planned
from civicbrain.contracts.wire import BrainCommand, pack_array
from civicbrain.contracts.worst import WorstPlace
from civicbrain.guard.rules import OPERATOR
from civicbrain.runtime.held_for import held_for
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.overrides import OVERRIDE_ACTIONS
from civicbrain.runtime.planned import Claims, planned_at
from civicbrain.runtime.recent import Recent
from civicbrain.runtime.worst import Known, WorstPlaces

if TYPE_CHECKING:
    from civicbrain.runtime.server import BrainServer

JUNCTION_ACTIONS = ("recent", "planned", "worst", "full-roads", "queues", *OVERRIDE_ACTIONS)
FRESH_S = 5.0
"""What a brain said longer ago is not what it thinks now: it speaks each second where it may decide."""

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
        self._listed: tuple[Any, list[WorstPlace]] | None = None  # what of, and the list

    def take(self, snapshot: Snapshot) -> None:
        """What is known after a tick."""
        self.recent.take(snapshot)
        self.worst.take(snapshot, self._words())

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
            "spill_backs": self.worst.count_spill_backs(),
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
        if command.action == "full-roads":
            return self.worst.list_full(self._server.snapshot(), self._known(), command.limit)
        server, control = self._server, self._server.control
        before = control.twin_program
        body = server.loop.overrides.obey(command, server.snapshot(), server.time_s)
        if control.twin_program != before:  # the controllers listen as long as somebody overrides one
            server.tell_program()
        server.publish_soon()
        return body

    def detail(self, junction: str) -> dict[str, object]:
        """The body of the reply to "junction": what is shown now, and why, as who holds it says; under an
        override what the control's brain would do. Raises NotFoundError."""
        server, loop = self._server, self._server.loop
        server.city.signals.get_junction(junction)
        row, signals = server.city.signals.row[junction], server.snapshot().signals
        holder = loop.guard.find_holder(junction, server.time_s)
        by = holder.brain if holder is not None and holder.brain != OPERATOR else server.control.brain
        said, first = loop.explanations.find(junction, by), server.city.signals.group_start
        return {
            "explanation": dict(said.words) if said is not None else {},
            "explained_s": said.time_s if said is not None else None,
            "mode": int(signals.mode[row]),
            "stage": int(signals.steady_stage[row]),
            "lamps": bytes(signals.lamps[first[row] : first[row + 1]]).decode(),
        }

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
        """Of one tick worked out once, however many look."""
        server = self._server
        key = (server.time_s, limit, server.loop.overrides.list_now())
        if self._listed is None or self._listed[0] != key:
            self._listed = key, self.worst.list_now(server.snapshot(), self._known(), limit)
        return self._listed[1]

    def _words(self) -> dict[str, Mapping[str, object]]:
        """What the control's brain says now, by junction."""
        server = self._server
        return server.loop.explanations.words_of(server.control.brain, server.time_s - FRESH_S)

    def _known(self) -> Known:
        server, loop, now_s = self._server, self._server.loop, self._server.time_s
        names = [junction.id for junction in server.city.junctions]
        holders = {
            name: holder for name in names if (holder := loop.guard.find_holder(name, now_s)) is not None
        }
        vehicles = {name: held_for(holder, name, loop) for name, holder in holders.items()}
        figures = server.delay.figures()
        return Known(
            figures.delay_s.astype(np.float64), figures.queue_veh.astype(np.float64),
            server.control.brain_state, {one.junction: one for one in loop.overrides.list_now()}, holders,
            {name: vehicle for name, vehicle in vehicles.items() if vehicle is not None},
            self._words(),
        )  # fmt: skip


def with_plans(recent: JunctionRecent, place: SignalJunction, loop: Loop, now_s: float) -> JunctionRecent:
    """The last minutes with who holds the junction, and what is meant to be shown next."""
    claims = claims_on(place, recent.modes[-1].value if recent.modes else "", loop, now_s)
    planned, vehicle = planned_at(place, claims, now_s), held_for(claims.holder, place.id, loop)
    return msgspec.structs.replace(
        recent, holder=claims.holder, override=claims.override, planned=planned, held_for=vehicle
    )


def claims_on(place: SignalJunction, mode: str, loop: Loop, now_s: float) -> Claims:
    """Who wants what of a junction now. mode: its controller's."""
    holder, override = loop.guard.find_holder(place.id, now_s), loop.overrides.find(place.id)
    said = loop.explanations.find(place.id, holder.brain if holder is not None else "")
    words = said.words if said is not None else {}
    return Claims(mode, holder, override, words, loop.missions.plans.values())
