"""SUMO 1.9.2 in a folder of its own: the version whose figures RESCO published.

Its wheel brings the `sumo` program and its TraCI client, but no libsumo; both run beside the project's own
SUMO and never replace it.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

VERSION = "1.9.2"
HERE = Path(__file__).parent


def install(folder: Path | None = None) -> Path:
    """SUMO's home; installed by pip on first use (50 MB to fetch, 220 MB on disk)."""
    folder = folder or HERE / "sumo-1.9.2"
    home = folder / "sumo"
    if not (home / "bin" / "sumo").is_file():
        print(f"installing SUMO {VERSION} into {folder}", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder),
             f"eclipse-sumo=={VERSION}"],
            check=True,
        )  # fmt: skip
    return home


def load_traci(home: Path) -> Any:
    """The TraCI client of that version. No other one may have been imported in this process."""
    os.environ["SUMO_HOME"] = str(home)  # where it looks for XML schemas; it would ask its web site else
    sys.path.insert(0, str(home / "tools"))
    try:
        traci = importlib.import_module("traci")
    finally:
        sys.path.remove(str(home / "tools"))
    if not str(traci.__file__).startswith(str(home)):
        raise RuntimeError("another traci was imported before SUMO 1.9.2's own")
    return traci
