"""From a source to a city: read, check, derive, write."""

from __future__ import annotations

import gzip
import math
import re
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.city.folder import check_target, save_city
from civicbrain.city.model import City, DemandFiles
from civicbrain.city.network import Network
from civicbrain.city.signals import SignalIndex, SignalJunction
from civicbrain.city.transit.assembly import encode_gtfs, layout_of, match_feed, pack_feed
from civicbrain.city.transit.gtfs import read_gtfs
from civicbrain.city.transit.layout import GTFS, LAYOUT, encode_layout
from civicbrain.core.errors import ConfigurationError, ImportFailedError
from civicbrain.core.ids import check_slug
from civicbrain.twin.importing.additional import Carried, carry
from civicbrain.twin.importing.builtin import BUILTIN_NAMES, builtin_options, find_builtin, unknown_source
from civicbrain.twin.importing.cameras import build_cameras
from civicbrain.twin.importing.citybrain import convert_citybrain
from civicbrain.twin.importing.citybrain_files import is_citybrain
from civicbrain.twin.importing.cityflow import convert_cityflow, is_cityflow, write_programs
from civicbrain.twin.importing.demand import demand_xml, synthesise_demand
from civicbrain.twin.importing.extra_stages import with_extra_stages
from civicbrain.twin.importing.network import Controller, build_controllers, build_network, read_net
from civicbrain.twin.importing.options import ImportOptions
from civicbrain.twin.importing.osm import convert_osm, is_osm
from civicbrain.twin.importing.plans import program_xml
from civicbrain.twin.importing.programs import Program, network_programs
from civicbrain.twin.importing.signals import derive_junction, with_stages
from civicbrain.twin.importing.sumo import (
    SumoSource,
    is_configuration,
    iterate_xml,
    open_xml,
    read_configuration,
)
from civicbrain.twin.importing.tools import run_tool
from civicbrain.twin.importing.transit import derive_timetable
from civicbrain.twin.importing.zone import check_zone, cityflow_zone, midnight, zone_at

NET_FILE = "twin/net.xml.gz"
DEFAULT_WINDOW_S = 3600.0
CLEARING_S = 600.0
"""How long after the last departure a window without an end goes on."""
_CALIBRATION_RUNS = 4
_CALIBRATION_STEP = 0.6
_CALIBRATION_WINDOW = 0.65
"""Share of the window that a calibration run takes: past the peak in its middle."""
_MAX_LOST_SHARE = 0.4
"""A synthesised demand flows when its vehicles lose at most this share of their travel time: real ones on
cologne8 lose 0.38 of it under the city's own plan."""
_PLAIN_NAMES = frozenset(
    {"run", "osm", "scenario", "config", "sumo", "simulation", "sim", "net", "map", "network", "main", "test"}
)


_OSM_PROGRAMS = (
    "OpenStreetMap has no signal programs: stages, times and intergreens are netconvert's, not the city's"
)


@dataclass(frozen=True)
class _Source:
    """A source brought into SUMO's form. has_yellow: whether its programs show the transitions.
    more_stages: lamps (one a link) of stages that the source has beside a traffic light's program."""

    sumo: SumoSource
    original: Path
    has_yellow: bool = True
    more_stages: dict[str, tuple[str, ...]] = field(default_factory=dict)


def import_city(source: str | Path, out: Path, *, options: ImportOptions | None = None) -> City:
    """Make a city folder at `out` from a source; nothing is left there when it fails.

    source: a .sumocfg, .net.xml(.gz), OpenStreetMap extract, folder of CityFlow or of the City Brain
    Challenge, or built-in scenario name.
    Raises ImportFailedError, SignalProgramError, NotFoundError, CityError, ConfigurationError.
    """
    options = options or ImportOptions()
    text, path = str(source), Path(source)
    if text in BUILTIN_NAMES and not path.exists():
        path, options = find_builtin(text), builtin_options(text, options)
    if options.name is not None:
        check_slug(options.name, "city name")
    if options.zone:
        check_zone(options.zone)
    check_target(Path(out))
    if not path.exists():
        raise unknown_source(text)
    with tempfile.TemporaryDirectory(prefix="civicbrain-import-") as work:
        return _import(_read_source(path.absolute(), Path(work), options), Path(work), Path(out), options)


