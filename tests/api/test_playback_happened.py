"""What the ledgers tell of a past window."""

from __future__ import annotations

import os
import time
from pathlib import Path

from test_playback_segments import a_minute

from civicbrain.api.playback.happened import list_overrides, read_happened
from civicbrain.api.playback.recorder import FrameKeeper, RecorderStatus
from civicbrain.api.playback.segment import Figures
from civicbrain.api.playback.shelf import Shelf
from civicbrain.city.cases import Urgency
from civicbrain.ledger import Ledger
from civicbrain.ledger.chain import Entry
from civicbrain.runtime.cases import alarms
from civicbrain.runtime.cases import store as cases
from civicbrain.runtime.rundir import LEDGER_FILE

ANNA = "operator (anna)"


def override(what: str, time_s: float, junction: str = "J1", stage: str = "s3", **more: object) -> Entry:
    body = {"junction": junction, "what": what, "action": "stage", "stage": stage, "set_by": ANNA,
            "expires_s": time_s + 60.0, "reason": "queue", **more}  # fmt: skip
    return Entry(0, time_s, "", "override", ANNA, body, "", "")


def spans(*entries: Entry) -> list[tuple[str, float, float]]:
    return [(one.stage, one.from_s, one.until_s) for one in list_overrides(entries)]


def test_who_held_a_junction_and_for_how_long():
    assert spans(override("begin", 10.0)) == [("s3", 10.0, 70.0)]
    assert spans(override("begin", 10.0), override("give back", 30.0)) == [("s3", 10.0, 30.0)]
    expired = override("expired", 71.0, expires_s=70.0)
    assert spans(override("begin", 10.0), expired) == [("s3", 10.0, 70.0)]
    another = override("begin", 20.0, stage="s1")
    assert spans(override("begin", 10.0), another) == [("s3", 10.0, 20.0), ("s1", 20.0, 80.0)]
    refused = (another, override("refused", 20.0))
    assert spans(override("begin", 10.0), *refused) == [("s3", 10.0, 70.0)]  # the first one goes on
    assert spans(*refused) == []


def test_a_window_has_its_acts_with_who_and_why(tmp_path: Path):
    shelf = Shelf(tmp_path / "playback", "grid")
    keeper = FrameKeeper(shelf, 3600.0, 10**9, RecorderStatus())
    for frame in a_minute(vehicles=4, frames=30):
        keeper.add(frame, Figures())
    start_s = a_minute(vehicles=4, frames=1)[0].time_s
    with Ledger(tmp_path / LEDGER_FILE) as ledger:
        begun = override("begin", start_s + 5.0)
        ledger.append("request", "signals", {"junction": "J1"}, start_s + 4.0)
        ledger.append("start", "runtime", {"city": "grid", "control": "fixed"}, start_s + 4.5)
        ledger.append("override", ANNA, begun.body, start_s + 5.0)
        ledger.append("control", ANNA, {"from": "brain", "to": "fixed", "reason": "works"}, start_s + 9.0)
        ledger.append("mission", "tracking", {"mission": "m-1", "what": "route"}, start_s + 9.5)
        ledger.append("what-if", ANNA, {"title": "a closure"}, start_s + 500.0)
    keeper.close()
    segments = shelf.within(1, start_s, start_s + 30.0)
    marks, held = read_happened(tmp_path, segments, start_s, start_s + 30.0)
    assert [(mark.kind, mark.actor) for mark in marks] == [
        ("start", "runtime"), ("override", ANNA), ("control", ANNA)
    ]  # fmt: skip
    assert marks[1].body["reason"] == "queue"
    assert [(one.junction, one.actor, one.from_s) for one in held] == [("J1", ANNA, start_s + 5.0)]
    long_ago = time.time() - 86_400.0
    for segment in segments:
        os.utime(segment.path, (long_ago, long_ago))  # the same second of another day
    assert read_happened(tmp_path, segments, start_s, start_s + 30.0) == ([], [])
    assert read_happened(tmp_path / "nowhere", [], 0.0, 9.0) == ([], [])


def test_a_window_has_what_was_done_with_cases_and_alarms(tmp_path: Path):
    """Who acknowledged which alarm, who did which step, and where that was."""
    shelf = Shelf(tmp_path / "playback", "grid")
    keeper = FrameKeeper(shelf, 3600.0, 10**9, RecorderStatus())
    for frame in a_minute(vehicles=4, frames=30):
        keeper.add(frame, Figures())
    keeper.close()
    start_s = a_minute(vehicles=4, frames=1)[0].time_s
    store = cases.CaseStore(tmp_path / cases.FOLDER)
    store.platform_s = start_s + 5.0
    with store.change(ANNA) as change:
        alarms.raise_alarm(change, "signals", "k", Urgency.HIGH, "Camera is blind", "")
        alarms.acknowledge(change, [1], "known works")
        for what in ("step-done", "report"):
            change.record("case", {"case": "case-7", "what": what, "title": "Look at the camera"})
    store.close()
    segments = shelf.within(1, start_s, start_s + 30.0)
    marks, _ = read_happened(tmp_path, segments, start_s, start_s + 30.0)
    told = {mark.kind: mark for mark in marks}
    assert sorted(told) == ["alarms-acknowledged", "case"]
    assert told["alarms-acknowledged"].body["alarms"][0]["title"] == "Camera is blind"
    assert (told["case"].body["title"], told["case"].actor) == ("Look at the camera", ANNA)
