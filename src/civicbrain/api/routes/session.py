"""Who is logged in."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from civicbrain.api import session_models as models
from civicbrain.api.identity import PUBLIC, Identity, find_identity
from civicbrain.api.services import Services


def handlers(_: Services) -> list[HTTPRouteHandler]:
    @get("/v1/session", tags=["people"], summary="Who is logged in", sync_to_thread=False, needs=PUBLIC)
    def get_session(request: Request[Any, Any, Any]) -> models.SessionView:
        return _view(find_identity(request))

    return [get_session]


def _view(who: Identity | None) -> models.SessionView:
    if who is None:
        return models.SessionView("", None, "", "", False)
    return models.SessionView(who.name, who.role, who.actor, who.way, who.demo)
