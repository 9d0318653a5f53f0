"""Brains and controls: what runs, and switching it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from litestar import get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.link import unavailable
from civicbrain.api.models import city as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import brain_view, told
from civicbrain.contracts import wire


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    @get("/v1/brains", tags=["brains"], summary="All brains and their health", sync_to_thread=False)
    def list_brains() -> list[models.BrainView]:
        if link.state is None or link.brain_away:
            raise unavailable("the brain process does not answer")
        return [brain_view(health) for health in link.state.brains]

    @put("/v1/brains/{name:str}", tags=["brains"], summary="Switch a brain on or off")
    async def switch_brain(
        name: Annotated[str, Parameter(description="the brain's name")],
        data: models.BrainSwitch,
        who: Identity,
    ) -> models.BrainView:
        action = "brain-on" if data.enabled else "brain-off"
        body = await link.command(
            wire.BrainCommand(action, actor=who.actor, text=_room(name, "brain"), reason=data.reason)
        )
        return brain_view(told(body, wire.BrainHealth))

    @get("/v1/controls", tags=["controls"], summary="The control in use and those there are")
    async def get_controls() -> models.ControlsView:
        return told(await link.command(wire.BrainCommand("controls")), models.ControlsView)

    @put("/v1/control", tags=["controls"], summary="Change the control of the city")
    async def change_control(data: models.ControlChange, who: Identity) -> models.ControlsView:
        command = wire.BrainCommand("control", actor=who.actor, text=data.name, reason=data.reason)
        return told(await link.command(command), models.ControlsView)

    return [list_brains, switch_brain, get_controls, change_control]


def _room(segment: str, what: str) -> str:
    name = unquote(segment, errors="replace")
    if len(name) > 64 or not name.isprintable():
        raise ProblemError(404, f"no such {what}")
    return name
