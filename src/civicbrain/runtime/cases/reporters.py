"""Who may report, in which role, and how often.

# reporters.toml, mode 0600: one table for each that reports
[patrol-app]
key = "kT0Jq…"
role = "field_crew"       # or citizen, police, department

The operator may report for anybody, as somebody called. How often each may is bounded (`per_min`).
"""

from __future__ import annotations

import hmac
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from civicbrain.city.incidents import ReporterKind
from civicbrain.core.errors import ConfigurationError

SHORTEST_KEY = 16
MOST_BYTES = 1_000_000


class Reporter(BaseModel):
    """key: what they send as bearer token. role: what their reports count as."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(min_length=SHORTEST_KEY, max_length=200)
    role: ReporterKind


class Reporters:
    """Keys in memory, and how often each reported lately. clock: monotonic seconds."""

    def __init__(
        self, known: dict[str, Reporter], per_min: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._known = known
        self._per_min = per_min
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def find(self, key: str) -> tuple[str, ReporterKind] | None:
        """Name and role of whom this key belongs to; every key is compared, in constant time."""
        given, found = key.encode(errors="replace"), None
        for name, reporter in self._known.items():
            if hmac.compare_digest(given, reporter.key.encode()):
                found = (name, reporter.role)
        return found

    def wait_s(self, name: str) -> float:
        """0 where one more report of theirs may pass (it counts), else the seconds to wait."""
        now = self._clock()
        left, at = self._left.get(name, (self._per_min, now))
        left = min(self._per_min, left + (now - at) * self._per_min / 60.0)
        passes = left >= 1.0
        self._left[name] = (left - 1.0 if passes else left, now)
        return 0.0 if passes else (1.0 - left) * 60.0 / self._per_min


def load_reporters(file: str, per_min: float) -> Reporters:
    """From a file, "" for none. Raises ConfigurationError: open to others, unreadable, a key too short."""
    if not file:
        return Reporters({}, per_min)
    path = Path(file)
    try:
        found = path.stat()
        if found.st_mode & 0o077:
            raise ConfigurationError("the keys are open to others", place=file, remedy=f"chmod 600 {file}")
        if found.st_size > MOST_BYTES:
            raise ConfigurationError(
                f"is longer than {MOST_BYTES} bytes", place=file, remedy="name a file of keys"
            )
        table = tomllib.loads(path.read_text("utf-8"))
        known = TypeAdapter(dict[str, Reporter]).validate_python(table)
    except OSError as error:
        raise ConfigurationError(
            f"the keys cannot be read: {error.strerror}", place=file, remedy="check reporters_file"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"is no TOML: {error}", place=file, remedy='write [patrol-app], key = "…", role = "field_crew"'
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{key}: {first['msg']}", place=file, remedy="correct it; a key has 16 characters at least"
        ) from error
    return Reporters(known, per_min)
