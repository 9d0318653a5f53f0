"""`civicbrain what-if CITY`: what would follow from a change to a city as it runs, or as it is at a time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civicbrain.cli.arguments import RunDirOption

if TYPE_CHECKING:
    from civicbrain.city.model import City
    from civicbrain.city.whatif import Closure, Detour, EventDemand, PlanSetting, Question
    from civicbrain.evaluate.whatif.records import Band, WhatIfAnswer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("what-if")(what_if)


def what_if(
    city: Annotated[
        str,
        typer.Argument(
            metavar="CITY",
            help="A running city, by what it was started with; or any city, simulated to --at.",
        ),
    ],
    close: Annotated[
        list[str] | None,
        typer.Option(metavar="EDGE[:LANE,…]", help="Close a section, or lanes of it (0 is the rightmost)."),
    ] = None,
    divert: Annotated[
        list[str] | None,
        typer.Option(metavar="EDGE=SHARE", help="Send this share (0 to 1) of its drivers another way."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM>TO=VEH_PER_H", help="Cars from one section to another."),
    ] = None,
    plan: Annotated[
        list[str] | None,
        typer.Option(metavar="JUNCTION=S,S,…[@OFFSET]", help="A fixed plan: seconds of each of its steps."),
    ] = None,
    demand: Annotated[float, typer.Option(help="Factor on all departures to come; 1.2: 20 % more.")] = 1.0,
    control: Annotated[str, typer.Option(help="Another way of controlling the signals.")] = "",
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="EDGE[:LANE,…]", help="Closed on both sides, e.g. to try a detour around it."),
    ] = None,
    minutes: Annotated[float, typer.Option(help="How far ahead, 1 to 60.")] = 15.0,
    seeds: Annotated[int, typer.Option(help="Pairs of runs; bands need two.")] = 3,
    model: Annotated[str, typer.Option(help="auto, micro or meso.")] = "auto",
    at: Annotated[
        float | None,
        typer.Option(metavar="S", help="Simulate the city to this second first, running or not."),
    ] = None,
    under: Annotated[str, typer.Option(help="The control that the city has [that of the run; brain].")] = "",
    run_dir: RunDirOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON, and nothing else.")] = False,
) -> None:
    """What would follow: closures, detours, plans, controls, demand, events, minutes ahead.

    From the state of the city as it runs now, with and without the change, faster than real time.
    """
    import msgspec

    from civicbrain.city.whatif import Change, Question, TrafficModel
    from civicbrain.core.errors import ConfigurationError
    from civicbrain.twin.importing import resolve_scenario

    if model not in list(TrafficModel):
        raise ConfigurationError(f"no model {model!r}", place="--model", remedy="use auto, micro or meso")
    found = resolve_scenario(city)
    always = tuple(_closure(text) for text in given or ())
    change = Change(
        closures=(*always, *(_closure(text) for text in close or ())),
        control=control,
        plans=tuple(_plan(text) for text in plan or ()),
        demand_factor=demand,
        detours=tuple(_detour(text) for text in divert or ()),
        events=tuple(_event(text) for text in event or ()),
    )
    question = Question(change, Change(closures=always), minutes, seeds, TrafficModel(model))
    question.check(found)
    answer = _answer(found, question, under, at, run_dir, quiet=json or not sys.stderr.isatty())
    if json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(answer)) + b"\n")
        return
    _show(answer)


def _answer(
    city: City, question: Question, under: str, at_s: float | None, run_dir: Path | None, *, quiet: bool
) -> WhatIfAnswer:
    import multiprocessing
    import secrets
    import shutil
    import tempfile

    from rich.progress import Progress

    from civicbrain.contracts.transport import TWIN_CMD
    from civicbrain.core.errors import TwinError
    from civicbrain.evaluate.whatif.conduct import Conduct, answer_question
    from civicbrain.evaluate.whatif.source import control_of_run, simulate_to, take_from_run
    from civicbrain.runtime.rundir import default_run_dir
    from civicbrain.twin.whatif.branch import BRANCH_FOLDER
    from civicbrain.twin.whatif.moments import DONE_FILE

    run = (run_dir or default_run_dir(city.name)).absolute()
    runs = at_s is None and (run / TWIN_CMD).exists()
    folder = (
        run / BRANCH_FOLDER / f"cli-{secrets.token_hex(4)}" if runs
        else Path(tempfile.mkdtemp(prefix="civicbrain-whatif-"))
    )  # fmt: skip
    conduct = Conduct()
    try:
        if runs:
            folder.mkdir(mode=0o700, parents=True)
            conduct.timing_s["pause"] = take_from_run(run, folder / "state")
            under = under or control_of_run(run)
        else:
            under = under or "brain"
            arguments = (city.folder, under, at_s, 1, folder / "state")
            process = multiprocessing.get_context("spawn").Process(target=simulate_to, args=arguments)
            process.start()
            process.join()
            if not (folder / "state" / DONE_FILE).exists():
                raise TwinError(
                    "the city could not be simulated up to that time", place=city.name,
                    remedy="see what it said above; try another --at or --under",
                )  # fmt: skip
        with Progress(disable=quiet, transient=True) as bar:
            task = bar.add_task("futures", total=2 * question.seeds)
            conduct.on_progress = lambda done, of: bar.update(task, completed=done, total=of)
            return answer_question(city, question, folder / "state", under, conduct)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(answer: WhatIfAnswer) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    span = f"{answer.from_s:.0f} s to {answer.to_s:.0f} s"
    console.print(
        f"{answer.city}, {span}, {answer.vehicles} vehicles, control {answer.control}, model {answer.model}, "
        f"{answer.pairs} pairs of runs, {answer.timing_s.get(f'pair {answer.pairs}', 0):.0f} s",
        markup=False,
    )
    table = Table("", "without", "with", "difference", "95 %")
    for one in answer.indicators:
        table.add_row(
            f"{one.name.replace('_', ' ')}, {one.unit}",
            f"{one.against.mean:,.1f}", f"{one.change.mean:,.1f}", f"{one.difference.mean:+,.1f}",
            _interval(one.difference),
        )  # fmt: skip
    console.print(table)
    places = Table("delay, veh·h", "without", "with", "difference", "95 %")
    for place in (*answer.junctions[:5], *answer.edges[:5]):
        places.add_row(
            place.id, f"{place.against_veh_h:.2f}", f"{place.change_veh_h:.2f}",
            f"{place.difference.mean:+.2f}", _interval(place.difference),
        )  # fmt: skip
    console.print(places)
    for note in answer.notes:
        console.print(note, markup=False)


def _interval(band: Band) -> str:
    return "" if band.low is None or band.high is None else f"{band.low:+,.1f} to {band.high:+,.1f}"


def _closure(text: str) -> Closure:
    from civicbrain.city.whatif import Closure

    edge, colon, lanes = text.rpartition(":")
    if not colon or not all(part.isdigit() for part in lanes.split(",")):
        return Closure(text)
    return Closure(edge, tuple(int(lane) for lane in lanes.split(",")))


def _detour(text: str) -> Detour:
    from civicbrain.city.whatif import Detour

    edge, share = _pair(text, "--divert", "EDGE=SHARE")
    return Detour(edge, _number(share, "--divert"))


def _event(text: str) -> EventDemand:
    from civicbrain.city.whatif import EventDemand

    way, rate = _pair(text, "--event", "FROM>TO=VEH_PER_H")
    origin, _, target = way.partition(">")
    return EventDemand(origin, target, _number(rate, "--event"))


def _plan(text: str) -> PlanSetting:
    from civicbrain.city.whatif import PlanSetting

    junction, times = _pair(text, "--plan", "JUNCTION=S,S,…[@OFFSET]")
    durations, _, offset = times.partition("@")
    seconds = tuple(_number(part, "--plan") for part in durations.split(","))
    return PlanSetting(junction, seconds, _number(offset, "--plan") if offset else 0.0)


def _pair(text: str, place: str, form: str) -> tuple[str, str]:
    from civicbrain.core.errors import ConfigurationError

    left, sign, right = text.rpartition("=")
    if not sign or not left or not right:
        raise ConfigurationError(f"{text!r} is not {form}", place=place, remedy=f"write {form}")
    return left, right


def _number(text: str, place: str) -> float:
    from civicbrain.core.errors import ConfigurationError

    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no number", place=place, remedy="write a number") from None
