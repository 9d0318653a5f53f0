"""The handover note and the week's figures, against answers worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from case_desks import Clock, OnTrial, incident, place

from civicbrain.city.cases import CaseState, Outcome, StepState
from civicbrain.city.incidents import IncidentKind, ReporterKind
from civicbrain.city.missions import MissionKind
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.contracts.missions import MissionBrief
from civicbrain.contracts.overrides import Override as JunctionOverride
from civicbrain.contracts.overrides import OverrideAction
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.wire import BrainHealth, CityState, Indicators, pack_array
from civicbrain.core.errors import NotFoundError
from civicbrain.ledger import Ledger, LedgerReader
from civicbrain.runtime.cases import alarms
from civicbrain.runtime.cases.handover import with_state, write_handover
from civicbrain.runtime.cases.note_text import as_text
from civicbrain.runtime.cases.quality import joined, quality_of, times_of, week_of
from civicbrain.runtime.cases.retention import forget
from civicbrain.runtime.cases.rows import get_evidence, get_file

ANNA = "operator:anna"
MONDAY_S = datetime(2026, 11, 16, tzinfo=UTC).timestamp()  # 2026-W47
HOUR_S, DAY_S = 3600.0, 86_400.0


@pytest.fixture
def trial(tmp_path: Path) -> OnTrial:
    clock = Clock()
    clock.now_s = MONDAY_S + 10 * HOUR_S
    return OnTrial(tmp_path / "cases", clock=clock)


def alert(trial: OnTrial, key: str, severity: Severity, at_s: float, brain: str = "") -> None:
    with trial.store.change() as change:
        alarms.take_alert(change, Alert(key, severity, key, "", 0.0, brain), at_s, "s")


def test_weeks_begin_on_monday_in_utc() -> None:
    assert week_of("2026-W47", datetime.now(UTC))[1].timestamp() == MONDAY_S
    assert week_of("", datetime(2026, 11, 22, 23, 59, tzinfo=UTC))[0] == "2026-W47"
    assert week_of("", datetime(2027, 1, 1, tzinfo=UTC))[0] == "2026-W53"
    with pytest.raises(NotFoundError, match="no week"):
        week_of("2026-47", datetime.now(UTC))


def test_times_of_handling_are_those_on_the_clock(trial: OnTrial) -> None:
    """Detected 40 s after the onset; triage after 30 s, closed after 90 s more; the other a false alarm."""
    trial.desk.take([incident()], 140.0, "s")
    trial.clock.now_s += 30
    trial.desk.move("case-1", CaseState.TRIAGE, ANNA)
    trial.clock.now_s += 90
    trial.desk.move("case-1", CaseState.CLOSED, ANNA, outcome=Outcome.NO_ACTION)
    trial.desk.take([incident("i-2", at=place(9000.0), onset_s=500, detected_s=520)], 520.0, "s")
    trial.clock.now_s += 10
    trial.desk.move("case-2", CaseState.CLOSED, ANNA, outcome=Outcome.FALSE_ALARM)
    found = quality_of(trial.store.db, "2026-W47", trial.clock.now_s)
    crash = found.kinds[0]
    assert (crash.kind, crash.opened, crash.closed, crash.false_alarms) == (IncidentKind.CRASH, 2, 2, 1)
    assert (crash.detection.median_s, crash.detection.count) == (30.0, 2)  # of 40 s and 20 s
    assert (crash.to_triage.median_s, crash.to_triage.count) == (30.0, 1)
    assert crash.to_closed.median_s == 65.0  # of 120 s and 10 s
    assert quality_of(trial.store.db, "2026-W46", trial.clock.now_s).kinds == []


def test_outages_last_as_long_as_they_lasted(trial: OnTrial) -> None:
    """Silent from Sunday 23:00 to Monday 01:00 (1 h of the week), Tuesday 10:00 to 10:30, and since Wednesday
    12:00; looked at on Wednesday 13:00: 1 h + 0.5 h + 1 h. A brain's own alerts are no outage."""
    wednesday_s = MONDAY_S + 2 * DAY_S
    alert(trial, "twin-silent", Severity.CRITICAL, MONDAY_S - HOUR_S)
    alert(trial, "twin-silent", Severity.INFO, MONDAY_S + HOUR_S)
    alert(trial, "twin-silent", Severity.CRITICAL, MONDAY_S + DAY_S + 10 * HOUR_S)
    alert(trial, "twin-silent", Severity.CRITICAL, MONDAY_S + DAY_S + 10.2 * HOUR_S)
    alert(trial, "twin-silent", Severity.INFO, MONDAY_S + DAY_S + 10.5 * HOUR_S)
    alert(trial, "ledger", Severity.CRITICAL, wednesday_s + 12 * HOUR_S, "runtime")
    alert(trial, "queue-long", Severity.WARNING, MONDAY_S + HOUR_S, "signals")
    found = quality_of(trial.store.db, "2026-W47", wednesday_s + 13 * HOUR_S)
    assert [(one.what, one.duration_s / HOUR_S) for one in found.outages] == [
        ("ledger", 1.0), ("twin-silent", 1.0), ("twin-silent", 0.5)
    ]  # fmt: skip
    assert found.outages[0].end is None
    assert found.outage_s == 2.5 * HOUR_S
    before = quality_of(trial.store.db, "2026-W46", wednesday_s)
    assert [one.duration_s / HOUR_S for one in before.outages] == [1.0]
    after = quality_of(trial.store.db, "2026-W48", MONDAY_S + 8 * DAY_S)
    assert [(one.what, one.duration_s / DAY_S) for one in after.outages] == [("ledger", 1.0)]


