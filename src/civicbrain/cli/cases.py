"""`civicbrain cases list|show|quality|check` and `civicbrain handover`: they read files, no city needs to
run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civicbrain.cli.arguments import CityArgument, RunDirOption

if TYPE_CHECKING:
    import sqlite3

    from civicbrain.city.model import City
    from civicbrain.city.shifts import Handover, Quality, Times


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    cases = typer.Typer(help="Cases, their history and a week in figures.", no_args_is_help=True)
    cases.command("list")(list_cases)
    cases.command("show")(show)
    cases.command("quality")(quality)
    cases.command("check")(check)
    app.add_typer(cases, name="cases")
    app.command("handover")(handover)


def list_cases(
    city: CityArgument,
    run_dir: RunDirOption = None,
    every: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """List cases: the most urgent open ones first."""
    from civicbrain.runtime.cases.rows import list_summaries

    _, db = _open(city, run_dir)
    found, count = list_summaries(db, open_only=not every, limit=limit)
    for case in found:
        place = case.place.junction or case.place.edge or case.place.sensor
        marks = f"{'LATE ' if case.late else ''}{case.outcome or ''}"
        typer.echo(
            f"{case.id:<10} {case.opened:%Y-%m-%d %H:%M}  {case.urgency:<7} {case.state:<11} "
            f"{case.title:<20} {_plain(place):<20} {_plain(case.assigned_to):<12} {marks}"
        )
    typer.echo(f"{len(found)} of {count}")


def show(
    city: CityArgument,
    case: Annotated[str, typer.Argument(help="Its id, e.g. case-17.")],
    run_dir: RunDirOption = None,
) -> None:
    """Show one case: its steps, and who did what when. Evidence is only shown where it is recorded who looks:
    POST /v1/cases/CASE/evidence."""
    from civicbrain.runtime.cases.rows import get_file, number_of

    _, db = _open(city, run_dir)
    told = get_file(db, number_of(case))
    one = told.case
    typer.echo(
        f"{one.id}: {one.title}, {one.urgency}, {one.state}{f' ({one.outcome})' if one.outcome else ''}"
    )
    typer.echo(f"procedure {told.procedure}; {one.incidents} incidents, {one.reports} reports")
    if one.deadline is not None:
        typer.echo(f"next deadline {one.deadline:%Y-%m-%d %H:%M:%S} UTC")
    for step in told.steps:
        due = f", by {step.due:%H:%M:%S}" if step.due and step.state == "open" else ""
        who = f" ({_plain(step.by)})" if step.by else ""
        typer.echo(f"  [{step.state:<7}] {step.title} ({step.role}{due}){who}")
    for event in told.events:
        said = ", ".join(f"{key} {_plain(value)}" for key, value in event.detail.items() if value != "")
        typer.echo(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.what:<14} {_plain(event.actor):<16} {said}")


def quality(
    city: CityArgument,
    run_dir: RunDirOption = None,
    week: Annotated[str, typer.Option(help="ISO week, e.g. 2026-W03 [this one].")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """A week in figures: detection, false alarms, response times, alarms, notices, outages."""
    import time

    import msgspec

    from civicbrain.runtime.cases.quality import quality_of

    _, db = _open(city, run_dir)
    found = quality_of(db, week, time.time())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        _print_quality(found)


def check(
    folder: Annotated[Path, typer.Argument(help="A city folder, or a folder with procedures/.")],
) -> None:
    """Check the procedures of a city. Exit code 2: one does not fit; file, line and remedy are told."""
    from civicbrain.core.errors import ConfigurationError
    from civicbrain.runtime.cases.procedures import FOLDER, PACKAGED, load_procedures

    if not folder.is_dir():
        raise ConfigurationError("is no folder", place=str(folder), remedy="name a city folder")
    for kind, procedure in load_procedures(folder).items():
        own = any((folder / FOLDER / f"{kind}{end}").is_file() for end in (".yaml", ".yml"))
        steps = sum(len(rules.steps) for rules in procedure.states.values())
        typer.echo(
            f"{kind:<17} {procedure.title:<22} {steps:>2} steps  {folder / FOLDER if own else PACKAGED}"
        )


def handover(
    city: CityArgument,
    run_dir: RunDirOption = None,
    hours: Annotated[float, typer.Option(min=0.01, max=168.0, help="How far back the shift goes.")] = 8.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Write the handover note. Overrides and silent sources are in it while the city runs."""
    import time

    import msgspec

    from civicbrain.runtime.cases.handover import write_handover
    from civicbrain.runtime.cases.note_text import as_text
    from civicbrain.runtime.rundir import LEDGER_FILE

    opened, db = _open(city, run_dir)
    folder = _run_dir(opened, run_dir)
    now_s = time.time()
    note = _with_state(
        write_handover(db, now_s - hours * 3600.0, now_s, folder / LEDGER_FILE), opened, folder
    )
    typer.echo(msgspec.json.encode(note).decode() if as_json else as_text(note, opened), nl=as_json)


