"""What the book of incidents keeps, drops and calls a change."""

from __future__ import annotations

import math

import msgspec
import pytest

from civicbrain.city.incident_book import REPORT_KEPT_S, SILENT_AFTER_S, IncidentBook
from civicbrain.city.incidents import Incident, IncidentKind, IncidentReport, Place, ReporterKind
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.snapshot_wire import pack_snapshot, unpack_snapshot

PLACE = Place(x_m=10.0, y_m=0.0, edge="WA", lanes=(0,), position_m=10.0)
FIRST = Incident("incidents-1", IncidentKind.CRASH, PLACE, 0.9, onset_s=5.0, detected_s=10.0, updated_s=10.0)


def report(name: str, at_s: float) -> IncidentReport:
    return IncidentReport(name, ReporterKind.CITIZEN, "app", IncidentKind.CRASH, PLACE, reported_s=at_s)


def test_repeating_an_incident_is_no_change_and_a_new_fact_is() -> None:
    book = IncidentBook()
    assert book.take(FIRST)
    assert not book.take(msgspec.structs.replace(FIRST, updated_s=20.0))
    assert book.take(msgspec.structs.replace(FIRST, updated_s=21.0, evidence=("a vehicle stands",)))
    assert book.list_now(22.0)[0][0].evidence == ("a vehicle stands",)


def test_an_ended_incident_leaves_and_is_told_once() -> None:
    book = IncidentBook()
    book.take(FIRST)
    over = msgspec.structs.replace(FIRST, updated_s=50.0, cleared_s=50.0)
    assert book.take(over)
    assert not book.take(over)
    assert book.list_now(51.0) == ((), ())


def test_an_older_word_does_not_replace_a_newer_one() -> None:
    book = IncidentBook()
    book.take(msgspec.structs.replace(FIRST, updated_s=30.0, confidence=0.5))
    assert not book.take(FIRST)
    assert book.list_now(31.0)[0][0].confidence == 0.5


@pytest.mark.parametrize("change", [{"confidence": math.nan}, {"capacity_left": 2.0}, {"onset_s": math.inf}])
def test_numbers_that_are_none_are_dropped(change: dict[str, float]) -> None:
    assert not IncidentBook().take(msgspec.structs.replace(FIRST, **change))


def test_what_a_brain_no_longer_repeats_goes() -> None:
    book = IncidentBook()
    book.take(FIRST)
    assert book.list_now(10.0 + SILENT_AFTER_S)[0]
    assert not book.list_now(11.0 + SILENT_AFTER_S)[0]


def test_a_report_is_kept_once_for_an_hour_and_never_from_the_future() -> None:
    book = IncidentBook()
    assert book.report(report("r1", 100.0), 101.0)
    assert not book.report(report("r1", 100.0), 101.0)
    assert not book.report(report("r2", 200.0), 101.0)
    assert [r.id for r in book.list_now(100.0 + REPORT_KEPT_S)[1]] == ["r1"]
    assert book.list_now(101.0 + REPORT_KEPT_S)[1] == ()


def test_a_settled_report_takes_the_place_of_the_one_that_is_known() -> None:
    book = IncidentBook()
    settled = msgspec.structs.replace(report("r1", 150.0), settled=True)
    assert not book.report(settled, 151.0)  # nothing is known of it
    book.report(report("r1", 100.0), 101.0)
    assert book.report(settled, 151.0)
    assert not book.report(settled, 151.0)
    assert not book.report(report("r1", 152.0), 152.0)
    assert book.list_now(152.0)[1] == (settled,)


def test_snapshots_carry_both_also_to_another_process() -> None:
    store = Store(sandbox_city())
    store.fold([FIRST, report("r1", 9.0)], 10.0)
    seen = unpack_snapshot(pack_snapshot(store.snapshot(11.0)))
    assert seen.incidents == (FIRST,)
    assert seen.reports[0].id == "r1"
    store.reset()
    assert store.snapshot(12.0).incidents == ()
