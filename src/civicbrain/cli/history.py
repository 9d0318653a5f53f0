"""`civicbrain history show|what|export`: ask what the city did. It reads the files: no city needs to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civicbrain.cli.arguments import CityArgument, RunDirOption

if TYPE_CHECKING:
    from datetime import datetime

    from civicbrain.city.model import City
    from civicbrain.runtime.history.question import Answer

RunOption = Annotated[int, typer.Option("--run", min=0, help="Number of the run; 0: the newest.")]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="TIME", help="First instant: 2026-01-05T08:00Z, or seconds since the epoch."
    ),
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End, exclusive [the newest].")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    history = typer.Typer(
        help="Ask what the city did: any indicator, place and window.", no_args_is_help=True
    )
    history.command("show")(show)
    history.command("what")(what)
    history.command("export")(export)
    app.add_typer(history, name="history")


def what(city: CityArgument, run_dir: RunDirOption = None, run: RunOption = 0) -> None:
    """List indicators, series, and what is kept."""
    from civicbrain.runtime.history.answers import read_catalogue

    found = read_catalogue(_open(city, run_dir)[1], run)
    for one in found.indicators:
        typer.echo(f"{one.name:<22} {one.unit:<7} {one.title} ({', '.join(one.places)})")
    for series in found.series:
        named = f"--indicator {series.property} --entity {series.entity}"
        typer.echo(f"{named:<60} {series.unit:<7} {series.source}")
    for kept in found.kept:
        typer.echo(
            f"{kept.table:<9} {kept.resolution:<6} "
            f"{kept.start:%Y-%m-%d %H:%M} to {kept.end:%Y-%m-%d %H:%M} UTC"
        )
    runs = ", ".join(
        f"{r.number} (to {r.newest:%Y-%m-%d %H:%M})" if r.newest else f"{r.number}" for r in found.runs
    )
    typer.echo(f"runs: {runs}; shown: {found.run}")


def show(
    city: CityArgument,
    indicator: Annotated[str, typer.Option(help="Its name, or the property of a series (`history what`).")],
    junction: Annotated[list[str] | None, typer.Option(help="Id of a junction; may be repeated.")] = None,
    lane: Annotated[list[str] | None, typer.Option(help="Id of a lane; may be repeated.")] = None,
    approach: Annotated[str, typer.Option(help="Id of an edge that leads into a junction.")] = "",
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="X Y X Y", help="Corners in metres: min x, min y, max x, max y."),
    ] = None,
    polygon: Annotated[str, typer.Option(help="Corners in metres: x,y;x,y;x,y …")] = "",
    entity: Annotated[str, typer.Option(help="Entity of a series, e.g. city.")] = "",
    start: FromOption = None,
    end: ToOption = None,
    resolution: Annotated[str, typer.Option(help="auto, 1s, 1min, 15min or 1h.")] = "auto",
    each: Annotated[bool, typer.Option("--each", help="Each junction or lane by itself.")] = False,
    run: RunOption = 0,
    run_dir: RunDirOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, for other programs.")] = False,
) -> None:
    """Print an indicator over a window. A step in which nothing was observed is left empty."""
    from civicbrain.runtime.history.question import Question

    opened, history = _open(city, run_dir)
    first, last = _window(opened, history, run, start, end)
    answer = history.ask(
        Question(
            indicator=indicator, start=first, end=last, junctions=tuple(junction or ()),
            lanes=tuple(lane or ()), approach=approach, box=box, polygon=_corners(polygon), entity=entity,
            resolution=resolution, each=each, run=run,
        )
    )  # fmt: skip
    if csv:
        _print_csv(answer)
    else:
        _print_table(answer)


def export(
    city: CityArgument,
    out: Annotated[Path, typer.Option(help="Folder to make; one Parquet file a day.")],
    table: Annotated[
        str, typer.Option(help="junction, lane or series; signals or vehicles with 1s.")
    ] = "junction",
    resolution: Annotated[str, typer.Option(help="1s, 1min, 15min or 1h.")] = "1min",
    start: FromOption = None,
    end: ToOption = None,
    run: RunOption = 0,
    run_dir: RunDirOption = None,
) -> None:
    """Write rows to Parquet with ids, times and units' names, for DuckDB, pandas, Spark or R."""
    from civicbrain.runtime.history.export import export_parquet

    opened, history = _open(city, run_dir)
    first, last = _window(opened, history, run, start, end)
    files = export_parquet(history, out, table, resolution, first, last, run)
    for file, rows in files:
        typer.echo(f"{file}: {rows} rows")


