"""`civicbrain evaluate`: compare controls on scenarios, with confidence intervals and a report."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civicbrain.cli.progress import StudyProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from civicbrain.evaluate.records import Evaluation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    scenario: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...",
            help="A built-in name (cologne8), a city folder, a .sumocfg, or a folder of CityFlow or the "
            "City Brain Challenge.",
        ),
    ],
    control: Annotated[
        list[str], typer.Option(metavar="NAME", help="A control to compare; repeat for several.")
    ],
    seeds: Annotated[
        str, typer.Option(metavar="N", help="10 runs the seeds 1 to 10; 1,2,5 runs those three.")
    ] = "10",
    sensing: Annotated[str, typer.Option(help="What the brain sees: camera or oracle.")] = "camera",
    coverage: Annotated[float, typer.Option(help="Share of junctions with a camera, 0 to 1.")] = 1.0,
    jobs: Annotated[int | None, typer.Option(help="Runs at a time; default: one a processor core.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results; the same one again goes on where a study stopped."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print evaluation.json, and nothing else.")] = False,
    begin: Annotated[
        float | None, typer.Option(help="First second of the window; default: the scenario's.")
    ] = None,
    end: Annotated[
        float | None, typer.Option(help="Last second of the window; default: the scenario's.")
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Compare with this control; default: fixed, else the first."),
    ] = None,
    bound: Annotated[
        bool, typer.Option("--bound", help="Also work out how low delay could go; takes minutes.")
    ] = False,
    delay_index: Annotated[
        float | None,
        typer.Option(
            metavar="LIMIT",
            help="Also count the vehicles that entered before mean trip time over free-flow trip time "
            "reached LIMIT (City Brain Challenge: 1.40).",
        ),
    ] = None,
    stop_at_limit: Annotated[
        bool, typer.Option("--stop-at-limit", help="End each run when --delay-index is reached.")
    ] = False,
    mesoscopic: Annotated[
        bool,
        typer.Option("--mesoscopic", help="Simulate queues, not driving: faster, coarser, for large cities."),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Run on a Ray cluster: its address (HOST:PORT, ray://HOST:PORT, auto), or local:N for N "
            "workers here.",
        ),
    ] = None,
) -> None:
    """Compare controls on scenarios: the same seeds for all, each run in a process of its own.

    Writes evaluation.json and report.html into the --out folder.
    """
    from civicbrain.core.errors import ConfigurationError, StudyError
    from civicbrain.evaluate.plan import StudyOptions, parse_seeds
    from civicbrain.evaluate.records import EvaluationSet, encode
    from civicbrain.evaluate.study import default_folder, run_study

    options = StudyOptions(
        controls=tuple(control),
        seeds=parse_seeds(seeds),
        sensing=sensing,
        coverage=coverage,
        begin_s=begin,
        end_s=end,
        baseline=baseline,
        bound=bound,
        delay_index_limit=delay_index,
        stop_at_limit=stop_at_limit,
        mesoscopic=mesoscopic,
    )
    executor = None
    if cluster is not None:
        from civicbrain.evaluate.cluster import RayCluster

        if jobs is not None:
            raise ConfigurationError(
                "it is the cluster that says how many runs there are at a time",
                place="--jobs, --cluster",
                remedy="give one of the two",
            )
        executor = RayCluster(cluster)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = default_folder(scenario, stamp) if out is None else out
    progress = StudyProgress(quiet=json)
    try:
        with progress:
            evaluations = run_study(
                scenario,
                options,
                folder,
                jobs=len(os.sched_getaffinity(0)) if jobs is None else jobs,
                executor=executor,
                progress=progress,
                command=_command(scenario, options, seeds),
            )
    except KeyboardInterrupt:
        print(
            f"\ncivicbrain: stopped; finished runs are kept in {folder}. "
            f"Give the same command with --out {shlex.quote(str(folder))} to go on.",
            file=sys.stderr,
        )
        raise
    if json:
        record = evaluations[0] if len(evaluations) == 1 else EvaluationSet(studies=evaluations)
        sys.stdout.write(encode(record).decode())
    else:
        _print_tables(evaluations)
        print(f"\nReport: {folder / 'report.html'}")
    sys.stdout.flush()
    failures = [(study.scenario, failure) for study in evaluations for failure in study.failures]
    if failures:
        lines = [f"{name}, {f.control}, seed {f.seed}: {f.reason}" for name, f in failures[:5]]
        if len(failures) > len(lines):
            lines.append(f"and {len(failures) - len(lines)} more, see `failures` in evaluation.json")
        raise StudyError(
            f"{len(failures)} of the runs failed; the others are kept\n  " + "\n  ".join(lines),
            place=str(folder),
            remedy="put the cause right and give the same command with the same --out: only these run again",
        )


def _command(scenarios: Sequence[str], options: object, seeds: str) -> str:
    """The command that makes the study again, for the report; without what changes no figure."""
    from civicbrain.evaluate.plan import StudyOptions

    assert isinstance(options, StudyOptions)
    words = ["civicbrain", "evaluate", *scenarios]
    for name in options.controls:
        words += ["--control", name]
    words += ["--seeds", seeds, "--sensing", options.sensing, "--coverage", f"{options.coverage:g}"]
    if options.begin_s is not None:
        words += ["--begin", f"{options.begin_s:g}"]
    if options.end_s is not None:
        words += ["--end", f"{options.end_s:g}"]
    if options.baseline is not None:
        words += ["--baseline", options.baseline]
    if options.bound:
        words.append("--bound")
    if options.delay_index_limit is not None:
        words += ["--delay-index", f"{options.delay_index_limit:g}"]
    if options.stop_at_limit:
        words.append("--stop-at-limit")
    if options.mesoscopic:
        words.append("--mesoscopic")
    return shlex.join(words)


def _print_tables(evaluations: Sequence[Evaluation]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from civicbrain.evaluate.unsafe import describe_unsafe

    console = Console()
    for study in evaluations:
        seeds = f"{len(study.seeds)} seed{'s' if len(study.seeds) != 1 else ''}"
        model = ", mesoscopic" if study.mesoscopic else ""
        title = f"{study.scenario}, {study.sensing} sensing, {seeds}{model}"
        table = Table(
            title=title,
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            collapse_padding=True,
            pad_edge=False,
        )
        table.add_column("control", no_wrap=True)
        for heading in (
            "delay\ns/veh", f"ratio to\n{study.baseline}", "\narrived", "never\nleft", "unsafe\nstates",
            "colli-\nsions", "dead-\nlocks",
        ):  # fmt: skip
            table.add_column(heading, justify="right", no_wrap=True)
        for name, summary in study.summary.items():
            pair = study.paired.get(name)
            mine = [run for run in study.runs if run.control == name]
            table.add_row(
                name,
                _with_interval(summary["mean_delay_s"].mean, summary["mean_delay_s"].ci95, 1),
                "" if pair is None else _with_interval(pair.delay_ratio, pair.ci95, 2),
                f"{summary['arrived'].mean or 0:.0f}",
                f"{summary['undeparted'].mean or 0:.1f}",
                str(sum(run.unsafe_states for run in mine)),
                str(sum(run.collisions for run in mine)),
                str(sum(run.deadlock for run in mine)),
            )
        console.print(table)
        for name in study.summary:
            kinds = [kind for run in study.runs if run.control == name for kind in run.unsafe]
            for line in describe_unsafe(kinds):
                console.print(f"{name}, unsafe: {line}", soft_wrap=True, markup=False, highlight=False)
        for name, summary in study.summary.items():
            if (served := summary["vehicles_served"].mean) is not None:
                console.print(
                    f"{name}: {served:.0f} vehicles entered before the delay index reached its limit; "
                    f"it ended at {summary['delay_index'].mean or 0.0:.2f}."
                )
        if study.bound is not None:
            limit = study.bound
            console.print(
                f"How low it could go: {limit.free_road_s:.1f} s on a free road, "
                f"{limit.open_signals_s:.1f} s were no signal ever red, "
                f"about {limit.foresight_s:.1f} s with perfect foresight."
            )


def _with_interval(mean: float | None, interval: tuple[float, float] | None, digits: int) -> str:
    """The mean and half its interval; the exact bounds stand in the files."""
    if mean is None:
        return "–"
    text = f"{mean:.{digits}f}"
    return text if interval is None else f"{text} ± {(interval[1] - interval[0]) / 2:.{digits}f}"
