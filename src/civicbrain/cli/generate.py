"""`civicbrain generate city`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    generate = typer.Typer(help="Make something up: a city of any size.", no_args_is_help=True)
    generate.callback()(_generate)
    generate.command("city", help="Make up a city with streets, signals, demand, buses and cameras.")(city)
    app.add_typer(generate, name="generate")


def _generate() -> None:
    """Keeps `city` a command of its own while it is the only one."""


def city(
    junctions: Annotated[int, typer.Option(help="Signal junctions, 10 to 5,000.")],
    out: Annotated[Path | None, typer.Option(help="Folder to make; ./NAME by default.")] = None,
    cameras: Annotated[
        int | None, typer.Option(help="Field cameras; by default one on every approach.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 1,
    demand_peak: Annotated[
        float | None, typer.Option(help="Cars that set out in the busiest hour; by default by size.")
    ] = None,
    load: Annotated[float, typer.Option(help="Factor on the default demand.")] = 1.0,
    name: Annotated[str | None, typer.Option(help="Name of the city (lower case, hyphens).")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a city that is already there.")] = False,
) -> None:
    """Generate a city folder and say what came of it."""
    from rich.console import Console

    from civicbrain.cli.city import print_summary
    from civicbrain.twin.generating import GenerateOptions, generate_city

    options = GenerateOptions(junctions, cameras, seed, demand_peak, load, name)
    target = out or Path(options.city_name)
    console = Console()
    with console.status(f"generating {junctions} junctions"):
        made = generate_city(options, target, replace_city=replace)
    console.print(f"city [bold]{made.name}[/bold] in {made.folder}", highlight=False)
    print_summary(console, made)
