"""Who may come in, how often and with how much: the ASGI layer in front of everything.

On loopback (the default) whoever is at this machine acts as operator; then a foreign Host (DNS rebinding)
or a foreign Origin (another web page in the same browser) is refused. Bound elsewhere, every request
needs the token, as `Authorization: Bearer …` or as the cookie that opening `/?token=…` sets.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import structlog

from civicbrain.api.asgi import App, Message, Receive, Scope, Send
from civicbrain.api.identity import DEMO, TOKEN, Identity, not_logged_in, set_identity
from civicbrain.api.problems import ProblemError, send_problem
from civicbrain.api.settings import LOOPBACK, Settings
from civicbrain.core.errors import ServiceError

COOKIE = "civicbrain_token"
PUBLIC_PATHS = ("/v1/health", "/v1/session")
"""Whether the processes answer, for probes; and who is logged in, for whoever asks about themselves."""

OBSERVATIONS = "/v1/observations"
"""Cameras post here with keys of their own, which the intake checks: the operator's token is not for them."""

REPORTS = "/v1/reports"
"""Reporters post here with keys of their own, which the cases process checks; the operator may, too."""

_log = structlog.get_logger("civicbrain.api")
_READS = ("GET", "HEAD", "OPTIONS")
_BODY_TIMEOUT_S = 10.0
_DRAIN_TIMES, _DRAIN_TIMEOUT_S = 16, 2.0
_BUCKETS = 4096


def make_token(run_dir: Path) -> str:
    """The token of this run folder: read from `api.token`, or made and written there for its owner only."""
    path = run_dir / "api.token"
    try:
        if path.exists():
            path.chmod(0o600)
            token = path.read_text().strip()
            if len(token) >= 32:
                return token
            path.unlink()
        token = secrets.token_urlsafe(32)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(token + "\n")
    except OSError as error:
        raise ServiceError(
            f"the token cannot be kept: {error.strerror}",
            place=str(path),
            remedy="make the run folder writable, or bind to 127.0.0.1",
        ) from error
    return token


