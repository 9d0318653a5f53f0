"""Alarms: a handful of groups, acknowledged, shelved, cleared; and notices and how they fare."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.models import cases as models
from civicbrain.api.routes.cases import Limit, Offset, order
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.city.alarms import AlarmFile, AlarmList, AlarmsChanged
from civicbrain.contracts.wire import BrainCommand
from civicbrain.runtime.cases.outbox import NoticePage, NoticeState, NoticeView

_HIGHEST = 2**53 - 1


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    async def change(
        who: Identity, action: str, data: models.AlarmChoice | models.AlarmShelving
    ) -> AlarmsChanged:
        return told(await link.ask_cases(order(who, action, data)), AlarmsChanged)

    @get("/v1/alarms", tags=["alarms"], summary="Alarms that stand: groups, and a page of single ones")
    async def list_alarms(
        group: Annotated[
            str | None, Parameter(pattern="^([0-9a-f]{12}|rest)$", description="only alarms of that group")
        ] = None,
        which: Annotated[
            Literal["standing", "shelved", "all"], Parameter(description="all: also what is over and noted")
        ] = "standing",
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> AlarmList:
        body = {"group": group or "", "which": which}
        command = BrainCommand("alarms", body=body, offset=offset, limit=limit)
        return told(await link.ask_cases(command), AlarmList)

    @get("/v1/alarms/{alarm:int}", tags=["alarms"], summary="One alarm, and the times that it stood")
    async def get_alarm(
        alarm: Annotated[int, Parameter(ge=1, le=_HIGHEST, description="id of the alarm")],
    ) -> AlarmFile:
        return told(await link.ask_cases(BrainCommand("alarm", text=str(alarm))), AlarmFile)

    @post("/v1/alarms/acknowledgements", tags=["alarms"], summary="Take note of alarms", status_code=200)
    async def acknowledge(data: models.AlarmChoice, who: Identity) -> AlarmsChanged:
        return await change(who, "acknowledge", data)

    @post("/v1/alarms/shelvings", tags=["alarms"], summary="Put alarms aside for a time", status_code=200)
    async def shelve(data: models.AlarmShelving, who: Identity) -> AlarmsChanged:
        return await change(who, "shelve", data)

    @post("/v1/alarms/unshelvings", tags=["alarms"], summary="Take alarms back", status_code=200)
    async def unshelve(data: models.AlarmChoice, who: Identity) -> AlarmsChanged:
        return await change(who, "unshelve", data)

    @post("/v1/alarms/clearings", tags=["alarms"], summary="Say that it is over, by hand", status_code=200)
    async def clear(data: models.AlarmChoice, who: Identity) -> AlarmsChanged:
        return await change(who, "clear", data)

    @get("/v1/notices", tags=["notices"], summary="Notices, the newest first")
    async def list_notices(
        in_state: Annotated[NoticeState | None, Parameter(description="only those in it")] = None,
        case: Annotated[
            str | None, Parameter(pattern="^case-[1-9][0-9]{0,14}$", description="only about that case")
        ] = None,
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> NoticePage:
        body = {"state": in_state or "", "case": case or ""}
        command = BrainCommand("notices", body=body, offset=offset, limit=limit)
        return told(await link.ask_cases(command), NoticePage)

    @post(
        "/v1/notices/{notice:int}/attempts",
        tags=["notices"],
        summary="Send again what was given up",
        status_code=202,
    )
    async def send_again(
        notice: Annotated[int, Parameter(ge=1, le=_HIGHEST, description="number of the notice")],
        data: models.NoticeAgain,
        who: Identity,
    ) -> NoticeView:
        return told(await link.ask_cases(order(who, "notice-again", data, str(notice))), NoticeView)

    return [list_alarms, get_alarm, acknowledge, shelve, unshelve, clear, list_notices, send_again]
