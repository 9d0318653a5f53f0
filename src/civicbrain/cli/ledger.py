"""`civicbrain ledger show|verify PATH`: read the record of a run, and prove that it was not edited."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from civicbrain.core.errors import LedgerError

LEDGER_FILE = "ledger.sqlite"


def register(app: typer.Typer) -> None:
    ledger_app = typer.Typer(help="Read and verify the ledger of a run.", no_args_is_help=True)
    ledger_app.command("show")(show)
    ledger_app.command("verify")(verify)
    app.add_typer(ledger_app, name="ledger")


def show(
    path: Annotated[Path, typer.Argument(help="The ledger file, or the run folder that holds one.")],
    last: int = typer.Option(20, min=1, max=1000, help="How many entries, from the end."),
    offset: int = typer.Option(-1, help="First entry, counted from 0, instead of the last ones."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Print entries of the ledger."""
    import msgspec

    from civicbrain.ledger import LedgerReader

    with LedgerReader(_file(path)) as reader:
        entries, count = reader.page(-last if offset < 0 else offset, last), reader.count
    for entry in entries:
        if as_json:
            typer.echo(msgspec.json.encode(entry).decode())
            continue
        said = "  ".join(
            f"{key}={_plain(value)}" for key, value in entry.body.items() if value not in ("", None)
        )
        typer.echo(
            f"{entry.seq:>7}  {entry.time_s:>9.1f} s  {entry.kind:<16} {_plain(entry.actor):<12} {said}"
        )
    if len(entries) < count:
        typer.echo(f"{len(entries)} of {count} entries; --last and --offset show others.", err=True)


def verify(
    path: Annotated[Path, typer.Argument(help="The ledger file, or the run folder that holds one.")],
    head: str = typer.Option(
        "", help="A head kept elsewhere, NUMBER:HASH; shows that no entry up to it was cut off or rewritten."
    ),
) -> None:
    """Walk the hash chain. Exit code 1: an entry does not fit; its number is printed."""
    from civicbrain.core.errors import ConfigurationError
    from civicbrain.ledger import LedgerReader

    number, _, stated = head.partition(":")
    if head and not (number.isdecimal() and int(number) > 0 and len(stated) == 64):
        raise ConfigurationError(
            "must be NUMBER:HASH", place="--head", remedy="copy it from an earlier run of verify"
        )
    with LedgerReader(_file(path)) as reader:
        report = reader.verify()
        known = reader.page(int(number) - 1, 1) if head else []
    if not report.ok:
        typer.echo(f"broken at entry {report.first_broken}: {report.reason}", err=True)
        typer.echo(f"the {report.entries} entries before it hold", err=True)
        raise typer.Exit(1)
    if head and (not known or known[0].hash != stated):
        typer.echo(f"entry {number} is not the one of that head: entries were cut off or rewritten", err=True)
        raise typer.Exit(1)
    typer.echo(f"ok: {report.entries} entries; head {report.entries}:{report.head}")


def _file(path: Path) -> Path:
    """A run folder stands for the one ledger in it."""
    if path.is_dir():
        found = (
            sorted(path.glob("*.ledger")) or sorted(path.glob("ledger*.db")) or sorted(path.glob("*.sqlite"))
        )
        if not found:
            raise LedgerError(
                "no ledger in this folder", place=str(path), remedy="name the --run-dir of a run, or the file"
            )
        return found[0]
    return path


def _plain(value: object) -> str:
    """On one line, without control characters: a ledger holds what brains and people wrote."""
    return "".join(c if c.isprintable() else " " for c in str(value))[:200]
