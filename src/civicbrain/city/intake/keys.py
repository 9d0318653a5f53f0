"""Who may speak for which source: a shared token for all of them, or a key of its own for each."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping

from civicbrain.core.errors import ConfigurationError

SHORTEST_KEY = 16
"""Characters; with letters and digits at random that is 95 bits."""


class Keys:
    """Keys in memory. shared: a token that may speak for every source, "" for none. of_source: id -> key.

    A source with a key of its own can still be spoken for with the shared token: leave that empty where each
    source must use its own. Raises ConfigurationError for a key that could be guessed.
    """

    def __init__(self, shared: str = "", of_source: Mapping[str, str] | None = None) -> None:
        of_source = of_source or {}
        short = [name for name, key in {"the shared token": shared, **of_source}.items()
                 if 0 < len(key) < SHORTEST_KEY or (not key and name in of_source)]  # fmt: skip
        if short:
            raise ConfigurationError(
                f"the key of {short[0]!r} is shorter than {SHORTEST_KEY} characters",
                place="intake keys",
                remedy='make one with: python -c "import secrets; print(secrets.token_urlsafe(24))"',
            )
        self._shared = shared.encode()
        self._of_source = {name: key.encode() for name, key in of_source.items()}
        self._nobody = secrets.token_bytes(32)  # compared where there is no key: takes the same time

    def allow(self, key: str, sources: Iterable[str]) -> bool:
        """True where this key may speak for all of these sources. Comparisons take constant time."""
        given = key.encode(errors="replace")
        if hmac.compare_digest(given, self._shared or self._nobody):
            return True
        if not self._of_source or not given:
            return False
        return all(
            hmac.compare_digest(given, self._of_source.get(source, self._nobody)) for source in set(sources)
        )
