"""`civicbrain import` and `civicbrain city show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from civicbrain.city.model import City
    from civicbrain.city.signals import SignalJunction


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import", help="Make a city folder from a source.")(import_)
    city_app = typer.Typer(help="Look at a city.", no_args_is_help=True)
    city_app.callback()(_city)
    city_app.command("show", help="Print (and plot) a city: junctions, stages, groups, intergreens.")(show)
    app.add_typer(city_app, name="city")


def _city() -> None:
    """Keeps `show` a command of its own while it is the only one."""


def import_(
    source: Annotated[
        str,
        typer.Argument(
            help=".sumocfg, .net.xml, .osm(.gz), CityFlow or City Brain Challenge folder, or built-in name"
        ),
    ],
    out: Annotated[Optional[Path], typer.Option(help="Folder to make; ./NAME by default.")] = None,  # noqa: UP045
    name: Annotated[Optional[str], typer.Option(help="Name of the city (lower case, hyphens).")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option(min=0, help="Seed of a synthesised demand.")] = 0,
    begin: Annotated[Optional[float], typer.Option(min=0, help="Begin of the window, s.")] = None,  # noqa: UP045
    end: Annotated[Optional[float], typer.Option(min=0, help="End of the window, s.")] = None,  # noqa: UP045
    vehicles_per_h: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--vehicles", min=1, help="Level of a synthesised demand, vehicles an hour."),
    ] = None,
    additional: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Additional file of a bare .net.xml; may be repeated."),
    ] = None,
    routes: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Route file of a bare .net.xml; may be repeated."),
    ] = None,
    timetable: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="GTFS of the buses (zip or folder); a scenario's own buses otherwise."),
    ] = None,
    zone: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The city's time zone, such as Asia/Shanghai; by its coordinates otherwise."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a city that is already there.")] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Add a stage for approaches that the program leaves without green."),
    ] = False,
) -> None:
    """Import a source and say what came of it."""
    from rich.console import Console

    from civicbrain.city.folder import CONFIGURATION
    from civicbrain.core.errors import CityError
    from civicbrain.twin.importing import BUILTIN_NAMES, ImportOptions, import_city
    from civicbrain.twin.importing.importer import city_name

    options = ImportOptions(
        name=name, begin_s=begin, end_s=end, seed=seed, repair=repair, vehicles_per_h=vehicles_per_h,
        additional_files=tuple(additional or ()), route_files=tuple(routes or ()),
        timetable=timetable, zone=zone,
    )  # fmt: skip
    default = name or (source if source in BUILTIN_NAMES else city_name(Path(source)))
    target = out or Path(default)
    if not replace and (target / CONFIGURATION).is_file():
        raise CityError(
            "there is a city already", place=str(target), remedy="give --replace, or another --out"
        )
    console = Console()
    with console.status(f"importing {source}"):
        city = import_city(source, target, options=options)
    console.print(f"city [bold]{city.name}[/bold] in {city.folder}", highlight=False)
    print_summary(console, city)


def show(
    city: Annotated[str, typer.Argument(help="City folder, built-in name or source")],
    junction: Annotated[Optional[str], typer.Option(help="Everything of one junction.")] = None,  # noqa: UP045
    lanes: Annotated[bool, typer.Option("--lanes", help="List the lanes.")] = False,
    plot: Annotated[Optional[Path], typer.Option(help="Draw into this .svg, .png or .pdf file.")] = None,  # noqa: UP045
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Print a city, or one junction of it."""
    from civicbrain.twin.importing import resolve_scenario

    whole = resolve_scenario(city)
    chosen = whole.signals.get_junction(junction) if junction is not None else None
    if plot is not None:
        from civicbrain.cli.city_plot import plot_city

        plot_city(whole, chosen, plot)
    if json:
        typer.echo(_json(whole, chosen, lanes))
        return
    from rich.console import Console

    console = Console()
    if chosen is not None:
        _print_junction(console, chosen)
    else:
        print_summary(console, whole)
        _print_junctions(console, whole)
    if lanes:
        _print_lanes(console, whole)
    if plot is not None:
        console.print(f"drawn: {plot}", highlight=False)


def print_summary(console: object, city: City) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    assert isinstance(console, Console)
    west, south, east, north = city.network.bounds_m
    demand = city.demand
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in (
        ("source", city.source),
        ("size", f"{(east - west) / 1000:.1f} km by {(north - south) / 1000:.1f} km"),
        ("streets", f"{len(city.network.edges.ids)} sections, {len(city.network.lanes.ids)} lanes"),
        ("movements", f"{len(city.network.movements.node)}, {len(city.signalled_movements)} under signals"),
        ("signals", f"{len(city.junctions)} junctions, {city.signals.group_count} groups"),
        ("time zone", city.zone or "not known: UTC"),
        ("window", f"{demand.begin_s:g} s to {demand.end_s:g} s, step {demand.step_s:g} s"),
    ):
        table.add_row(label, escape(text))
    console.print(table)
    for warning in city.warnings:
        console.print(f"[yellow]warning[/yellow] {escape(warning)}", highlight=False)