def _with_state(note: Handover, city: City, run_dir: Path) -> Handover:
    """With what the brain process says, where one runs."""
    import msgspec

    from civicbrain.contracts.transport import BRAIN_CMD, Client
    from civicbrain.contracts.wire import BrainCommand, CityState
    from civicbrain.runtime.cases.handover import with_state

    client = Client(run_dir, BRAIN_CMD)
    try:
        reply = client.ask(BrainCommand(action="status"), 1.0)
        if not reply.ok:
            return note
        sources = client.ask(BrainCommand(action="sources", text="silent", limit=200), 1.0)
        silent = [one["id"] for one in sources.body["sources"]] if sources.ok else []
        return with_state(note, city, msgspec.convert(reply.body, CityState), silent)
    except (msgspec.ValidationError, KeyError, TypeError):
        return note
    finally:
        client.close()


def _print_quality(found: Quality) -> None:
    typer.echo(f"{found.week}: {found.start:%Y-%m-%d} to {found.end:%Y-%m-%d} UTC")
    typer.echo(f"{'kind':<17} opened false dup.  detection  triage  assigned  on scene  closed   (median, s)")
    for one in found.kinds:
        times = [one.detection, one.to_triage, one.to_assignment, one.to_scene, one.to_closed]
        said = "".join(f"{_seconds(time):>10}" for time in times)
        typer.echo(f"{one.kind:<17} {one.opened:>6} {one.false_alarms:>5} {one.duplicates:>4}{said}")
    typer.echo(f"deadlines missed {found.deadlines_missed}, escalations {found.escalations}")
    typer.echo(
        f"alarms {found.alarms} ({found.alarms_an_hour:g} an hour, {found.flood_minutes} min in a flood), "
        f"acknowledged after {_seconds(found.acknowledge)} s"
    )
    typer.echo(
        f"notices {found.notices}: {found.notices_delivered} delivered after {_seconds(found.delivery)} s, "
        f"{found.notices_dead} given up"
    )
    typer.echo(f"outages {found.outage_s:.0f} s in all")
    for outage in found.outages:
        end = f"{outage.end:%m-%d %H:%M:%S}" if outage.end else "now"
        typer.echo(
            f"  {outage.start:%m-%d %H:%M:%S} to {end:<14} {outage.duration_s:>8.0f} s  {_plain(outage.what)}"
        )


def _seconds(times: Times) -> str:
    return "-" if times.median_s is None else f"{times.median_s:.0f}"


def _open(city: str, run_dir: Path | None) -> tuple[City, sqlite3.Connection]:
    from civicbrain.runtime.cases.store import FILE, FOLDER, open_reader
    from civicbrain.twin.importing import resolve_scenario

    opened = resolve_scenario(city)
    return opened, open_reader(_run_dir(opened, run_dir) / FOLDER / FILE)


def _run_dir(city: City, run_dir: Path | None) -> Path:
    from civicbrain.runtime.rundir import default_run_dir

    return run_dir.expanduser() if run_dir else default_run_dir(city.name)


def _plain(value: object) -> str:
    """On one line, without control characters: people and brains wrote it."""
    return "".join(c if c.isprintable() else " " for c in str(value))[:200]
