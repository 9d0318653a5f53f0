"""Every figure of a study against its baseline, paired by seed: what was won, what was lost, what is open."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from civicbrain.evaluate.records import Evaluation, Interval, RunRecord, figure
from civicbrain.science.statistics import estimate_mean, estimate_paired_difference

COMPARED: tuple[tuple[str, str, str, int], ...] = (
    ("mean_delay_s", "s/veh", "less", 1),
    ("mean_time_loss_s", "s/veh", "less", 1),
    ("mean_depart_delay_s", "s/veh", "less", 1),
    ("mean_travel_time_s", "s/veh", "less", 1),
    ("mean_waiting_s", "s/veh", "less", 1),
    ("max_waiting_s", "s", "less", 0),
    ("stops_per_vehicle", "1/veh", "less", 2),
    ("co2_kg", "kg", "less", 0),
    ("arrived", "veh", "more", 0),
    ("undeparted", "veh", "less", 1),
)
"""Figure of a run, its unit, which is better, and digits worth reading."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one control. mean, ci95: over its seeds, Student's interval. difference: control −
    baseline over the seeds that both finished (pairs), with the paired interval; null for the baseline
    itself.

    verdict: "better" or "worse" where the interval leaves out 0, "open" where it does not, "" where there is
    no interval to say.
    """

    control: str
    metric: str
    unit: str
    better: str
    digits: int
    mean: float | None
    ci95: Interval | None
    difference: float | None = None
    difference_ci95: Interval | None = None
    pairs: int = 0
    verdict: str = ""


def compare_figures(study: Evaluation) -> list[Compared]:
    """By figure, then by control in the study's order. Figures that no run has are left out."""
    rows: list[Compared] = []
    for metric, unit, better, digits in COMPARED:
        known = {
            (run.control, run.seed): value for run in study.runs if (value := figure(run, metric)) is not None
        }
        if not known:
            continue
        rows += [_row(study, known, control, metric, unit, better, digits) for control in study.summary]
    return rows


def _row(
    study: Evaluation, known: dict[tuple[str, int], float], control: str, metric: str, unit: str, better: str,
    digits: int,
) -> Compared:  # fmt: skip
    mine = [value for (name, _), value in sorted(known.items()) if name == control]
    estimate = estimate_mean(mine) if mine else None
    row = Compared(
        control=control, metric=metric, unit=unit, better=better, digits=digits,
        mean=estimate.mean if estimate else None, ci95=estimate.interval if estimate else None,
    )  # fmt: skip
    seeds = [seed for seed in study.seeds if (control, seed) in known and (study.baseline, seed) in known]
    if control == study.baseline or not seeds:
        return row
    paired = estimate_paired_difference(
        [known[control, seed] for seed in seeds], [known[study.baseline, seed] for seed in seeds]
    )
    return msgspec.structs.replace(
        row, difference=paired.mean, difference_ci95=paired.interval, pairs=len(seeds),
        verdict=_verdict(paired.interval, better),
    )  # fmt: skip


def _verdict(interval: Interval | None, better: str) -> str:
    if interval is None:
        return ""
    low, high = interval
    if low <= 0.0 <= high:
        return "open"
    return "better" if (high < 0.0) == (better == "less") else "worse"


def count_events(runs: Sequence[RunRecord], control: str) -> dict[str, int]:
    """What should not happen, over all runs of a control; deadlock counts runs."""
    mine = [run for run in runs if run.control == control]
    names = ("collisions", "emergency_stops", "teleports", "refused_requests", "unsafe_states", "deadlock")
    return {name: int(sum(getattr(run, name) for run in mine)) for name in names}
