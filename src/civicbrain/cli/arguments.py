"""Arguments that several commands take, in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CityArgument = Annotated[
    str, typer.Argument(help="The city as it was run: a built-in scenario, a city folder, a .sumocfg …")
]
RunDirOption = Annotated[
    Path | None,
    typer.Option("--run-dir", metavar="DIR", help="The run folder, where it is not the usual one."),
]