def test_a_fault_told_in_two_lives_of_the_brain_counts_once(trial: OnTrial) -> None:
    for session in ("one", "two"):
        fault = incident("i-1", IncidentKind.SIGNAL_FAULT, onset_s=100.0, detected_s=110.0)
        trial.desk.take([fault], 110.0, session)
        trial.clock.now_s += 60
    found = quality_of(trial.store.db, "2026-W47", trial.clock.now_s)
    assert [(one.what, one.duration_s) for one in found.outages] == [("signal_fault e1", 130.0)]
    assert joined([(5, 7), (1, 3), (2, 4)]) == [(1, 4), (5, 7)]


def test_the_note_tells_of_missions_and_of_alarms_that_were_noted(trial: OnTrial, tmp_path: Path) -> None:
    start_s = trial.clock.now_s
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, clock=lambda: datetime.fromtimestamp(trial.clock.now_s, UTC)) as ledger:
        order = {"mission": "m-1", "what": "order", "vehicle": "Ambulance 7", "reason": "cardiac arrest"}
        ledger.append("mission", ANNA, order, 100.0)
        ledger.append("mission", "tracking", {"mission": "m-1", "what": "tracked"}, 101.0)
        ended = {"mission": "m-1", "vehicle": "Ambulance 7", "what": "ended", "rule": "arrived"}
        ledger.append("mission", "tracking", ended, 200.0)
    for number in range(5):
        alert(trial, f"camera {number}", Severity.WARNING, start_s, "signals")
    trial.clock.now_s += 30
    with trial.store.change(ANNA) as change:
        alarms.acknowledge(change, [1, 2, 3, 4, 5], "known works")
        alarms.shelve(change, [1], 600.0, "until the crew is there")
    note = write_handover(trial.store.db, start_s - 60, trial.clock.now_s, path)
    told = [(event.what, event.actor) for event in note.changed]
    assert told == [
        ("mission", ANNA), ("mission", "tracking"), ("alarms-acknowledged", ANNA), ("alarms-shelved", ANNA)
    ]  # fmt: skip
    noted = note.changed[2].detail
    assert (len(noted["alarms"]), noted["count"], noted["reason"]) == (3, 5, "known works")
    text = as_text(note, sandbox_city())
    assert "anna: ordered a mission of Ambulance 7: cardiac arrest." in text
    assert "the mission of Ambulance 7 ended: arrived." in text
    assert "anna: acknowledged “camera 0”, “camera 1”, “camera 2”, 2 more alarms: known works." in text
    assert "anna: put aside “camera 0”: until the crew is there." in text


