"""kill -9 in the middle of every transition: done again, all is as if nothing had been killed."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from case_desks import OnTrial, incident, place

from civicbrain.city.cases import CaseState, Outcome, StepState
from civicbrain.city.incidents import IncidentKind, ReporterKind
from civicbrain.ledger import LedgerReader
from civicbrain.runtime.cases.store import CaseStore

WHO = "operator:anna"
EVERY = 17
"""A kill at each so many statements: a prime, so that over the tests' life all kinds are hit."""


def work(trial: OnTrial) -> None:
    """A morning: everything that changes cases, each call under a key, as a client that repeats its calls."""
    desk = trial.desk
    desk.take([incident(), incident("i-2", IncidentKind.CONGESTION, place(3000.0))], 140.0, "s")
    desk.report(
        ReporterKind.CITIZEN, IncidentKind.CRASH, place(40.0, edge=""), "citizen:app", report_id="r1",
        text="two cars", key="r1",
    )  # fmt: skip
    desk.report(
        ReporterKind.POLICE, IncidentKind.CRASH, place(900.0, edge=""), "police:3", report_id="r2", key="r2"
    )
    desk.move("case-1", CaseState.TRIAGE, WHO, key="m1")
    desk.step("case-1", "injured", StepState.DONE, WHO, key="s1")
    desk.move("case-1", CaseState.ASSIGNMENT, WHO, assigned_to="patrol", key="m2")
    desk.merge("case-3", "case-1", WHO, key="g1")
    desk.hand_over("case-1", "night", WHO, key="h1")
    desk.note("case-1", "a note", WHO, key="n1")
    desk.move("case-1", CaseState.CLOSED, WHO, outcome=Outcome.RESOLVED, key="m3")
    desk.move("case-1", CaseState.TRIAGE, WHO, reason="not over", key="m4")
    desk.take([incident("i-2", IncidentKind.CONGESTION, place(3000.0), cleared_s=200.0)], 200.0, "s")
    trial.clock.now_s = trial.clock.now_s // 10_000 * 10_000 + 9000.0  # the same second whenever it is done
    desk.due()


def state_of(trial: OnTrial) -> dict[str, list[dict[str, Any]]]:
    """All that is kept, without what is drawn at random."""
    random = {"salt", "key", "due_s", "body", "made_s", "at_s", "detail"}
    tables = ("case_file", "event", "incident", "report", "step", "timer", "alarm", "activation", "notice")
    return {
        table: [
            {name: value for name, value in row.items() if name not in random}
            for row in trial.rows(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]
        for table in tables
    }


def killed_at(folder: Path, statement: int) -> bool:
    """Do the work in a process that is killed as its n-th statement begins; False: it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            trial = OnTrial(folder)
            begun = 0

            def count(_: str) -> None:
                nonlocal begun
                begun += 1
                if begun == statement:
                    os.kill(os.getpid(), signal.SIGKILL)

            trial.store.db.set_trace_callback(count)
            work(trial)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("offset", range(4))
def test_a_kill_loses_doubles_and_sticks_nothing(tmp_path: Path, offset: int) -> None:
    reference = OnTrial(tmp_path / "whole")
    work(reference)
    wanted = state_of(reference)
    reference.store.close()
    statement, kills = 1 + offset * EVERY // 4, 0
    while killed_at(folder := tmp_path / str(statement), statement):
        kills += 1
        trial = OnTrial(folder)
        with LedgerReader(trial.store.path) as ledger:
            assert ledger.verify().ok
        work(trial)  # what was answered is not done twice; what was not, is done now
        found = state_of(trial)
        assert found == wanted, f"killed at statement {statement}"
        trial.store.close()
        statement += 4 * EVERY
    assert kills > 4


def test_a_file_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    connect, begun = sqlite3.connect, [0, 0]

    def count(_: str) -> None:
        begun[0] += 1
        if begun[0] == begun[1]:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*given: Any, **named: Any) -> sqlite3.Connection:
        db = connect(*given, **named)
        db.set_trace_callback(count)
        return db

    for statement in range(1, 60, 4):
        folder = tmp_path / str(statement)
        child = os.fork()
        if child == 0:
            try:
                begun[1] = statement
                sqlite3.connect = traced  # type: ignore[assignment]
                CaseStore(folder)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        store = CaseStore(folder)
        assert store.db.execute("SELECT count(*) FROM case_file").fetchone()[0] == 0
        store.close()
