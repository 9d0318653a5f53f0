"""The OpenAPI 3.1 document: what the framework derives from the routes, made complete.

Added here, because it holds for every operation alike: the problem documents, the log-in when there is one,
and that no unknown query parameter is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import HttpMethod, Litestar, Request, Response, route
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import HTTPRoute

from civicbrain.api.door.access import OBSERVATIONS, REPORTS
from civicbrain.api.door.identity import role_needed
from civicbrain.api.models import cases as case_models
from civicbrain.api.models import city as models
from civicbrain.api.models import corridors as corridor_models
from civicbrain.api.models import junctions as junction_models
from civicbrain.api.models import missions as mission_models
from civicbrain.api.models import replay as replay_models
from civicbrain.api.models import sessions as session_models
from civicbrain.api.models import sources as field_models
from civicbrain.api.models import studies as study_models
from civicbrain.api.models import transit as transit_models
from civicbrain.api.models import what_ifs as what_if_models
from civicbrain.api.problems import MEDIA_TYPE, ProblemError
from civicbrain.city.model import City
from civicbrain.runtime.login import Role

OWN_BODY = "own_body"
"""Option of a handler whose body is checked elsewhere: the content types it takes."""

ANY_QUERY = "any_query"
"""Option of a handler that is called with parameters of somebody else's choosing."""

_ALWAYS = {
    400: "the request does not fit what the operation takes",
    405: "this path does not know the method",
    408: "the body did not arrive in time",
    413: "the body is too large",
    429: "too many requests from this address",
    500: "a fault in Civic Brain",
}
_WITH_BODY = {403: "a page of another origin asked", 409: "refused", 415: "the body is not application/json"}
_WITH_NAME = {404: "there is none of that name"}
_NAMING = ("/v1/control", "/v1/dispatch", "/v1/intake", "/v1/missions", "/v1/sources", "/v1/studies",
           "/v1/what-ifs", "/v1/proposals", "/v1/situations",
           "/v1/corridors/diagram", "/v1/replay", "/v1/replay/frames", "/v1/replay/strip",
           "/v1/transit/buses", "/v1/transit/gtfs.zip", "/v1/transit/lines", "/v1/transit/realtime.pb",
           "/v1/transit/requests")  # fmt: skip
_CHOOSING = ("/v1/alarms/acknowledgements", "/v1/alarms/clearings", "/v1/alarms/shelvings",
             "/v1/alarms/unshelvings", "/v1/quality")  # fmt: skip
_FROM_PROCESS = {503: "the process that knows is away; try again after Retry-After seconds"}
_ONLY_HERE = (
    "/v1/camera-views", "/v1/city", "/v1/city/geometry", "/v1/health", "/v1/junctions",
    "/v1/transit/gtfs.zip", "/openapi.json", "/v1/session",
)  # fmt: skip
_WAYS_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
_FRAME = {"$ref": "#/components/schemas/CameraFrame"}
_OBSERVATIONS_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [_FRAME, {"type": "array", "items": _FRAME, "minItems": 1}]}
        },
        "application/msgpack": {
            "schema": {
                "type": "string",
                "format": "binary",
                "description": "FrameBatch: columns of many frames, see docs/how-to/bring-cameras-in.md",
            }
        },
    },
}
_EVENT = {
    "type": "object",
    "description": "one event of the stream",
    "required": ["data"],
    "properties": {
        "id": {"type": "string", "description": "for Last-Event-ID"},
        "event": {"const": "alert"},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "an AlertView"},
    },
}


