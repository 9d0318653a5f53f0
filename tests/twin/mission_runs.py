"""What runs in the twin's own process for the tests of missions; returns plain figures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import libsumo

from civicbrain.city.missions import Mission, MissionEnd, MissionKind, Urgency, VehiclePosition
from civicbrain.city.routing import Router
from civicbrain.core.errors import CivicBrainError
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.missions import SOURCE, MissionTraffic, MissionTrip, with_mission_types
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


def longest_way(city: Any) -> tuple[str, ...]:
    """The longest of the quickest ways from the first edge that leads anywhere."""
    router = Router(city.network)
    edge_s, arc_s = router.free_time_s(), router.turn_s()
    ids = city.network.edges.ids
    for origin in range(len(ids)):
        times = router.times_s(origin, edge_s, arc_s)
        times[times == float("inf")] = -1.0
        target = int(times.argmax())
        if times[target] > 20.0:
            way = router.find_way(origin, target, edge_s, arc_s)
            return tuple(ids[edge] for edge in way.edges)
    raise AssertionError("no way")


def drive_mission(blue_light: bool, cancel_after_s: float) -> dict[str, Any]:
    """One mission in cologne1, 10 s into the window; what was said and where it really was."""
    city = resolve_scenario("cologne1")
    begin_s = city.demand.begin_s
    route = longest_way(city)
    mission = Mission(
        "m1", "ambulance", MissionKind.AMBULANCE, Urgency.LIFE, route[0], route[-1], begin_s + 10.0,
        route=route, sources=(SOURCE,),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        known = with_mission_types(city, Path(scratch))
        twin = Twin(known, TwinOptions(end_s=begin_s + 200.0, seed=1, emissions=False))
        traffic = MissionTraffic([MissionTrip(mission, blue_light)], seed=1)
        said: list[Any] = []
        true_xy: dict[float, tuple[float, float]] = {}
        while not twin.ended:
            traffic.insert(twin.time_s)
            twin.step()
            traffic.look(twin.time_s)
            if "mission:m1" in libsumo.vehicle.getIDList():
                true_xy[twin.time_s] = libsumo.vehicle.getPosition("mission:m1")
            said += [(twin.time_s, datum) for datum in traffic.sense(twin.time_s)]
            if twin.time_s - begin_s == cancel_after_s:
                traffic.cancel("m1")
        drive = traffic.drives["m1"]
        delay_veh_s = traffic.delay_veh_s
        metrics = twin.finish()
    positions = [(at_s, datum) for at_s, datum in said if isinstance(datum, VehiclePosition)]
    errors_m = [
        ((p.x_m - true_xy[p.time_s][0]) ** 2 + (p.y_m - true_xy[p.time_s][1]) ** 2) ** 0.5
        for _, p in positions
        if p.time_s in true_xy
    ]
    return {
        "ordered_s": [at_s - begin_s for at_s, datum in said if isinstance(datum, Mission)],
        "ends": [datum.reason for _, datum in said if isinstance(datum, MissionEnd)],
        "late_s": sorted({at_s - p.time_s for at_s, p in positions}),
        "positions": len(positions),
        "mean_error_m": sum(errors_m) / max(1, len(errors_m)),
        "departed_s": drive.departed_s and drive.departed_s - begin_s,
        "arrived_s": drive.arrived_s and drive.arrived_s - begin_s,
        "left": [edge for edge, _ in drive.left_s],
        "route": list(route),
        "delay_veh_s": delay_veh_s,
        "loss_s": drive.time_loss_s + drive.depart_delay_s,
        "collisions": metrics.collisions,
    }


def refused_route() -> str:
    """A mission whose route is no way."""
    city = resolve_scenario("cologne1")
    ids = city.network.edges.ids
    mission = Mission(
        "m1", "ambulance", MissionKind.AMBULANCE, Urgency.LIFE, ids[0], ids[1], 0.0, route=("no-such-edge",)
    )
    with tempfile.TemporaryDirectory() as scratch:
        twin = Twin(with_mission_types(city, Path(scratch)), TwinOptions(seed=1, emissions=False))
        try:
            MissionTraffic(seed=1).add(MissionTrip(mission))
        except CivicBrainError as error:
            return str(error)
        finally:
            twin.close()
    return ""
