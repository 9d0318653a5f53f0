"""What priority wins and what it costs, over all runs of one scenario.

Every ratio is of the same missions, vehicles and seeds in two arms. A mission that has not arrived by the end
of the window counts with the time it had until then, which favours the arm in which it did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from civicbrain.city.network import F64
from civicbrain.evaluate.missions.record import MissionRecord, MissionRunRecord

PAIRS = (
    ("signals+priority", "plan"),
    ("signals+priority", "signals"),
    ("plan+priority", "plan"),
)
_RESAMPLES = 2000
FEWEST_RUNS = 4
"""Of which an interval says anything."""


def summarise_missions(runs: Sequence[MissionRunRecord], end_s: float) -> dict[str, Any]:
    """JSON-able figures. end_s: end of the window.

    pairs: arm / arm without priority -> kind of vehicle ("plain" obeys the lights, "blue" may pass red, or
    "all") -> missions, median ratio of travel times with its 95 % bootstrap interval, quartiles, and `free`:
    the median ratio had nothing but its own speed held the vehicle up; `won`: the time won over the time that
    could be won, which is down to that, summed over the missions. others_delay: ratio of all other vehicles'.
    """
    arms = list(dict.fromkeys(run.arm for run in runs))
    by_key = {(run.arm, run.seed): run for run in runs}
    seeds = sorted({run.seed for run in runs})
    return {
        "seeds": len(seeds),
        "commits": sorted({run.commit for run in runs if run.commit}),
        "missions": sum(len(run.missions) for run in runs if run.arm == arms[0]) if arms else 0,
        "arms": {arm: _arm([run for run in runs if run.arm == arm]) for arm in arms},
        "pairs": {
            f"{with_} / {without}": _pair(
                [(by_key[with_, s], by_key[without, s]) for s in seeds
                 if (with_, s) in by_key and (without, s) in by_key],
                end_s,
            )
            for with_, without in PAIRS
            if with_ in arms and without in arms
        },
    }  # fmt: skip


def prediction_error(runs: Sequence[MissionRunRecord]) -> dict[str, float]:
    """share: mean absolute error of arrivals up to 5 minutes ahead over the mean time to go; bias: the same
    with its sign, above 0 where they were predicted too late; count."""
    missions = [mission for run in runs for mission in run.missions]
    to_go_s = sum(mission.to_go_s for mission in missions)
    if to_go_s <= 0.0:
        return {"count": 0}
    return {
        "count": sum(mission.predictions for mission in missions),
        "share": round(sum(mission.error_s for mission in missions) / to_go_s, 4),
        "bias": round(sum(mission.late_s for mission in missions) / to_go_s, 4),
    }


def _arm(runs: Sequence[MissionRunRecord]) -> dict[str, Any]:
    return {
        "others_delay_s": round(float(np.mean([run.others_delay_s for run in runs])), 2),
        "not_arrived": sum(mission.travel_s is None for run in runs for mission in run.missions),
        "unsafe_states": sum(run.unsafe_states for run in runs),
        "collisions": sum(run.collisions for run in runs),
        "emergency_stops": sum(run.emergency_stops for run in runs),
        "prediction": prediction_error(runs),
        "cpu_s": round(float(np.mean([run.cpu_s for run in runs])), 1),
    }


def _pair(pairs: Sequence[tuple[MissionRunRecord, MissionRunRecord]], end_s: float) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, kind in (("plain", False), ("blue", True), ("all", None)):
        rows = []  # (seconds with priority, without, with nothing but its own speed)
        for with_, without in pairs:
            before = {mission.id: mission for mission in without.missions}
            for mission in with_.missions:
                if mission.id in before and (kind is None or mission.blue_light is kind):
                    base_s = _travel_s(before[mission.id], end_s)
                    travel_s = _travel_s(mission, end_s)
                    rows.append((travel_s, base_s, travel_s - mission.time_loss_s - mission.depart_delay_s))
        if rows:
            result[name] = _ratios(np.array(rows))
    result.update(
        _others(np.array([[run.others_delay_s * run.others_due for run in pair] for pair in pairs]))
    )
    return result


def _others(lost_s: F64) -> dict[str, Any]:
    """Delay of all others with priority over that without. lost_s: (runs, 2). The interval resamples runs;
    None where there are fewer than `FEWEST_RUNS`."""
    if not len(lost_s) or lost_s[:, 1].sum() <= 0.0:
        return {}
    result: dict[str, Any] = {"others_delay": round(float(lost_s[:, 0].sum() / lost_s[:, 1].sum()), 4)}
    result["others_delay_ci95"] = None
    if len(lost_s) >= FEWEST_RUNS:
        draws = np.random.default_rng(2).choice(lost_s, (_RESAMPLES, len(lost_s)))
        with_s, without_s = draws.sum(axis=1).T
        low, high = np.quantile(with_s / np.maximum(without_s, 1e-9), [0.025, 0.975])
        result["others_delay_ci95"] = [round(float(low), 4), round(float(high), 4)]
    return result


def _ratios(rows: F64) -> dict[str, Any]:
    with_s, without_s, free_s = rows.T
    ratios = with_s / without_s
    draws = np.random.default_rng(1).choice(ratios, (_RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    quartiles = np.quantile(ratios, [0.25, 0.75])
    to_win_s = float((without_s - free_s).sum())
    return {
        "missions": len(ratios),
        "median": round(float(np.median(ratios)), 3),
        "ci95": [round(float(low), 3), round(float(high), 3)],
        "quartiles": [round(float(q), 3) for q in quartiles],
        "free": round(float(np.median(free_s / without_s)), 3),
        "won": round(float((without_s - with_s).sum()) / to_win_s, 3) if to_win_s > 0.0 else None,
    }


def _travel_s(mission: MissionRecord, end_s: float) -> float:
    return mission.travel_s if mission.travel_s is not None else max(1.0, end_s - mission.due_s)
