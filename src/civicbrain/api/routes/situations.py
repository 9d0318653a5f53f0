"""Open incidents for other systems: DATEX II, and texts for signs."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from civicbrain.api.datex import render_situations, severity_of
from civicbrain.api.models import what_ifs as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.city.incidents import Incident
from civicbrain.city.sign_texts import sign_texts, street_name
from civicbrain.contracts import wire
from civicbrain.core.errors import ConfigurationError

MEDIA_TYPE = "application/xml"


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link, city = services.link, services.city

    async def open_incidents() -> list[Incident]:
        return told(await link.command(wire.BrainCommand("incidents")), list[Incident])

    @get(
        "/v1/situations",
        tags=["incidents"],
        summary="Open incidents as a DATEX II v3 situation publication",
        responses={200: ResponseSpec(str, False, media_type=MEDIA_TYPE, description="the publication")},
    )
    async def get_situations() -> Response[bytes]:
        try:
            body = render_situations(city, await open_incidents(), datetime.now(UTC))
        except ConfigurationError as error:
            raise ProblemError(404, str(error)) from None
        return Response(body, media_type=MEDIA_TYPE)

    @get("/v1/sign-texts", tags=["incidents"], summary="Short texts for signs, one set an open incident")
    async def list_sign_texts() -> list[models.SignText]:
        return [
            models.SignText(
                one.id, str(one.kind), severity_of(one), street_name(city, one), one.place.edge, texts
            )
            for one in await open_incidents()
            if (texts := sign_texts(city, one))
        ]

    return [get_situations, list_sign_texts]
