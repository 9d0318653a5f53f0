"""Who looked at the past: a line of JSON for each stretch that somebody watched (`playback/access.jsonl`)."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import structlog

_LARGEST_BYTES = 10_000_000
_SAME_LOOK_S = 60.0
_MOST_KNOWN = 256

_log = structlog.get_logger("civicbrain.api")


class AccessLog:
    """A look that goes on where the last one of the same person ended is the same look: no new line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._looks: dict[str, tuple[float, datetime]] = {}  # actor: when, until which instant

    def note(self, actor: str, what: str, start: datetime, end: datetime) -> None:
        """Raises nothing: a disk that is full is logged; the line is also in the process's log."""
        now = time.time()
        key = f"{actor} {what}"
        at, until = self._looks.get(key, (0.0, start))
        self._looks.pop(key, None)
        self._looks[key] = (now, end)
        while len(self._looks) > _MOST_KNOWN:
            self._looks.pop(next(iter(self._looks)))
        if now - at < _SAME_LOOK_S and abs((start - until).total_seconds()) <= _SAME_LOOK_S:
            return
        line = {"at": datetime.fromtimestamp(now).astimezone().isoformat(timespec="seconds"), "actor": actor,
                "what": what, "start": start.isoformat(), "end": end.isoformat()}  # fmt: skip
        _log.info("the past is looked at", **line)
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._file.exists() and self._file.stat().st_size > _LARGEST_BYTES:
                self._file.replace(self._file.with_suffix(".1.jsonl"))
            with self._file.open("a") as out:
                out.write(json.dumps(line) + "\n")
            self._file.chmod(0o600)
        except OSError as error:
            _log.error("the record of who looked could not be written", error=str(error))