def test_the_note_tells_which_steps_were_done_and_which_were_left_out(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    steps = get_file(trial.store.db, 1).steps
    trial.desk.step("case-1", steps[0].id, StepState.DONE, ANNA)
    note = write_handover(trial.store.db, 0.0, trial.clock.now_s, None)
    [done] = [event for event in note.changed if event.what == "step-done"]
    assert (done.case, done.actor, done.detail["title"]) == ("case-1", ANNA, steps[0].title)
    assert f"step done: {steps[0].title}" in as_text(note, sandbox_city())


def test_alarms_floods_and_notes(trial: OnTrial) -> None:
    """Twenty in one minute: for ten minutes more than ten have come within the last ten."""
    for number in range(20):
        alert(trial, f"k{number}", Severity.WARNING, MONDAY_S + HOUR_S + number, "signals")
    trial.clock.now_s = MONDAY_S + HOUR_S + 100
    with trial.store.change(ANNA) as change:
        alarms.acknowledge(change, [1], "")
    found = quality_of(trial.store.db, "2026-W47", MONDAY_S + 2 * HOUR_S)
    assert (found.alarms, found.alarms_an_hour, found.flood_minutes) == (20, 10.0, 10)
    assert found.acknowledge.median_s == 100.0
    assert times_of([]).median_s is None


def test_evidence_and_words_go_when_their_time_is_over_and_the_case_stays(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    trial.desk.report(
        ReporterKind.CITIZEN, IncidentKind.CRASH, place(), "citizen:app", report_id="r1", source="call 7",
        text="Miller, 0171 5550", key="k",
    )  # fmt: skip
    trial.desk.note("case-1", "Miller again", ANNA)
    trial.desk.move("case-1", CaseState.CLOSED, ANNA, outcome=Outcome.RESOLVED)
    trial.clock.now_s += 29 * DAY_S
    assert forget(trial.store, 30 * DAY_S) == 0
    assert get_evidence(trial.store.db, 1, 0.0).statements[0].text == "Miller, 0171 5550"
    trial.clock.now_s += 2 * DAY_S
    assert forget(trial.store, 30 * DAY_S) == 1
    left = get_evidence(trial.store.db, 1, 0.0)
    assert (left.statements[0].text, left.statements[0].source, left.statements[0].deleted) == ("", "", True)
    assert left.incidents[0].evidence == []
    for file in trial.folder.iterdir():
        assert b"Miller" not in file.read_bytes(), file
        assert b"two vehicles stand" not in file.read_bytes(), file
    with LedgerReader(trial.store.path) as ledger:
        assert ledger.verify().ok
        assert ledger.page(-1, 1)[0].kind == "evidence-deleted"


def test_the_note_names_what_the_next_shift_must_know(trial: OnTrial, tmp_path: Path) -> None:
    start_s = trial.clock.now_s
    moment = datetime.fromtimestamp(start_s, UTC)
    with Ledger(tmp_path / "ledger.sqlite", clock=lambda: moment) as ledger:
        ledger.append("request", "signals", {}, 0.0)
        ledger.append("brain-switch", ANNA, {"brain": "signals", "enabled": False}, 0.0)
    trial.desk.take([incident()], 140.0, "s")
    trial.wait(90)
    trial.desk.hand_over("case-1", "night", ANNA)
    alert(trial, "door", Severity.WARNING, trial.clock.now_s)
    with trial.store.change(ANNA) as change:
        number = change.one("SELECT number FROM alarm WHERE key = 'door'")["number"]
        alarms.shelve(change, [number], 3600.0, "works until four")
    note = write_handover(
        trial.store.db, start_s - 60, trial.clock.now_s, tmp_path / "ledger.sqlite"
    )  # fmt: skip
    assert all(one.time_s == 0.0 for one in note.changed)  # as the platform's clock stood
    assert note.until_s == 0.0
    assert note.since_s is None  # it had not begun
    city = sandbox_city()
    note = with_state(note, city, _state(city), ["camera-9"])
    assert [case.id for case in note.open_cases] == ["case-1"]
    assert [alarm.shelved_why for alarm in note.shelved] == ["works until four"]
    assert [(one.what, one.which) for one in note.overrides] == [
        ("brain", "signals"), ("control", "fixed"), ("junction", city.junctions[0].id)
    ]  # fmt: skip
    assert note.silent_sources == ["camera-9", "loops"]
    assert {"opened", "late", "escalated", "handed-over", "brain-switch"} <= {e.what for e in note.changed}
    assert "request" not in {e.what for e in note.changed}
    text = as_text(note, city, "anna hands this shift over to ben: watch the bridge")
    name = city.junctions[0].name or city.junctions[0].id
    for said in (
        f"Handover note: {city.name}",
        "by the city's clock",
        "watch the bridge",
        "1 open case, 1 overdue; 0 closed in this shift.",
        "OVERDUE",
        "works until four",
        "- camera-9",
        "- Ambulance 7 to BE, on its way",
        f"- junction {name}: stage 1, {ANNA}: parade",
        "anna: switched the brain signals off.",
        "case-1 was handed over to night (anna).",
        "case-1 was opened: crash, high",
    ):
        assert said in text, said
    rows = [line for line in text.splitlines() if line.startswith(("Case ", "case-1  "))]
    assert len({line.index(word) for line, word in zip(rows, ("What, where", "Crash"), strict=False)}) == 1
    assert "{" not in text  # sentences, no data


def test_a_note_of_a_city_that_does_not_run_says_so(trial: OnTrial) -> None:
    note = write_handover(trial.store.db, 0.0, trial.clock.now_s, None)
    assert "Not known, as the city does not run" in as_text(note, sandbox_city())


def _state(city) -> CityState:
    count = len(city.junctions)
    modes = np.full(count, 2, np.uint8)
    modes[0] = 3
    health = BrainHealth("signals", "off", 1.0, 0.2, 0.0, 0.0, 0.0, 0, 0)
    empty = pack_array(np.zeros(count, np.float32))
    return CityState(
        time_s=0.0, sequence=1, control="fixed", brain_on=False,
        indicators=Indicators(0, 0.0, 0.0, 0), brains=(health,), staleness_s={"twin": 0.1, "loops": 99.0},
        junction_delay_s=empty, junction_queue_veh=empty, junction_mode=pack_array(modes),
        junction_stage=empty, group_lamp=empty, twin=None, alerts_open=0, ledger_entries=0,
        missions=(
            MissionBrief(
                id="m-1", vehicle="Ambulance 7", kind=MissionKind.AMBULANCE, urgency=3, from_edge="WA",
                to_edge="BE", created_s=0.0, state="tracked",
            ),
        ),
        overrides=(
            JunctionOverride(
                city.junctions[0].id, OverrideAction.STAGE, "1", ANNA, "parade", 0.0, 300.0, accepted=True
            ),
        ),
    )  # fmt: skip