def document_of(app: Litestar, city: City, *, log_in: bool) -> dict[str, Any]:
    """The whole document, JSON-able; its examples name street sections of this city."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    components = document.setdefault("components", {})
    # msgspec, which also checks what comes in, writes the schemas: tuples and closed objects as they are
    _, schemas = msgspec.json.schema_components(_structs(), ref_template="#/components/schemas/{name}")
    schemas["TwinChange"]["anyOf"] = [{"required": ["paused"]}, {"required": ["speed"]}]
    components["schemas"] = components.get("schemas", {}) | schemas | {"Problem": _problem_schema()}
    edges = city.network.edges.ids
    ends = {"from_edge": edges[0], "to_edge": edges[-1]}
    schemas["MissionOrder"]["examples"] = [{"vehicle": "ambulance 7", "urgency": 3} | ends]
    places = {"north station": edges[0], "south station": edges[len(edges) // 2]}
    schemas["DispatchQuestion"]["examples"] = [{"address": edges[-1], "places": places}]
    for name, examples in (what_if_models.examples(edges) | study_models.examples()).items():
        schemas[name]["examples"] = examples
    needs = _needs(app)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            problems = dict(_ALWAYS)
            if method in ("put", "patch", "post"):
                problems |= _WITH_BODY
            if method == "delete":
                problems |= {403: _WITH_BODY[403], 409: _WITH_BODY[409]}
            if "{" in path or path in (*_NAMING, *_CHOOSING):
                problems |= _WITH_NAME
            if path not in _ONLY_HERE:
                problems |= _FROM_PROCESS
            needed = needs.get((path, method))
            if needed is not None:
                operation["x-needs-role"] = str(needed)
            if log_in and needed is not None:
                problems[401] = "nobody is logged in, and there is no token, or one that does not fit"
                operation["security"] = _WAYS_IN
            if needed is not None and needed is not Role.VIEWER:
                problems[403] = f"not for roles below {needed}" + (
                    f"; or {problems[403]}" if 403 in problems else ""
                )
            if (path, method) == ("/v1/session", "post"):
                problems[401] = "name and password, or the token, do not fit"
            if path == OBSERVATIONS:
                operation["requestBody"] = _OBSERVATIONS_BODY
                operation["security"] = [{"key": []}]
                problems |= {401: "no key, or one that does not fit", 404: "the city has no such source"}
            if (path, method) == (REPORTS, "post"):
                operation["security"] = [{"key": []}, *_WAYS_IN] if log_in else [{"key": []}, {}]
                problems |= {401: "a key that belongs to nobody, or none"}
            responses = operation["responses"]
            for status, description in sorted(problems.items()):
                responses[str(status)] = _response(status, description)
            if path == "/v1/alerts/stream":
                responses["200"]["content"]["text/event-stream"]["schema"] = _EVENT
            if path == "/v1/city/geometry":
                responses["304"] = {"description": "unchanged since the ETag given in If-None-Match"}
    keys = {"type": "http", "scheme": "bearer", "description": "of a source or a reporter"}
    components["securitySchemes"] = {"key": keys}
    if log_in:
        components["securitySchemes"] |= {
            "bearer": {"type": "http", "scheme": "bearer", "description": "the token in api.token"},
            "session": {"type": "apiKey", "in": "cookie", "name": "__Host-civicbrain"},
        }
    return document


def _needs(app: Litestar) -> dict[tuple[str, str], Role | None]:
    """Path and method of every operation: the role it needs, None for public ones."""
    return {
        (re.sub(r":\w+}", "}", path), method.lower()): role_needed(handler, method)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for path in handler.paths
        for method in handler.http_methods
    }


def reject_unknown_query(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route: a misspelt or doubled query parameter is told, not overlooked."""
    if handler.opt.get(ANY_QUERY):
        return
    names = [name for name, _ in connection.query_params.multi_items()]
    takes = set(handler.parsed_fn_signature.parameters) - set(connection.path_params) - _NOT_QUERY
    unknown = sorted(set(names) - takes)
    if unknown:
        there_is = ", ".join(sorted(takes)) or "none"
        raise ProblemError(400, f"unknown query parameter {unknown[0][:80]!r}; there is: {there_is}")
    if len(names) != len(set(names)):
        raise ProblemError(400, "a query parameter is there twice")


def options_of(routes: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Answers to OPTIONS: the framework's own names only the first method of a path."""
    methods: dict[str, set[str]] = {}
    for handler in routes:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    return [_options(path, ", ".join(sorted(allowed))) for path, allowed in methods.items()]


def _options(path: str, allowed: str) -> HTTPRouteHandler:
    @route(path, http_method=[HttpMethod.OPTIONS], include_in_schema=False, status_code=204)
    async def options() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allowed})

    return options


async def check_body(request: Request[Any, Any, Any]) -> None:
    """Before each handler: a body is JSON, says so (which also keeps forms of other pages out), and fits its
    type to the letter. The framework alone would take 0 for false."""
    if request.method not in ("PUT", "PATCH", "POST"):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    own = request.route_handler.opt.get(OWN_BODY)
    if own is not None:  # whoever it is meant for reads it
        if kind not in own:
            raise ProblemError(
                415, f"send the body as {' or '.join(own)}", headers={"Accept": ", ".join(own)}
            )
        return
    parameters = request.route_handler.parsed_fn_signature.parameters
    if "data" not in parameters:
        return
    if kind != "application/json":
        raise ProblemError(415, "send the body as application/json", headers={"Accept": "application/json"})
    wanted = parameters["data"].annotation
    body = await request.body()
    try:
        try:
            msgspec.json.decode(body, type=wanted)
        except msgspec.ValidationError:  # 3.0 is a whole number to JSON Schema, not to the decoder
            msgspec.convert(_whole_numbers(msgspec.json.decode(body)), wanted)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ProblemError(400, f"the body does not fit: {str(error)[:300]}") from None


def _whole_numbers(value: Any) -> Any:
    """Floats without a fraction as integers, which types of both kinds take."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole_numbers(part) for part in value]
    if isinstance(value, dict):
        return {name: _whole_numbers(part) for name, part in value.items()}
    return value


_NOT_QUERY = {"data", "request", "last_event_id", "who"}


def _structs() -> list[type[msgspec.Struct]]:
    modules = (
        case_models,
        junction_models,
        models,
        field_models,
        mission_models,
        what_if_models,
        transit_models,
        session_models,
        replay_models,
        study_models,
        corridor_models,
    )
    return [
        value
        for value in {name: value for module in modules for name, value in vars(module).items()}.values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
    ]


def _response(status: int, description: str) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
        }
    return response


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457 problem details",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "what is wrong, and the remedy"},
            "errors": {"type": "array", "items": {"type": "string"}},
        },
    }
