"""Who calls, and what a handler needs of them.

The access layer puts an `Identity` into the scope of every request that it lets in. A handler takes
it as a parameter `who: Identity` and names it in the ledger by `who.actor`, never by what the body says. What
role it needs stands at the handler:

    @put("/v1/control", needs=Role.ENGINEER)

Without that, reading needs a viewer and everything else an operator. `needs=PUBLIC`: whoever comes; such a
handler checks keys of its own, or tells nothing that is worth one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from civicbrain.api.asgi import Scope
from civicbrain.api.problems import ProblemError
from civicbrain.runtime.login import Role

NEEDS: Final = "needs"
PUBLIC: Final = "public"
_KEY: Final = "civicbrain.identity"
_READS = {"GET", "HEAD", "OPTIONS"}


Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True)
class Identity:
    """name: the log-in. way: how they came in; demo: nobody logs in, as on one's own machine. session: number
    of the log-in session, 0 for none."""

    name: str
    role: Role
    way: Literal["demo", "token", "password", "provider"]
    session: int = 0

    @property
    def demo(self) -> bool:
        return self.way == "demo"

    @property
    def actor(self) -> str:
        """As the ledger names them: role and name. No brain or process can have such a name."""
        return self.name if self.demo else f"{self.role}:{self.name}"


DEMO: Final = Identity("operator (demo)", Role.OPERATOR, "demo")
TOKEN: Final = Identity("token", Role.ADMINISTRATOR, "token")


def set_identity(scope: Scope, identity: Identity | None) -> None:
    """None: of somebody with a key of their own, or of nobody."""
    scope[_KEY] = identity


def find_identity(connection: Connection) -> Identity | None:
    """None: nobody, or somebody with a key of their own."""
    found = cast(Scope, connection.scope).get(_KEY)
    return found if isinstance(found, Identity) else None


def caller(request: Request[Any, Any, Any]) -> Identity:
    """Who calls: the `who: Identity` of handlers. Raises ProblemError (401) where it is nobody."""
    found = find_identity(request)
    if found is None:
        raise not_logged_in()
    return found


def require_role(connection: Connection, needed: Role) -> Identity:
    """Who calls. Raises ProblemError: 401 for nobody, 403 for somebody of a lesser role."""
    found = find_identity(connection)
    if found is None:
        raise not_logged_in()
    if not found.role.covers(needed):
        raise ProblemError(
            403,
            f"this needs the role {needed}, and {found.name} is {found.role}; an administrator gives roles",
        )
    return found


def role_needed(handler: BaseRouteHandler, method: str) -> Role | None:
    """What a handler needs; None: it is public."""
    needs = handler.opt.get(NEEDS)
    if needs == PUBLIC:
        return None
    if needs is not None:
        return Role(needs)
    return Role.VIEWER if method.upper() in _READS else Role.OPERATOR


def check_role(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of every route; raises as `require_role`."""
    needed = role_needed(handler, str(cast(Scope, connection.scope)["method"]))
    if needed is not None:
        require_role(connection, needed)


def not_logged_in() -> ProblemError:
    """401, with what to do."""
    return ProblemError(
        401, "log in at the control room, or send `Authorization: Bearer TOKEN`; the token stands in "
        "api.token in the run folder", headers={"WWW-Authenticate": 'Bearer realm="civicbrain"'},
    )  # fmt: skip
