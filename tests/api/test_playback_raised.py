"""Replay tells an alarm once, when it was raised."""

from __future__ import annotations

from msgspec.structs import replace

from civicbrain.api.playback.raised import RaisedAlerts
from civicbrain.contracts.brain import Alert, Severity

CRASH = Alert("incidents-1", Severity.CRITICAL, "Crash", "two stand", 100.0, "incidents")


def test_an_alert_that_changes_or_ends_is_not_raised_again() -> None:
    raised = RaisedAlerts()
    raised.take(CRASH)
    raised.take(replace(CRASH, detail="three stand", time_s=110.0))
    assert [one.title for one in raised.drain()] == ["Crash"]
    raised.take(replace(CRASH, ended_s=120.0))
    assert raised.drain() == ()
    raised.take(replace(CRASH, time_s=200.0))
    assert [one.key for one in raised.drain()] == ["incidents-1"]


def test_another_matter_under_the_same_key_is_news() -> None:
    raised = RaisedAlerts()
    silent = Alert("twin-silent", Severity.CRITICAL, "The twin does not answer", "", 100.0, "")
    raised.take(silent)
    again = replace(silent, severity=Severity.WARNING, title="The twin was started again")
    raised.take(again)
    raised.take(replace(again, ended_s=101.0))
    raised.take(replace(silent, severity=Severity.INFO, title="The twin answers again"))
    assert [one.title for one in raised.drain()] == [silent.title, again.title, "The twin answers again"]
