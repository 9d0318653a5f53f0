"""From a source to a city: read, derive, write."""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.city.folder import check_target, save_city
from civicbrain.city.model import City, DemandFiles
from civicbrain.city.signals import SignalIndex, SignalJunction
from civicbrain.core.errors import ImportFailedError
from civicbrain.twin.importing.cameras import build_cameras
from civicbrain.twin.importing.network import Controller, build_controllers, build_network, read_net
from civicbrain.twin.importing.options import ImportOptions
from civicbrain.twin.importing.programs import Program, network_programs
from civicbrain.twin.importing.signals import derive_junction
from civicbrain.twin.importing.sumo import SumoSource, open_xml, read_configuration


def import_city(source: str | Path, out: Path, *, options: ImportOptions | None = None) -> City:
    """Make a city folder at `out` from a source; nothing is left there when it fails.

    source: a .sumocfg, .net.xml(.gz), OpenStreetMap extract, CityFlow folder or built-in scenario name.
    Raises ImportFailedError, SignalProgramError, CityError.
    """
    options = options or ImportOptions()
    check_target(Path(out))
    path = Path(source)
    with tempfile.TemporaryDirectory(prefix="civicbrain-import-") as folder:
        sumo = _read_source(path, Path(folder), options)
        return _import_sumo(sumo, path, Path(out), options)


def _read_source(path: Path, work: Path, options: ImportOptions) -> SumoSource:
    if not path.exists():
        raise ImportFailedError("there is no such file", place=str(path), remedy="check the path")
    if path.name.endswith((".sumocfg", ".sumo.cfg")):
        return read_configuration(path)
    if path.name.endswith((".net.xml", ".net.xml.gz")):
        return SumoSource(path.absolute(), options.route_files, options.additional_files)
    raise ImportFailedError(
        "this kind of source is not known",
        place=str(path),
        remedy="give a .sumocfg, .net.xml, .osm(.gz, .xml) or a CityFlow folder (roadnet.json, flow.json)",
    )


def _import_sumo(source: SumoSource, original: Path, out: Path, options: ImportOptions) -> City:
    net = read_net(source.net_file)
    programs = network_programs(net, source.net_file.name)
    controllers = [c for c in build_controllers(net) if c.id in programs]
    junctions = tuple(_junction(net, c, programs[c.id], options) for c in controllers)
    network = build_network(net, {j.id: row for row, j in enumerate(junctions)}, _group_rows(junctions))
    files: dict[str, Path | bytes] = {"twin/net.xml.gz": _packed(source.net_file)}
    routes = _carry(source.route_files, "routes", "rou", files)
    additional = _carry(source.additional_files, "additional", "add", files)
    begin_s = source.begin_s if options.begin_s is None else options.begin_s
    end_s = source.end_s if options.end_s is None else options.end_s
    city = City(
        name=options.name or city_name(original),
        network=network,
        junctions=junctions,
        cameras=build_cameras(network),
        demand=DemandFiles(
            "twin/net.xml.gz", routes, additional, begin_s, end_s if end_s is not None else begin_s + 3600.0,
            source.step_s, source.sumo_options,
        ),
        folder=out,
        source=str(original),
        warnings=source.warnings,
    )  # fmt: skip
    return save_city(city, out, files)


def _junction(net: Any, controller: Controller, program: Program, options: ImportOptions) -> SignalJunction:
    nodes = [net.getNode(node_id) for node_id in controller.node_ids]
    streets: dict[str, None] = {}
    for path in controller.paths:
        if not path.from_edge.startswith(":"):
            street = net.getEdge(path.from_edge).getName()
            if street:
                streets[street] = None
    x_m, y_m = np.mean([node.getCoord()[:2] for node in nodes], axis=0)
    return derive_junction(
        controller, program, names=tuple(streets)[:3], xy_m=(float(x_m), float(y_m)), repair=options.repair
    )


def _group_rows(junctions: tuple[SignalJunction, ...]) -> dict[tuple[str, int], int]:
    start = SignalIndex(junctions).group_start
    return {
        (junction.id, link): int(start[row]) + group
        for row, junction in enumerate(junctions)
        for group, member in enumerate(junction.groups)
        for link in member.links
    }


def _carry(sources: tuple[Path, ...], stem: str, kind: str, files: dict[str, Path | bytes]) -> tuple[str, ...]:
    names = []
    for number, source in enumerate(sources):
        name = f"twin/{stem}{number}.{kind}.xml.gz"
        files[name] = _packed(source)
        names.append(name)
    return tuple(names)


def _packed(file: Path) -> bytes:
    with open_xml(file) as stream:
        return gzip.compress(stream.read(), 6, mtime=0)


def city_name(path: Path) -> str:
    """A slug from a file name."""
    stem = re.sub(r"(\.(net|osm|rou|sumo))?\.(sumocfg|cfg|xml|osm|gz|pbf)(\.gz)?$", "", path.name.lower())
    slug = re.sub(r"[^a-z0-9]+", "-", stem).strip("-") or "city"
    return (slug if slug[0].isalpha() else f"city-{slug}")[:64].rstrip("-")
