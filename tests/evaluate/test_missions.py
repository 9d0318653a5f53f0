"""What a study of emergency missions keeps, and what it says of it."""

from __future__ import annotations

import msgspec
import pytest

from civicbrain.city.missions import Mission, MissionKind, Urgency
from civicbrain.contracts.missions import MissionPlan, Passage, PassageState
from civicbrain.evaluate.missions import MissionRecord, MissionRunRecord
from civicbrain.evaluate.missions.run import list_arrivals, list_errors
from civicbrain.evaluate.missions.summary import summarise_missions
from civicbrain.twin.missions import MissionDrive, MissionTrip


def record(name, travel_s, time_loss_s, **values):
    values = {"predictions": 4, "to_go_s": 200.0, "error_s": 20.0, "late_s": -10.0} | values
    return MissionRecord(name, False, 5, 600.0, travel_s, 0.0, time_loss_s, 0.0, **values)


def run(arm, seed, missions, delay_s):
    return MissionRunRecord(
        arm=arm, seed=seed, commit="abc", missions=missions, others_due=100, others_delay_s=delay_s,
        unsafe_states=0, collisions=0, emergency_stops=0, refused={}, ledger_entries=0, cpu_s=1.0,
    )  # fmt: skip


def test_time_won_is_told_as_a_share_of_what_can_be_won():
    without = run("plan", 1, [record("a", 200.0, 120.0), record("b", 100.0, 40.0)], 20.0)
    with_ = run("plan+priority", 1, [record("a", 120.0, 40.0), record("b", 90.0, 30.0)], 21.0)
    row = summarise_missions([without, with_], 3600.0)
    plain = row["pairs"]["plan+priority / plan"]["plain"]
    assert plain["median"] == pytest.approx((0.6 + 0.9) / 2)
    assert plain["free"] == pytest.approx((80.0 / 200.0 + 60.0 / 100.0) / 2)
    assert plain["won"] == pytest.approx((80.0 + 10.0) / (120.0 + 40.0), abs=1e-3)


def test_what_the_others_pay_has_an_interval_over_the_runs():
    runs = []
    for seed, cost in enumerate((1.00, 1.02, 1.04, 1.02), start=1):
        runs.append(run("plan", seed, [record("a", 200.0, 120.0)], 20.0))
        runs.append(run("plan+priority", seed, [record("a", 150.0, 70.0)], 20.0 * cost))
    pair = summarise_missions(runs, 3600.0)["pairs"]["plan+priority / plan"]
    assert pair["others_delay"] == pytest.approx(1.02)
    low, high = pair["others_delay_ci95"]
    assert 1.0 <= low < 1.02 < high <= 1.04


def test_a_runs_record_survives_its_file_in_one_short_line():
    one = run("plan", 1, [record("a", None, 120.0)], 20.0)
    text = msgspec.json.encode(one)
    assert msgspec.json.decode(text, type=MissionRunRecord) == one
    assert b"travel_s" not in text


def test_predictions_count_within_five_minutes_until_the_stop_line_is_reached():
    mission = Mission("m", "unit", MissionKind.AMBULANCE, Urgency.LIFE, "WA", "BE", 0.0)
    drive = MissionDrive(MissionTrip(mission), 0.0, left_s=[("WA", 350.0), ("AB", 380.0)])

    def plan(at_s, *predicted):
        passages = [
            Passage(junction, 300.0, PassageState.AHEAD, edge, predicted_s=predicted_s)
            for junction, edge, predicted_s in predicted
        ]
        return at_s, MissionPlan("m", "priority", at_s, "tracked", passages=tuple(passages))

    samples = [
        plan(40.0, ("A", "WA", 300.0), ("B", "AB", 340.0)),  # too far ahead
        plan(340.0, ("A", "WA", 352.0), ("B", "AB", 376.0)),
        plan(360.0, ("A", "WA", 361.0), ("B", "AB", 379.0)),  # A is passed
    ]
    assert list_errors(drive, samples) == [
        (340.0, 352.0, 350.0), (340.0, 376.0, 380.0), (360.0, 379.0, 380.0)
    ]  # fmt: skip


def test_each_expected_arrival_stands_beside_the_real_one():
    mission = Mission("m", "unit", MissionKind.AMBULANCE, Urgency.LIFE, "WA", "BE", 0.0)
    drive = MissionDrive(MissionTrip(mission), 0.0, arrived_s=100.0)
    samples = [
        (at_s, MissionPlan("m", "priority", at_s, "tracked", eta_s=eta_s))
        for at_s, eta_s in ((10.0, 80.0), (20.0, None), (90.0, 104.0), (110.0, 110.0))
    ]
    assert list_arrivals(drive, samples) == [(70.0, 20.0), (14.0, -4.0)]
    drive.arrived_s = None
    assert list_arrivals(drive, samples) == []