def _read_source(path: Path, work: Path, options: ImportOptions) -> _Source:
    name = path.name.lower()
    if path.is_dir() and is_cityflow(path):
        flow = convert_cityflow(path, work)
        sumo = SumoSource(flow.net_file, (flow.route_file,), end_s=flow.end_s)
        return _Source(sumo, path, has_yellow=False)
    if path.is_dir() and is_citybrain(path):
        challenge = convert_citybrain(path, work)
        sumo = SumoSource(challenge.net_file, (challenge.route_file,), end_s=challenge.end_s)
        return _Source(sumo, path, False, challenge.more_stages)
    if path.is_file() and is_configuration(path):
        return _Source(read_configuration(path), path)
    if path.is_file() and name.endswith((".net.xml", ".net.xml.gz")):
        return _Source(SumoSource(path, options.route_files, options.additional_files), path)
    if path.is_file() and is_osm(path):
        return _Source(SumoSource(convert_osm(path, work), warnings=(_OSM_PROGRAMS,)), path)
    remedy = (
        "give a .sumocfg, .net.xml, .osm, .osm.gz, a CityFlow folder (roadnet.json, flow.json) "
        "or one of the City Brain Challenge (roadnet.txt, flow.txt)"
    )
    if name.endswith(".pbf"):
        remedy = "turn it into XML first: osmium cat area.osm.pbf -o area.osm.gz"
    raise ImportFailedError("this kind of source is not known", place=str(path), remedy=remedy)


def _import(source: _Source, work: Path, out: Path, options: ImportOptions) -> City:
    sumo, warnings = source.sumo, list(source.sumo.warnings)
    begin_s = sumo.begin_s if options.begin_s is None else options.begin_s
    net = read_net(sumo.net_file)
    net_file = work / "net.xml.gz"
    with open_xml(sumo.net_file) as plain, gzip.open(net_file, "wb", 6) as packed:
        shutil.copyfileobj(plain, packed)
    programs = network_programs(net, sumo.net_file)
    known = {(light.getID(), program) for light in net.getTrafficLights() for program in light.getPrograms()}
    files: dict[str, Path | bytes] = {NET_FILE: net_file}
    additional = _carry(sumo.additional_files, "additional", work, begin_s, known)
    routes = _carry(sumo.route_files, "routes", work, begin_s, known)
    demand = DemandFiles(
        NET_FILE,
        tuple(routes.files),
        tuple(additional.files),
        begin_s,
        begin_s,
        sumo.step_s,
        sumo.sumo_options,
    )
    for part in (additional, routes):
        files.update(part.files)
        warnings += part.found.warnings
        for light, program in part.found.programs.items():
            programs.pop(light, None)
            if program is not None:
                programs[light] = program
    _check_runs(demand, net_file, files, source.original)

    controllers = [entry for entry in build_controllers(net) if entry.id in programs]
    junctions = tuple(_junction(net, c, programs[c.id], options, source) for c in controllers)
    network = build_network(net, {j.id: row for row, j in enumerate(junctions)}, group_rows(junctions))
    if not source.has_yellow:
        write_programs(net_file, junctions)
    repaired = [j for j in junctions if any(j.stages[step.stage].derived for step in j.local_plan.steps)]
    if repaired and source.has_yellow:
        files["twin/repaired.add.xml"] = program_xml(repaired, "repaired")
        demand = replace(demand, additional_files=(*demand.additional_files, "twin/repaired.add.xml"))
    end_s = _end_s(sumo, options, begin_s, [additional.found, routes.found])
    demand = replace(demand, end_s=end_s)
    if not additional.found.demand_count + routes.found.demand_count:
        arguments = _sumo_arguments(demand, files, net_file)
        name, content, note = _synthesise(network, junctions, begin_s, end_s, options, arguments, work)
        files[name] = content
        demand = replace(demand, route_files=(*demand.route_files, name))
        warnings.append(note)
    warnings += [
        f"junction {j.id}: {text}" for j in repaired for text in j.warnings if "without green" in text
    ]
    carried = [*routes.files.values(), *additional.files.values()]
    name = options.name or city_name(source.original)
    zone = options.zone if options.zone is not None else zone_at(network)
    if options.zone is None and not zone and source.original.is_dir():
        zone = cityflow_zone(name)
    files |= _timetable(network, junctions, options, net_file, carried, work, zone)
    city = City(
        name=name,
        network=network,
        junctions=junctions,
        cameras=build_cameras(network),
        demand=demand,
        folder=out,
        source=str(source.original),
        epoch=midnight(zone),
        zone=zone,
        warnings=tuple(warnings),
    )
    return save_city(city, out, files)


