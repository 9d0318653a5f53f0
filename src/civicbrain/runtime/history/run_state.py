"""When a run was last written: kept apart from the files, whose own times change when they are joined."""

from __future__ import annotations

from pathlib import Path

import msgspec

RUN_FILE = "run.json"


class RunState(msgspec.Struct, frozen=True):
    """run.json. newest_s: last second recorded, since 1970. written_at: wall clock then, since 1970."""

    newest_s: float
    written_at: float


def read_run_state(run: Path) -> RunState | None:
    try:
        return msgspec.json.decode((run / RUN_FILE).read_bytes(), type=RunState)
    except (OSError, msgspec.MsgspecError):
        return None
