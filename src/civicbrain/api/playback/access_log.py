"""Who looked at the past: a line of JSON for each stretch that somebody watched (`playback/access.jsonl`)."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import structlog

_LARGEST_BYTES = 10_000_000
_SAME_LOOK_S = 60.0  # real time without a look ends it
_NEARBY = timedelta(minutes=10)  # of the city's clock: who goes further looks at something else
_MOST_KNOWN = 256

_log = structlog.get_logger("civicbrain.api")


class AccessLog:
    """What the same person sees soon after, within ten minutes of what stands in the last line, is the same
    look and gets no new line; a long one gets a line each ten minutes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._looks: dict[
            str, tuple[float, datetime, datetime]
        ] = {}  # when last, and the window written down

    def note(self, actor: str, what: str, start: datetime, end: datetime) -> None:
        """Raises nothing: a disk that is full is logged; the line is also in the process's log."""
        now = time.time()
        key = f"{actor} {what}"
        known = self._looks.pop(key, None)
        if known is not None:
            at, first, last = known
            if now - at < _SAME_LOOK_S and start >= first - _NEARBY and end <= last + _NEARBY:
                self._looks[key] = (now, first, last)
                return
        self._looks[key] = (now, start, end)
        while len(self._looks) > _MOST_KNOWN:
            self._looks.pop(next(iter(self._looks)))
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
