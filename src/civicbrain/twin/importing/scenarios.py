"""`resolve_scenario`, and the cache of cities that were imported on the way."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from civicbrain import __version__
from civicbrain.city.folder import CONFIGURATION, load_city
from civicbrain.city.model import City
from civicbrain.core.errors import CivicBrainError
from civicbrain.core.folders import cache_folder
from civicbrain.twin.importing import citybrain_files, cityflow
from civicbrain.twin.importing.builtin import BUILTIN_NAMES, builtin_options, find_builtin, unknown_source
from civicbrain.twin.importing.importer import city_name, import_city
from civicbrain.twin.importing.options import ImportOptions
from civicbrain.twin.importing.sumo import is_configuration, read_configuration

IMPORT_REVISION = 17
"""Raised when derivation changes, so that older cities in the cache are not used."""


def resolve_scenario(source: str | Path, *, options: ImportOptions | None = None) -> City:
    """The city of a built-in name, a city folder or any source that can be imported.

    What is no city folder is imported once into the cache ($XDG_CACHE_HOME/civicbrain/cities); a program
    that leaves an approach without green is repaired there, with a warning in the city. Raises NotFoundError,
    ImportFailedError, CityError, ConfigurationError.
    """
    options = options or ImportOptions()
    text, path = str(source), Path(source)
    if text in BUILTIN_NAMES and not path.exists():
        path = find_builtin(text)
        options = builtin_options(text, options)
    elif (path / CONFIGURATION).is_file():
        return load_city(path)
    elif not path.exists():
        raise unknown_source(text)
    options = replace(options, repair=True, name=options.name or city_name(path))
    folder = cache_folder() / "cities" / f"{options.name}-{_fingerprint(path.absolute(), options)}"
    if (folder / CONFIGURATION).is_file():
        try:
            return load_city(folder)
        except CivicBrainError:
            pass  # a damaged copy in a cache is made again
    return import_city(path, folder, options=options)


def _fingerprint(path: Path, options: ImportOptions) -> str:
    """Of the version, the options and the content of all files of the source."""
    files = [path]
    if path.is_dir():
        names = (cityflow.ROADNET, cityflow.FLOW, citybrain_files.ROADNET, citybrain_files.FLOW)
        files = [path / name for name in names if (path / name).is_file()]
    elif is_configuration(path):
        scenario = read_configuration(path)
        files += [scenario.net_file, *scenario.route_files, *scenario.additional_files]
    files += [*options.route_files, *options.additional_files]
    if options.timetable is not None:
        feed = options.timetable
        files += sorted(feed.glob("*.txt")) if feed.is_dir() else [feed]
    digest = hashlib.sha256(f"{__version__} {IMPORT_REVISION} {path} {options}".encode())
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
