"""Slugs: the one name of a room everywhere (folder, URL, logger, configuration key)."""

from __future__ import annotations

import re

from civicbrain.core.errors import ConfigurationError

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*\Z")


def check_slug(text: str, what: str = "name") -> str:
    """Return text if it is a slug (lower case, digits, single - or _), else raise ConfigurationError."""
    if len(text) > 64 or not _SLUG.match(text):
        raise ConfigurationError(
            f"{what} {text[:80]!r} is not a slug",
            remedy="use lower-case letters, digits and single hyphens, 64 characters at most",
        )
    return text
