"""`civicbrain new`, `where`, `check`, `controls`: the rooms that are installed, and new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    new_app = typer.Typer(help="Make a new room that already passes its checks.", no_args_is_help=True)
    new_app.command("brain")(new_brain)
    app.add_typer(new_app, name="new")
    app.command("where")(where)
    app.command("check")(check)
    app.command("controls")(controls)


def new_brain(
    name: str = typer.Argument(help="Its name: lower case, digits, hyphens."),
    package: bool = typer.Option(
        False, "--package", help="Make a package of its own even inside Civic Brain's source tree."
    ),
    into: str = typer.Option("", help="Folder of the package (default: ./civicbrain-NAME)."),
) -> None:
    """Make a new brain: in Civic Brain's source tree when called there, else as a package of its own."""
    from civicbrain.cli.new_room import find_checkout, plan_brain, room_name, write_all

    slug = room_name(name)
    checkout = None if package or into else find_checkout(Path.cwd())
    folder = checkout or Path(into or f"civicbrain-{slug.replace('_', '-')}")
    files = plan_brain(slug, folder, checkout=checkout is not None)
    write_all(files)
    for path in files:
        typer.echo(f"  {_short(path)}")
    tests = next(path for path in files if path.name.startswith("test_"))
    typer.echo(f"\nbrain {slug} is made. Next:")
    if checkout is None:
        typer.echo(f"  pip install -e {folder}")
    typer.echo(f"  civicbrain check {slug}\n  pytest {_short(tests)}")
    typer.echo(f"  civicbrain evaluate cologne1 --control fixed --control {slug} --seeds 3")


def where(name: str = typer.Argument(help="Name of a room.")) -> None:
    """Print where a room stands: source, tests, card, API, configuration."""
    import difflib

    from civicbrain.cli.new_room import find_checkout
    from civicbrain.contracts.rooms import list_rooms
    from civicbrain.core.errors import NotFoundError

    rooms = list_rooms()
    found = [room for room in rooms if name in (room.name, f"{room.kind}/{room.name}")]
    if not found:
        near = difflib.get_close_matches(name, [room.name for room in rooms], n=1)
        names = ", ".join(f"{room.kind}/{room.name}" for room in rooms)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise NotFoundError(f"no room {name!r}", remedy=f"{hint}installed: {names}")
    for room in found:
        typer.echo(f"{room.kind}/{room.name} ({room.source})")
        path = room.path
        rows: list[tuple[str, list[Path]]] = []
        if path is not None:
            inside = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
            rows.append(("source", [file for file in inside if "__pycache__" not in file.parts]))
            checkout = find_checkout(path.parent)
            if checkout is not None:
                tests = checkout / "tests" / room.kind
                rows.append(("tests", sorted({*tests.glob(f"{room.name}/test_*.py"),
                                              *tests.glob(f"test_{room.name}*.py")})))  # fmt: skip
                rows.append(("card", sorted((checkout / "docs/rooms").glob(f"{room.name}.md"))))
        for label, files in rows:
            for number, file in enumerate(files):
                typer.echo(f"  {label if number == 0 else '':<14}{_short(file)}")
        if room.kind == "brains":
            typer.echo(f"  {'API':<14}/v1/brains/{room.name}")
        typer.echo(f"  {'configuration':<14}[{room.kind}.{room.name}]")
        typer.echo(f"  {'logger':<14}civicbrain.{room.kind}.{room.name}")


def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Rooms to check; all that are installed by default.")
    ] = None,
    verbose: bool = typer.Option(False, "--verbose", "-v", help="List the checks that passed, too."),
) -> None:
    """Run the contract checks on the rooms that are installed, by whomever. Exit code 1: one failed."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from civicbrain.contracts.conformance import check_room_apart
    from civicbrain.contracts.rooms import list_rooms
    from civicbrain.core.errors import NotFoundError

    rooms = list_rooms()
    for name in names or ():
        if all(name not in (room.name, f"{room.kind}/{room.name}") for room in rooms):
            known = ", ".join(f"{room.kind}/{room.name}" for room in rooms)
            raise NotFoundError(f"no room {name!r}", remedy=f"installed: {known}")
    chosen = [r for r in rooms if not names or r.name in names or f"{r.kind}/{r.name}" in names]
    table = Table("room", "from", "checks", "result", box=box.SIMPLE, pad_edge=False)
    failed = 0
    for room in chosen:
        findings = check_room_apart(room)
        bad = [finding for finding in findings if not finding.ok]
        failed += bool(bad)
        lines = [
            f"{finding.check}: {finding.detail or 'ok'}"
            if not finding.ok or verbose or finding.detail
            else ""
            for finding in findings
        ]
        said = "\n".join(line for line in lines if line)
        word = "[red]failed[/red]" if bad else "[green]ok[/green]"
        table.add_row(
            f"{room.kind}/{room.name}", escape(room.source), f"{len(findings) - len(bad)} of {len(findings)}",
            f"{word}  {escape(said)}".rstrip(),
        )  # fmt: skip
    Console(highlight=False).print(table)
    if failed:
        typer.echo(f"{failed} of {len(chosen)} rooms failed", err=True)
        raise typer.Exit(1)


def controls() -> None:
    """List the ways of controlling signals that can be run and compared."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from civicbrain.contracts.rooms import list_controls

    table = Table("control", "run by", "what it does", "published", box=box.SIMPLE, pad_edge=False)
    for control in list_controls():
        by = f"brains/{control.brain}" if control.brain else "SUMO"
        table.add_row(control.name, by, escape(control.summary), escape(control.source))
    Console(highlight=False).print(table)


def _short(path: Path) -> str:
    """Relative to where we are, when that is shorter to read."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
