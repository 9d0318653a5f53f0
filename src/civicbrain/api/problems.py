"""Errors as RFC 9457 problem documents (application/problem+json), whatever part raised them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from civicbrain.api.asgi import Send
from civicbrain.core.errors import CivicBrainError, ConfigurationError, NotFoundError, RequestRefusedError

MEDIA_TYPE = "application/problem+json"
_STATUS = {NotFoundError: 404, ConfigurationError: 400, RequestRefusedError: 409}
_log = structlog.get_logger("civicbrain.api")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details. `detail` says what is wrong and, where there is one, the remedy."""

    title: str
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    detail: str = ""
    errors: list[str] = []
    type: str = "about:blank"


class ProblemError(Exception):
    """Raised anywhere below a request; becomes the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: list[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(HTTPStatus(status).phrase, status, detail, errors or [])
        self.headers = dict(headers or {})


def body_of(problem: Problem) -> bytes:
    """The JSON document; `type` is always written, RFC 9457 readers expect it."""
    return msgspec.json.encode({"type": problem.type} | msgspec.to_builtins(problem))


async def send_problem(send: Send, error: ProblemError) -> None:
    """Answer from bare ASGI code, outside the framework."""
    body = body_of(error.problem)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
    ]
    await send({"type": "http.response.start", "status": error.problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _answer(error: ProblemError) -> Response[bytes]:
    return Response(
        body_of(error.problem), status_code=error.problem.status, headers=error.headers, media_type=MEDIA_TYPE
    )


def handle_problem(_: Request[Any, Any, Any], error: ProblemError) -> Response[bytes]:
    return _answer(error)


def handle_http_exception(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework raises: unknown path, wrong method, input that does not fit its type."""
    errors: list[str] = []
    detail = error.detail
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        # each entry names the parameter and what was expected, never the program's innards
        errors = [_describe(entry) for entry in error.extra]
        detail = "the request does not fit what this operation takes"
    elif error.status_code == HTTPStatus.NOT_FOUND:
        detail = "no such path; what there is stands in /openapi.json"
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return _answer(ProblemError(error.status_code, detail, errors=errors, headers=headers))


def handle_refusal(_: Request[Any, Any, Any], error: CivicBrainError) -> Response[bytes]:
    """What the platform refuses with words for people: the remedy goes with it."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    detail = f"{error.message}: {error.remedy}" if error.remedy else error.message
    return _answer(ProblemError(status, detail, headers={"Retry-After": "5"} if status == 503 else None))


def handle_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours: logged with its traceback, told without it."""
    _log.error("request failed", method=request.method, path=request.scope["path"], exc_info=error)
    return _answer(ProblemError(500, "a fault in Civic Brain; its log says more"))


def _describe(entry: object) -> str:
    if isinstance(entry, Mapping):
        key, message = entry.get("key"), entry.get("message", "")
        return f"{key}: {message}" if key else str(message)
    return str(entry)