def _open(city: str, run_dir: Path | None) -> tuple[City, Any]:
    from civicbrain.runtime.history.queries import History
    from civicbrain.runtime.history.storage import open_engine
    from civicbrain.runtime.rundir import HISTORY_FOLDER, default_run_dir
    from civicbrain.twin.importing import resolve_scenario

    opened = resolve_scenario(city)
    folder = (run_dir.expanduser() if run_dir else default_run_dir(opened.name)) / HISTORY_FOLDER
    return opened, History(folder, open_engine(), opened)


def _window(
    city: City, history: Any, run: int, start: str | None, end: str | None
) -> tuple[datetime, datetime]:
    """The window asked for; without one, the hour up to the newest minute."""
    from datetime import timedelta

    from civicbrain.core.errors import HistoryError
    from civicbrain.runtime.history.layout import JUNCTION, Resolution

    found = history.extent(history.run(run), Resolution.MINUTE, JUNCTION)
    last = _instant(city, end, "--to") if end else (found[1] if found else None)
    if last is None:
        raise HistoryError("no minute is kept of this run", remedy="give --from and --to")
    return (_instant(city, start, "--from") if start else last - timedelta(hours=1)), last


def _instant(city: City, text: str, place: str) -> datetime:
    from datetime import datetime

    from civicbrain.core.errors import ConfigurationError
    from civicbrain.core.time import require_aware, to_datetime

    try:
        try:
            return to_datetime(city.epoch, float(text))
        except ValueError:
            return require_aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{text[:40]!r} is no time",
            place=place,
            remedy="write 2026-01-05T08:00Z, or seconds since the epoch",
        ) from error


def _corners(text: str) -> tuple[tuple[float, float], ...]:
    from civicbrain.core.errors import ConfigurationError

    try:
        pairs = [corner.split(",") for corner in text.split(";") if corner.strip()]
        return tuple((float(x), float(y)) for x, y in pairs)
    except ValueError as error:
        raise ConfigurationError("no corners", place="--polygon", remedy="write x,y;x,y;x,y") from error


def _times(answer: Answer) -> list[datetime]:
    from datetime import timedelta

    return [answer.start + timedelta(seconds=answer.step_s * step) for step in range(len(answer.mean[0]))]


def _print_csv(answer: Answer) -> None:
    import csv
    import sys

    named = ["time", "id", answer.indicator, *(["highest"] if answer.highest else []),
             *(["p95"] if answer.p95 else []), "observed"]  # fmt: skip
    writer = csv.writer(sys.stdout)
    writer.writerow(named)
    columns = [column for column in (answer.mean, answer.highest, answer.p95, answer.observed) if column]
    for row, name in enumerate(answer.ids):
        for step, moment in enumerate(_times(answer)):
            values = ["" if column[row][step] is None else column[row][step] for column in columns]
            writer.writerow([moment.strftime("%Y-%m-%dT%H:%M:%SZ"), name, *values])


def _print_table(answer: Answer) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"{answer.title} [{answer.unit}], run {answer.run}, each {answer.resolution}"
    table = Table(title=title, title_justify="left")
    table.add_column("time (UTC)")
    if len(answer.ids) > 1:
        table.add_column("of")
    columns = {"mean": answer.mean, "highest": answer.highest, "p95": answer.p95}
    columns = {name: values for name, values in columns.items() if values}
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("observed", justify="right")
    for row, name in enumerate(answer.ids):
        for step, moment in enumerate(_times(answer)):
            shown = [values[row][step] for values in columns.values()]
            table.add_row(
                moment.strftime("%Y-%m-%d %H:%M:%S"),
                *([name] if len(answer.ids) > 1 else []),
                *("" if value is None else f"{value:.2f}" for value in shown),
                f"{answer.observed[row][step]}/{answer.asked}",
            )
    Console(highlight=False, markup=False).print(table)
