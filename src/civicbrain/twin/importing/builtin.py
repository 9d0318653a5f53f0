"""Scenarios that come with installed packages."""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import replace
from pathlib import Path

from civicbrain.core.errors import ImportFailedError, NotFoundError
from civicbrain.twin.importing.options import ImportOptions
from civicbrain.twin.importing.tools import sumo_home

RESCO_NAMES = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21",
    "grid4x4", "arterial4x4",
)  # fmt: skip
"""Scenarios of the RESCO benchmark (Ault & Sharon, NeurIPS 2021) as the sumo-rl package carries them."""
BUILTIN_ZONES = {
    **dict.fromkeys((name for name in RESCO_NAMES if not name.endswith("4x4")), "Europe/Berlin"),
    "adlershof": "Europe/Berlin",
}
"""Where the real ones lie; the grids lie nowhere."""
BUILTIN_NAMES: tuple[str, ...] = (*RESCO_NAMES, "adlershof")


def find_builtin(name: str) -> Path:
    """The source file of a built-in scenario; raises ImportFailedError where its package is missing."""
    if name == "adlershof":
        file = sumo_home() / "tools" / "game" / "DRT" / "osm.net.xml"
        if file.is_file():
            return file
        raise ImportFailedError(
            "SUMO is installed without its tools", remedy="pip install eclipse-sumo==1.28.0"
        )
    # find_spec does not run the package: sumo_rl is slow to import
    spec = importlib.util.find_spec("sumo_rl")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(root) / "nets" / "RESCO" / name / f"{name}.sumocfg"
        if file.is_file():
            return file
    raise ImportFailedError(
        f"scenario {name!r} comes with the package sumo-rl, which is not installed",
        remedy="pip install '.[scenarios]'",
    )


def builtin_options(name: str, options: ImportOptions) -> ImportOptions:
    """What is known of a built-in scenario, where the caller says nothing else."""
    zone = options.zone if options.zone is not None else BUILTIN_ZONES.get(name)
    return replace(options, name=options.name or name, zone=zone)


def unknown_source(text: str) -> NotFoundError:
    """The error for something that is neither a file nor a built-in name."""
    close = difflib.get_close_matches(text.lower(), BUILTIN_NAMES, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return NotFoundError(
        f"no scenario, file or folder {text!r}",
        remedy=f"{hint}built in are {', '.join(BUILTIN_NAMES)}; or give the path of a city or a source",
    )
