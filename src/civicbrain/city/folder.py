"""A city on disk: a folder with a readable `city.toml`, a compact `network.civic` and the twin's files.

    city.toml        name, window, options: for people to read and change
    network.civic    network, signals and cameras (msgpack, compressed)
    places.json      hospitals, stations, car parks, field cameras, where any are known (places.py)
    twin/            what SUMO needs to run the city

A folder is written beside its place and renamed when it is whole, so that nothing half-written is left.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, cast

import msgspec
import numpy as np

from civicbrain.city.model import Cameras, City, DemandFiles
from civicbrain.city.network import Edges, Lanes, Movements, Network, Nodes, Projection
from civicbrain.city.places import PLACES, encode_places, read_places
from civicbrain.city.signals import SignalJunction
from civicbrain.core.errors import CityError, ConfigurationError

CONFIGURATION = "city.toml"
NETWORK = "network.civic"
FORMAT = 1
_MAGIC = b"CIVIC1\n"
_MAX_UNPACKED_BYTES = 4 * 1024**3


class _Array(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data: bytes


class _Pack(msgspec.Struct, frozen=True):
    tables: dict[str, dict[str, _Array | tuple[str, ...]]]
    projection: tuple[str, float, float]
    camera_range_m: float
    junctions: tuple[SignalJunction, ...]


_TABLES: dict[str, type[Any]] = {"lanes": Lanes, "edges": Edges, "nodes": Nodes, "movements": Movements}


def save_city(city: City, folder: Path, files: Mapping[str, Path | bytes]) -> City:
    """Write the city with its files (path inside the folder -> source file or content); return it there.

    An existing city in that place is replaced; any other non-empty folder is refused (CityError).
    """
    folder = folder.absolute()
    check_target(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        whole = Path(temporary) / "city"
        whole.mkdir()
        for name, content in files.items():
            target = whole / _inside(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                shutil.copyfile(content, target)
        (whole / NETWORK).write_bytes(_pack(city))
        if city.places:
            (whole / PLACES).write_bytes(encode_places(city.places))
        (whole / CONFIGURATION).write_text(_configuration(city), encoding="utf-8")
        if folder.exists():
            folder.rename(Path(temporary) / "replaced")
        whole.rename(folder)
    return replace(city, folder=folder)


def check_target(folder: Path) -> None:
    """Raise CityError where `folder` exists and is neither empty nor a city."""
    if folder.is_dir() and ((folder / CONFIGURATION).is_file() or not any(folder.iterdir())):
        return
    if os.path.lexists(folder):
        raise CityError(
            "there is something else in the way", place=str(folder), remedy="choose another folder with --out"
        )


def load_city(folder: Path) -> City:
    """The city in a folder. Raises ConfigurationError (city.toml, with the key) or CityError (network)."""
    folder = Path(folder).absolute()
    from civicbrain.city.configuration import parse_configuration

    source = folder / CONFIGURATION
    try:
        text = source.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CityError(
            "this is no city: city.toml is missing",
            place=str(folder),
            remedy="make one with `civicbrain import SOURCE --out DIR`",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"not UTF-8 text ({error.reason} at byte {error.start})",
            place=str(source),
            remedy="save as UTF-8",
        ) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(error), place=str(source), remedy="correct that line") from error
    configuration = parse_configuration(table, str(source))
    for name in (
        configuration.twin.net_file,
        *configuration.twin.route_files,
        *configuration.twin.additional_files,
    ):
        if not (folder / _inside(name)).is_file():
            raise CityError(f"the file {name} is missing", place=str(source), remedy="import the city again")
    network, junctions, cameras = _unpack(folder / NETWORK)
    return City(
        name=configuration.name,
        network=network,
        junctions=junctions,
        cameras=cameras,
        demand=DemandFiles(
            net_file=configuration.twin.net_file,
            route_files=configuration.twin.route_files,
            additional_files=configuration.twin.additional_files,
            begin_s=configuration.begin_s,
            end_s=configuration.end_s,
            step_s=configuration.twin.step_s,
            sumo_options=tuple(configuration.twin.sumo_options.items()),
        ),
        folder=folder,
        source=configuration.source,
        epoch=configuration.epoch,
        zone=configuration.zone,
        tile_url=configuration.tile_url,
        warnings=configuration.warnings,
        places=read_places(folder),
    )


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise CityError(
            f"the path {name!r} leaves the city folder", remedy="use a path relative to the folder"
        )
    return path


def _configuration(city: City) -> str:
    import tomli_w

    demand = city.demand
    table = {
        "format": FORMAT,
        "name": city.name,
        "source": city.source,
        "epoch": city.epoch.astimezone(UTC),
        "zone": city.zone,
        "begin_s": float(demand.begin_s),
        "end_s": float(demand.end_s),
        "tile_url": city.tile_url,
        "warnings": list(city.warnings),
        "twin": {
            "net_file": demand.net_file,
            "route_files": list(demand.route_files),
            "additional_files": list(demand.additional_files),
            "step_s": float(demand.step_s),
            "sumo_options": dict(demand.sumo_options),
        },
    }
    head = (
        "# A city of Civic Brain. Seconds count from epoch; zone is the city's time zone, such as\n"
        "# Europe/Berlin, for the clocks that people read; tile_url is an optional base map.\n"
    )
    return head + tomli_w.dumps(table)


def _pack(city: City) -> bytes:
    tables: dict[str, dict[str, _Array | tuple[str, ...]]] = {}
    for name in _TABLES:
        tables[name] = _columns(getattr(city.network, name))
    cameras = city.cameras
    tables["cameras"] = {
        "junction": _array(cameras.junction),
        "lane": _array(cameras.lane),
        "beyond_m": _array(cameras.beyond_m),
    }
    projection = city.network.projection
    pack = _Pack(
        tables,
        (projection.proj, projection.offset_x_m, projection.offset_y_m),
        cameras.range_m,
        city.junctions,
    )
    return _MAGIC + zlib.compress(msgspec.msgpack.encode(pack), 6)


def _columns(table: object) -> dict[str, _Array | tuple[str, ...]]:
    result: dict[str, _Array | tuple[str, ...]] = {}
    for column in fields(cast(Any, table)):
        value = getattr(table, column.name)
        result[column.name] = _array(value) if isinstance(value, np.ndarray) else tuple(value)
    return result


def _array(values: np.ndarray[Any, Any]) -> _Array:
    contiguous = np.ascontiguousarray(values)
    return _Array(contiguous.dtype.newbyteorder("<").str, contiguous.shape, contiguous.tobytes())


def _unpack(file: Path) -> tuple[Network, tuple[SignalJunction, ...], Cameras]:
    broken = "the network file is broken or of another version"
    try:
        raw = file.read_bytes()
        if not raw.startswith(_MAGIC):
            raise ValueError("unknown format")
        inflate = zlib.decompressobj()
        plain = inflate.decompress(raw[len(_MAGIC) :], _MAX_UNPACKED_BYTES)
        if not inflate.eof:
            raise ValueError("cut off")
        pack = msgspec.msgpack.decode(plain, type=_Pack)
        tables = {
            name: {column: _values(value) for column, value in columns.items()}
            for name, columns in pack.tables.items()
        }
        network = Network(
            **{name: kind(**tables[name]) for name, kind in _TABLES.items()},
            projection=Projection(*pack.projection),
        )
        cameras = Cameras(pack.camera_range_m, **tables["cameras"])
    except FileNotFoundError as error:
        raise CityError("the network is missing", place=str(file), remedy="import the city again") from error
    except (ValueError, TypeError, KeyError, zlib.error, msgspec.MsgspecError) as error:
        raise CityError(f"{broken} ({error})", place=str(file), remedy="import the city again") from error
    return network, pack.junctions, cameras


def _values(value: _Array | tuple[str, ...]) -> Any:
    if isinstance(value, tuple):
        return value
    return np.frombuffer(value.data, dtype=np.dtype(value.dtype)).reshape(value.shape)


def default_epoch() -> datetime:
    """The instant of platform second 0 where the source names none: a Monday at midnight, UTC."""
    return datetime(2026, 1, 5, tzinfo=UTC)
