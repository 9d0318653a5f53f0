"""`report.html`: one page with nothing outside it, for reading on a screen, in the dark and on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from civicbrain.city.model import City
from civicbrain.evaluate import plots
from civicbrain.evaluate.records import Bound, Evaluation, Paired, Summary, figure
from civicbrain.evaluate.unsafe import describe_unsafe

CLAIM_SEEDS = 10
"""Fewer seeds than these make no claim (the design's rule of honest evaluation)."""

_COLOURS = 8

_MEANS = (
    ("mean_delay_s", "Mean delay", "s/veh", 1),
    ("mean_time_loss_s", "Time loss", "s/veh", 1),
    ("mean_depart_delay_s", "Departure delay", "s/veh", 1),
    ("mean_travel_time_s", "Travel time", "s/veh", 1),
    ("mean_waiting_s", "Waiting", "s/veh", 1),
    ("max_waiting_s", "Worst wait", "s", 0),
    ("stops_per_vehicle", "Stops", "1/veh", 2),
    ("co2_kg", "CO₂", "kg", 0),
    ("arrived", "Throughput (arrived)", "veh", 0),
    ("undeparted", "Undeparted", "veh", 1),
)
_DELAY_INDEX = (
    ("vehicles_served", "Served before the limit", "veh", 0),
    ("delay_index", "Delay index", "", 2),
)
_TOTALS = (
    ("teleports", "Teleports"),
    ("collisions", "Collisions"),
    ("emergency_stops", "Emergency stops"),
    ("refused_requests", "Refused requests"),
    ("unsafe_states", "Unsafe signal states"),
)
_MORE_IS_BETTER = {"arrived", "vehicles_served"}


@dataclass(frozen=True, slots=True)
class Cell:
    """value and, small, its interval; best: the best of its row."""

    value: str
    interval: str = ""
    best: bool = False
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class PairedRow:
    control: str
    ratio: str
    change: str
    difference: str
    seeds: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Section:
    """One scenario of the page, ready to print."""

    study: Evaluation
    controls: tuple[str, ...]
    colours: dict[str, int]
    headline: str
    rows: tuple[Row, ...]
    safety: tuple[Row, ...]
    paired: tuple[PairedRow, ...]
    delay_plot: Markup
    ratio_plot: Markup
    travel_plot: Markup
    queue_plot: Markup
    maps: tuple[tuple[str, Markup], ...]
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def render_report(studies: Sequence[tuple[Evaluation, City]], *, command: str = "") -> str:
    """The page of one or several scenarios. command: what makes it again, as typed."""
    sections = [make_section(evaluation, city) for evaluation, city in studies]
    bounds = plots.DELAY_CLASSES_S
    legend = [f"≤ {bound:g} s" for bound in bounds] + [f"> {bounds[-1]:g} s"]
    return _template().render(sections=sections, command=command, legend=legend, metrics=_MEANS)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("civicbrain.evaluate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def make_section(study: Evaluation, city: City) -> Section:
    """Everything one scenario shows."""
    controls = tuple(study.summary)
    ordered = [study.baseline] if study.baseline in controls else []
    ordered += [control for control in controls if control not in ordered]
    colours = {control: number % _COLOURS for number, control in enumerate(ordered)}
    best = best_control(study)
    maps = []
    for control in [study.baseline, *([best] if best and best != study.baseline else [])]:
        if control in study.series:
            title = f"{control}: delay by junction"
            maps.append((control, plots.draw_map(city, study.series[control].junction_delay_s, title)))
    return Section(
        study=study,
        controls=controls,
        colours=colours,
        headline=headline(study, best),
        rows=tuple(_mean_row(study, controls, *metric) for metric in (*_MEANS, *_asked_for(study))),
        safety=(
            *(_total_row(study, controls, *metric) for metric in _TOTALS),
            _deadlock_row(study, controls),
        ),
        paired=tuple(_paired_row(control, pair) for control, pair in study.paired.items()),
        delay_plot=_delay_plot(study, controls, colours),
        ratio_plot=_ratio_plot(study, colours),
        travel_plot=_travel_plot(study, colours),
        queue_plot=_queue_plot(study, colours),
        maps=tuple(maps),
        facts=_facts(study, city),
        warnings=_warnings(study, city),
    )


def best_control(study: Evaluation) -> str | None:
    """The control other than the baseline with the least mean delay; None where there is none."""
    others = {
        control: mean
        for control, metrics in study.summary.items()
        if control != study.baseline and (mean := metrics["mean_delay_s"].mean) is not None
    }
    return min(others, key=lambda control: others[control]) if others else None


def headline(study: Evaluation, best: str | None) -> str:
    """The result in one sentence, no stronger than the interval allows."""
    if best is None or best not in study.paired:
        return ""
    pair = study.paired[best]
    mine = study.summary[best]["mean_delay_s"].mean
    theirs = study.summary[study.baseline]["mean_delay_s"].mean if study.baseline in study.summary else None
    if pair.delay_ratio is None or mine is None or theirs is None:
        return ""
    text = (
        f"Mean delay {mine:.1f} s a vehicle under {best}, {theirs:.1f} s under {study.baseline}: "
        f"{_percent(pair.delay_ratio)}"
    )
    if pair.ci95 is None:
        return text + f" ({pair.seeds} paired seed{'s' if pair.seeds != 1 else ''}, no interval)."
    low, high = pair.ci95
    text += f" (95 % interval {_percent(low)} to {_percent(high)}, {pair.seeds} paired seeds)."
    return text if high < 1.0 or low > 1.0 else text + " The difference is not significant."


def _percent(ratio: float) -> str:
    change = 100.0 * (ratio - 1.0)
    return f"{'−' if change < 0 else '+'}{abs(change):.1f} %"


def _asked_for(study: Evaluation) -> tuple[tuple[str, str, str, int], ...]:
    """The rows of the delay index, where the study followed it."""
    return _DELAY_INDEX if any(run.delay_index is not None for run in study.runs) else ()


def _mean_row(
    study: Evaluation, controls: Sequence[str], metric: str, label: str, unit: str, digits: int
) -> Row:
    summaries = [study.summary[control][metric] for control in controls]
    known = [summary.mean for summary in summaries if summary.mean is not None]
    target = (max if metric in _MORE_IS_BETTER else min)(known) if known else None
    differ = len(set(known)) > 1
    cells = [_mean_cell(summary, digits, differ and summary.mean == target) for summary in summaries]
    return Row(label, unit, tuple(cells))


def _mean_cell(summary: Summary, digits: int, best: bool) -> Cell:
    if summary.mean is None:
        return Cell("–")
    interval = ""
    if summary.ci95 is not None:
        # none of these figures can be below 0; a few seeds' interval can, and is cut for reading only
        interval = f"{_fixed(max(summary.ci95[0], 0.0), digits)} – {_fixed(summary.ci95[1], digits)}"
    return Cell(_fixed(summary.mean, digits), interval, best)


def _fixed(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}".replace(",", " ").replace("-", "−")
    return text[1:] if text.startswith("−") and not any(c in "123456789" for c in text) else text


def _total_row(study: Evaluation, controls: Sequence[str], metric: str, label: str) -> Row:
    totals = [sum(getattr(run, metric) for run in study.runs if run.control == c) for c in controls]
    alarming = metric in {"collisions", "unsafe_states", "teleports"}
    cells = tuple(Cell(_fixed(total, 0), bad=alarming and total > 0) for total in totals)
    return Row(label, "all runs", cells)


def _deadlock_row(study: Evaluation, controls: Sequence[str]) -> Row:
    cells = []
    for control in controls:
        mine = [run.deadlock for run in study.runs if run.control == control]
        cells.append(Cell(f"{sum(mine)} of {len(mine)}", bad=any(mine)))
    return Row("Deadlocked runs", "runs", tuple(cells))


def _paired_row(control: str, pair: Paired) -> PairedRow:
    if pair.delay_ratio is None:
        return PairedRow(control, "–", "–", "–", pair.seeds, "no paired seeds")
    ratio = f"{pair.delay_ratio:.3f}"
    if pair.ci95 is None:
        verdict = "no interval"
    else:
        ratio += f" [{pair.ci95[0]:.3f}, {pair.ci95[1]:.3f}]"
        verdict = (
            "less delay" if pair.ci95[1] < 1.0 else "more delay" if pair.ci95[0] > 1.0 else "not significant"
        )
    difference = "–" if pair.delay_difference_s is None else _fixed(pair.delay_difference_s, 1)
    if pair.difference_ci95 is not None:
        difference += f" [{_fixed(pair.difference_ci95[0], 1)}, {_fixed(pair.difference_ci95[1], 1)}]"
    return PairedRow(control, ratio, _percent(pair.delay_ratio), difference, pair.seeds, verdict)


def _delay_plot(study: Evaluation, controls: Sequence[str], colours: dict[str, int]) -> Markup:
    rows = []
    for control in controls:
        summary = study.summary[control]["mean_delay_s"]
        if summary.mean is None:
            continue
        text = f"{summary.mean:.1f} s"
        if summary.ci95 is not None:
            text += f" ± {(summary.ci95[1] - summary.ci95[0]) / 2:.1f}"
        points = [
            p
            for run in study.runs
            if run.control == control and (p := figure(run, "mean_delay_s")) is not None
        ]
        rows.append(plots.IntervalRow(control, colours[control], summary.mean, summary.ci95, points, text))
    return plots.draw_intervals(rows, "mean delay, s per vehicle due") if rows else Markup("")


def _ratio_plot(study: Evaluation, colours: dict[str, int]) -> Markup:
    rows = [
        plots.IntervalRow(
            control, colours[control], pair.delay_ratio, pair.ci95, (), _percent(pair.delay_ratio)
        )
        for control, pair in study.paired.items()
        if pair.delay_ratio is not None and control in colours
    ]
    axis = f"mean delay as a ratio to {study.baseline} (left of 1: less delay)"
    return plots.draw_intervals(rows, axis, reference=1.0) if rows else Markup("")


def _travel_plot(study: Evaluation, colours: dict[str, int]) -> Markup:
    lines = []
    for control, series in study.series.items():
        times = series.travel_time_quantiles_s
        if len(times) > 1:
            shares = [number / (len(times) - 1) for number in range(len(times))]
            # the last percent are a few vehicles and would squeeze all others to the left
            keep = [number for number, share in enumerate(shares) if share <= 0.99]
            lines.append(
                plots.Line(control, colours[control], [times[n] for n in keep], [shares[n] for n in keep])
            )
    if not lines:
        return Markup("")
    return plots.draw_lines(lines, "travel time, s", "share of arrived vehicles", percent=True)


def _queue_plot(study: Evaluation, colours: dict[str, int]) -> Markup:
    lines = [
        plots.Line(control, colours[control], curve.time_s, curve.mean, curve.low, curve.high)
        for control, series in study.series.items()
        if len((curve := series.queue_veh).time_s) > 1
    ]
    if not lines:
        return Markup("")
    return plots.draw_lines(lines, "time of the scenario, h:mm", "vehicles standing", clock=True)


def _facts(study: Evaluation, city: City) -> tuple[tuple[str, str], ...]:
    due = sorted({run.vehicles_due for run in study.runs})
    limits = (("How low delay could go", _bound_text(study.bound)),) if study.bound else ()
    lookup = {"camera": "cameras at the junctions", "oracle": "oracle (every vehicle known)"}
    return (
        ("Scenario", study.scenario),
        ("Network and demand", study.city_source or "–"),
        ("Signal junctions", str(len(city.junctions))),
        ("Vehicles due", " to ".join(str(n) for n in dict.fromkeys((due[0], due[-1]))) if due else "–"),
        ("Window", _window_text(study)),
        ("Sensing", f"{lookup.get(study.sensing, study.sensing)}, {study.coverage:.0%} of the junctions"),
        ("Seeds", _seed_text(study.seeds)),
        ("SUMO", study.sumo_version),
        ("Civic Brain", study.civicbrain_version),
        ("City hash", study.city_hash[:16]),
        *limits,
    )


def _bound_text(bound: Bound) -> str:
    """What no control can pass, and what perfect foresight would reach."""
    return (
        f"{bound.conflicts_s:.1f} s/veh is a limit for every control ({bound.free_road_s:.1f} s on a free "
        f"road, the rest because streams exclude each other). "
        f"Were no signal ever red: {bound.open_signals_s:.1f} s. "
        f"With perfect foresight at each junction by itself: about {bound.foresight_s:.1f} s, an estimate "
        f"from a queue model that puts the city's own plan at {bound.plan_in_model_s:.1f} s. "
        f"Seed {bound.seed}."
    )


def _window_text(study: Evaluation) -> str:
    clock = f"{plots.format_clock(study.begin_s)} to {plots.format_clock(study.end_s)}"
    return f"{clock} ({study.begin_s:g} s to {study.end_s:g} s)"


def _seed_text(seeds: Sequence[int]) -> str:
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(str(seed) for seed in seeds)


def _warnings(study: Evaluation, city: City) -> tuple[str, ...]:
    """What a fair reader must know before believing the figures."""
    notes = [f"{f.control}, seed {f.seed} failed and counts nowhere: {f.reason}" for f in study.failures]
    if len(study.seeds) < CLAIM_SEEDS:
        notes.append(
            f"{len(study.seeds)} seed{'s' if len(study.seeds) != 1 else ''}: fewer than the "
            f"{CLAIM_SEEDS} that a claim needs."
        )
    if study.faults.cameras or study.faults.lanes:
        notes.append(
            f"Faults on purpose, in every run alike: {len(study.faults.cameras)} of cameras, "
            f"{len(study.faults.lanes)} blocked lanes (evaluation.json names them)."
        )
    if study.mesoscopic:
        notes.append(
            "Mesoscopic simulation: vehicles wait in queues and nobody accelerates. Delays are lower than in "
            "a microscopic study; compare them with each other only."
        )
    if study.sensing == "oracle":
        notes.append("Oracle sensing: these figures are an upper bound, no street delivers such data.")
    locked = sorted({run.control for run in study.runs if run.deadlock})
    if locked:
        notes.append(
            f"Runs of {', '.join(locked)} deadlocked: their delay depends on when the run was ended, "
            "and the intervals are too narrow."
        )
    late = sorted({run.control for run in study.runs if run.undeparted > 0.01 * max(run.vehicles_due, 1)})
    if late:
        notes.append(
            f"More than 1 % of the vehicles never departed under {', '.join(late)}: the network is "
            "oversaturated there. Compare mean delay and throughput; travel time and waiting see only "
            "the vehicles that got in."
        )
    refused = Counter[str]()
    for run in study.runs:
        refused[run.control] += run.refused_requests
    for control, count in sorted(refused.items()):
        if count:
            notes.append(
                f"{count} requests of {control} were refused by the guard or a controller (the ledger of a "
                "live run says why): where all are, it is the local plan that was measured."
            )
    for control in study.summary:
        lines = describe_unsafe(kind for run in study.runs if run.control == control for kind in run.unsafe)
        if lines:
            notes.append(f"Unsafe signal states under {control}: {'; '.join(lines)}.")
    notes.extend(city.warnings)
    return tuple(notes)
