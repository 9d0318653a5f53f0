"""The ledger: durable before acknowledged, chained, tampering found and placed, one writer."""

from __future__ import annotations

import itertools
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.core.errors import LedgerError
from civicbrain.ledger import GENESIS, Ledger, LedgerReader
from civicbrain.ledger.chain import canonical_json


def fill(ledger, count):
    return [ledger.append("request", "signals", {"stage": f"s{i}", "n": i}, float(i)) for i in range(count)]


def test_numbers_pages_and_verification(tmp_path):
    with Ledger(tmp_path / "a.ledger") as ledger:
        assert fill(ledger, 5) == [1, 2, 3, 4, 5]
        assert ledger.append_many([("x", "a", {}, 1.0), ("y", "b", {"k": [1, None]}, 2.0)]) == [6, 7]
        assert ledger.count == 7
        assert [entry.seq for entry in ledger.page(2, 3)] == [3, 4, 5]
        assert [entry.kind for entry in ledger.page(-2, 5)] == ["x", "y"]
        assert ledger.page(0, 1)[0].previous == GENESIS
        assert ledger.page(0, 1)[0].body == {"stage": "s0", "n": 0}
        report = ledger.verify()
        assert (report.ok, report.entries, report.first_broken, report.head) == (True, 7, None, ledger.head)


def test_a_stretch_of_real_time_and_the_citys_clock_in_it(tmp_path):
    start = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    ticks = itertools.count()
    with Ledger(tmp_path / "a.ledger", clock=lambda: start + timedelta(seconds=next(ticks))) as ledger:
        for second in range(10):  # the city's clock runs five times as fast
            ledger.append("a" if second % 2 else "b", "me", {}, 25200.0 + 5.0 * second)
        first = datetime.fromisoformat(ledger.page(0, 1)[0].at)

        def at(seconds: float) -> datetime:
            return first + timedelta(seconds=seconds)

        assert [one.seq for one in ledger.since(at(2), ("a", "b"), until=at(5))] == [3, 4, 5]
        assert [one.seq for one in ledger.since(at(2), ("a",), until=at(5))] == [4]
        assert [one.seq for one in ledger.since(at(8), ("a", "b"))] == [9, 10]
        assert ledger.platform_second(at(2)) == pytest.approx(25210.0)
        assert ledger.platform_second(at(2.5)) == pytest.approx(25212.5)
        assert ledger.platform_second(at(60)) == 25245.0  # nothing was written since
        assert ledger.platform_second(at(-1)) is None


