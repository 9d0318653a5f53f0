"""What every brain, feed and actuator must hold, as checks that anybody can run: `civicbrain check`.

Brains run in a hand-made city (`sandbox.py`) in which one controller takes only plans. In a room's test:

    from civicbrain.contracts.conformance import check_brain, require
    require(check_brain(create))
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.brain_checks import check_brain
from civicbrain.contracts.door_checks import check_actuator, check_feed
from civicbrain.contracts.findings import Finding, Findings, require
from civicbrain.contracts.rooms import Room, get_room
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError
from civicbrain.core.ids import check_slug

__all__ = [
    "Finding", "check_actuator", "check_brain", "check_feed", "check_room", "check_room_apart", "require",
]  # fmt: skip

CARD_LINES = 20


def check_room(room: Room) -> list[Finding]:
    """Card and contract of an installed room."""
    findings = Findings()
    findings.run("card", lambda: _card(room))
    if not findings.run("import", lambda: _importable(room)):
        return findings
    if room.kind == "brains":
        findings.run("controls", lambda: _controls(room))
        findings += check_brain(room.create_brain)
        return findings
    check = check_feed if room.kind == "feeds" else check_actuator
    with tempfile.TemporaryDirectory(prefix="civicbrain-check-") as folder:
        context = BrainContext(sandbox_city(), options={"run_dir": folder})
        try:
            made = room.factory()(context)
        except ConfigurationError as error:  # it cannot run without its source; that it says so is right
            return [*findings, Finding("create", True, f"not run: {error.message}")]
        except Exception as error:
            return [*findings, Finding("create", False, f"{type(error).__name__}: {error}")]
        return [*findings, *check(made)]


def _importable(room: Room) -> str:
    room.factory()
    return ""


def _card(room: Room) -> str:
    lines = room.card.splitlines()
    if not lines:
        return f"{room.module} has no docstring; it is the room's card"
    return f"the card has {len(lines)} lines, {CARD_LINES} at most" if len(lines) > CARD_LINES else ""


def _controls(room: Room) -> str:
    for control in room.controls:
        check_slug(control.name, "control")
        if control.brain != room.name or control.program != "central":
            return f"control {control.name!r} must have program 'central' and brain {room.name!r}"
    return ""


def main(arguments: Sequence[str]) -> int:
    """`python -m civicbrain.contracts.conformance KIND NAME FILE`: check one room, write findings as JSON.
    A process of its own, so that a room that hangs or ends its process is a finding too."""
    kind, name, target = arguments
    Path(target).write_bytes(msgspec.json.encode(check_room(get_room(kind, name))))
    return 0


def check_room_apart(room: Room, timeout_s: float = 120.0) -> list[Finding]:
    """check_room in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="civicbrain-check-") as folder:
        target = Path(folder) / "findings.json"
        command = [
            sys.executable,
            "-m",
            "civicbrain.contracts.conformance",
            room.kind,
            room.name,
            str(target),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            return [Finding("process", False, f"did not finish within {timeout_s:g} s")]
        if not target.is_file():
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            reason = f": {last[0][:300]}" if last else ""
            return [Finding("process", False, f"ended with exit status {done.returncode}{reason}")]
        return msgspec.json.decode(target.read_bytes(), type=list[Finding])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
