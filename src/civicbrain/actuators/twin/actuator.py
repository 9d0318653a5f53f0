"""Requests and heartbeats to the twin's controllers, with a time-out on every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Request
from civicbrain.contracts.transport import TWIN_CMD, Client
from civicbrain.contracts.wire import TwinCommand
from civicbrain.core.errors import ConfigurationError

DEFAULT_TIMEOUT_S = 0.5
"""Longer than any step of the built-in cities, far below the watchdog's 4 s."""


class TwinActuator:
    """The Actuator protocol over a socket of the run folder."""

    name = "twin"

    def __init__(self, run_dir: Path, *, dry_run: bool = True, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.dry_run = dry_run
        self.timeout_s = timeout_s
        self._client = Client(run_dir, TWIN_CMD)

    def apply(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:
        """One verdict a request, in order. Never raises and never waits longer than timeout_s."""
        if not requests:
            return []
        if self.dry_run:
            note = Verdict(Outcome.ACCEPTED, "actuator", "dry-run", "dry run: nothing was sent", now_s)
            return [note] * len(requests)
        reply = self._client.ask(TwinCommand(action="apply", requests=tuple(requests)), self.timeout_s)
        if reply.ok and len(reply.verdicts) == len(requests):
            return list(reply.verdicts)
        reason = reply.error or f"{len(reply.verdicts)} verdicts came for {len(requests)} requests"
        return [Verdict(Outcome.REFUSED, "actuator", "unreachable", reason, now_s)] * len(requests)

    def heartbeat(self, now_s: float) -> None:
        """Tell all controllers that the centre is alive at platform second now_s."""
        if not self.dry_run:
            self._client.send(TwinCommand(action="heartbeat", value=now_s))

    def close(self) -> None:
        self._client.close()


def create(context: Any) -> TwinActuator:
    """Entry point of the room. context: a mapping, or an object with `options`; see the card."""
    options: Mapping[str, Any] = getattr(context, "options", context)
    if "run_dir" not in options:
        raise ConfigurationError(
            "actuator twin needs run_dir", place="actuators.twin", remedy="set run_dir to a folder"
        )
    timeout_s = float(options.get("timeout_s", DEFAULT_TIMEOUT_S))
    if not 0 < timeout_s <= 10:
        raise ConfigurationError(
            f"timeout_s is {timeout_s:g}", place="actuators.twin", remedy="choose between 0 and 10 s"
        )
    return TwinActuator(
        Path(str(options["run_dir"])), dry_run=bool(options.get("dry_run", True)), timeout_s=timeout_s
    )
