"""Whatever people, sensors and time do in whatever order: no case is lost, doubled or stuck."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from case_desks import OnTrial, incident, place
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from civicbrain.city.cases import MOVES, CaseState, Outcome, StepState
from civicbrain.city.incidents import IncidentKind, ReporterKind
from civicbrain.core.errors import CivicBrainError
from civicbrain.ledger import LedgerReader

KINDS = st.sampled_from(list(IncidentKind))
SPOTS = st.sampled_from([0.0, 60.0, 200.0, 5000.0])
WHO = st.sampled_from(["operator:anna", "operator:ben"])


class Cases(RuleBasedStateMachine):
    """reports: how many were taken; they must all be there in the end, in a case that is."""

    cases = Bundle("cases")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.trial = OnTrial(Path(self.folder.name) / "cases")
        self.trial.store.db.execute("PRAGMA synchronous=OFF")  # another test pulls the plug
        self.reports = 0

    def teardown(self) -> None:
        self.trial.store.close()
        with LedgerReader(self.trial.store.path) as ledger:
            assert ledger.verify().ok
        self.folder.cleanup()

    @rule(target=cases, kind=KINDS, x_m=SPOTS, who=WHO)
    def open_by_hand(self, kind, x_m, who):
        return self.trial.desk.open(kind, place(x_m), who)["id"]

    @rule(target=cases, kind=KINDS, x_m=SPOTS, reporter=st.sampled_from(list(ReporterKind)))
    def report(self, kind, x_m, reporter):
        self.reports += 1
        said = self.trial.desk.report(
            reporter, kind, place(x_m, edge=""), "x:y", report_id=f"r{self.reports}", text="words"
        )
        return said["case"] if said["new_case"] else multiple()

    @rule(
        number=st.integers(1, 4), kind=KINDS, x_m=SPOTS, confidence=st.floats(0, 1), over=st.booleans(),
        session=st.sampled_from(["first", "second"]),
    )  # fmt: skip
    def sense(self, number, kind, x_m, confidence, over, session):
        cleared_s = 500.0 if over else -1.0
        said = incident(f"i-{number}", kind, place(x_m), confidence=confidence, cleared_s=cleared_s)
        self.trial.desk.take([said], 600.0, session)

    @rule(case=cases, to=st.sampled_from(list(CaseState)), outcome=st.sampled_from([None, *Outcome]), who=WHO)
    def move(self, case, to, outcome, who):
        before = self.row(case)
        try:
            after = self.trial.desk.move(case, to, who, outcome=outcome)
        except CivicBrainError:
            assert self.row(case) == before
            return
        assert to in MOVES[CaseState(before["state"])]
        assert (after["outcome"] is not None) == (to is CaseState.CLOSED)

    @rule(case=cases, other=cases, who=WHO)
    def merge(self, case, other, who):
        try:
            self.trial.desk.merge(case, other, who)
        except CivicBrainError:
            return
        assert self.row(case)["state"] == "closed"

    @rule(case=cases, who=WHO, state=st.sampled_from([StepState.DONE, StepState.SKIPPED]), data=st.data())
    def step(self, case, who, state, data):
        steps = self.trial.rows(
            "SELECT id FROM step WHERE case_number = ? AND state = 'open'", int(case.removeprefix("case-"))
        )
        if steps:
            step = data.draw(st.sampled_from([str(row["id"]) for row in steps]))
            self.trial.desk.step(case, step, state, who, reason="so")

    @rule(seconds=st.sampled_from([1.0, 61.0, 700.0, 90_000.0]))
    def wait(self, seconds):
        self.trial.wait(seconds)

    @rule()
    def start_again(self):
        self.trial = self.trial.again()
        self.trial.store.db.execute("PRAGMA synchronous=OFF")

    def row(self, case):
        return self.trial.rows("SELECT * FROM case_file WHERE number = ?", int(case.removeprefix("case-")))[0]

    @invariant()
    def every_report_is_in_a_case(self):
        found = self.trial.rows("SELECT id, text FROM report")
        assert len(found) == self.reports
        assert all(row["text"] == "words" for row in found)

    @invariant()
    def no_case_is_stuck(self):
        """An open case has a deadline or is late, unless its procedure gives its state none; a closed one has
        no deadline, an outcome, and a way back unless it was merged."""
        for row in self.trial.rows("SELECT * FROM case_file"):
            timers = self.trial.rows("SELECT * FROM timer WHERE case_number = ?", row["number"])
            rules = self.trial.desk.conduct.procedures[IncidentKind(row["kind"])].rules(
                CaseState(row["state"])
            )
            if row["state"] == "closed":
                assert row["closed_s"] is not None
                assert row["outcome"] is not None
                assert not timers
            elif rules.deadline is not None:
                assert row["closed_s"] is None
                assert any(timer["kind"] == "deadline" for timer in timers) or row["late"]

    @invariant()
    def the_history_tells_the_state(self):
        for row in self.trial.rows("SELECT * FROM case_file"):
            state = "reception"
            for event in self.trial.rows(
                "SELECT json_extract(detail, '$.from') AS f, json_extract(detail, '$.to') AS t FROM event"
                " WHERE case_number = ? AND what IN ('moved', 'reopened') ORDER BY number",
                row["number"],
            ):
                assert event["f"] == state
                state = event["t"]
            assert state == row["state"]


TestCases = Cases.TestCase
TestCases.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
