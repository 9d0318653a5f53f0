"""Who may do what: users, their sessions, and the record of access. For administrators."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from urllib.parse import unquote

from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import UNSET

from civicbrain.api.door.identity import Identity
from civicbrain.api.models import sessions as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.runtime.login import Role, users
from civicbrain.runtime.login.sessions import Session
from civicbrain.runtime.login.users import User

_HIGHEST = 2**53 - 1
UserName = Annotated[str, Parameter(description="log-in of the user")]
_ONLY: dict[str, Any] = {"needs": Role.ADMINISTRATOR, "tags": ["people"]}


def handlers(services: Services) -> list[HTTPRouteHandler]:
    log_in = services.log_in
    store = log_in.store

    def view(user: User) -> models.UserView:
        return _user_view(user, Counter(session.user for session in log_in.sessions.list_all()))

    @get("/v1/users", summary="All users", sync_to_thread=False, **_ONLY)
    def list_users() -> list[models.UserView]:
        counts = Counter(session.user for session in log_in.sessions.list_all())
        return [_user_view(user, counts) for user in users.list_users(store)]

    @post("/v1/users", summary="Add a user", status_code=201, **_ONLY)
    async def add_user(data: models.UserOrder, who: Identity) -> models.UserView:
        users.check_name(data.name)
        hashed = await log_in.hash_new(data.password, data.name)
        return view(users.add_user(store, data.name, data.role, hashed, by=who.actor))

    @patch("/v1/users/{name:str}", summary="Give a role, disable or enable", sync_to_thread=False, **_ONLY)
    def change_user(name: UserName, data: models.UserChange, who: Identity) -> models.UserView:
        name = _name(name)
        if data.role is UNSET and data.disabled is UNSET:
            raise ProblemError(400, "nothing to change: give `role`, `disabled` or both")
        if data.role is not UNSET:
            users.set_role(store, name, data.role, by=who.actor)
        if data.disabled is not UNSET:
            users.set_disabled(store, name, data.disabled, by=who.actor)
        return view(users.get_user(store, name))

    @put("/v1/users/{name:str}/password", summary="Give a new password", **_ONLY)
    async def set_password(name: UserName, data: models.NewPassword, who: Identity) -> models.UserView:
        name = _name(name)
        users.get_user(store, name)
        hashed = await log_in.hash_new(data.password, name)
        users.set_password(store, name, hashed, by=who.actor)
        return view(users.get_user(store, name))

    @delete("/v1/users/{name:str}", summary="Remove a user", status_code=204, sync_to_thread=False, **_ONLY)
    def remove_user(name: UserName, who: Identity) -> None:
        users.remove_user(store, _name(name), by=who.actor)

    @get("/v1/sessions", summary="Who is logged in, and where", sync_to_thread=False, **_ONLY)
    def list_sessions(who: Identity) -> list[models.LoginSession]:
        return [_session_view(session, who.session) for session in log_in.sessions.list_all()]

    @delete(
        "/v1/sessions/{number:int}", summary="End a session", status_code=204, sync_to_thread=False, **_ONLY
    )
    def end_session(
        number: Annotated[int, Parameter(ge=1, le=_HIGHEST, description="of the session")], who: Identity
    ) -> None:
        log_in.sessions.end(number, by=who.actor, why="ended by an administrator")

    @get("/v1/access-record", summary="Who came in, and who was given what, newest first",
         sync_to_thread=False, **_ONLY)  # fmt: skip
    def get_record(
        offset: Annotated[int, Parameter(ge=0, le=_HIGHEST, description="entries to pass over")] = 0,
        limit: Annotated[int, Parameter(ge=1, le=1000, description="at most so many")] = 100,
    ) -> models.AccessPage:
        entries, count = store.page(offset, limit)
        return models.AccessPage(
            [
                models.AccessEntry(
                    e.seq, datetime.fromisoformat(e.at), e.kind, e.actor, cast(Any, e.body), e.hash
                )
                for e in entries
            ],
            count, offset, limit,
        )  # fmt: skip

    return [
        list_users, add_user, change_user, set_password, remove_user, list_sessions, end_session, get_record,
    ]  # fmt: skip


def _user_view(user: User, sessions: Counter[str]) -> models.UserView:
    return models.UserView(
        user.name, user.role, cast(Any, user.way), user.disabled, user.made, user.seen, sessions[user.name]
    )


def _session_view(session: Session, own: int) -> models.LoginSession:
    return models.LoginSession(
        session.number, session.user, session.role, cast(Any, session.way), session.address, session.agent,
        _moment(session.started_s), _moment(session.active_s), _moment(session.ends_s),
        session.number == own,
    )  # fmt: skip


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _name(segment: str) -> str:
    name = unquote(segment, errors="replace")
    if len(name) > 64 or not name.isprintable():
        raise ProblemError(404, "no such user; GET /v1/users lists them")
    return name
