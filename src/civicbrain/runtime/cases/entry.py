"""`CasesEntry`: the brain process's door to the cases. It notes, sends and never waits.

    entry = CasesEntry(run_dir)
    entry.incident(incident, now_s)   # each that began, changed or ended
    entry.alert(alert)                # each that is new or changed
    entry.tick(open_alerts, now_s)    # the loop, once a tick: alerts that are no longer said are over
    entry.flush()                     # the loop, often: sends, and hears what was taken
    entry.reports(now_s)              # what people reported since

A word is kept until the cases process has it on its disk, and sent again when that was killed. Alerts and
incidents beyond `MOST_WORDS` are counted in `lost`, which operators see.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import structlog

from civicbrain.city.incidents import Incident, IncidentReport
from civicbrain.contracts.brain import Alert
from civicbrain.contracts.transport import (
    CASES_IN,
    CASES_PUB,
    Client,
    decode,
    open_subscriber,
    ready_to_push,
    receive,
)
from civicbrain.runtime.cases.wire import (
    REPORT_TOPIC,
    AlertOver,
    AlertSaid,
    Delivery,
    IncidentSaid,
    Taken,
    Word,
)

MOST_WORDS = 200_000
"""Twenty minutes of a flood of 10,000 alarms a minute; about 100 MB."""

AT_ONCE = 500
AGAIN_S = 2.0
"""A delivery that was not taken for so long is sent again."""

STILL_HERE_S = 1.0

_log = structlog.get_logger("civicbrain.runtime")


class CasesEntry:
    """One thread, the loop's. run_dir None: there are no cases, and every call does nothing."""

    def __init__(self, run_dir: Path | None) -> None:
        self.sender = f"{time.time_ns():x}"
        self._no_room, self._lost_before = 0, 0
        self._client = Client(run_dir, CASES_IN) if run_dir is not None else None
        self._heard = open_subscriber(run_dir, CASES_PUB, [REPORT_TOPIC]) if run_dir is not None else None
        self._words: deque[Word] = deque()
        self._first = 1  # number of the first word that waits
        self._sent: int | None = None  # how many are under way
        self._sent_at = 0.0
        self._runs, self._now_s = 0, 0.0
        self._standing: frozenset[str] = frozenset()

    @property
    def session(self) -> str:
        """In which the loop's incidents have their names."""
        return f"{self.sender}.{self._runs}"

    @property
    def lost(self) -> int:
        """Alerts and incidents that found no room, here or in the loop."""
        return self._no_room + self._lost_before

    @property
    def waiting(self) -> int:
        """Words that the cases process has not taken yet."""
        return len(self._words)

    def incident(self, incident: Incident, now_s: float) -> None:
        """What the loop says of an incident."""
        self._put(IncidentSaid(self.session, incident, now_s, time.time()))

    def alert(self, alert: Alert) -> None:
        """What a brain or this process says."""
        # what this process itself says is not said anew when time goes back
        session = self.session if alert.brain else self.sender
        self._put(AlertSaid(session, alert, time.time()))

    def over(self, source: str, key: str) -> None:
        """An alert is over that nobody repeats. source: its brain, "" for this process."""
        self._put(AlertOver(source, key, time.time()))

    def tick(self, open_alerts: Mapping[str, Alert], now_s: float, lost: int = 0) -> None:
        """open_alerts: "brain/key" -> alert, as the loop keeps them. lost: how many it had no room for."""
        self._lost_before = lost
        if now_s < self._now_s:
            self._runs += 1
        self._now_s = now_s
        if self._client is None or self._standing == open_alerts.keys():
            return
        standing = frozenset(open_alerts)
        for name in sorted(self._standing - standing):
            brain, _, key = name.partition("/")
            self.over(brain, key)
        self._standing = standing

    def flush(self) -> None:
        """Send what waits, one delivery at a time; hear what was taken."""
        if self._client is None:
            return
        for frames in receive(self._client.socket):
            self._hear(frames[-1])
        now = time.monotonic()
        under_way = self._sent is not None and now - self._sent_at < AGAIN_S
        if under_way or (not self._words and now - self._sent_at < STILL_HERE_S):
            return
        if not ready_to_push(self._client.socket):
            return  # nobody is there: nothing is encoded for nobody
        words = tuple(word for word, _ in zip(self._words, range(AT_ONCE), strict=False))
        delivery = Delivery(self.sender, self.session, self._first, words, self._now_s, self.lost)
        self._sent_at = now
        self._sent = len(words) if self._client.send(delivery) is not None and words else None

    def reports(self, now_s: float) -> list[IncidentReport]:
        """What people reported since the last call, on the platform's clock."""
        found = []
        for _, body in receive(self._heard) if self._heard is not None else ():
            try:
                report = decode(IncidentReport, body)
            except ValueError as error:
                _log.warning("a report cannot be read", reason=str(error))
                continue
            # reported_s and happened_s come as unix seconds
            ago_s = report.reported_s - report.happened_s if report.happened_s >= 0 else 0.0
            happened_s = max(0.0, now_s - ago_s) if report.happened_s >= 0 else -1.0
            found.append(msgspec.structs.replace(report, reported_s=now_s, happened_s=happened_s))
        return found

    def close(self) -> None:
        """Let the sockets go; what was not taken is lost, and said again by brains that still see it."""
        if self._client is not None:
            self._client.close()
        if self._heard is not None:
            self._heard.close()

    def _put(self, word: Word) -> None:
        if self._client is None:
            return
        if len(self._words) >= MOST_WORDS:
            self._no_room += 1
            return
        self._words.append(word)

    def _hear(self, body: bytes) -> None:
        try:
            taken = decode(Taken, body)
        except ValueError as error:
            _log.warning("the cases process said what cannot be read", reason=str(error))
            return
        if taken.sender != self.sender:
            return
        while self._words and self._first <= taken.newest:
            self._words.popleft()
            self._first += 1
        self._sent = None


def words_of(delivery: Delivery, newest: int) -> Iterable[Word]:
    """The words of a delivery that come after `newest`: those before were taken already."""
    return delivery.words[max(0, newest + 1 - delivery.first) :]
