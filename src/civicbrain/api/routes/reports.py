"""Reports of people: citizens, police, crews in the field, other departments."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from civicbrain.api.door.access import REPORTS
from civicbrain.api.door.identity import PUBLIC, find_identity, require_role
from civicbrain.api.models import cases as models
from civicbrain.api.routes.cases import Limit, Offset
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.contracts.wire import BrainCommand
from civicbrain.runtime.login import Role

_ABOUT = (
    "With a reporter's key (`Authorization: Bearer KEY`, see reporters_file) it counts as a report of the "
    "key's role; without one the operator reports for somebody, in the role that is given. It joins the case "
    "it matches by place, time and kind, or opens one; every report is kept. Send nothing of the person that "
    "is not needed: words are deleted some days after the case is closed."
)


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    @post(
        REPORTS,
        tags=["cases"],
        summary="Report an incident",
        description=_ABOUT,
        status_code=201,
        needs=PUBLIC,
    )
    async def make_report(request: Request[Any, Any, Any], data: models.ReportOrder) -> models.ReportMade:
        body = msgspec.to_builtins(data)
        ago_s = body.pop("ago_s")
        if ago_s is not None:
            body["happened_s"] = time.time() - ago_s
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        who = find_identity(request)
        if who is None and scheme.lower() == "bearer" and key.strip():  # the cases process knows whose it is
            body["bearer"] = key.strip()
            actor = "reporter"
        else:
            actor = require_role(request, Role.OPERATOR).actor
        return told(await link.ask_cases(BrainCommand("report", actor=actor, body=body)), models.ReportMade)

    @get(REPORTS, tags=["cases"], summary="Reports, the newest first, without their words")
    async def list_reports(offset: Offset = 0, limit: Limit = 100) -> models.ReportPage:
        command = BrainCommand("reports", offset=offset, limit=limit)
        return told(await link.ask_cases(command), models.ReportPage)

    return [make_report, list_reports]
