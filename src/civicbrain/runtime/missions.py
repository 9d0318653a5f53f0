"""The desk for missions in the brain process: orders, positions, cancellations of the API, and the answers.

Every order and cancellation stands in the ledger, with who asked and why, before it is carried out. A
position must carry the key that the order's answer gave; whether it is then believed is for
`city/tracking.py` to say.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from civicbrain.city.missions import (
    Mission,
    MissionDatum,
    MissionEnd,
    MissionKind,
    MissionTrack,
    TrackState,
    Urgency,
    VehiclePosition,
)
from civicbrain.city.model import City
from civicbrain.city.tracking import MAX_MISSIONS
from civicbrain.contracts.missions import (
    DispatchAnswer,
    MissionBrief,
    MissionClosed,
    MissionMade,
    MissionPlan,
    MissionView,
    Passage,
    PositionTaken,
)
from civicbrain.contracts.transport import Client
from civicbrain.contracts.wire import BrainCommand, TwinCommand
from civicbrain.core.errors import ConfigurationError, NotFoundError, RequestRefusedError
from civicbrain.ledger import Ledger
from civicbrain.runtime.dispatch import Dispatcher
from civicbrain.runtime.loop import Loop

API_SOURCE = "api"
TWIN_SOURCE = "twin"
MISSION_ACTIONS = (
    "missions", "mission", "mission-order", "mission-cancel", "mission-position", "dispatch",
)  # fmt: skip
TWIN_TIMEOUT_S = 1.0
MAX_TEXT = 1000
MAX_KEPT = 500
MAX_WAITING = 1000
"""Positions between two ticks; more are refused, the newest are what counts."""


@dataclass(slots=True)
class _Kept:
    """A mission that was ordered here. ordered, cancelled: who and why."""

    mission: Mission
    key_hash: bytes
    ordered: tuple[str, str]
    cancelled: tuple[str, str] = ("", "")


class MissionDesk:
    """`take_*` raise NotFoundError, ConfigurationError, RequestRefusedError. waiting: for the next tick."""

    def __init__(self, city: City, loop: Loop, ledger: Ledger, twin: Client) -> None:
        self._city, self._loop, self._ledger, self._twin = city, loop, ledger, twin
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.waiting: list[MissionDatum] = []

    def drain(self) -> list[MissionDatum]:
        """What came since the last tick."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def obey(self, command: BrainCommand, now_s: float) -> Any:
        """The body of the reply to one of MISSION_ACTIONS."""
        who, why, name = command.actor[:MAX_TEXT], command.reason[:MAX_TEXT], command.text
        match command.action:
            case "missions":
                return self.list_briefs(command.limit)
            case "mission":
                return self.view(name)
            case "mission-order":
                return self.take_order(command.body, who, why, now_s)
            case "mission-cancel":
                return self.take_cancellation(name, who, why, now_s)
            case "mission-position":
                return self.take_position(name, command.body, now_s)
        return self.answer(command.body, now_s)

    def tick(self, now_s: float) -> None:
        """Have the loop take in what waits; where nothing else ticks it."""
        self._loop.tick(self.drain(), now_s)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """Made when first asked."""
        return Dispatcher(self._city)

    def answer(self, question: Mapping[str, Any], now_s: float) -> DispatchAnswer:
        """The dispatcher's question."""
        towards, address = question.get("first") != "hospital", str(question.get("address"))
        snapshot = self._loop.last_snapshot or self._loop.snapshot(now_s)
        factor = float(question.get("speed_factor", 1.5))
        places = question.get("places") or {}
        return self.dispatcher.who_is_first(snapshot, address, places, factor, towards=towards)

    def take_order(self, body: Mapping[str, Any], actor: str, reason: str, now_s: float) -> MissionMade:
        """A new mission: how it looks, and the key for its positions. One that the twin is to drive sets out
        at once, along the quickest way where none is given."""
        name = str(body.get("id") or f"m-{secrets.token_hex(4)}")
        if name in self._kept:
            raise RequestRefusedError(f"there is a mission {name!r} already", remedy="give it another id")
        if len(self._tracks()) >= MAX_MISSIONS:
            raise RequestRefusedError(f"{MAX_MISSIONS} missions are under way", remedy="end some first")
        edges = self._city.network.edges.row
        route = tuple(str(edge) for edge in body.get("route") or ())
        for edge in (body.get("from_edge"), body.get("to_edge"), *route):
            if edge not in edges:
                raise NotFoundError(
                    f"there is no street section {str(edge)[:80]!r}", remedy="use ids of the city's edges"
                )
        simulate = bool(body.get("simulate"))
        if simulate and not route:
            ends = {"": str(body["from_edge"])}
            found = self.answer({"address": body["to_edge"], "places": ends}, now_s).choices
            if not found:
                raise RequestRefusedError("there is no way from its start to its end", remedy="take others")
            route = found[0].edges
        try:
            mission = Mission(
                name, str(body.get("vehicle", ""))[:80], MissionKind(body.get("kind", "ambulance")),
                Urgency(body.get("urgency", 2)), str(body["from_edge"]), str(body["to_edge"]), now_s,
                route=route, sources=(TWIN_SOURCE if simulate else API_SOURCE,),
            )  # fmt: skip
        except ValueError as error:
            raise ConfigurationError(str(error), remedy="correct the order") from error
        entry: dict[str, object] = {
            "mission": name, "what": "order", "vehicle": mission.vehicle, "kind": str(mission.kind),
            "urgency": int(mission.urgency), "from": mission.from_edge, "to": mission.to_edge,
            "simulated": simulate, "reason": reason,
        }  # fmt: skip
        self._ledger.append("mission", actor, entry, now_s)
        if simulate:
            reply = self._twin.ask(TwinCommand(action="mission-start", mission=mission), TWIN_TIMEOUT_S)
            if not reply.ok:
                raise RequestRefusedError(
                    f"the twin does not drive it: {reply.error}", remedy="try another way"
                )
        key = secrets.token_urlsafe(24)
        self._kept[name] = _Kept(mission, _hash(key), (actor, reason))
        while len(self._kept) > MAX_KEPT:
            oldest = next((n for n in self._kept if n not in self._loop.missions.plans), None)
            if oldest is None:
                break
            del self._kept[oldest]
        self.waiting.append(mission)
        return MissionMade(self.view(name), key)

    def take_cancellation(self, name: str, actor: str, reason: str, now_s: float) -> MissionClosed:
        """End a mission."""
        self._get(name)
        if name in self._loop.missions.ends:
            raise RequestRefusedError(f"mission {name!r} is over", remedy="nothing is left to cancel")
        entry: dict[str, object] = {"mission": name, "what": "cancel", "reason": reason}
        self._ledger.append("mission", actor, entry, now_s)
        if TWIN_SOURCE in self._kept[name].mission.sources:
            self._twin.send(TwinCommand(action="mission-cancel", text=name))
        self._kept[name].cancelled = (actor, reason)
        self.waiting.append(MissionEnd(name, now_s, "cancelled"))
        return MissionClosed(name, "cancelled")

    def take_position(self, name: str, body: Mapping[str, Any], now_s: float) -> PositionTaken:
        """A position of the vehicle, from whoever holds the mission's key. One without it is counted, told to
        the record once, and refused."""
        kept = self._get(name)
        authorised = hmac.compare_digest(_hash(str(body.get("key", ""))), kept.key_hash)
        given_s = body.get("time_s")
        at_s = now_s if given_s is None else float(given_s)
        heading = body.get("heading_deg")
        position = VehiclePosition(
            API_SOURCE if authorised else "unauthorised client", name, at_s, float(body["x_m"]),
            float(body["y_m"]), float(body["speed_mps"]), -1.0 if heading is None else float(heading),
        )  # fmt: skip
        if len(self.waiting) >= MAX_WAITING:
            raise RequestRefusedError("too many positions wait for the next second", remedy="send fewer")
        self.waiting.append(position)
        if not authorised:
            raise RequestRefusedError(
                "the key is not this mission's", remedy="use the key of the order's answer"
            )
        return PositionTaken(name, at_s)

    def list_briefs(self, limit: int = MAX_KEPT) -> list[MissionBrief]:
        """Missions under way first, then those ended, newest first."""
        ended = self._loop.missions.ends
        newest = list(reversed(self._kept))
        names = [n for n in newest if n not in ended] + [n for n in newest if n in ended]
        return [MissionBrief(**self._brief(name)) for name in names[:limit]]

    def list_under_way(self) -> tuple[MissionBrief, ...]:
        """What goes out with each state of the city."""
        ended = self._loop.missions.ends
        return tuple(MissionBrief(**self._brief(name)) for name in self._kept if name not in ended)

    def view(self, name: str) -> MissionView:
        """A mission as the API shows it."""
        brief, plan, kept = self._brief(name), self._plan(name), self._kept[name]
        brief["refused"] = {
            rule: count for (of, rule), count in self._loop.store.tracks.refused.items() if of == name
        }
        brief["ordered_by"], brief["reason"] = kept.ordered
        brief["cancelled_by"], brief["cancel_reason"] = kept.cancelled
        if plan is None:
            return MissionView(**brief)
        passages = tuple(
            msgspec.structs.replace(passage, shown=self._shows(passage)) for passage in plan.passages
        )
        return MissionView(**brief, edges=plan.edges, passages=passages, note=plan.note, said=plan.said)

    def _shows(self, passage: Passage) -> bool:
        """Whether the junction shows the stage that the mission needs."""
        snapshot, row = self._loop.last_snapshot, self._city.signals.row.get(passage.junction)
        if snapshot is None or row is None or not passage.stage:
            return False
        signals, stages = snapshot.signals, self._city.junctions[row].stages
        stage = int(signals.stage[row])
        steady = stage == int(signals.target[row])  # else it is being left
        return steady and 0 <= stage < len(stages) and stages[stage].id == passage.stage

    def _brief(self, name: str) -> dict[str, Any]:
        """The fields of a MissionBrief."""
        mission = self._get(name).mission
        end = self._loop.missions.ends.get(name)
        track = next((t for t in self._tracks() if t.mission.id == name), None)
        state = "ended" if end else str(track.state) if track else str(TrackState.EXPECTED)
        brief: dict[str, Any] = {
            "id": name, "vehicle": mission.vehicle, "kind": mission.kind, "urgency": int(mission.urgency),
            "from_edge": mission.from_edge, "to_edge": mission.to_edge, "created_s": mission.created_s,
            "state": state, "end": end[1] if end else "", "ended_s": end[0] if end else None,
        }  # fmt: skip
        if track is not None and track.state is not TrackState.EXPECTED:
            heading_deg = track.heading_deg if track.heading_deg >= 0.0 else None
            brief |= {
                "x_m": track.x_m, "y_m": track.y_m, "speed_mps": track.speed_mps, "heading_deg": heading_deg,
                "fix_s": track.fix_s,
            }  # fmt: skip
        plan = self._plan(name)
        return brief if plan is None else brief | _of_plan(plan, end)

    def _plan(self, name: str) -> MissionPlan | None:
        return self._loop.missions.plans.get(name) or self._loop.missions.ended.get(name)

    def _tracks(self) -> tuple[MissionTrack, ...]:
        snapshot = self._loop.last_snapshot
        return snapshot.missions if snapshot is not None else ()

    def _get(self, name: str) -> _Kept:
        kept = self._kept.get(name)
        if kept is None:
            raise NotFoundError(f"no mission {name[:80]!r}", remedy="list them with GET /v1/missions")
        return kept


def _of_plan(plan: MissionPlan, end: tuple[float, str] | None) -> dict[str, Any]:
    without_s, won_s = plan.eta_without_s, plan.won_s if end is None else None
    if end is not None and end[1] == "arrived" and without_s is not None:
        won_s = without_s - end[0]
    ahead = (p.junction for p in plan.passages if p.passed_s is None)
    return {
        "length_m": plan.length_m, "progress_m": plan.progress_m, "eta_s": plan.eta_s,
        "eta_margin_s": plan.eta_margin_s, "eta_without_s": without_s, "won_s": won_s,
        "cross_wait_veh_s": plan.cross_wait_veh_s, "replanned": plan.replanned,
        "next_junction": "" if end else next(ahead, ""),
    }  # fmt: skip


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
