"""The control room's files, and the ASGI switch between them, the API and the map's websocket."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from civicbrain.api.asgi import App, Message, Receive, Scope, Send
from civicbrain.api.problems import ProblemError, send_problem

# Vite writes name-<hash>.ext below assets/: such a file never changes
_HASHED = re.compile(r"assets/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+\Z")
_NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Civic Brain</title>
<h1>Civic Brain is running</h1><p>The control room has not been built here. In the source tree:</p>
<pre>cd web && npm ci && npm run build && cp -r dist ../src/civicbrain/api/static</pre>
<p>or install the package with <code>CIVICBRAIN_BUILD_WEB=1</code>. The API is there:
<a href="/openapi.json">/openapi.json</a>,
<a href="/v1/city">/v1/city</a>, <a href="/v1/health">/v1/health</a>.</p>
</html>
"""
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm",
          ".json": "application/json",
          ".svg": "image/svg+xml", ".css": "text/css", ".html": "text/html", ".woff2": "font/woff2",
          ".webmanifest": "application/manifest+json", ".pbf": "application/x-protobuf"}  # fmt: skip


class StaticFiles:
    """Serves what stands below `folder`, and nothing else. Files are looked up at each request, so that a
    fresh build shows at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        if scope["method"] != "GET":  # HEAD arrives as GET, see front()
            return await send_problem(
                send, ProblemError(405, "only GET and HEAD are possible here", headers={"Allow": "GET, HEAD"})
            )
        path = unquote(scope["path"]).lstrip("/") or "index.html"
        found = self._find(path)
        if found is None and path == "index.html":
            page = {"content-type": "text/html; charset=utf-8", "cache-control": "no-cache"}
            return await _send(send, 200, _NOT_BUILT, page)
        if found is None:
            return await send_problem(send, ProblemError(404, "no such file; the API stands below /v1"))
        asked = {name.lower(): value for name, value in scope["headers"]}
        kind = _TYPES.get(found.suffix) or mimetypes.guess_type(found.name)[0] or "application/octet-stream"
        headers = {
            "content-type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
            "cache-control": "public, max-age=31536000, immutable" if _HASHED.search(path) else "no-cache",
            "vary": "Accept-Encoding",
        }
        packed = found.with_name(found.name + ".gz")
        if accepts_gzip(asked.get(b"accept-encoding", b"").decode("latin-1")) and packed.is_file():
            found = packed
            headers["content-encoding"] = "gzip"
        body = found.read_bytes()
        headers["etag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if headers["etag"] in asked.get(b"if-none-match", b"").decode("latin-1"):
            return await _send(send, 304, b"", headers)
        return await _send(send, 200, body, headers)

    def _find(self, path: str) -> Path | None:
        if "\0" in path or "\\" in path:
            return None
        try:
            root = self._folder.resolve(strict=True)
            found = (root / path).resolve(strict=True)
            return found if found.is_file() and found.is_relative_to(root) else None
        except (OSError, ValueError, RuntimeError):
            return None


def front(api: App, files: App, map_socket: App) -> App:
    """The switch. HEAD is answered as GET without its body. The API is routed by the path as it was sent:
    ids may hold any character (`/` comes as %2F), and each handler decodes its own."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await api(scope, receive, send)
        if scope["type"] == "websocket":
            if scope["path"] == "/v1/map":
                return await map_socket(scope, receive, send)
            await receive()
            return await send({"type": "websocket.close", "code": 1008, "reason": "no such socket"})
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
            send = _without_body(send)
        raw = scope.get("raw_path") or b""
        if scope["path"] == "/openapi.json" or scope["path"].startswith("/v1/"):
            scope["path"] = raw.split(b"?")[0].decode("latin-1") or scope["path"]
            return await api(scope, receive, send)
        return await files(scope, receive, send)

    return app


def _without_body(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return wrapped


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for part in header.lower().split(","):
        coding, _, parameters = part.strip().partition(";")
        if coding.strip() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


API_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of what the API answers: data, and reports to print, which are whole in one file and run no script."""


def security_headers(tile_url: str) -> dict[str, str]:
    """For every answer. The page may load only from here, and from the base map's host when one is set; its
    styles stand in files, too. What stands below /v1 gets `API_POLICY` instead."""
    tiles = _tile_origin(tile_url)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' blob:{tiles}; connect-src 'self'{tiles}; "
        "worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }


def _tile_origin(tile_url: str) -> str:
    """ " https://host" for the policy, "" when there is no usable address ({s} stands for any subdomain)."""
    try:
        parts = urlsplit(tile_url.replace("{s}", "*"))
    except ValueError:
        return ""
    fits = parts.scheme in ("http", "https") and re.fullmatch(r"(\*\.)?[A-Za-z0-9.-]+(:\d+)?", parts.netloc)
    return f" {parts.scheme}://{parts.netloc}" if fits else ""


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    if status != 304:
        pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})
