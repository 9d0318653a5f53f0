"""Logging in and out, and who is logged in."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isinf
from typing import Any, cast

from litestar import Request, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler

from civicbrain.api.asgi import Scope
from civicbrain.api.door.cookies import headers_of
from civicbrain.api.door.identity import PUBLIC, Identity, find_identity
from civicbrain.api.models import sessions as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.runtime.login import Role
from civicbrain.runtime.login.sessions import Session
from civicbrain.runtime.login.users import PASSWORD

Asked = Request[Any, Any, Any]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    log_in, provider = services.log_in, services.provider

    def view(who: Identity | None, session: Session | None) -> models.SessionView:
        ways: list[Any] = [
            way
            for way, there in (
                ("password", log_in.takes_passwords), ("provider", provider), ("token", log_in.token),
            )
            if there
        ]  # fmt: skip
        label = provider.label if provider else ""
        if who is None:
            return models.SessionView("", None, "", "", False, ways=ways, provider=label)
        return models.SessionView(
            who.name, who.role, who.actor, who.way, who.demo, _moment(session.ends_s if session else None),
            _moment(session.idle_ends_s if session else None), ways, label,
        )  # fmt: skip

    def begun(cookie: str) -> Response[models.SessionView]:
        session = log_in.sessions.find(cookie.partition("=")[2].partition(";")[0])
        if session is None:  # disabled, or removed, in this very moment
            raise ProblemError(401, "name or password is wrong")
        who = Identity(session.user, session.role, cast(Any, session.way), session.number)
        return Response(view(who, session), headers={"set-cookie": cookie})

    @get("/v1/session", tags=["people"], summary="Who is logged in", sync_to_thread=False, needs=PUBLIC)
    def get_session(request: Asked) -> models.SessionView:
        who = find_identity(request)
        return view(who, log_in.sessions.find_number(who.session) if who and who.session else None)

    @post("/v1/session", tags=["people"], summary="Log in", status_code=201, needs=PUBLIC)
    async def begin_session(request: Asked, data: models.LogInOrder) -> Response[models.SessionView]:
        scope, headers = _parts(request)
        if data.token:
            if not log_in.token:
                raise ProblemError(409, "there is no token here; log in by name and password")
            return begun(log_in.open_with_token(scope, headers, data.token))
        return begun(await log_in.with_password(scope, headers, data.name, data.password))

    @delete("/v1/session", tags=["people"], summary="Log out", status_code=200, needs=Role.VIEWER)
    async def end_session(request: Asked, who: Identity) -> Response[models.LoggedOut]:
        address = await provider.end_address(who.session) if provider and who.way == "provider" else ""
        if who.session:
            log_in.sessions.end(who.session, by=who.name, why="logged out")
        gone = log_in.cookie(cast(Scope, request.scope), "")
        return Response(models.LoggedOut(address), headers={"set-cookie": gone})

    @put("/v1/session/password", tags=["people"], summary="Change one's password", needs=Role.VIEWER)
    async def change_password(
        request: Asked, data: models.PasswordChange, who: Identity
    ) -> Response[models.SessionView]:
        scope, _ = _parts(request)
        session = log_in.sessions.find_number(who.session) if who.session else None
        if session is None or session.way != PASSWORD:
            raise ProblemError(409, f"{who.name} has no password here that could be changed")
        return begun(await log_in.change_password(scope, session, data.current, data.new))

    @post("/v1/session/activity", tags=["people"], summary="Say that somebody is still there",
          description="Reading does not keep a session: the page reads by itself. It sends this when the "
          "person has moved the pointer or pressed a key, once a minute at most.", status_code=200,
          needs=Role.VIEWER, sync_to_thread=False)  # fmt: skip
    def note_activity(who: Identity) -> models.SessionView:
        # the access layer has noted it, as for everything that is not a read
        return view(who, log_in.sessions.find_number(who.session) if who.session else None)

    return [get_session, begin_session, end_session, change_password, note_activity]


def _parts(request: Asked) -> tuple[Scope, dict[str, str]]:
    scope = cast(Scope, request.scope)
    return scope, headers_of(scope)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None or isinf(seconds) else datetime.fromtimestamp(seconds, UTC)
