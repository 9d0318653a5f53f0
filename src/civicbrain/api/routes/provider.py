"""The way to the city's identity provider and back. For browsers, by links: not in the OpenAPI document."""

from __future__ import annotations

from typing import Any, cast

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from civicbrain.api.asgi import Scope
from civicbrain.api.contract import ANY_QUERY
from civicbrain.api.door.cookies import headers_of
from civicbrain.api.door.identity import PUBLIC
from civicbrain.api.door.provider import CALLBACK, TAKES_S
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.core.errors import CivicBrainError
from civicbrain.runtime.login.users import PROVIDER, admit_from_provider

COOKIE = "civicbrain-log-in"
_HIDDEN: dict[str, Any] = {"include_in_schema": False, "needs": PUBLIC}


def handlers(services: Services) -> list[HTTPRouteHandler]:
    log_in, provider = services.log_in, services.provider

    @get("/v1/session/provider", **_HIDDEN)
    async def go_to_provider(request: Request[Any, Any, Any]) -> Response[None]:
        if provider is None:
            raise ProblemError(404, "no identity provider is configured: [login.provider]")
        address, secret = await provider.begin()
        # the provider sends the browser back from another site: a Strict cookie would not come along
        cookie = log_in.cookie(
            cast(Scope, request.scope), secret, base=COOKIE, same_site="Lax", longest_s=TAKES_S
        )
        return Response(None, status_code=303, headers={"location": address, "set-cookie": cookie})

    @get(CALLBACK, opt={ANY_QUERY: True}, **_HIDDEN)
    async def come_back(request: Request[Any, Any, Any]) -> Response[None]:
        """Always back to the page, which says what went wrong: nobody should meet a problem document."""
        if provider is None:
            raise ProblemError(404, "no identity provider is configured: [login.provider]")
        scope = cast(Scope, request.scope)
        headers = headers_of(scope)
        secret = log_in.read_cookie(scope, headers, COOKIE)
        answer = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
        try:
            person = await provider.finish(secret, answer)
        except ProblemError as error:
            log_in.refused(scope, "unknown", error.problem.detail)
            return _to_page("again" if error.problem.status == 400 else "provider")
        if person.role is None:
            log_in.refused(scope, "unknown", f"no role for {person.name}"[:200])
            return _to_page("no-role")
        try:
            admit_from_provider(log_in.store, person.name, person.role, person.subject)
        except CivicBrainError as error:
            log_in.refused(scope, "unknown", error.message)
            return _to_page("name")
        cookie = log_in.begin(scope, headers, person.name, PROVIDER)
        session = log_in.sessions.find(cookie.partition("=")[2].partition(";")[0])
        if session is not None:
            provider.remember(session.number, person)
        return Response(None, status_code=303, headers={"location": "/", "set-cookie": cookie})

    return [go_to_provider, come_back]


def _to_page(why: str) -> Response[None]:
    """why: a word that the page has a sentence for; anybody can write an address, so it carries no text."""
    return Response(None, status_code=303, headers={"location": f"/?refused={why}"})
