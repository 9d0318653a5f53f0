"""From a few options to a city folder."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.city.folder import CONFIGURATION, check_target, save_city
from civicbrain.city.model import City, DemandFiles
from civicbrain.city.network import F64, Network
from civicbrain.city.signals import SignalJunction
from civicbrain.city.transit.layout import LAYOUT, encode_layout
from civicbrain.core.errors import CityError
from civicbrain.twin.generating.buses import bus_layout, bus_lines, draw_buses, gtfs, stop_lines
from civicbrain.twin.generating.equipment import check_count, equip
from civicbrain.twin.generating.files import pack_net, write_packed
from civicbrain.twin.generating.land import draw_land
from civicbrain.twin.generating.landmarks import draw_landmarks, parking_lines
from civicbrain.twin.generating.options import WINDOW_S, GenerateOptions
from civicbrain.twin.generating.plain import build_net, river_lines
from civicbrain.twin.generating.routing import Graph
from civicbrain.twin.generating.streets import Streets, draw_streets
from civicbrain.twin.generating.timing import time_plans
from civicbrain.twin.generating.travel import draw_day, plan_travel, relieve, route_lines, vehicle_lines
from civicbrain.twin.importing.cameras import build_cameras
from civicbrain.twin.importing.extra_stages import with_extra_stages
from civicbrain.twin.importing.importer import NET_FILE, group_rows
from civicbrain.twin.importing.network import build_controllers, build_network, read_net
from civicbrain.twin.importing.programs import network_programs
from civicbrain.twin.importing.signals import derive_junction
from civicbrain.twin.importing.tools import run_tool

ROUTES_FILE, CARS_FILE = "twin/routes.add.xml.gz", "twin/cars.rou.xml.gz"
BUSES_FILE, GTFS_FILE = "twin/buses.rou.xml.gz", "gtfs.zip"
_RELIEF_ROUNDS = 4
_RELIEF_SATURATION = 0.88
"""Lanes stay below this in the peak hour, so that the fixed plan carries the default demand."""
_LAND, _TRAVEL, _DAY, _BUSES, _LANDMARKS = range(10, 15)


def generate_city(options: GenerateOptions, out: Path, *, replace_city: bool = False) -> City:
    """Make a city folder at `out`; nothing is left there when it fails.

    The same options give the same bytes with the same versions of SUMO and of this package. Raises
    ConfigurationError (options), CityError (something is in the way), ImportFailedError (SUMO is missing).
    """
    options.check()
    if (out / CONFIGURATION).is_file() and not replace_city:
        raise CityError("there is a city already", place=str(out), remedy="give --replace, or another --out")
    check_target(out)
    streets = draw_streets(options.junctions, options.seed)
    with tempfile.TemporaryDirectory(prefix="civicbrain-generate-") as work:
        return _generate(options, streets, Path(work), out)


def _generate(options: GenerateOptions, streets: Streets, work: Path, out: Path) -> City:
    def rng(part: int) -> np.random.Generator:
        return np.random.default_rng((options.seed, options.junctions, part))

    net_file = build_net(streets, work)
    net = read_net(net_file)
    junctions = derive_junctions(net)
    network = build_network(net, {j.id: row for row, j in enumerate(junctions)}, group_rows(junctions))
    del net
    check_count(network, options.cameras)
    graph = Graph(network)
    kind, inward, outward = _edge_kinds(network, streets)
    land = draw_land(network, kind, inward, outward, rng(_LAND))
    draw = rng(_TRAVEL)
    travel = plan_travel(
        graph, land, inward, outward, options.junctions, options.demand_peak, options.load, draw
    )
    timed = time_plans(network, junctions, movement_flows(graph, travel.busiest_veh_h))
    for _ in range(_RELIEF_ROUNDS if options.demand_peak is None else 0):
        load = np.zeros(len(graph.keys))
        np.maximum.at(load, graph.arc_of_movement, timed.saturation / _RELIEF_SATURATION)
        if load.max(initial=0.0) <= 1.0:
            break
        travel = relieve(travel, graph, load, draw)
        flows = movement_flows(graph, travel.busiest_veh_h)
        timed = time_plans(network, junctions, flows, (timed.cycle_s,))
    # the plan is the morning's, as the window of the scenario is
    timed = time_plans(network, junctions, movement_flows(graph, travel.morning_veh_h))
    junctions = tuple(with_extra_stages(junction) for junction in timed.junctions)
    pack_net(net_file, work / "net.xml.gz", junctions)
    landmarks = draw_landmarks(network, kind, land, options.junctions, rng(_LANDMARKS))
    buses = draw_buses(network, graph, kind, land, options.junctions, rng(_BUSES))
    flows = movement_flows(graph, travel.busiest_veh_h)
    cameras, eyes = equip(network, junctions, build_cameras(network), flows, options.cameras)
    write_packed(
        work / "routes.add.xml.gz",
        chain(
            ["<additional>\n"],
            route_lines(network, travel.pool),
            stop_lines(network, buses),
            parking_lines(landmarks),
            river_lines(streets.frame),
            ["</additional>\n"],
        ),
    )
    write_packed(work / "cars.rou.xml.gz", vehicle_lines(*draw_day(travel, rng(_DAY))))
    write_packed(work / "buses.rou.xml.gz", bus_lines(buses))
    files: dict[str, Path | bytes] = {
        NET_FILE: work / "net.xml.gz",
        ROUTES_FILE: work / "routes.add.xml.gz",
        CARS_FILE: work / "cars.rou.xml.gz",
        BUSES_FILE: work / "buses.rou.xml.gz",
        GTFS_FILE: gtfs(network, buses),
        LAYOUT: encode_layout(bus_layout(network, buses)),
    }
    begin_s, end_s = WINDOW_S
    city = City(
        name=options.city_name,
        network=network,
        junctions=junctions,
        cameras=cameras,
        demand=DemandFiles(NET_FILE, (CARS_FILE, BUSES_FILE), (ROUTES_FILE,), begin_s, end_s, 1.0),
        folder=out,
        source=_source(options),
        places=(*landmarks, *buses.stops, *eyes),
    )
    _check_loads(city, files)
    return save_city(city, out, files)


def derive_junctions(net: Any) -> tuple[SignalJunction, ...]:
    """Groups, stages and intergreens (RiLSA 2015) of every signal; the stages are netconvert's."""
    programs = network_programs(net)
    return tuple(
        derive_junction(
            controller,
            programs[controller.id],
            names=_names(net, controller.node_ids[0]),
            xy_m=net.getNode(controller.node_ids[0]).getCoord()[:2],
            demonstrated=False,
        )
        for controller in build_controllers(net)
    )


