"""Where files of this project go on a user's machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/civicbrain, by default in ~/.cache: what can be made again. Raises RuntimeError where
    the user has no home either."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "civicbrain"
