"""The parts put together: routes, errors, the OpenAPI document, access in front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, cast

from litestar import Litestar, Request, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License

from civicbrain import __version__
from civicbrain.api.asgi import App
from civicbrain.api.contract import check_body, document_of, options_of, reject_unknown_query
from civicbrain.api.door.access import Access
from civicbrain.api.door.identity import caller, check_role
from civicbrain.api.door.log_in import LogIn
from civicbrain.api.problems import (
    ProblemError,
    handle_http_exception,
    handle_problem,
    handle_refusal,
    handle_unexpected,
)
from civicbrain.api.routes import (
    alarms,
    cases,
    control,
    corridors,
    handover,
    history,
    now,
    people,
    provider,
    records,
    replay,
    reports,
    session,
    sources,
)
from civicbrain.api.routes import city as city_routes
from civicbrain.api.routes import junctions as junction_routes
from civicbrain.api.routes import missions as mission_routes
from civicbrain.api.routes import situations as situation_routes
from civicbrain.api.routes import studies as study_routes
from civicbrain.api.routes import transit as transit_routes
from civicbrain.api.routes import what_ifs as what_if_routes
from civicbrain.api.services import Document, Services
from civicbrain.api.settings import Settings
from civicbrain.api.static import StaticFiles, accepts_gzip, front, security_headers
from civicbrain.city.model import City
from civicbrain.core.errors import CivicBrainError
from civicbrain.runtime.login.store import LoginStore


def build_app(city: City, settings: Settings, token: str | None = None) -> App:
    """The whole ASGI application. token: None where there is none; without users, too, whoever reaches it is
    operator. Raises ServiceError where that would be others than people at this machine."""
    log_in = LogIn(settings, LoginStore(settings.users_file), token)
    services = Services.of(city, settings, log_in)

    @cache
    def document() -> Document:  # made when somebody first asks: it takes longer than all the rest
        return Document.of(document_of(api, city, log_in=log_in.is_needed))

    @get("/openapi.json", include_in_schema=False, sync_to_thread=False)
    def get_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
        found = document()
        headers = {"etag": found.etag, "cache-control": "no-cache", "vary": "Accept-Encoding"}
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return Response(found.packed, headers=headers, media_type="application/json")
        return Response(found.body, headers=headers, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await services.start()
        try:
            yield
        finally:
            await services.stop()

    topics = (  # one a line: several people add theirs
        city_routes,
        junction_routes,
        now,
        control,
        records,
        history,
        sources,
        mission_routes,
        what_if_routes,
        situation_routes,
        transit_routes,
        session,
        people,
        provider,
        replay,
        corridors,
        study_routes,
    )
    work = (cases, reports, alarms, handover)
    routes = [get_openapi, *(handler for topic in (*topics, *work) for handler in topic.handlers(services))]
    api = Litestar(
        route_handlers=[*options_of(routes), *routes],
        lifespan=[lifespan],
        dependencies={"who": Provide(caller, sync_to_thread=False)},
        guards=[check_role, reject_unknown_query],
        before_request=check_body,
        exception_handlers={
            ProblemError: handle_problem,
            HTTPException: handle_http_exception,
            CivicBrainError: handle_refusal,
            Exception: handle_unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="Civic Brain",
            version=__version__,
            description="One city, live: what it is, what it does, who decides.",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            use_handler_docstrings=True,
            render_plugins=[],
        ),
        logging_config=None,
        debug=False,
    )
    inner = front(cast(App, api), StaticFiles(settings.static_dir), services.map_socket.serve)
    return Access(inner, settings, log_in, security_headers(city.tile_url))


__all__ = ["build_app"]