def _print_junctions(console: object, city: City) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    assert isinstance(console, Console)
    # narrow: a terminal of 80 columns leaves room for ids and names
    table = Table(title="signal junctions", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column("junction", overflow="fold", vertical="bottom")
    for heading in ("groups", "stages", "added", "extra", "cycle\ns", "between\ns", "notes"):
        table.add_column(heading, justify="right", no_wrap=True)
    for junction in city.junctions:
        times = junction.intergreen_array_s[junction.conflict_array > 0]
        span = f"{times.min():g} to {times.max():g}" if times.size else "none"
        extra = sum(stage.extra for stage in junction.stages)
        derived = sum(stage.derived for stage in junction.stages) - extra
        named = junction.name and junction.name != junction.id
        table.add_row(
            escape(junction.id) + (f"\n[dim]{escape(junction.name)}[/dim]" if named else ""),
            str(len(junction.groups)), str(len(junction.stages)), str(derived), str(extra),
            f"{junction.local_plan.cycle_s:g}", span, str(len(junction.warnings)),
        )  # fmt: skip
    console.print(table)


def _print_junction(console: object, junction: SignalJunction) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    assert isinstance(console, Console)
    console.print(f"[bold]{escape(junction.id)}[/bold] {escape(junction.name)}", highlight=False)
    every_s = junction.request_every_s
    each = f" each {every_s:g} s" if every_s > 1.0 else ""
    console.print(
        f"nodes {escape(', '.join(junction.node_ids))}; {junction.link_count} links; "
        f"accepts {junction.capability} requests{each}; intergreens: {escape(junction.intergreen_source)}",
        highlight=False,
    )
    groups = Table(title="groups", title_justify="left")
    for heading in ("group", "kind", "approach", "links", "yellow s", "minimum green s", "crossing m"):
        groups.add_column(heading, overflow="fold")
    for group in junction.groups:
        groups.add_row(
            group.id, str(group.kind), escape(group.approach), " ".join(map(str, group.links)),
            f"{group.yellow_s:g}", f"{group.min_green_s:g}",
            f"{group.crossing_m:.1f}" if group.crossing_m else "",
        )  # fmt: skip
    console.print(groups)
    ids = [group.id for group in junction.groups]
    stages = Table(
        "stage", *ids, "from", title="stages (G green, g yields, s turn on red)", title_justify="left"
    )
    for stage in junction.stages:
        lamps = [lamp if lamp != "r" else "·" for lamp in stage.lamps]
        stages.add_row(stage.id, *lamps, stage.origin)
    console.print(stages)
    table = Table(
        "ends \\ starts", *ids, title="intergreens, s (x prohibited, p permitted)", title_justify="left"
    )
    for row, name in enumerate(ids):
        cells = [
            "·" if not kind else f"{seconds:g}{'x' if kind == 2 else 'p'}"
            for kind, seconds in zip(junction.conflict[row], junction.intergreen_s[row], strict=True)
        ]
        table.add_row(name, *cells)
    console.print(table)
    plan = junction.local_plan
    steps = ", ".join(f"{junction.stages[step.stage].id} {step.duration_s:g} s" for step in plan.steps)
    console.print(
        f"local plan {escape(plan.id)}: {steps}; cycle {plan.cycle_s:g} s, offset {plan.offset_s:g} s",
        highlight=False,
    )
    for warning in junction.warnings:
        console.print(f"[yellow]warning[/yellow] {escape(warning)}", highlight=False)


def _print_lanes(console: object, city: City) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    assert isinstance(console, Console)
    lanes = city.network.lanes
    table = Table(title="lanes", title_justify="left")
    for heading in ("lane", "length m", "limit km/h", "width m", "street"):
        table.add_column(heading, overflow="fold")
    for row, lane in enumerate(lanes.ids):
        table.add_row(
            escape(lane), f"{lanes.length_m[row]:.1f}", f"{lanes.speed_mps[row] * 3.6:.0f}",
            f"{lanes.width_m[row]:.2f}", escape(city.network.edges.names[lanes.edge[row]]),
        )  # fmt: skip
    console.print(table)


def _json(city: City, junction: SignalJunction | None, lanes: bool) -> str:
    import msgspec

    body: dict[str, object]
    if junction is not None:
        body = msgspec.to_builtins(junction)
    else:
        body = {
            "name": city.name,
            "source": city.source,
            "begin_s": city.demand.begin_s,
            "end_s": city.demand.end_s,
            "bounds_m": city.network.bounds_m,
            "edge_count": len(city.network.edges.ids),
            "lane_count": len(city.network.lanes.ids),
            "movement_count": len(city.network.movements.node),
            "warnings": city.warnings,
            "junctions": city.junctions,
        }
    if lanes:
        table = city.network.lanes
        body["lanes"] = [
            {"id": lane, "length_m": float(table.length_m[row]), "speed_mps": float(table.speed_mps[row])}
            for row, lane in enumerate(table.ids)
        ]
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
