"""From which sources the control room's page was built, and whether those are the ones that stand beside it.

In a source checkout the page is built by hand: one left from before shows "NaN" where the API has learnt new
words. `hatch_build.py` loads this file by its path while nothing is installed: the standard library only.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

STAMP = "built-from.txt"
HOW_TO_BUILD = "CIVICBRAIN_BUILD_WEB=1 pip install -e ."
_CHECKOUT = Path(__file__).parents[3]
_STATIC = Path(__file__).parents[1] / "api" / "static"
_NOT_SOURCE = {"node_modules", "dist"}


def digest_of(web: Path) -> str:
    """Of all sources of the page, names and contents."""
    digest = hashlib.sha256()
    tops = [top for top in web.iterdir() if top.name not in _NOT_SOURCE]
    for path in sorted(path for top in tops for path in (top, *top.rglob("*"))):
        if path.is_file():
            digest.update(f"{path.relative_to(web).as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def is_stale(static: Path = _STATIC, checkout: Path = _CHECKOUT) -> bool:
    """Whether the page in `static` was built from other sources than those of `checkout`. False where there
    are none (an installed package) or nothing says what it was built from."""
    web, stamp = checkout / "web", static / STAMP
    try:
        return (web / "package.json").is_file() and stamp.read_text().strip() != digest_of(web)
    except OSError:
        return False