def _timetable(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    options: ImportOptions,
    net_file: Path,
    carried: list[Path],
    work: Path,
    zone: str,
) -> dict[str, Path | bytes]:
    """The files of the buses' timetable: the given one placed on the network, else the scenario's own."""
    if options.timetable is not None:
        feed = read_gtfs(options.timetable)
        layout = match_feed(feed, network)
        if not layout.patterns:
            raise ImportFailedError(
                "no bus of this timetable drives in the city", place=str(options.timetable),
                remedy="give the timetable of this place",
            )  # fmt: skip
        return {GTFS: pack_feed(options.timetable), LAYOUT: encode_layout(layout)}
    found = derive_timetable(network, junctions, net_file, carried, work)
    if found is None:
        return {}
    return {GTFS: encode_gtfs(found, network, zone=zone or "UTC"), LAYOUT: encode_layout(layout_of(found))}


@dataclass(frozen=True)
class _CarriedFiles:
    files: dict[str, Path]  # path in the city folder -> cleaned copy
    found: Carried


def _carry(
    sources: tuple[Path, ...], stem: str, work: Path, begin_s: float, known: set[tuple[str, str]]
) -> _CarriedFiles:
    targets = [work / f"{stem}{number}.xml.gz" for number in range(len(sources))]
    found = carry(sources, targets, begin_s, known, root="routes" if stem == "routes" else "additional")
    return _CarriedFiles({f"twin/{target.name}": target for target in targets}, found)


def _sumo_arguments(demand: DemandFiles, files: dict[str, Path | bytes], net_file: Path) -> list[str]:
    """Options of a SUMO run of the carried files (without an end)."""
    arguments = ["--net-file", str(net_file), "--begin", f"{demand.begin_s:g}"]
    for option, names in (
        ("--route-files", demand.route_files),
        ("--additional-files", demand.additional_files),
    ):
        carried = [str(files[name]) for name in names if isinstance(files[name], Path)]
        if carried:
            arguments += [option, ",".join(carried)]
    arguments += ["--step-length", f"{demand.step_s:g}", "--no-step-log", "true", "--no-warnings", "true"]
    arguments += ["--xml-validation", "never", "--time-to-teleport", "-1"]
    for name, value in demand.sumo_options:
        arguments += [f"--{name}", value]
    return arguments


def _check_runs(demand: DemandFiles, net_file: Path, files: dict[str, Path | bytes], original: Path) -> None:
    """Let SUMO load everything once, so that what it refuses is known now and not in a study."""
    arguments = _sumo_arguments(demand, files, net_file)
    end_s = demand.begin_s + demand.step_s
    run_tool(
        "sumo", [*arguments, "--route-steps", "0", "--end", f"{end_s:g}"],
        place=str(original), what="SUMO refuses the scenario",
        remedy="correct what it names; it must run with `sumo -c`",
    )  # fmt: skip


def _junction(
    net: Any, controller: Controller, program: Program, options: ImportOptions, source: _Source
) -> SignalJunction:
    nodes = [net.getNode(node_id) for node_id in controller.node_ids]
    streets: dict[str, None] = {}
    for path in controller.paths:
        street = "" if path.from_edge.startswith(":") else net.getEdge(path.from_edge).getName()
        if street:
            streets[street] = None
    x_m, y_m = np.mean([node.getCoord()[:2] for node in nodes], axis=0)
    junction = derive_junction(
        controller, program, names=tuple(streets)[:3], xy_m=(float(x_m), float(y_m)), repair=options.repair,
        demonstrated=source.has_yellow,
    )  # fmt: skip
    more = (*program.beside, *source.more_stages.get(controller.id, ()))
    return with_extra_stages(with_stages(junction, more))


