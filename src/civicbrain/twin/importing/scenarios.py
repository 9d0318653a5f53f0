"""Built-in scenarios, and the cache of cities that were imported on the way."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import os
from dataclasses import replace
from pathlib import Path

from civicbrain import __version__
from civicbrain.city.folder import CONFIGURATION, load_city
from civicbrain.city.model import City
from civicbrain.core.errors import ImportFailedError, NotFoundError
from civicbrain.twin.importing.importer import import_city
from civicbrain.twin.importing.options import ImportOptions

_RESCO = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4", "arterial4x4",
)  # fmt: skip
BUILTIN_NAMES: tuple[str, ...] = (*_RESCO, "adlershof")


def find_builtin(name: str) -> Path:
    """The source file of a built-in scenario; raises ImportFailedError where its package is missing."""
    if name == "adlershof":
        package, inside = "sumo", Path("tools/game/DRT/osm.net.xml")
    else:
        package, inside = "sumo_rl", Path("nets/RESCO") / name / f"{name}.sumocfg"
    # find_spec does not run the package: sumo_rl is slow to import
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(root) / inside).is_file():
            return Path(root) / inside
    raise ImportFailedError(
        f"scenario {name!r} comes with the package {package.replace('_', '-')}, which is not installed",
        remedy="pip install '.[scenarios]'" if package == "sumo_rl" else "pip install eclipse-sumo",
    )


def resolve_scenario(source: str | Path, *, options: ImportOptions | None = None) -> City:
    """The city of a built-in name, a city folder or any source that can be imported.

    What is no city folder is imported once into the cache ($XDG_CACHE_HOME/civicbrain/cities); a program
    that leaves an approach without green is repaired there, with a warning in the city.
    """
    options = options or ImportOptions()
    text, path = str(source), Path(source)
    if text in BUILTIN_NAMES and not path.exists():
        path = find_builtin(text)
        options = replace(options, name=options.name or text)
    elif (path / CONFIGURATION).is_file():
        return load_city(path)
    elif not path.exists():
        raise _unknown(text)
    options = replace(options, repair=True)
    folder = _cache() / f"{options.name or path.stem}-{_fingerprint(path, options)}"
    if (folder / CONFIGURATION).is_file():
        return load_city(folder)
    return import_city(path, folder, options=options)


def _unknown(text: str) -> NotFoundError:
    close = difflib.get_close_matches(text, BUILTIN_NAMES, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return NotFoundError(
        f"no scenario or file {text!r}",
        remedy=f"{hint}built in are {', '.join(BUILTIN_NAMES)}; or give a path to a city folder or source",
    )


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "civicbrain" / "cities"


def _fingerprint(path: Path, options: ImportOptions) -> str:
    digest = hashlib.sha256(f"{__version__} {options}".encode())
    folder = path if path.is_dir() else path.parent
    for file in sorted(folder.iterdir()):
        if file.is_file():
            status = file.stat()
            digest.update(f"{file} {status.st_size} {status.st_mtime_ns}".encode())
    digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:16]
