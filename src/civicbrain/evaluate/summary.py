"""From finished runs to `Evaluation`: summaries by control, paired comparisons, the plots' series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from civicbrain.evaluate.records import (
    METRICS,
    ControlSeries,
    Curve,
    Interval,
    Paired,
    RunFile,
    RunRecord,
    RunSeries,
    Summary,
    figure,
)
from civicbrain.science.statistics import estimate_mean, estimate_paired_difference, estimate_paired_ratio


def summarise(runs: Sequence[RunRecord], controls: Sequence[str]) -> dict[str, dict[str, Summary]]:
    """Mean and 95 % interval of every metric by control, over the runs that have the figure."""
    result: dict[str, dict[str, Summary]] = {}
    for control in controls:
        mine = [run for run in runs if run.control == control]
        if not mine:
            continue
        result[control] = {metric: _summary([figure(run, metric) for run in mine]) for metric in METRICS}
    return result


def _summary(figures: Sequence[float | None]) -> Summary:
    known = [value for value in figures if value is not None]
    if not known:
        return Summary(mean=None, ci95=None)
    estimate = estimate_mean(known)
    return Summary(mean=estimate.mean, ci95=estimate.interval)


def compare(runs: Sequence[RunRecord], controls: Sequence[str], baseline: str) -> dict[str, Paired]:
    """Mean delay of every other control against the baseline, over the seeds that both finished."""
    delay = {(run.control, run.seed): figure(run, "mean_delay_s") for run in runs}
    seeds = sorted({run.seed for run in runs})
    result: dict[str, Paired] = {}
    for control in controls:
        if control == baseline:
            continue
        pairs = [
            (mine, theirs)
            for seed in seeds
            if (mine := delay.get((control, seed))) is not None
            and (theirs := delay.get((baseline, seed))) is not None
        ]
        if not pairs:
            result[control] = Paired(baseline=baseline, delay_ratio=None, ci95=None)
            continue
        mine_all, theirs_all = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        difference = estimate_paired_difference(mine_all, theirs_all)
        ratio: float | None = None
        interval: Interval | None = None
        if sum(theirs_all) > 0.0:
            estimate = estimate_paired_ratio(mine_all, theirs_all)
            ratio, interval = estimate.mean, estimate.interval
        result[control] = Paired(
            baseline=baseline,
            delay_ratio=ratio,
            ci95=interval,
            delay_difference_s=difference.mean,
            difference_ci95=difference.interval,
            seeds=len(pairs),
        )
    return result


def collect_series(files: Sequence[RunFile], controls: Sequence[str]) -> dict[str, ControlSeries]:
    """The plots' series by control, over its seeds."""
    result: dict[str, ControlSeries] = {}
    for control in controls:
        mine = [file.series for file in files if file.run.control == control]
        if not mine:
            continue
        quantiles = [s.travel_time_quantiles_s for s in mine if s.travel_time_quantiles_s]
        result[control] = ControlSeries(
            queue_veh=_curve(mine, lambda series: series.queue_veh),
            running=_curve(mine, lambda series: series.running),
            junction_delay_s=_mean_by_junction([s.junction_delay_s for s in mine]),
            travel_time_quantiles_s=_rounded(np.mean(quantiles, axis=0), 2) if quantiles else [],
        )
    return result


def _curve(series: Sequence[RunSeries], column: Callable[[RunSeries], list[float]]) -> Curve:
    # runs of one study share the window; one that is shorter (it never should be) cuts the others
    length = min(min(len(column(one)), len(one.time_s)) for one in series)
    table = np.asarray([column(one)[:length] for one in series], dtype=np.float64).reshape(
        len(series), length
    )
    return Curve(
        time_s=series[0].time_s[:length],
        mean=_rounded(table.mean(axis=0), 3),
        low=_rounded(table.min(axis=0), 3),
        high=_rounded(table.max(axis=0), 3),
    )


def _mean_by_junction(tables: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    result: dict[str, float] = {}
    for junction in tables[0]:
        known = [value for table in tables if (value := table.get(junction)) is not None]
        if known:
            result[junction] = round(float(np.mean(known)), 3)
    return result


def _rounded(values: NDArray[np.float64], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
