"""A subscription in a thread of its own; each message goes straight into the intake, which bounds it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from gmqtt import Client, Subscription

from civicbrain.city.intake import Intake, Keys, Sources
from civicbrain.contracts.feed import Datum
from civicbrain.core.errors import ServiceError
from civicbrain.feeds.mqtt.options import MqttOptions, parse_options

CADENCE_S = 0.1
STALE_AFTER_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
CONNECT_TIMEOUT_S = 5.0
KEEPALIVE_S = 15
LONGEST_STEP_S = 1.0
"""Platform time is carried on between polls, this far at most: the platform may be paused."""

_log = structlog.get_logger("civicbrain.feeds.mqtt")


class MqttFeed:
    """The Feed protocol over a broker. clock: monotonic wall seconds, for tests.

    messages: how many have come. connected: whether the broker has accepted us and our subscription.
    """

    name = "mqtt"
    cadence_s = CADENCE_S
    stale_after_s = STALE_AFTER_S

    def __init__(
        self,
        options: MqttOptions,
        intake: Intake,
        *,
        shared: bool,
        now_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connects in the background. now_s: platform second at the start. Raises
        ConfigurationError for files that cannot be used."""
        self._options, self._intake, self._shared, self._clock = options, intake, shared, clock
        self._password, self._ssl = options.password(), options.ssl_context()
        self.messages = 0
        self.connected = False
        self.last_error = ""
        self._heard = clock()
        self._now = (now_s, self._heard)
        self._told = False
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="feed-mqtt", daemon=True)
        self._thread.start()

    def poll(self, now_s: float) -> list[Datum]:
        """What came goes into the intake by itself. Raises ServiceError while the broker is away for long."""
        wall_s = self._clock()
        self._now = (now_s, wall_s)
        if self.connected:
            self._heard = wall_s
            if self._told:
                self._told = False
                _log.warning("the broker is back", broker=self._place)
        elif wall_s - self._heard > self.stale_after_s:
            if not self._told:
                self._told = True
                _log.warning("the broker is away; tried again", broker=self._place, reason=self.last_error)
            raise ServiceError(
                f"the MQTT broker has been away for {wall_s - self._heard:.0f} s ({self.last_error})",
                place=self._place,
                remedy="start it, or correct [feeds.mqtt] options; it is tried again by itself",
            )
        return [] if self._shared else [*self._intake.take(now_s)]

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(3.0)

    @property
    def _place(self) -> str:
        return f"{self._options.host}:{self._options.port}"

    # -- the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        """Connect, stay until the connection breaks, try again, until told to stop."""
        pause_s = FIRST_PAUSE_S
        while not self._stop.is_set():
            broken = asyncio.Event()
            client = self._client(broken)
            try:
                connecting = client.connect(
                    self._options.host, self._options.port, ssl=self._ssl or False, keepalive=KEEPALIVE_S
                )
                await asyncio.wait_for(connecting, CONNECT_TIMEOUT_S)
                await self._first(broken, self._stop)
                if self.connected:
                    pause_s = FIRST_PAUSE_S
                self.last_error = self.last_error if not self.connected else "the connection broke"
            except Exception as error:  # refused, not reachable, no TLS, not authorised, …
                self.last_error = str(error)[:200] or type(error).__name__
            self.connected = False
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.disconnect(), 1.0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause_s)
            pause_s = min(2.0 * pause_s, LONGEST_PAUSE_S)

    def _client(self, broken: asyncio.Event) -> Client:
        name = self._options.client_id or f"civicbrain-{os.getpid()}-{id(self) & 0xFFFF:x}"
        client = Client(name, logger=_quiet())
        client.set_config({"reconnect_retries": 0})
        if self._options.username:
            client.set_auth_credentials(self._options.username, self._password)

        def on_connect(client: Client, *_: object) -> None:
            client.subscribe(Subscription(self._options.topic, qos=self._options.qos))

        def on_subscribe(client: Client, mid: int, granted: tuple[int, ...], properties: object) -> None:
            del client, mid, properties
            if any(code >= 128 for code in granted):
                self.last_error = "the broker refused the subscription; its access list says who may read"
                broken.set()
            else:
                self.connected = True

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_disconnect = lambda *_: broken.set()
        client.on_message = self._on_message
        return client

    def _on_message(
        self, client: object, topic: str, payload: bytes, qos: int, properties: Mapping[str, Any]
    ) -> int:
        del client, qos, properties
        self.messages += 1
        polled_s, polled_at = self._now
        now_s = polled_s + min(self._clock() - polled_at, LONGEST_STEP_S)
        source = topic.rpartition("/")[2] if self._options.vouched else None
        self._intake.offer(bytes(payload), now_s, speaks_for=source)
        return 0

    @staticmethod
    async def _first(*events: asyncio.Event) -> None:
        """Until the first of them is set."""
        tasks = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def _quiet() -> logging.Logger:
    """The library tells each step of a connection; what matters is told here, once."""
    logger = logging.getLogger("civicbrain.feeds.mqtt.gmqtt")
    logger.setLevel(logging.CRITICAL)
    return logger


def create(context: Any) -> MqttFeed:
    """Entry point of the room. context.options: those of `MqttOptions`; intake where the runtime has one."""
    options = {key: value for key, value in context.options.items() if key not in ("intake", "run_dir")}
    intake = context.options.get("intake")
    made = intake or Intake(Sources(context.city), Keys())
    return MqttFeed(
        parse_options(options), made, shared=intake is not None, now_s=context.city.demand.begin_s
    )
