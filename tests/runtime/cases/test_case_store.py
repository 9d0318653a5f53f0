"""What happens when the disk is full, or a word makes no sense: nothing half-done, nothing stuck."""

from __future__ import annotations

import math

import msgspec
import pytest
from case_desks import OnTrial, incident, place

from civicbrain.city.incidents import IncidentKind
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.core.errors import CasesError
from civicbrain.ledger import LedgerReader
from civicbrain.runtime.cases.alarm_list import list_alarms
from civicbrain.runtime.cases.intake import take_delivery
from civicbrain.runtime.cases.wire import AlertSaid, Delivery, IncidentSaid


def delivery(*words, first: int = 1) -> Delivery:
    return Delivery("life", "life.0", first, words, 10.0)


def alert(trial: OnTrial, key: str) -> AlertSaid:
    said = Alert(key, Severity.WARNING, "x" * 200, "y" * 1000, 0.0, "signals")
    return AlertSaid("life.0", said, trial.clock.now_s)


def test_on_a_full_disk_nothing_is_done_and_it_goes_on_when_there_is_room(trial: OnTrial) -> None:
    trial.desk.open(IncidentKind.CRASH, place(), "operator:anna")
    pages = trial.store.db.execute("PRAGMA page_count").fetchone()[0]
    trial.store.db.execute(f"PRAGMA max_page_count={pages}")
    words = [alert(trial, f"k{number}") for number in range(200)]
    with pytest.raises(CasesError, match="nothing can be recorded"):
        take_delivery(trial.desk, delivery(*words))
    assert list_alarms(trial.store.db, trial.clock.now_s).standing == 0
    trial.store.db.execute(f"PRAGMA max_page_count={pages + 10_000}")
    assert take_delivery(trial.desk, delivery(*words)) == (200, 200)
    assert list_alarms(trial.store.db, trial.clock.now_s).standing == 200
    with LedgerReader(trial.store.path) as ledger:
        assert ledger.verify().ok


def test_a_word_that_cannot_be_kept_holds_up_no_other(trial: OnTrial) -> None:
    bad = msgspec.structs.replace(incident(), place=place(math.nan), onset_s=math.nan)
    words = (alert(trial, "a"), IncidentSaid("life.0", bad, 10.0, trial.clock.now_s), alert(trial, "b"))
    assert take_delivery(trial.desk, delivery(*words)) == (3, 3)
    assert list_alarms(trial.store.db, trial.clock.now_s).standing == 2
    kinds = [row["kind"] for row in trial.rows("SELECT kind FROM entry ORDER BY seq")]
    assert kinds == ["word-refused", "alarms"]


def test_what_is_delivered_again_is_taken_once(trial: OnTrial) -> None:
    words = tuple(alert(trial, f"k{number}") for number in range(5))
    assert take_delivery(trial.desk, delivery(*words[:3])) == (3, 3)
    assert take_delivery(trial.desk, delivery(*words)) == (5, 2)
    assert take_delivery(trial.desk, delivery(*words)) == (5, 0)
    assert take_delivery(trial.desk, delivery(*words[3:], first=4)) == (5, 0)
    assert len(trial.rows("SELECT 1 FROM activation")) == 5
