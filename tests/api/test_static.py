"""The control room's files: found, cached as they may be, never from outside the folder."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import httpx
import patient
import pytest

from civicbrain.api.static import StaticFiles, accepts_gzip, front


async def _nothing(scope: object, receive: object, send: object) -> None:
    raise AssertionError("not for the API")


def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    app = front(_nothing, StaticFiles(folder), _nothing)
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with patient.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=given)

    return asyncio.run(once())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>room</title>")
    (folder / "assets" / "index-BxYz1234.js").write_text("let plain")
    (folder / "assets" / "index-BxYz1234.js.gz").write_bytes(gzip.compress(b"let packed"))
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


def test_page_and_assets(built: Path) -> None:
    page = ask(built, "/")
    assert (page.text, page.headers["cache-control"]) == ("<title>room</title>", "no-cache")
    assert ask(built, "/", if_none_match=page.headers["etag"]).status_code == 304
    script = ask(built, "/assets/index-BxYz1234.js", accept_encoding="gzip")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.text == "let packed"
    assert ask(built, "/assets/index-BxYz1234.js", accept_encoding="identity").text == "let plain"
    assert ask(built, "/", method="HEAD").content == b""
    assert ask(built, "/", method="POST").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/assets", "/%00", "/a%5c..%5cb", "/" + 5000 * "a"],
)
def test_nothing_from_outside(built: Path, path: str) -> None:
    answer = ask(built, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_not_built_yet(tmp_path: Path) -> None:
    page = ask(tmp_path / "none", "/")
    assert page.status_code == 200
    assert "npm run build" in page.text


@pytest.mark.parametrize(
    ("header", "fits"),
    [("", False), ("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("*", True)],
)
def test_accepts_gzip(header: str, fits: bool) -> None:
    assert accepts_gzip(header) is fits
