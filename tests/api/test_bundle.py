"""What the built control room asks of a browser before anything can be seen: the checks of Lighthouse that
need no browser. Those that do stand in tests/e2e/test_now.py."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import civicbrain.api

sys.path.insert(0, str(Path(__file__).parent))
from test_static import ask

STATIC = Path(civicbrain.api.__file__).parent / "static"
MOST_BYTES = 1_200_000
"""Gzipped, before lazy parts: what was asked for."""
USUAL_BYTES = 120_000
"""It is half of this: a part that is no longer lazy shows early."""

pytestmark = pytest.mark.skipif(not (STATIC / "build.json").exists(), reason="the control room is not built")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STATIC / "build.json").read_text())
    return found


def eager_files(manifest: dict[str, Any], entry: str = "index.html") -> set[str]:
    """Scripts and styles that the entry needs before it runs."""
    seen, todo = set(), [entry]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += manifest[name].get("imports", [])
    return {file for name in seen for file in (manifest[name]["file"], *manifest[name].get("css", []))}


def test_what_comes_before_the_lazy_parts_is_small(manifest: dict[str, Any]) -> None:
    packed = {file: (STATIC / f"{file}.gz").stat().st_size for file in eager_files(manifest)}
    assert sum(packed.values()) <= USUAL_BYTES < MOST_BYTES, packed
    lazy = {one["src"] for one in manifest.values() if one.get("isDynamicEntry")}
    assert "src/ui/map-part.ts" in lazy, "the map, the largest part, comes after the figures"
    assert len(lazy) >= 10, "each room comes when it is opened"


def test_the_page_says_what_it_is_and_waits_for_nobody_else(manifest: dict[str, Any]) -> None:
    page = (STATIC / "index.html").read_text()
    assert re.search(r'<html lang="\w+">', page)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1"' in page
    assert re.search(r'<meta name="description" content="[^"]{30,160}"', page)
    assert re.search(r"<title>[^<]+</title>", page)
    asked_for = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {one.removeprefix("./") for one in asked_for} <= eager_files(manifest) | {"icon.svg"}
    for script in re.findall(r"<script[^>]*>", page):
        assert 'type="module"' in script, "a module is deferred: it blocks no painting"


def test_all_that_is_loaded_first_is_packed_and_kept_for_ever(manifest: dict[str, Any]) -> None:
    page = ask(STATIC, "/", accept_encoding="gzip")
    assert (page.headers["cache-control"], page.headers["content-encoding"]) == ("no-cache", "gzip")
    for file in eager_files(manifest):
        answer = ask(STATIC, f"/{file}", accept_encoding="gzip")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable", file
        assert answer.headers["content-encoding"] == "gzip", file
