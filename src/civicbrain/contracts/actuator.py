"""The door to the field. Dry-run by default; the controller behind it is the last authority."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from civicbrain.contracts.brain import Request


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Verdict(msgspec.Struct, frozen=True):
    """What became of a request. by: "guard" or "controller". rule: the slug of the rule that decided."""

    outcome: Outcome
    by: str
    rule: str
    reason: str
    time_s: float


@runtime_checkable
class Actuator(Protocol):
    """name: its slug. dry_run: True until configured otherwise; then nothing leaves."""

    name: str
    dry_run: bool

    def apply(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:
        """Hand requests to the controllers; one verdict each, in order. The loop waits for it: where a
        controller may be slow, return `accepted` by rule "sent" and tell its word later (`AnswersLate`)."""
        ...

    def heartbeat(self, now_s: float) -> None:
        """Tell all controllers that the centre is alive."""
        ...

    def close(self) -> None:
        """Release the connection; the controllers fall back by themselves."""
        ...


@runtime_checkable
class AnswersLate(Protocol):
    """An actuator that does not wait for every controller."""

    def answers(self) -> list[tuple[Request, Verdict]]:
        """What has been heard since the last call of requests whose `apply` had returned before: each once,
        with the controller's verdict, or `refused` where it gave none in time. Never waits."""
        ...
