"""Whatever is raised, noted and shelved in whatever order: every alarm is where its words say it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from case_desks import OnTrial
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from civicbrain.contracts.brain import Alert, Severity
from civicbrain.runtime.cases import alarms
from civicbrain.runtime.cases.alarm_list import MOST_GROUPS, list_alarms

KEYS = st.integers(0, 30)
RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Alarms(RuleBasedStateMachine):
    """model: key -> [active, noted, rank, raised how often, shelved until]."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.trial = OnTrial(Path(self.folder.name) / "cases")
        self.trial.store.db.execute("PRAGMA synchronous=OFF")
        self.model: dict[int, list] = {}

    def teardown(self) -> None:
        self.trial.store.close()
        self.folder.cleanup()

    def number(self, key: int) -> int:
        return self.trial.rows("SELECT number FROM alarm WHERE key = ?", f"k{key}")[0]["number"]

    @rule(key=KEYS, severity=st.sampled_from([Severity.WARNING, Severity.CRITICAL]))
    def raise_one(self, key, severity):
        title = f"Matter {'abcdefghijklmno'[key % 15] * 3} at J{key}"
        with self.trial.store.change() as change:
            alert = Alert(f"k{key}", severity, title, "", 0.0, "signals", f"J{key}")
            alarms.take_alert(change, alert, self.trial.clock.now_s, "s")
        one = self.model.setdefault(key, [False, True, 0, 0, None])
        if not one[0]:
            one[3] += 1
        if not one[0] or RANK[severity] > one[2]:
            one[1] = False
        one[0], one[2] = True, RANK[severity]

    @rule(key=KEYS)
    def end(self, key):
        if key in self.model:
            with self.trial.store.change() as change:
                alarms.clear_alarm(change, "signals", f"k{key}", self.trial.clock.now_s, "")
            self.model[key][0] = False

    @rule(key=KEYS)
    def note(self, key):
        if key in self.model:
            number = self.number(key)
            with self.trial.store.change("operator") as change:
                alarms.acknowledge(change, [number], "")
            self.model[key][1] = True

    @rule(key=KEYS, for_s=st.sampled_from([60.0, 3600.0]))
    def shelve(self, key, for_s):
        one = self.model.get(key)
        if one is not None and (one[0] or not one[1]):
            number = self.number(key)
            with self.trial.store.change("operator") as change:
                alarms.shelve(change, [number], for_s, "works")
            one[4] = self.trial.clock.now_s + for_s

    @rule(seconds=st.sampled_from([1.0, 60.0, 4000.0]))
    def wait(self, seconds):
        self.trial.wait(seconds)
        for one in self.model.values():
            if one[4] is not None and one[4] <= self.trial.clock.now_s:
                one[4] = None

    @rule()
    def start_again(self):
        self.trial = self.trial.again()
        self.trial.store.db.execute("PRAGMA synchronous=OFF")

    @invariant()
    def the_list_is_what_was_said(self):
        found = list_alarms(self.trial.store.db, self.trial.clock.now_s, limit=100)
        shown = {f"k{k}": one for k, one in self.model.items() if (one[0] or not one[1]) and one[4] is None}
        assert {alarm.key for alarm in found.alarms} == set(shown)
        assert found.standing == len(shown) == sum(group.alarms for group in found.groups)
        assert found.unacknowledged == sum(not one[1] for one in shown.values())
        assert found.shelved == sum(one[4] is not None for one in self.model.values())
        assert len(found.groups) <= MOST_GROUPS
        ranks = [group.urgency.rank for group in found.groups]
        assert ranks == sorted(ranks)

    @invariant()
    def every_time_is_kept(self):
        rows = self.trial.rows(
            "SELECT a.key, a.count, count(v.number) AS times, sum(v.cleared_s IS NULL) AS now, a.active"
            " FROM alarm a JOIN activation v ON v.alarm = a.number GROUP BY a.number"
        )
        assert {row["key"]: row["times"] for row in rows} == {
            f"k{k}": one[3] for k, one in self.model.items()
        }
        assert all(row["count"] == row["times"] and row["now"] == row["active"] for row in rows)


TestAlarms = Alarms.TestCase
TestAlarms.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
