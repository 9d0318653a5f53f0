"""Buses: lines, where each bus is and how late, what was asked for it; the timetable and the positions in
the formats of the field (GTFS, GTFS Realtime)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from civicbrain.api.models import transit as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.city.transit.buses import BusPosition
from civicbrain.city.transit.layout import GTFS
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.contracts import wire

_MOST = 1000
_HIGHEST = 2**53 - 1
_ALL = 5000
_NO_TIMETABLE = "the city has no timetable; import one with --timetable"

Line = Annotated[str, Parameter(max_length=120, description="id of a line; all without")]
Offset = Annotated[int, Parameter(ge=0, le=_HIGHEST, description="to pass over")]
Limit = Annotated[int, Parameter(ge=1, le=_MOST, description="at most so many")]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link, city = services.link, services.city

    @get("/v1/transit/lines", tags=["transit"], summary="Bus lines, and how they do")
    async def list_lines() -> models.LinesView:
        return told(await link.command(wire.BrainCommand("transit-lines")), models.LinesView)

    @get("/v1/transit/buses", tags=["transit"], summary="Buses under way, those farthest behind first")
    async def list_buses(line: Line = "", offset: Offset = 0, limit: Limit = 100) -> models.BusPage:
        command = wire.BrainCommand("transit-buses", text=line, offset=offset, limit=limit)
        return told(await link.command(command), models.BusPage)

    @get("/v1/transit/buses/{trip:str}", tags=["transit"], summary="One bus under way")
    async def get_bus(
        trip: Annotated[str, Parameter(description="id of the trip; `/` in it as %2F")],
    ) -> models.BusView:
        name = unquote(trip, errors="replace")
        if len(name) > 200 or not name.isprintable():
            raise ProblemError(404, "no such bus; GET /v1/transit/buses lists them")
        return told(await link.command(wire.BrainCommand("transit-bus", text=name)), models.BusView)

    @get("/v1/transit/requests", tags=["transit"], summary="What was asked for buses, and the verdicts")
    async def list_requests(line: Line = "", offset: Offset = 0, limit: Limit = 100) -> models.TransitAskPage:
        command = wire.BrainCommand("transit-asks", text=line, offset=offset, limit=limit)
        return told(await link.command(command), models.TransitAskPage)

    @get(
        "/v1/transit/gtfs.zip",
        tags=["transit"],
        summary="The timetable as GTFS",
        responses={200: ResponseSpec(bytes, False, media_type="application/zip", description="the archive")},
        sync_to_thread=True,
    )
    def get_gtfs(request: Request[Any, Any, Any]) -> Response[bytes]:
        del request
        file = city.folder / GTFS
        if not file.is_file():
            raise ProblemError(404, _NO_TIMETABLE)
        return Response(file.read_bytes(), media_type="application/zip")

    @get(
        "/v1/transit/realtime.pb",
        tags=["transit"],
        summary="Positions and delays of the buses as GTFS Realtime",
        responses={
            200: ResponseSpec(bytes, False, media_type="application/x-protobuf", description="a FeedMessage")
        },
    )
    async def get_realtime(request: Request[Any, Any, Any]) -> Response[bytes]:
        from civicbrain.feeds.gtfs_realtime.messages import encode_positions  # only who asks pays for it

        del request
        timetable = await asyncio.to_thread(lambda: city.timetable)  # seconds, the first time
        if timetable is None:
            raise ProblemError(404, _NO_TIMETABLE)
        page = told(await link.command(wire.BrainCommand("transit-buses", limit=_ALL)), models.BusPage)
        positions = [
            BusPosition(
                "api", bus.trip, bus.vehicle, bus.fix_s if bus.fix_s is not None else bus.time_s, bus.x_m,
                bus.y_m, -1.0 if bus.speed_mps is None else bus.speed_mps,
                -1.0 if bus.heading_deg is None else bus.heading_deg,
            )
            for bus in page.items
        ]  # fmt: skip
        body = encode_positions(
            positions, timetable, LonLat(city.network.projection), city.epoch, page.time_s,
            {bus.trip: bus.late_s for bus in page.items},
        )  # fmt: skip
        return Response(body, media_type="application/x-protobuf")

    return [list_lines, list_buses, get_bus, list_requests, get_gtfs, get_realtime]
