"""`civicbrain run CITY`: a live city with its twin, its brain and its control room."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    city: str = typer.Argument(help="A built-in scenario, a city folder, a .sumocfg, or a CityFlow folder."),
    control: str = typer.Option(
        "max-pressure", help="How the signals are controlled; `fixed`: the city's own plan."
    ),
    host: str = typer.Option(
        "127.0.0.1", help="Address of the control room; beyond this machine a token is asked."
    ),
    port: int = typer.Option(8080, min=1, max=65535, help="Port of the control room."),
    speed: float = typer.Option(
        1.0, min=0.0, max=100.0, help="Simulated seconds a second; 0 as fast as it goes."
    ),
    warmup: float = typer.Option(
        300.0,
        min=0.0,
        max=86400.0,
        metavar="S",
        help="Simulated seconds run through at full speed at the start.",
    ),
    seed: int = typer.Option(0, min=0, max=2**31 - 1, help="Seed of the twin."),
    sensing: str = typer.Option(
        "camera", help="camera, or oracle (every vehicle's position and next movement)."
    ),
    coverage: float = typer.Option(1.0, min=0.0, max=1.0, help="Share of the junctions that have a camera."),
    run_dir: str = typer.Option("", help="Folder of sockets, ledger and logs; one of its own for each city."),
) -> None:
    """Run a city live: twin, brain and control room, until Ctrl-C."""
    from pathlib import Path

    from civicbrain.core.errors import ConfigurationError
    from civicbrain.runtime.live import LiveOptions, run_live

    if sensing not in ("camera", "oracle"):
        raise ConfigurationError(f"no sensing {sensing!r}", place="--sensing", remedy="use camera or oracle")
    run_live(
        city,
        LiveOptions(
            control=control, host=host, port=port, speed=speed, warmup_s=warmup, seed=seed, sensing=sensing,
            coverage=coverage, run_dir=Path(run_dir).expanduser() if run_dir else None,
        ),
    )  # fmt: skip
