"""What a brain's host and its child process say to each other, as msgpack with checked types.

Parent to child: b"S" + a packed snapshot, or b"R": make the brain afresh.
Child to parent: Ready after the start and after b"R"; Answered or Failed after each snapshot.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any

import msgspec

from civicbrain.city.incidents import Incident
from civicbrain.city.observations import Observation
from civicbrain.contracts.brain import Advice, Alert, PlanRequest, StageRequest
from civicbrain.contracts.missions import MissionPlan
from civicbrain.contracts.plain import plain
from civicbrain.contracts.transit import TransitPlan
from civicbrain.core.errors import CivicBrainError

SNAPSHOT, AFRESH = b"S", b"R"
MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    name: str
    cadence_s: float
    budget_s: float


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """fatal: the brain could not even be made."""

    error: str
    fatal: bool = False


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    ms: float
    requests: tuple[StageRequest | PlanRequest, ...] = ()
    alerts: tuple[Alert, ...] = ()
    derived: tuple[Observation, ...] = ()
    explanations: dict[str, dict[str, Any]] = {}
    missions: tuple[MissionPlan, ...] = ()
    incidents: tuple[Incident, ...] = ()
    transit: TransitPlan | None = None

    def advice(self) -> Advice:
        return Advice(
            self.requests, self.alerts, self.derived, self.explanations, self.missions, self.incidents,
            self.transit,
        )  # fmt: skip


Message = Ready | Failed | Answered
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def answered(advice: Advice, ms: float) -> Answered:
    explanations = {junction: dict(said) for junction, said in advice.explanations.items()}
    return Answered(
        ms, advice.requests, advice.alerts, advice.derived, explanations, advice.missions, advice.incidents,
        advice.transit,
    )  # fmt: skip


def encode(message: Message) -> bytes:
    """Raises TypeError or ValueError when the brain put something in that no message can carry."""
    return msgspec.msgpack.encode(message, enc_hook=plain)


def decode(data: bytes) -> Message:
    """Raises msgspec.DecodeError (ValidationError included) on anything that does not fit."""
    return _decoder.decode(data)


def failure_text(error: BaseException) -> str:
    """What went wrong and, for whoever wrote the brain, where: "ValueError: … (brain.py, line 76)"."""
    if isinstance(error, CivicBrainError):
        return error.message
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({PurePath(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