class Access:
    """ASGI middleware. Adds the security headers to every answer, its own refusals included."""

    def __init__(
        self, app: App, settings: Settings, token: str | None, security_headers: dict[str, str]
    ) -> None:
        self._app = app
        self._settings = settings
        self._token = token
        self._headers = [(name.lower().encode(), value.encode()) for name, value in security_headers.items()]
        self._reads = RateLimit(settings.read_rate_hz, settings.rate_burst_s)
        self._writes = RateLimit(settings.write_rate_hz, settings.rate_burst_s)
        self._observations = RateLimit(settings.intake_rate_hz, settings.rate_burst_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        send = self._with_headers(scope, send)
        headers = _headers_of(scope)
        try:
            self._check_rate(scope)
            self._check_host(headers)
            self._check_origin(scope, headers)
            if scope["type"] == "http" and await self._log_in(scope, send):
                return None
            set_identity(scope, self._identify(scope, headers))
            if scope["type"] == "http":
                limit = self._settings
                most = limit.intake_body_bytes if _is_observation(scope) else limit.max_body_bytes
                receive = await self._take_body(headers, receive, most)
        except ProblemError as error:
            return await _refuse(scope, receive, send, error)
        return await self._app(scope, receive, send)

    def _check_rate(self, scope: Scope) -> None:
        write = scope["type"] == "http" and scope["method"] not in _READS
        client = scope.get("client")
        limit = self._observations if _is_observation(scope) else self._writes if write else self._reads
        wait_s = limit.wait_s(client[0] if client else "")
        if wait_s > 0:
            raise ProblemError(
                429, "too many requests from this address", headers={"Retry-After": str(int(wait_s) + 1)}
            )

    def _check_host(self, headers: dict[str, str]) -> None:
        name = _host_name(headers.get("host", ""))
        allowed = self._settings.allowed_hosts
        if name in allowed or (not self._settings.open_to_others and name in LOOPBACK):
            return
        if self._settings.open_to_others and not allowed and name:
            return  # a rebound name gets no further than the token, which its page does not have
        raise ProblemError(
            400, "this Host is not served here; use localhost, or start with --allow-host NAME"
        )

    def _check_origin(self, scope: Scope, headers: dict[str, str]) -> None:
        """Only our own page may change anything or open the websocket; programs send no Origin."""
        if scope["type"] == "http" and scope["method"] in _READS:
            return
        origin = headers.get("origin")
        if origin is not None and origin not in self._settings.allowed_origins:
            parts = _split(origin)
            if parts not in (("http", headers.get("host")), ("https", headers.get("host"))):
                raise ProblemError(403, "a page of another origin may not do this")
        elif origin is None and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise ProblemError(403, "a page of another site may not do this")

    def _identify(self, scope: Scope, headers: dict[str, str]) -> Identity | None:
        """Who calls; None: somebody with a key of their own, or nobody where nobody needs to be known.
        Raises ProblemError (401) for everybody else."""
        if _is_observation(scope):
            return None
        bearer = headers.get("authorization", "").partition(" ")[0].lower() == "bearer"
        if self._token is None:  # whoever is at this machine, unless they report with a key
            return None if bearer and _is_report(scope) else DEMO
        if self._fits(_given(headers)):
            return TOKEN
        if scope["path"] in PUBLIC_PATHS or not _is_api(scope):
            return None
        if not _is_report(scope):
            raise not_logged_in()
        if not bearer:
            raise ProblemError(
                401, "send your key as `Authorization: Bearer KEY`; the operator of the city hands them out",
                headers={"WWW-Authenticate": 'Bearer realm="civicbrain reports"'},
            )  # fmt: skip
        return None

    def _fits(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(
            given.strip().encode(errors="replace"), self._token.encode()
        )

    async def _log_in(self, scope: Scope, send: Send) -> bool:
        """GET /?token=… of a browser: into a cookie that scripts cannot read, and out of the address."""
        if self._token is None or scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if not given:
            return False
        if not self._fits(given[0]):
            raise ProblemError(401, "this token does not fit; it stands in api.token in the run folder")
        cookie = f"{COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=86400"
        if scope.get("scheme") == "https":
            cookie += "; Secure"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return True

    async def _take_body(self, headers: dict[str, str], receive: Receive, limit: int) -> Receive:
        """The whole body (`limit` bytes at most), read in limited time, handed on as one message."""
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > limit):
            await _pour_away(receive, _DRAIN_TIMES * limit)
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        if length != "0" or "transfer-encoding" in headers:
            try:
                async with asyncio.timeout(_BODY_TIMEOUT_S):
                    more = True
                    while more:
                        message = await receive()
                        if message["type"] == "http.disconnect":
                            break
                        parts.append(message.get("body", b""))
                        size += len(parts[-1])
                        more = message.get("more_body", False)
                        if size > limit:
                            if more:
                                await _pour_away(receive, _DRAIN_TIMES * limit)
                            raise _too_large(limit)
            except TimeoutError:
                raise ProblemError(408, "the body did not arrive in time") from None
        first: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}

        async def replay() -> Message:
            nonlocal first
            if first is not None:
                message, first = first, None
                return message
            return await receive()

        return replay

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        client = scope.get("client")

        async def wrapped(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                method, status = scope.get("method", "WEBSOCKET"), message["status"]
                # reads come by the second; changes, refusals of access and faults are what somebody looks for
                loud = method not in _READS and not (_is_observation(scope) and status < 400)
                if loud or status in (401, 403, 429) or status >= 500:
                    _log.info(
                        "request", method=method, path=scope["path"][:200], status=status,
                        client=client[0] if client else "",
                    )  # fmt: skip
                present = {name for name, _ in message["headers"]}
                extra = [pair for pair in self._headers if pair[0] not in present]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        return wrapped


class RateLimit:
    """A token bucket for each client; the least recently seen clients are forgotten."""

    def __init__(self, rate_hz: float, burst_s: float) -> None:
        self._rate_hz = rate_hz
        self._most = max(1.0, rate_hz * burst_s)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, at second

    def wait_s(self, client: str) -> float:
        """0 when the request may pass (and counts), else the seconds until one may."""
        now_s = time.monotonic()
        tokens, at_s = self._buckets.pop(client, (self._most, now_s))
        tokens = min(self._most, tokens + (now_s - at_s) * self._rate_hz)
        passes = tokens >= 1.0
        self._buckets[client] = (tokens - 1.0 if passes else tokens, now_s)
        if len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1.0 - tokens) / max(self._rate_hz, 1e-9)


async def _pour_away(receive: Receive, most_bytes: int) -> None:
    """Read on a little after too much: closing at once would reset the connection before the client has
    read why."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while most_bytes > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                most_bytes -= len(message.get("body", b""))


async def _refuse(scope: Scope, receive: Receive, send: Send, error: ProblemError) -> None:
    if scope["type"] == "http":
        return await send_problem(send, error)
    await receive()  # the connect message
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        return await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def as_response(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return await send_problem(as_response, error)


def _is_api(scope: Scope) -> bool:
    """The page's own files hold no secret: they are there before somebody has logged in."""
    path = str(scope["path"])
    return scope["type"] != "http" or path == "/openapi.json" or path.startswith("/v1")


def _is_report(scope: Scope) -> bool:
    return (scope["type"], scope["path"], scope.get("method")) == ("http", REPORTS, "POST")


def _given(headers: dict[str, str]) -> str:
    """The token a request brings, "" for none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else _cookie(headers.get("cookie", ""))


def _is_observation(scope: Scope) -> bool:
    return (scope["type"], scope["path"], scope.get("method")) == ("http", OBSERVATIONS, "POST")


def _headers_of(scope: Scope) -> dict[str, str]:
    """Lower-case names; of a header that is there twice the last counts, Host twice is no Host at all."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        headers[name] = "" if name == "host" and name in headers else raw_value.decode("latin-1")
    return headers


def _host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; "" when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _split(origin: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.scheme, parts.netloc


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, f"the body is larger than {limit} bytes", headers={"Connection": "close"})
