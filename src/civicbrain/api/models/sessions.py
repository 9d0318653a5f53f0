"""What the API takes and says of log-ins, users and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from civicbrain.runtime.login import Role

_GIVEN = r"^[^\u0000-\u001f\u007f]*$"
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$", description="log-in")]
Password = Annotated[str, Meta(max_length=200, pattern=_GIVEN, description="12 characters or more")]


class SessionView(Struct, frozen=True):
    """Who is logged in. name: "", role: null: nobody. actor: as the record of changes names them. way: how
    they came in; demo: by itself, for this server answers this machine only. expires_at: when they must log
    in again whatever they do; idle_ends_at: when they do nothing until then; null: never. ways: how somebody
    can log in. provider: what the button of the identity provider says."""

    name: str
    role: Role | None
    actor: str
    way: Literal["", "demo", "token", "password", "provider"]
    demo: bool
    expires_at: datetime | None = None
    idle_ends_at: datetime | None = None
    ways: list[Literal["password", "token", "provider"]] = []
    provider: str = ""


class LogInOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password, or the token of the run folder."""

    name: Annotated[str, Meta(max_length=200, pattern=_GIVEN)] = ""
    password: Annotated[str, Meta(max_length=200, pattern=_GIVEN)] = ""
    token: Annotated[str, Meta(max_length=200, pattern=_GIVEN)] = ""


class LoggedOut(Struct, frozen=True):
    """provider_address: where the identity provider ends its own session, too; "" where it has none."""

    provider_address: str = ""


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    current: Annotated[str, Meta(max_length=200, pattern=_GIVEN)]
    new: Password


class UserView(Struct, frozen=True):
    """way: "password", or "provider": their name and role come from the identity provider."""

    name: str
    role: Role
    way: Literal["password", "provider"]
    disabled: bool
    made: datetime
    seen: datetime | None
    sessions: int


class UserOrder(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    role: Role
    password: Password


class UserChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is not given stays."""

    role: Role | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class NewPassword(Struct, frozen=True, forbid_unknown_fields=True):
    password: Password


class LoginSession(Struct, frozen=True):
    """own: the session of whoever asks."""

    number: int
    user: str
    role: Role
    way: Literal["password", "provider", "token"]
    address: str
    agent: str
    started: datetime
    active: datetime
    expires_at: datetime
    own: bool


class AccessEntry(Struct, frozen=True):
    """One entry of the record of access, as it stands in its hash chain."""

    seq: int
    at: datetime
    kind: str
    actor: str
    body: dict[str, Any]
    hash: str


class AccessPage(Struct, frozen=True):
    """The newest first. count: of all."""

    entries: list[AccessEntry]
    count: int
    offset: int
    limit: int
