"""`civicbrain retime`: the best fixed plans from counts, as a report and as files."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from civicbrain.cli.progress import saying

if TYPE_CHECKING:
    from civicbrain.evaluate.retime.records import Retiming


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(retime)


def retime(
    city: Annotated[
        str,
        typer.Argument(
            metavar="CITY", help="A built-in name (cologne8), a city folder, a .sumocfg or a CityFlow folder."
        ),
    ],
    counts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            metavar="FILE.csv", help="Vehicles per turn and interval; without it the twin is counted."
        ),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of the results; an earlier retiming there is replaced."),
    ] = None,
    periods: Annotated[
        str, typer.Option(metavar="auto|N", help="Times of day: as the counts demand it, or this many.")
    ] = "auto",
    seeds: Annotated[
        str,
        typer.Option(metavar="N", help="Runs that measure before and after: 5 is seeds 1 to 5; 1,2,5 those."),
    ] = "5",
    max_cycle: Annotated[int, typer.Option(help="Longest cycle, s.")] = 120,
    jobs: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Runs at a time; default: one a processor core."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print plans.json, and nothing else.")] = False,
) -> None:
    """Make the best fixed plans (cycle, splits, offsets; times of day) from counts, and prove them.

    Writes report.html, plans.json, plans.add.xml (for SUMO), timing sheets and the retimed city.
    """
    from civicbrain.evaluate.plan import parse_seeds
    from civicbrain.evaluate.records import encode
    from civicbrain.evaluate.retime.make import parse_periods
    from civicbrain.evaluate.retime.study import (
        RetimingOptions,
        default_folder,
        parse_count_seeds,
        run_retiming,
    )

    chosen = parse_seeds(seeds)
    options = RetimingOptions(
        seeds=chosen,
        count_seeds=parse_count_seeds(chosen),
        periods=parse_periods(periods),
        max_cycle_s=max_cycle,
        jobs=len(os.sched_getaffinity(0)) if jobs is None else jobs,
    )
    folder = default_folder(city, datetime.now().strftime("%Y%m%d-%H%M%S")) if out is None else out
    words = ["civicbrain", "retime", city, *(["--counts", str(counts)] if counts else [])]
    words += ["--periods", periods, "--seeds", seeds, "--max-cycle", str(max_cycle)]
    with saying("reading the city", quiet=json) as say:
        retiming = run_retiming(city, folder, options, counts_file=counts, say=say, command=shlex.join(words))
    if json:
        sys.stdout.write(encode(retiming).decode())
    else:
        _print(retiming, folder)
    sys.stdout.flush()


def _print(retiming: Retiming, folder: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from civicbrain.evaluate.plots import format_clock
    from civicbrain.evaluate.retime.report import make_headline

    console = Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("junction", no_wrap=True)
    for heading in ("period", "cycle\ns", "offset\ns", "highest\nx", "delay\ns/veh"):
        table.add_column(heading, justify="right", no_wrap=True)
    for junction in retiming.junctions:
        for span, period in zip(retiming.periods, junction.periods, strict=True):
            before, after = period.before, period.after
            table.add_row(
                junction.id if len(junction.id) <= 18 else f"{junction.id[:17]}…",
                f"{format_clock(span.begin_s)}–{format_clock(span.end_s)}",
                f"{before.cycle_s:g}→{after.cycle_s:g}",
                f"{before.offset_s:g}→{after.offset_s:g}",
                f"{before.saturation:.2f}→{after.saturation:.2f}",
                f"{before.delay_s:.1f}→{after.delay_s:.1f}",
            )
    console.print(table)
    print(make_headline(retiming.measured))
    measured = retiming.measured
    if measured is not None and measured.unsafe_states_after > 0:
        print(
            f"Do not use these plans as they are: {measured.unsafe_states_after} unsafe signal states were"
            f" seen under them, {measured.unsafe_states_before} under the old ones."
        )
        for line in measured.unsafe_after:
            print(f"  {line}")
    print(f"Report: {folder / 'report.html'}")
