"""Cases: opened, moved, merged, reopened, handed over; what people and sensors say finds its case."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from case_desks import OnTrial, incident, place
from msgspec.structs import replace

from civicbrain.city.cases import CaseState, Outcome, StepState, Urgency
from civicbrain.city.incidents import Effect, Incident, IncidentKind, ReporterKind, kinds_seen
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.core.errors import CasesError, NotFoundError, RequestRefusedError
from civicbrain.ledger import LedgerReader
from civicbrain.runtime.cases.alarms import take_alert
from civicbrain.runtime.cases.rows import get_evidence, get_file, get_summary, list_summaries
from civicbrain.runtime.cases.signing import get_signed, list_signatures, sign, take
from civicbrain.runtime.cases.store import CaseStore, open_reader

ANNA = "operator:anna"


def open_cases(trial: OnTrial) -> list[str]:
    return [case.id for case in list_summaries(trial.store.db, open_only=True)[0]]


def report(trial: OnTrial, name: str, x_m: float = 0.0, reporter=ReporterKind.CITIZEN, **given):
    kind = given.pop("kind", IncidentKind.CRASH)
    return trial.desk.report(reporter, kind, place(x_m, edge=""), "citizen:app", report_id=name, **given)


def test_a_case_goes_its_way_from_reception_to_the_closed_file(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    desk, name = trial.desk, "case-1"
    desk.move(name, CaseState.TRIAGE, ANNA)
    desk.step(name, "injured", StepState.DONE, ANNA)
    desk.move(name, CaseState.ASSIGNMENT, ANNA, assigned_to="patrol-3")
    desk.move(name, CaseState.ON_SCENE, ANNA)
    desk.move(name, CaseState.CLEARING, ANNA)
    desk.step(name, "swept", StepState.DONE, "road_crew:7")
    closed = desk.move(name, CaseState.CLOSED, ANNA, outcome=Outcome.RESOLVED)
    assert (closed["state"], closed["outcome"], closed["assigned_to"]) == ("closed", "resolved", "patrol-3")
    assert open_cases(trial) == []
    told = get_file(trial.store.db, 1)
    moves = [(e.detail["from"], e.detail["to"], e.actor) for e in told.events if e.what == "moved"]
    assert moves == [
        ("reception", "triage", ANNA), ("triage", "assignment", ANNA), ("assignment", "on_scene", ANNA),
        ("on_scene", "clearing", ANNA), ("clearing", "closed", ANNA),
    ]  # fmt: skip


def test_a_case_moves_only_where_a_way_leads(trial: OnTrial) -> None:
    name = trial.desk.open(IncidentKind.CRASH, place(), ANNA)["id"]
    with pytest.raises(RequestRefusedError, match="cannot go to on_scene"):
        trial.desk.move(name, CaseState.ON_SCENE, ANNA)
    with pytest.raises(RequestRefusedError, match="outcome"):
        trial.desk.move(name, CaseState.CLOSED, ANNA)
    with pytest.raises(NotFoundError):
        trial.desk.move("case-99", CaseState.TRIAGE, ANNA)
    assert trial.events(name) == ["opened"]


def test_a_required_step_holds_a_case_until_it_is_done_or_left_out_with_a_reason(trial: OnTrial) -> None:
    name = trial.desk.open(IncidentKind.CRASH, place(), ANNA)["id"]
    trial.desk.move(name, CaseState.TRIAGE, ANNA)
    with pytest.raises(RequestRefusedError, match="'injured'"):
        trial.desk.move(name, CaseState.ASSIGNMENT, ANNA)
    with pytest.raises(RequestRefusedError, match="reason"):
        trial.desk.step(name, "injured", StepState.SKIPPED, ANNA)
    trial.desk.step(name, "injured", StepState.SKIPPED, ANNA, reason="police said so")
    trial.desk.move(name, CaseState.ASSIGNMENT, ANNA)
    # a false alarm needs no steps
    other = trial.desk.open(IncidentKind.CRASH, place(5000), ANNA)["id"]
    trial.desk.move(other, CaseState.TRIAGE, ANNA)
    trial.desk.move(other, CaseState.CLOSED, ANNA, outcome=Outcome.FALSE_ALARM)


def test_one_incident_is_one_case_however_often_it_is_told(trial: OnTrial) -> None:
    for second in range(5):
        trial.desk.take([incident(confidence=0.6 + second / 20)], 140.0 + second, "s")
    assert open_cases(trial) == ["case-1"]
    assert trial.events("case-1").count("incident") == 1


def test_what_only_people_reported_is_not_seen_until_a_sensor_sees_it(trial: OnTrial) -> None:
    report(trial, "r-1")
    only_reported = msgspec.structs.replace(incident(confidence=0.5), sensors=(), reports=("r-1",))
    trial.desk.take([only_reported], 150.0, "s")
    [case] = list_summaries(trial.store.db, open_only=True)[0]
    assert (case.incidents, case.reports) == (0, 1)
    assert "incident" not in trial.events("case-1")
    trial.desk.take([incident(detected_s=160.0)], 160.0, "s")
    [case] = list_summaries(trial.store.db, open_only=True)[0]
    assert (case.incidents, case.reports) == (1, 1)
    assert trial.events("case-1").count("incident") == 1


def told_only(*, kind: IncidentKind = IncidentKind.STOPPED_VEHICLE, **times: float) -> Incident:
    return replace(incident("said", kind, confidence=0.5, **times), sensors=(), reports=("r-1",))


@pytest.mark.parametrize("state", [CaseState.RECEPTION, CaseState.TRIAGE])
def test_what_only_people_reported_is_never_closed_by_the_platform(trial: OnTrial, state: CaseState) -> None:
    report(trial, "r-1", kind=IncidentKind.CONGESTION)
    trial.desk.take([told_only(kind=IncidentKind.CONGESTION)], 150.0, "s")
    if state is CaseState.TRIAGE:
        trial.desk.move("case-1", state, ANNA)
    trial.desk.take([told_only(kind=IncidentKind.CONGESTION, cleared_s=1050.0)], 1050.0, "s")
    case = get_summary(trial.store.db, 1)
    assert (case.state, case.outcome, case.still_there) == (state, None, False)
    last = get_file(trial.store.db, 1).events[-1]
    assert (last.what, last.detail) == ("not-confirmed", {"incident": "said", "after_s": 900.0})
    trial.wait(3600.0)
    assert get_summary(trial.store.db, 1).late  # its deadlines go on
    assert ("late-case-1", 1, 0, "") in alarms_of(trial)


def test_what_people_reported_and_sensors_saw_is_over_when_sensors_say_so(trial: OnTrial) -> None:
    report(trial, "r-1", kind=IncidentKind.STOPPED_VEHICLE)
    trial.desk.take([told_only()], 150.0, "s")
    seen = incident("seen", IncidentKind.STOPPED_VEHICLE, detected_s=160.0)
    trial.desk.take([replace(told_only(cleared_s=160.0), part_of="seen"), seen], 160.0, "s")
    assert "not-confirmed" not in trial.events("case-1")  # it was: a camera sees it now
    assert open_cases(trial) == ["case-1"]
    trial.desk.take([replace(seen, cleared_s=300.0, updated_s=300.0)], 300.0, "s")
    over, moved = get_file(trial.store.db, 1).events[-2:]
    assert (over.what, over.detail["by"]) == ("incident-over", "sensors")
    assert (moved.what, moved.detail["reason"]) == ("moved", "sensors say that it is over")


def test_what_a_brain_tells_apart_stays_apart_and_what_follows_from_it_joins(trial: OnTrial) -> None:
    trial.desk.take([incident("incidents-1"), incident("incidents-2", at=place(80.0))], 140.0, "s")
    assert len(open_cases(trial)) == 2
    trial.desk.take([incident("incidents-3", IncidentKind.CONGESTION, place(70.0))], 150.0, "s")
    assert len(open_cases(trial)) == 2


def test_a_weak_word_opens_no_case(trial: OnTrial) -> None:
    trial.desk.take([incident(confidence=0.2)], 140.0, "s")
    assert open_cases(trial) == []
    trial.desk.take([incident(confidence=0.7)], 141.0, "s")
    assert open_cases(trial) == ["case-1"]


def test_a_brain_that_starts_again_finds_its_case_again(trial: OnTrial) -> None:
    trial.desk.take([incident("incidents-1")], 140.0, "first")
    trial.desk.take([incident("incidents-1", at=place(20.0))], 10.0, "second")
    assert open_cases(trial) == ["case-1"]
    trial.desk.end_session("second")
    trial.desk.take([incident("incidents-1", at=place(20.0), cleared_s=30.0)], 30.0, "second")
    assert not list_summaries(trial.store.db)[0][0].still_there


def test_the_cause_renames_the_case(trial: OnTrial) -> None:
    trial.desk.take([incident("incidents-1", IncidentKind.CONGESTION, confidence=0.7)], 140.0, "s")
    trial.desk.take([incident("incidents-2", IncidentKind.CRASH, place(40.0))], 150.0, "s")
    case = list_summaries(trial.store.db)[0][0]
    assert (case.kind, case.urgency, case.incidents) == (IncidentKind.CRASH, Urgency.HIGH, 2)
    assert [step.id for step in get_file(trial.store.db, 1).steps if step.state == "open"] == ["look"]


def test_what_is_over_by_itself_closes_only_where_the_procedure_says_so(trial: OnTrial) -> None:
    jam, crash = incident("i-1", IncidentKind.CONGESTION), incident("i-2", at=place(9000.0))
    trial.desk.take([jam, crash], 140.0, "s")
    trial.desk.take(
        [incident("i-1", IncidentKind.CONGESTION, cleared_s=300.0),
         incident("i-2", at=place(9000.0), cleared_s=300.0)], 300.0, "s",
    )  # fmt: skip
    assert open_cases(trial) == ["case-2"]
    assert "incident-over" in trial.events("case-2")


def test_reports_find_their_case_and_are_all_kept(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    first = report(trial, "r1", 150.0, text="two cars, one on its side")
    again = report(trial, "r2", 155.0, kind=IncidentKind.CONGESTION)
    far = report(trial, "r3", 900.0)
    assert (first["case"], first["new_case"], again["case"]) == ("case-1", False, "case-1")
    assert far["new_case"]
    kept = get_evidence(trial.store.db, 1, 0.0).statements
    assert [(one.id, one.text) for one in kept] == [("r1", "two cars, one on its side"), ("r2", "")]


def test_what_police_say_is_believed_over_what_was_thought(trial: OnTrial) -> None:
    trial.desk.take([incident("i-1", IncidentKind.STOPPED_VEHICLE)], 140.0, "s")
    report(trial, "r1", 20.0)
    assert list_summaries(trial.store.db)[0][0].kind is IncidentKind.STOPPED_VEHICLE
    report(trial, "r2", 20.0, reporter=ReporterKind.POLICE)
    assert list_summaries(trial.store.db)[0][0].kind is IncidentKind.CRASH


def test_an_old_story_is_not_taken_for_a_new_one(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    told = report(trial, "r1", happened_s=trial.clock.now_s - 4 * 3600)
    assert told["new_case"]


def test_merged_cases_keep_every_report_and_are_one(trial: OnTrial) -> None:
    desk = trial.desk
    one = report(trial, "r1")["case"]
    two = report(trial, "r2", 600.0)["case"]
    kept = desk.merge(two, one, ANNA, reason="the same lorry")
    assert (kept["id"], kept["reports"]) == (one, 2)
    assert open_cases(trial) == [one]
    assert get_file(trial.store.db, 1).merged == [two]
    with pytest.raises(RequestRefusedError, match="merged into case-1"):
        desk.move(two, CaseState.TRIAGE, ANNA)
    with pytest.raises(RequestRefusedError, match="itself"):
        desk.merge(one, one, ANNA)
    with pytest.raises(RequestRefusedError, match="closed"):
        desk.merge(one, two, ANNA)


def test_a_case_is_reopened_and_its_steps_stand_again(trial: OnTrial) -> None:
    name = trial.desk.open(IncidentKind.CRASH, place(), ANNA)["id"]
    trial.desk.move(name, CaseState.CLOSED, ANNA, outcome=Outcome.NO_ACTION)
    again = trial.desk.move(name, CaseState.TRIAGE, "operator:ben", reason="it is still there")
    assert (again["state"], again["outcome"], again["closed"]) == ("triage", None, None)
    assert "reopened" in trial.events(name)


def test_handing_over_names_the_new_holder(trial: OnTrial) -> None:
    name = trial.desk.open(IncidentKind.CRASH, place(), ANNA)["id"]
    assert trial.desk.hand_over(name, "night shift", ANNA)["holder"] == "night shift"


def test_a_call_repeated_under_its_key_is_done_once(trial: OnTrial) -> None:
    first = trial.desk.open(IncidentKind.CRASH, place(), ANNA, key="k1")
    assert trial.desk.open(IncidentKind.CRASH, place(), ANNA, key="k1") == first
    assert open_cases(trial) == [first["id"]]
    with pytest.raises(RequestRefusedError, match="key"):
        trial.desk.open(IncidentKind.CONGESTION, place(), ANNA, key="k1")


def test_who_decides_on_what_has_changed_is_told(trial: OnTrial) -> None:
    seen = trial.desk.open(IncidentKind.CRASH, place(), ANNA)
    trial.desk.note(seen["id"], "the tow truck is there", "operator:ben")
    with pytest.raises(RequestRefusedError, match="has changed"):
        trial.desk.move(seen["id"], CaseState.TRIAGE, ANNA, version=seen["version"])


def test_everything_stands_in_the_ledger_and_no_word_of_a_reporter(trial: OnTrial) -> None:
    report(trial, "r1", text="I am Mr Miller, 0171 5550")
    trial.desk.note("case-1", "call Mr Miller", ANNA)
    trial.desk.look("case-1", "operator:ben", "insurance asks")
    with LedgerReader(trial.store.path) as ledger:
        assert ledger.verify().ok
        entries = ledger.page(0, 100)
    assert [entry.body["what"] for entry in entries if entry.kind == "case"] == [
        "opened", "report", "note", "evidence-seen"
    ]  # fmt: skip
    assert entries[-1].actor == "operator:ben"
    assert "Miller" not in str([entry.body for entry in entries])


def test_evidence_says_how_likely_each_kind_is_that_cameras_cannot_tell_apart(trial: OnTrial) -> None:
    trial.desk.take([incident(kind=IncidentKind.STOPPED_VEHICLE)], 140.0, "s")
    [seen] = get_evidence(trial.store.db, 1, 1e6).incidents
    assert list(seen.kinds)[:2] == [IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH]
    for kind in IncidentKind:
        assert sum(kinds_seen(kind).values()) == pytest.approx(1.0)


def test_nobody_else_on_the_machine_can_read_it(trial: OnTrial) -> None:
    trial.desk.open(IncidentKind.CRASH, place(), ANNA)
    modes = {file.name: file.stat().st_mode & 0o077 for file in trial.folder.glob("cases.sqlite*")}
    modes.pop("cases.sqlite.lock", None)  # empty
    assert set(modes.values()) == {0}


def test_one_writer_and_no_newer_file(trial: OnTrial, tmp_path: Path) -> None:
    with pytest.raises(CasesError, match="another process"):
        CaseStore(trial.folder)
    trial.store.db.execute("PRAGMA user_version=99")
    with pytest.raises(CasesError, match="version 99"):
        open_reader(trial.store.path)
    with pytest.raises(CasesError, match="newer"):
        trial.again()
    with pytest.raises(CasesError, match="no cases"):
        open_reader(tmp_path / "none.sqlite")


def test_a_what_if_is_linked_once_and_decides_what_was_proposed(trial: OnTrial) -> None:
    trial.desk.open(IncidentKind.CRASH, place(), ANNA)
    trial.desk.move("case-1", CaseState.TRIAGE, ANNA)
    assert get_file(trial.store.db, 1).proposals == ["what_if"]
    for _ in range(2):
        trial.desk.link_what_if("case-1", "wi-7", "close the lane, reroute", ANNA)
    found = get_file(trial.store.db, 1)
    assert [(one.id, one.title, one.by) for one in found.what_ifs] == [
        ("wi-7", "close the lane, reroute", ANNA)
    ]
    assert found.proposals == []
    assert trial.events("case-1").count("what-if") == 1
    trial.desk.open(IncidentKind.CRASH, place(9000.0), ANNA)
    trial.desk.link_what_if("case-2", "wi-7", "the same", ANNA)
    trial.desk.merge("case-2", "case-1", ANNA)
    assert len(get_file(trial.store.db, 1).what_ifs) == 1


def test_what_is_expected_is_that_of_the_incidents_that_are_open(trial: OnTrial) -> None:
    said = msgspec.structs.replace(incident(), delay_veh_h=4.5, clears_s=140.0 + 600.0)
    trial.desk.take([said], 140.0, "s")
    found = get_file(trial.store.db, 1)
    assert found.delay_veh_h == 4.5
    assert found.clears_s == 740.0  # by the city's clock: a twin at twice real time is there sooner
    assert [step.required for step in found.steps] == [False]


def test_a_shift_is_signed_with_its_note_and_taken_once(trial: OnTrial) -> None:
    now_s = trial.clock.now_s
    with trial.store.change(ANNA) as change:
        signed = sign(change, now_s - 3600, now_s, "ben", "all that is open", "watch the bridge", '{"a": 1}')
    assert (signed.signed_by, signed.given_to, signed.taken_by) == (ANNA, "ben", "")
    with pytest.raises(RequestRefusedError, match="to somebody"), trial.store.change(ANNA) as change:
        sign(change, 0.0, 1.0, " ", "note", "")
    with trial.store.change("operator:ben") as change:
        taken = take(change, signed.id)
    assert (taken.taken_by, taken.taken.timestamp()) == ("operator:ben", now_s)
    with pytest.raises(RequestRefusedError, match="has taken"), trial.store.change(ANNA) as change:
        take(change, signed.id)
    assert [one.id for one in list_signatures(trial.store.db, 10)] == [signed.id]
    kept = get_signed(trial.store.db, signed.id)
    assert (kept.text, kept.record, kept.intact) == ("all that is open", '{"a": 1}', True)
    assert signed.sha256 == hashlib.sha256(b'all that is open\n{"a": 1}').hexdigest()
    with LedgerReader(trial.store.path) as ledger:
        entries = ledger.page(0, 100)
    assert [e.body["sha256"] for e in entries if e.kind.startswith("shift-")] == [signed.sha256] * 2
    trial.store.db.execute("UPDATE signature SET note = 'nothing is open'")
    assert not get_signed(trial.store.db, signed.id).intact


def test_a_shift_signed_before_its_data_was_kept_is_still_as_it_was_signed(trial: OnTrial) -> None:
    with trial.store.change(ANNA) as change:
        signed = sign(change, 0.0, 1.0, "ben", "all that is open", "")
    assert signed.sha256 == hashlib.sha256(b"all that is open").hexdigest()
    assert get_signed(trial.store.db, signed.id).intact


def test_evidence_lists_the_queues_that_have_no_incident_of_their_own(trial: OnTrial) -> None:
    because = (Effect(place(80.0, edge="e7"), 130.0),)
    trial.desk.take([replace(incident(), effects=because)], 140.0, "s")
    [seen] = get_evidence(trial.store.db, 1, 1e6).incidents
    [effect] = seen.effects
    assert effect.place.edge == "e7"
    assert effect.since_s == 130.0


@pytest.mark.parametrize("somebody_works_on_it", [False, True])
def test_a_case_whose_incident_turns_out_to_be_part_of_another_goes_into_that(
    trial: OnTrial, somebody_works_on_it: bool
) -> None:
    part, whole = incident("a", IncidentKind.STOPPED_VEHICLE), incident("b", at=place(500.0, edge="e9"))
    trial.desk.take([part, whole], 140.0, "s")
    if somebody_works_on_it:
        trial.desk.move("case-1", CaseState.TRIAGE, ANNA)
        trial.desk.move("case-1", CaseState.ASSIGNMENT, ANNA, assigned_to="tow")
    trial.desk.take([replace(part, cleared_s=200.0, updated_s=200.0, part_of="b")], 200.0, "s")
    one = get_summary(trial.store.db, 1)
    assert one.still_there is False
    if somebody_works_on_it:
        assert (one.state, one.merged_into) == (CaseState.ASSIGNMENT, "")
        assert trial.events("case-1")[-1] == "incident-over"
    else:
        assert (one.state, one.outcome, one.merged_into) == (CaseState.CLOSED, Outcome.DUPLICATE, "case-2")
        assert {word.id for word in get_evidence(trial.store.db, 2, 1e6).incidents} == {"a", "b"}


def alarms_of(trial: OnTrial) -> list[tuple[object, ...]]:
    rows = trial.rows("SELECT key, active, acknowledged, acknowledged_by FROM alarm ORDER BY number")
    return [tuple(row.values()) for row in rows]


def test_with_a_case_ends_the_alarm_that_only_people_reported_and_no_other(trial: OnTrial) -> None:
    report(trial, "r1", 900.0)
    only_said = replace(incident("said", at=place(900.0), onset_s=140.0), sensors=(), reports=("r1",))
    trial.desk.take([incident("seen"), only_said], 140.0, "s")
    for key in ("said", "seen"):
        with trial.store.change() as change:
            told = Alert(key, Severity.CRITICAL, "Crash", "", 140.0, "incidents")
            take_alert(change, told, trial.clock(), "s")
    trial.wait(3600.0)
    assert ("late-case-1", 1, 0, "") in alarms_of(trial)
    for name in open_cases(trial):
        trial.desk.move(name, CaseState.CLOSED, ANNA, outcome=Outcome.FALSE_ALARM)
    assert open_cases(trial) == []
    assert alarms_of(trial)[:2] == [("said", 0, 1, ANNA), ("seen", 1, 0, "")]
    assert alarms_of(trial)[2] == ("late-case-1", 0, 1, ANNA)
    assert [(one.id, one.settled) for one in trial.store.settled] == [("r1", True)]


def test_reports_of_a_merged_case_are_not_settled(trial: OnTrial) -> None:
    first, second = report(trial, "r1")["case"], report(trial, "r2", 5000.0)["case"]
    trial.desk.merge(second, first, ANNA)
    assert trial.store.settled == []
    trial.desk.move(first, CaseState.CLOSED, ANNA, outcome=Outcome.NO_ACTION)
    assert sorted(one.id for one in trial.store.settled) == ["r1", "r2"]
