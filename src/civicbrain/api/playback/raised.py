"""Which alerts were raised between two frames, each once: what changes and its end raise it no more."""

from __future__ import annotations

from civicbrain.api.playback.segment import AlertNote
from civicbrain.contracts.brain import Alert, Severity

MOST = 50
"""Kept for one frame; the newest."""

_MOST_OPEN = 20_000


class RaisedAlerts:
    """Hears every word on alerts, gives those that are news."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], str] = {}  # (brain, key) -> title
        self._notes: list[AlertNote] = []

    def take(self, alert: Alert) -> None:
        """Hear one."""
        name = (alert.brain, alert.key)
        if alert.ended_s is not None:
            self._open.pop(name, None)
            return
        if self._open.get(name) == alert.title:
            return
        if alert.severity is Severity.INFO:
            self._open.pop(name, None)  # it tells that something is well again
        elif len(self._open) < _MOST_OPEN:
            self._open[name] = alert.title
        note = AlertNote(alert.key, str(alert.severity), alert.title, alert.junction, alert.said[:1])
        self._notes = [*self._notes, note][-MOST:]

    def drain(self) -> tuple[AlertNote, ...]:
        """Those since the last call, oldest first."""
        notes, self._notes = tuple(self._notes), []
        return notes
