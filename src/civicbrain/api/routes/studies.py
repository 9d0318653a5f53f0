"""Before/after studies: ordered, watched, read, taken away."""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.response import File
from msgspec import Struct

from civicbrain.api.door.identity import Identity
from civicbrain.api.models import studies as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.contracts.wire import BrainCommand
from civicbrain.runtime.login import Role


class Controls(Struct, frozen=True):
    """What the brain process says of its controls, as far as it matters here."""

    available: list[models.ControlAbout]


StudyId = Annotated[str, Parameter(description="id of the study")]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    desk, link = services.studies, services.link

    @get("/v1/study-options", tags=["studies"], summary="What a study can be made of")
    async def get_study_options() -> models.StudyOptionsView:
        try:
            body = told(await link.command(BrainCommand("controls")), Controls).available
        except ProblemError:  # a study does not need the live city
            body = []
        return await desk.options(body)

    @get("/v1/studies", tags=["studies"], summary="Studies in line, running and over, newest first")
    async def list_studies() -> list[models.StudyBrief]:
        return desk.briefs()

    @post(
        "/v1/studies",
        needs=Role.ENGINEER,
        tags=["studies"],
        summary="Order a before/after study",
        status_code=202,
    )
    async def order_study(data: models.StudyAsked, who: Identity) -> models.StudyView:
        return desk.order(data, who.actor)

    @get("/v1/studies/{study_id:str}", tags=["studies"], summary="One study, with the runs that are over")
    async def get_study(study_id: StudyId) -> models.StudyView:
        return desk.view(study_id)

    @get("/v1/studies/{study_id:str}/result", tags=["studies"], summary="What the study found")
    async def get_result(study_id: StudyId) -> models.StudyResult:
        return await desk.result(study_id)

    @get(
        "/v1/studies/{study_id:str}/files/{file:str}",
        tags=["studies"],
        summary="The study to take away: report.html, report.pdf, comparison.csv, runs.csv, evaluation.json",
        responses={
            200: ResponseSpec(bytes, False, media_type="application/octet-stream", description="the file")
        },
    )
    async def get_study_file(
        study_id: StudyId, file: Annotated[str, Parameter(description="name of the file")]
    ) -> File:
        path, media_type = desk.file(study_id, file)
        to_read = media_type in ("text/html", "application/pdf")
        return File(
            path,
            filename=f"{study_id}-{file}",
            media_type=media_type,
            content_disposition_type="inline" if to_read else "attachment",
        )

    @post(
        "/v1/studies/{study_id:str}/continuation",
        needs=Role.ENGINEER,
        tags=["studies"],
        summary="Go on with a study that was cancelled or failed; finished runs are kept",
        status_code=202,
    )
    async def go_on(study_id: StudyId, data: models.Nothing) -> models.StudyView:
        del data
        return desk.go_on(study_id)

    @delete(
        "/v1/studies/{study_id:str}",
        needs=Role.ENGINEER,
        tags=["studies"],
        summary="Cancel a study; what has been run is kept",
        status_code=200,
    )
    async def cancel_study(study_id: StudyId) -> models.StudyView:
        return await desk.cancel(study_id)

    return [
        get_study_options, list_studies, order_study, get_study, get_result, get_study_file, go_on,
        cancel_study,
    ]  # fmt: skip
