"""What the city is doing: snapshot, twin, health."""

from __future__ import annotations

from litestar import get, patch
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET

from civicbrain import __version__
from civicbrain.api.door.identity import PUBLIC, Identity
from civicbrain.api.link import unavailable
from civicbrain.api.models import city as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import cases_health, history_health, known, snapshot_view, told, twin_view
from civicbrain.contracts import wire


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    @get("/v1/snapshot", tags=["now"], summary="The newest state of the city", sync_to_thread=False)
    def get_snapshot() -> models.SnapshotView:
        state = link.state
        if state is None:
            raise unavailable("the brain process has not spoken yet")
        return snapshot_view(state, link.brain_age_s, link.brain_away)

    @get("/v1/twin", tags=["twin"], summary="Clock and counters of the twin", sync_to_thread=False)
    def get_twin() -> models.TwinView:
        if link.status is None or link.twin_away:
            raise unavailable("the twin process does not answer")
        return twin_view(link.status)

    @patch("/v1/twin", tags=["twin"], summary="Pause, resume, or change the speed")
    async def change_twin(data: models.TwinChange, who: Identity) -> models.TwinView:
        if data.paused is UNSET and data.speed is UNSET:
            raise ProblemError(400, "nothing to change: give `paused`, `speed` or both")
        if link.twin_away:
            raise unavailable("the twin process does not answer")
        # the speed first: a resumed twin then runs at it from its first step
        answer = None
        if data.speed is not UNSET:
            answer = await link.command(_twin_command(who, "speed", data.reason, data.speed))
        if data.paused is not UNSET:
            answer = await link.command(_twin_command(who, "pause" if data.paused else "resume", data.reason))
        if answer is not None:
            return twin_view(told(answer, wire.TwinStatus))
        if link.status is None:
            raise unavailable("the twin process does not answer")
        return twin_view(link.status)

    @get(
        "/v1/health",
        tags=["now"],
        summary="Whether the processes answer",
        sync_to_thread=False,
        needs=PUBLIC,
    )
    def get_health() -> models.HealthView:
        # one that never spoke was not asked for
        history_lost = link.history is not None and (link.history_away or bool(link.history.last_error))
        cases_lost = link.cases is not None and (link.cases_away or bool(link.cases.last_error))
        degraded = link.brain_away or link.twin_away or history_lost or cases_lost
        return models.HealthView(
            status="degraded" if degraded else "ok",
            version=__version__,
            access="token" if services.settings.open_to_others else "operator on this machine",
            twin=_process(link.twin_away, link.twin_age_s),
            brain=_process(link.brain_away, link.brain_age_s),
            map_clients=services.map_socket.client_count,
            alert_clients=services.alerts.client_count,
            history=history_health(link.history, link.history_age_s, link.history_away),
            cases=cases_health(link.cases, link.cases_age_s, link.cases_away),
        )

    return [get_snapshot, get_twin, change_twin, get_health]


def _twin_command(who: Identity, action: str, reason: str, value: float = 0.0) -> wire.BrainCommand:
    return wire.BrainCommand("twin", actor=who.actor, text=action, value=value, reason=reason)


def _process(away: bool, age_s: float) -> models.ProcessHealth:
    return models.ProcessHealth(answering=not away, age_s=known(age_s))
