"""Who may come in, how often and with how much: the ASGI layer in front of everything.

It says who calls (`log_in.py`); what they may do is for the guard of each route (`identity.py`). A foreign
Host (DNS rebinding) or a foreign Origin (another web page in the same browser) is refused; whoever comes with
a cookie and changes something must also prove that our own page asked. docs/decisions/log-in.md says why
that keeps other pages out.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import structlog

from civicbrain.api.asgi import App, Message, Receive, Scope, Send
from civicbrain.api.door.alive import while_logged_in
from civicbrain.api.door.body import take_body
from civicbrain.api.door.cookies import address_of, headers_of
from civicbrain.api.door.identity import Identity, not_logged_in, set_identity
from civicbrain.api.door.log_in import LogIn
from civicbrain.api.door.rates import RateLimit
from civicbrain.api.problems import ProblemError, send_problem
from civicbrain.api.settings import LOOPBACK, Settings
from civicbrain.api.static import API_POLICY

OBSERVATIONS = "/v1/observations"
"""Cameras post here with keys of their own, which the intake checks: the operator's token is not for them."""

REPORTS = "/v1/reports"
"""Reporters post here with keys of their own, which the cases process checks; the operator may, too."""

STREAM = "/v1/alerts/stream"

_log = structlog.get_logger("civicbrain.api")
_POLICY = b"content-security-policy"
_READS = ("GET", "HEAD", "OPTIONS")


class Access:
    """ASGI middleware. Adds the security headers to every answer, its own refusals included."""

    def __init__(self, app: App, settings: Settings, log_in: LogIn, security_headers: dict[str, str]) -> None:
        self._app = app
        self._settings = settings
        self._log_in = log_in
        self._headers = [(name.lower().encode(), value.encode()) for name, value in security_headers.items()]
        self._reads = RateLimit(settings.read_rate_hz, settings.rate_burst_s)
        self._writes = RateLimit(settings.write_rate_hz, settings.rate_burst_s)
        self._observations = RateLimit(settings.intake_rate_hz, settings.rate_burst_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        send = self._with_headers(scope, send)
        headers = headers_of(scope)
        try:
            self._check_rate(scope)
            self._check_host(headers)
            self._check_origin(scope, headers)
            if await self._open_with_token(scope, headers, send):
                return None
            who = self._identify(scope, headers)
            set_identity(scope, who)
            if scope["type"] == "http":
                limit = self._settings
                most = limit.intake_body_bytes if _is_observation(scope) else limit.max_body_bytes
                receive = await take_body(headers, receive, most)
        except ProblemError as error:
            return await _refuse(scope, receive, send, error)
        if scope["type"] == "websocket" or scope["path"] == STREAM:

            def alive() -> bool:
                return self._log_in.identify(scope, headers) is not None

            return await while_logged_in(self._app, scope, receive, send, alive)
        return await self._app(scope, receive, send)

    def _check_rate(self, scope: Scope) -> None:
        write = scope["type"] == "http" and scope["method"] not in _READS
        limit = self._observations if _is_observation(scope) else self._writes if write else self._reads
        wait_s = limit.wait_s(address_of(scope))
        if wait_s > 0:
            raise ProblemError(
                429, "too many requests from this address", headers={"Retry-After": str(int(wait_s) + 1)}
            )

    def _check_host(self, headers: dict[str, str]) -> None:
        name = _host_name(headers.get("host", ""))
        allowed = self._settings.host_names
        if name in allowed or (not self._settings.open_to_others and name in LOOPBACK):
            return
        if self._settings.open_to_others and not allowed and name:
            return  # a rebound name gets no further than the log-in: its page has no cookie of ours
        raise ProblemError(
            400, "this Host is not served here; use localhost, or start with --allow-host NAME"
        )

    def _check_origin(self, scope: Scope, headers: dict[str, str]) -> None:
        """Only our own page may change anything or open the websocket; programs send no Origin."""
        if scope["type"] == "http" and scope["method"] in _READS:
            return
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin, headers):
            raise ProblemError(403, "a page of another origin may not do this")
        if origin is None and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise ProblemError(403, "a page of another site may not do this")

    def _is_ours(self, origin: str, headers: dict[str, str]) -> bool:
        if origin in self._settings.origins:
            return True
        return _split(origin) in (("http", headers.get("host")), ("https", headers.get("host")))

    def _identify(self, scope: Scope, headers: dict[str, str]) -> Identity | None:
        """Who calls; None: somebody with a key of their own, or nobody: the routes say whether that does.
        Raises ProblemError: 401 for a websocket of nobody, 403 for a change that only a cookie vouches for.
        """
        if _is_observation(scope):
            return None
        bearer = headers.get("authorization", "").partition(" ")[0].lower() == "bearer"
        if bearer and _is_report(scope) and not self._log_in.has_token(headers):
            return None  # a reporter's key: the cases process knows whose
        who = self._log_in.identify(scope, headers)
        if scope["type"] == "websocket" and who is None:
            raise not_logged_in()
        asks = scope["type"] == "http" and scope["method"] in _READS
        if who is not None and who.session and not asks:
            ours = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
            if not ours:  # browsers name one of the two; a program sends the token instead
                raise ProblemError(403, "a change by cookie must come from our own page, and say so (Origin)")
            self._log_in.touch(who)
        return who

    async def _open_with_token(self, scope: Scope, headers: dict[str, str], send: Send) -> bool:
        """GET /?token=… of a browser: a session, and the token out of the address."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if not given or not self._log_in.token:
            return False
        cookie = self._log_in.open_with_token(scope, headers, given[0])
        answer = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": answer})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return True

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
                if scope["path"].startswith("/v1/") and _POLICY not in present:
                    message["headers"] = [*message["headers"], (_POLICY, API_POLICY.encode())]
                    present.add(_POLICY)
                extra = [pair for pair in self._headers if pair[0] not in present]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        return wrapped


async def _refuse(scope: Scope, receive: Receive, send: Send, error: ProblemError) -> None:
    if scope["type"] == "http":
        return await send_problem(send, error)
    await receive()  # the connect message
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        return await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def as_response(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return await send_problem(as_response, error)


def _is_report(scope: Scope) -> bool:
    return (scope["type"], scope["path"], scope.get("method")) == ("http", REPORTS, "POST")


def _is_observation(scope: Scope) -> bool:
    return (scope["type"], scope["path"], scope.get("method")) == ("http", OBSERVATIONS, "POST")


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
