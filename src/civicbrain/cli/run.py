"""`civicbrain run CITY`: a live city with its twin, its brain and its control room."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    city: str = typer.Argument(help="A built-in scenario, a city folder, a .sumocfg, or a CityFlow folder."),
    control: str = typer.Option(
        None, help="How the signals are controlled [brain]; fixed: the city's own plan."
    ),
    host: str = typer.Option(
        None, help="Address of the control room [127.0.0.1]; beyond this machine a token is asked."
    ),
    port: int = typer.Option(None, min=1, max=65535, help="Port of the control room [8080]."),
    speed: float = typer.Option(
        None, min=0.0, max=100.0, help="Simulated seconds a second [1]; 0: as fast as it goes."
    ),
    warmup: float = typer.Option(
        None,
        min=0.0,
        max=86400.0,
        metavar="S",
        help="Simulated seconds run through at full speed at the start [300, but at most 4 s of real time].",
    ),
    seed: int = typer.Option(None, min=0, max=2**31 - 1, help="Seed of the twin [0]."),
    sensing: str = typer.Option(
        None, help="camera [this], or oracle: every vehicle's position and next movement."
    ),
    coverage: float = typer.Option(
        None, min=0.0, max=1.0, help="Share of the junctions that have a camera [1]."
    ),
    config: str = typer.Option(
        None, metavar="FILE", help="A civicbrain.toml; what is given here goes first."
    ),
    run_dir: str = typer.Option(
        None, metavar="DIR", help="Folder of sockets, ledger and logs [one of its own for each city]."
    ),
) -> None:
    """Run a city live: twin, brain and control room, until Ctrl-C."""
    from pathlib import Path

    from civicbrain.runtime.live import live_options, run_live

    given = {
        "run": {"control": control, "speed": speed, "warmup_s": warmup, "seed": seed},
        "twin": {"sensing": sensing, "coverage": coverage},
        "api": {"host": host, "port": port},
    }
    run_live(
        city,
        live_options(
            given,
            config=Path(config).expanduser() if config else None,
            run_dir=Path(run_dir).expanduser() if run_dir else None,
        ),
    )