def group_rows(junctions: tuple[SignalJunction, ...]) -> dict[tuple[str, int], int]:
    start = SignalIndex(junctions).group_start
    return {
        (junction.id, link): int(start[row]) + group
        for row, junction in enumerate(junctions)
        for group, member in enumerate(junction.groups)
        for link in member.links
    }


def _end_s(sumo: SumoSource, options: ImportOptions, begin_s: float, carried: list[Carried]) -> float:
    end_s = sumo.end_s if options.end_s is None else options.end_s
    if end_s is None:
        last = [part.last_depart_s for part in carried if part.last_depart_s is not None]
        end_s = begin_s + DEFAULT_WINDOW_S
        if last:
            end_s = math.ceil((max(last) + CLEARING_S) / 60.0) * 60.0
    if not (math.isfinite(begin_s) and math.isfinite(end_s) and 0.0 <= begin_s < end_s):
        raise ConfigurationError(
            f"the window from {begin_s:g} s to {end_s:g} s is empty",
            remedy="give --begin and --end in seconds",
        )
    return float(end_s)


def _synthesise(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    begin_s: float,
    end_s: float,
    options: ImportOptions,
    arguments: list[str],
    work: Path,
) -> tuple[str, Path, str]:
    """(file name, packed routes, warning) of a demand of ours, lowered until a run of it flows."""
    level = options.vehicles_per_h
    target = work / "demand.rou.xml.gz"
    for _ in range(_CALIBRATION_RUNS):
        demand = synthesise_demand(
            network, junctions, begin_s=begin_s, end_s=end_s, seed=options.seed, vehicles_per_h=level
        )
        target.write_bytes(gzip.compress(demand_xml(network, demand), 6, mtime=0))
        peak_s = begin_s + _CALIBRATION_WINDOW * (end_s - begin_s)
        routes = ["--route-files", str(target)]
        if options.vehicles_per_h is not None or _flows([*arguments, *routes], peak_s, work):
            break
        level = _CALIBRATION_STEP * len(demand.routes) / (end_s - begin_s) * 3600.0
    note = f"the source has no demand: {len(demand.routes)} trips were synthesised (seed {options.seed})"
    return "twin/demand.rou.xml.gz", target, note


def _flows(arguments: list[str], end_s: float, work: Path) -> bool:
    """Whether nearly all depart and lose little of their time under the network's own plans."""
    statistics = work / "statistics.xml"
    output = ["--statistic-output", str(statistics), "--duration-log.statistics", "true"]
    run_tool(
        "sumo", [*arguments, "--end", f"{end_s:g}", *output],
        place=str(work), what="SUMO refuses the synthesised demand", remedy="report this as a defect",
    )  # fmt: skip
    found = {element.tag: element for _, element, depth in iterate_xml(statistics) if depth == 1}
    vehicles, trips = found["vehicles"].attrib, found["vehicleTripStatistics"].attrib
    waiting, loaded = float(vehicles["waiting"]), max(float(vehicles["loaded"]), 1.0)
    duration_s = max(float(trips["duration"]), 1.0)
    lost_s = float(trips["timeLoss"]) + float(trips["departDelay"])
    return waiting <= 0.01 * loaded and lost_s <= _MAX_LOST_SHARE * duration_s


def city_name(path: Path) -> str:
    """A slug from a file name, or from the folder's where the file is called as every other is."""
    stem = re.sub(r"(\.(net|osm|rou|sumo))?\.(sumocfg|cfg|xml|osm|gz|pbf)(\.gz)?$", "", path.name.lower())
    if stem in _PLAIN_NAMES:
        stem = path.absolute().parent.name.lower()
    slug = re.sub(r"[^a-z0-9]+", "-", stem).strip("-") or "city"
    return (slug if slug[0].isalpha() else f"city-{slug}")[:64].rstrip("-")