def test_overrides_of_a_junction_are_found_however_much_was_written_since(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for number in range(3):
            ledger.append("override", "anna", {"junction": "J1", "what": "begin", "n": number}, float(number))
            ledger.append("override", "anna", {"junction": "J2", "what": "begin"}, float(number))
            busy = [("request", "signals", {"junction": "J1"}, 10.0 * number + k) for k in range(2000)]
            ledger.append_many(busy)
    with LedgerReader(tmp_path / "ledger.sqlite") as reader:
        assert [entry.body["n"] for entry in reader.overrides_of("J1")] == [2, 1, 0]
        assert [entry.body["n"] for entry in reader.overrides_of("J1", 2)] == [2, 1]
        assert reader.overrides_of("J3") == []
        assert reader.verify().ok


def test_memory_ledger_for_studies():
    ledger = Ledger(None)
    fill(ledger, 3)
    assert ledger.count == 3
    assert ledger.verify().ok


def test_reopening_resumes_the_chain(tmp_path):
    path = tmp_path / "a.ledger"
    with Ledger(path) as ledger:
        fill(ledger, 3)
    with Ledger(path) as ledger:
        assert ledger.append("more", "me", {}, 4.0) == 4
        assert ledger.verify().ok


def test_second_writer_is_refused_readers_are_not(tmp_path):
    path = tmp_path / "a.ledger"
    with Ledger(path) as ledger:
        fill(ledger, 2)
        with pytest.raises(LedgerError, match="another process is writing"):
            Ledger(path)
        with LedgerReader(path) as reader:
            assert reader.count == 2
            fill(ledger, 1)
            assert reader.count == 3
            assert reader.verify().ok
            assert not hasattr(reader, "append")
    Ledger(path).close()


CHILD = """
import sys, time
from pathlib import Path
from civicbrain.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for n in range(100_000):
    print(ledger.append("request", "brain", {"n": n}, float(n)), flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    path = tmp_path / "a.ledger"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = "".join(child.stdout.readline() for _ in range(50))
    child.send_signal(signal.SIGKILL)
    output = first + child.communicate()[0]
    acknowledged = [int(line) for line in output.splitlines()[:-1] if line]
    assert len(acknowledged) > 3
    with Ledger(path) as ledger:
        report = ledger.verify()
        assert report.ok
        assert report.entries >= acknowledged[-1]
        recorded = {
            entry.seq for offset in range(0, ledger.count, 1000) for entry in ledger.page(offset, 1000)
        }
        assert recorded >= set(acknowledged)
        assert ledger.append("after", "me", {}, 0.0) == report.entries + 1
        assert ledger.verify().ok


def tamper(path, sql, *values):
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER entry_no_update")
    db.execute("DROP TRIGGER entry_no_delete")
    db.execute(sql, values)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("sql", "place", "word"),
    [
        ('UPDATE entry SET body = \'{"n":99,"stage":"s4"}\' WHERE seq = 5', 5, "changed"),
        ("UPDATE entry SET actor = 'operator' WHERE seq = 2", 2, "changed"),
        ("UPDATE entry SET time_s = time_s + 1 WHERE seq = 7", 7, "changed"),
        ("UPDATE entry SET at = 'then' WHERE seq = 1", 1, "changed"),
        ("UPDATE entry SET body = 'no json' WHERE seq = 3", 3, ""),
        ("DELETE FROM entry WHERE seq = 4", 4, "missing"),
        ("DELETE FROM entry WHERE seq = 1", 1, "missing"),
        ("UPDATE entry SET previous = hash WHERE seq = 6", 6, "replaced"),
        ("UPDATE entry SET seq = 50 WHERE seq = 9", 9, "missing"),
    ],
)
def test_tampering_is_found_and_placed(tmp_path, sql, place, word):
    path = tmp_path / "a.ledger"
    with Ledger(path) as ledger:
        fill(ledger, 9)
    tamper(path, sql)
    with LedgerReader(path) as reader:
        report = reader.verify()
        reader.page(0, 100)  # a tampered record can still be looked at
    assert not report.ok
    assert report.first_broken == place
    assert word in report.reason


def test_a_broken_end_is_not_continued(tmp_path):
    path = tmp_path / "a.ledger"
    with Ledger(path) as ledger:
        fill(ledger, 3)
    tamper(path, "UPDATE entry SET actor = 'x' WHERE seq = 3")
    with pytest.raises(LedgerError, match="does not fit the chain"):
        Ledger(path)


def test_the_file_itself_refuses_edits(tmp_path):
    path = tmp_path / "a.ledger"
    with Ledger(path) as ledger:
        fill(ledger, 2)
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("DELETE FROM entry")
    db.close()


def test_a_full_disk_is_an_error_with_a_remedy_and_recording_goes_on_after(tmp_path):
    with Ledger(tmp_path / "a.ledger") as ledger:
        fill(ledger, 3)
        pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
        ledger._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite then says what it says on a full disk
        with pytest.raises(LedgerError, match="remedy: free space"):
            ledger.append("big", "me", {"text": "x" * 100_000}, 4.0)
        ledger._db.execute("PRAGMA max_page_count=1000000")
        assert ledger.append("small", "me", {}, 5.0) == 4
        assert ledger.verify().ok


@pytest.mark.parametrize("content", [b"", b"not a database at all, just some text" * 50])
def test_no_ledger_is_a_clear_error(tmp_path, content):
    path = tmp_path / "x"
    with pytest.raises(LedgerError, match="no ledger"):
        LedgerReader(path)
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be read"):
        LedgerReader(path)


def test_folder_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(LedgerError, match="remedy"):
        Ledger(blocked / "a.ledger")


def test_bodies_that_are_no_json_change_nothing():
    ledger = Ledger(None)
    fill(ledger, 1)
    with pytest.raises(LedgerError):
        ledger.append("x", "me", {"o": object()}, 0.0)
    with pytest.raises(LedgerError):
        ledger.append("x", "me", {}, float("nan"))
    assert ledger.append("x", "me", {"v": np.float32(0.5), "a": np.arange(2)}, 0.0) == 2
    assert ledger.verify().ok


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(), st.text(), st.dictionaries(st.text(), json_values, max_size=3),
                          st.floats(allow_nan=False, allow_infinity=False)), max_size=5))  # fmt: skip
def test_whatever_is_recorded_verifies(entries):
    ledger = Ledger(None)
    numbers = ledger.append_many(entries)
    assert numbers == list(range(1, len(entries) + 1))
    assert ledger.verify().ok


def test_the_zero_that_has_a_sign_verifies():
    ledger = Ledger(None)
    ledger.append("x", "me", {}, -0.0)
    assert ledger.verify().ok


def test_canonical_json_does_not_depend_on_key_order():
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})
