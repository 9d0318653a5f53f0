"""What the routes share: the city, the link to the other processes, and what is worked out once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from civicbrain.api.alerts import AlertStream
from civicbrain.api.door.log_in import LogIn
from civicbrain.api.door.provider import Provider
from civicbrain.api.forward import Forwarder
from civicbrain.api.geometry import geometry_of
from civicbrain.api.link import Link
from civicbrain.api.map_socket import MapSocket
from civicbrain.api.playback.recorder import Recorder
from civicbrain.api.settings import Settings
from civicbrain.api.studies import Studies
from civicbrain.api.views import cases_health
from civicbrain.api.what_ifs import WhatIfs
from civicbrain.city.model import City
from civicbrain.runtime.cases.wire import CasesStatus


@dataclass(frozen=True)
class Document:
    """An answer that does not change while the process runs."""

    body: bytes
    packed: bytes
    etag: str

    @staticmethod
    def of(value: object) -> Document:
        body = msgspec.json.encode(value)
        return Document(body, gzip.compress(body, 6, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(frozen=True)
class Services:
    city: City
    settings: Settings
    link: Link
    alerts: AlertStream
    map_socket: MapSocket
    geometry: Document
    forwarder: Forwarder
    what_ifs: WhatIfs
    recorder: Recorder
    studies: Studies
    log_in: LogIn
    provider: Provider | None

    @staticmethod
    def of(city: City, settings: Settings, log_in: LogIn) -> Services:
        alerts = AlertStream(settings)

        def tell(status: CasesStatus) -> None:
            said = cases_health(status, 0.0, away=False)
            alerts.tell("cases", msgspec.json.encode(msgspec.structs.replace(said, at=datetime.now(UTC))))

        link = Link(settings, alerts.add, tell)
        return Services(
            city, settings, link, alerts, MapSocket(city, link, settings), Document.of(geometry_of(city)),
            Forwarder(settings), WhatIfs(city, settings),
            Recorder(city, settings.run_dir, settings.playback_hours, settings.playback_bytes),
            Studies(city, settings), log_in, Provider.of(settings),
        )  # fmt: skip

    async def start(self) -> None:
        await self.link.start()
        self.map_socket.start()
        self.what_ifs.start()
        self.recorder.start()
        self.studies.start()

    async def stop(self) -> None:
        await self.studies.stop()
        await asyncio.to_thread(self.recorder.stop)
        await self.what_ifs.stop()
        await self.map_socket.stop()
        self.forwarder.stop()
        await self.link.stop()
        self.log_in.store.close()
