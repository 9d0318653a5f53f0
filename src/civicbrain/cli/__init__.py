"""Cli: the `civicbrain` command.

Each module of this package that has `register(app: typer.Typer) -> None` adds its commands; `main.py` finds
them. Heavy imports stand inside the commands, so that `civicbrain --help` is at once there.
"""
