"""Fetches GTFS Realtime in a thread of its own, within bounds; the loop never waits for it."""

from __future__ import annotations

import ipaddress
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

import structlog

from civicbrain.city.model import City
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.contracts.feed import Datum
from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.feeds.gtfs_realtime.messages import MessageReader

PERIOD_S = 5.0
STALE_AFTER_S = 30.0
MAX_BYTES = 8 * 1024 * 1024
"""Of one message; Berlin's whole network is 3 to 4 MB."""
STEP_S, WHOLE_S = 5.0, 10.0
_CHUNK = 65_536
_PLACE = "feeds.gtfs_realtime"

_log = structlog.get_logger("civicbrain.feeds.gtfs_realtime")


class GtfsRealtimeFeed:
    """The Feed protocol. clock, wall: monotonic and Unix seconds, for tests.

    rejected: reason -> count, of messages and entities that were dropped. fetched: messages that came."""

    name = "gtfs_realtime"
    cadence_s = 1.0
    stale_after_s = STALE_AFTER_S

    def __init__(
        self,
        city: City,
        urls: Sequence[str],
        *,
        period_s: float = PERIOD_S,
        allow_hosts: Sequence[str] = (),
        source: str = "gtfs-realtime",
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Raises ConfigurationError for an address that may not be asked, or a city without a timetable."""
        timetable = city.timetable
        if timetable is None:
            raise ConfigurationError(
                "the city has no timetable, so no trip is known", place=_PLACE,
                remedy="import one: civicbrain import SOURCE --timetable GTFS.zip",
            )  # fmt: skip
        if not urls:
            raise ConfigurationError("it needs urls", place=_PLACE, remedy='set urls = ["http://…"]')
        for url in urls:
            require_allowed(url, allow_hosts)
        self.fetched = 0
        self._reader = MessageReader(timetable, LonLat(city.network.projection), source)
        self._urls, self._period_s = tuple(urls), max(1.0, period_s)
        self._clock, self._wall = clock, wall
        self._bodies: queue.Queue[tuple[bytes, float]] = queue.Queue(maxsize=4 * len(urls))
        self._heard = clock()
        self._error = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._fetch_all, name="feed-gtfs-realtime", daemon=True)
        self._thread.start()

    @property
    def rejected(self) -> Mapping[str, int]:
        return self._reader.rejected

    def poll(self, now_s: float) -> list[Datum]:
        """What came since the last call. Raises ServiceError after 30 s without an answer."""
        data: list[Datum] = []
        while True:
            try:
                body, received = self._bodies.get_nowait()
            except queue.Empty:
                break
            waited_s = max(0.0, self._wall() - received)  # here, until somebody polled
            data += self._reader.read(body, now_s - waited_s, received)
        silent_s = self._clock() - self._heard
        if silent_s > self.stale_after_s:
            raise ServiceError(
                f"no answer for {silent_s:.0f} s ({self._error or 'nothing came'})", place=self._urls[0],
                remedy="see whether that address answers; buses get no priority meanwhile",
            )  # fmt: skip
        return data

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(WHOLE_S + 1.0)

    # -- the thread

    def _fetch_all(self) -> None:
        opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
        while not self._stopping.is_set():
            for url in self._urls:
                self._fetch(opener, url)
            self._stopping.wait(self._period_s)

    def _fetch(self, opener: urllib.request.OpenerDirector, url: str) -> None:
        request = urllib.request.Request(url, headers={"Accept": "application/x-protobuf"})  # noqa: S310
        try:
            with opener.open(request, timeout=STEP_S) as answer:
                body = _read_bounded(answer, self._clock)
        except (OSError, HTTPException, ValueError) as error:
            if not self._error:
                _log.warning("a fetch failed; further ones are only counted", url=url, reason=str(error))
            self._error = str(error)[:200]
            self._reader.rejected["fetch-failed"] += 1
            return
        self._heard, self._error = self._clock(), ""
        self.fetched += 1
        try:
            self._bodies.put_nowait((body, self._wall()))
        except queue.Full:
            self._reader.rejected["not-taken"] += 1  # nobody polls: what is newest counts, later


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that was allowed must not lead to one that was not."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> NoReturn:
        del fp, newurl
        raise urllib.error.HTTPError(req.full_url, code, f"redirect refused ({msg})", headers, None)


def _read_bounded(answer: Any, clock: Callable[[], float]) -> bytes:
    """The body. Raises ValueError when it is too large or takes too long."""
    end = clock() + WHOLE_S
    parts: list[bytes] = []
    size = 0
    while chunk := answer.read1(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        if clock() > end:
            raise ValueError(f"not read within {WHOLE_S:g} s")
        parts.append(chunk)
    return b"".join(parts)


def require_allowed(url: str, allow_hosts: Sequence[str]) -> None:
    """Raise ConfigurationError unless the address is http(s) and on this machine, or its host is allowed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ConfigurationError(
            f"{url[:120]!r} is no address to fetch", place=_PLACE, remedy="use http://host:port/path"
        )
    if host in allow_hosts or host == "localhost":
        return
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise ConfigurationError(
            f"{host[:120]!r} is not this machine", place=_PLACE,
            remedy=f'where that is meant, set allow_hosts = ["{host[:120]}"]',
        )  # fmt: skip


def create(context: Any) -> GtfsRealtimeFeed:
    """Entry point of the room. context.options: urls, period_s, allow_hosts, source."""
    options = dict(context.options)
    for given in ("run_dir", "intake"):  # the runtime hands these to every feed
        options.pop(given, None)
    kinds = {"urls": list, "period_s": (int, float), "allow_hosts": list, "source": str}
    for key, value in options.items():
        if key not in kinds:
            raise ConfigurationError(
                f"no option {key!r}", place=_PLACE, remedy="use one of " + ", ".join(kinds)
            )
        if not isinstance(value, kinds[key]):  # type: ignore[arg-type]
            raise ConfigurationError(f"{key} = {value!r} does not fit", place=_PLACE, remedy="correct it")
    return GtfsRealtimeFeed(context.city, options.pop("urls", []), **options)