def _names(net: Any, node: str) -> tuple[str, ...]:
    names = dict.fromkeys(edge.getName() for edge in net.getNode(node).getIncoming())
    return tuple(name for name in names if name)[:3]


def _edge_kinds(network: Network, streets: Streets) -> tuple[F64, F64, F64]:
    """(e,) each: Kind, 1 where the edge comes in from a gate, 1 where it goes out to one."""
    by_id = {street.id: street for street in streets.streets}
    gates = set(streets.gates)
    own = [by_id[edge] for edge in network.edges.ids]
    return (
        np.array([float(street.kind) for street in own]),
        np.array([float(street.a in gates) for street in own]),
        np.array([float(street.b in gates) for street in own]),
    )


def movement_flows(graph: Graph, arc_veh_h: F64) -> F64:
    """veh/h of each movement: the arc's flow in equal parts over its lanes."""
    arc = graph.arc_of_movement
    lanes = np.bincount(arc[arc >= 0], minlength=len(arc_veh_h))
    each = arc_veh_h / np.maximum(lanes, 1)
    result: F64 = np.where(arc >= 0, each[arc], 0.0)
    return result


def _source(options: GenerateOptions) -> str:
    text = f"generated: {options.junctions} junctions, seed {options.seed}"
    if options.cameras is not None:
        text += f", {options.cameras} cameras"
    if options.demand_peak is not None:
        text += f", {options.demand_peak:g} vehicles in the busiest hour"
    return text if options.load == 1.0 else f"{text}, load {options.load:g}"


def _check_loads(city: City, files: dict[str, Path | bytes]) -> None:
    """Let SUMO load everything and take a step, so that what it refuses is known now."""
    demand = city.demand
    run_tool(
        "sumo",
        [
            "--net-file", str(files[demand.net_file]),
            "--route-files", ",".join(str(files[name]) for name in demand.route_files),
            "--additional-files", ",".join(str(files[name]) for name in demand.additional_files),
            "--begin", f"{demand.begin_s:g}", "--end", f"{demand.begin_s + 1.0:g}",
            "--no-step-log", "true", "--no-warnings", "true", "--xml-validation", "never",
        ],
        place="the generated city", what="SUMO refuses it", remedy="try another --seed and report this",
    )  # fmt: skip
