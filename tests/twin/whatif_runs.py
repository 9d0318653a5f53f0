"""What runs in the twin's own process for the tests of what-ifs; returns plain figures."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import libsumo
import msgspec

from civicbrain.city.whatif import Change
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin
from civicbrain.twin.whatif.branch import Brancher, read_traffic, write_branch
from civicbrain.twin.whatif.future import Future

GRID = "grid4x4"  # ways around everywhere
TOWN = "cologne3"  # vehicle types in its route file, lanes for turning


def branch_while_it_runs(folder: Path, warm_s: float) -> dict[str, Any]:
    """Fork off the state, go on meanwhile; and what the same run is without the fork."""
    city = resolve_scenario(TOWN)
    runs = []
    for forks in (False, True):
        twin = Twin(city, TwinOptions(emissions=False, sample=False))
        begin_s = twin.time_s
        while twin.time_s < begin_s + warm_s:
            twin.step()
        running = set(libsumo.vehicle.getIDList())
        brancher = Brancher()
        second = None
        if forks:
            assert brancher.start(twin, folder)
            second = brancher.start(twin, folder)  # one at a time
        for _ in range(10):
            twin.step()
        runs.append({name: libsumo.vehicle.getPosition(name) for name in libsumo.vehicle.getIDList()})
        while brancher.poll():
            time.sleep(0.01)
        twin.close()
    traffic = read_traffic(folder)
    seen = {one.id for one in traffic.vehicles if not one.waiting}
    return {
        "same": runs[0] == runs[1], "second": second, "missing": len(running ^ seen), "running": len(running),
        "time_s": traffic.time_s - begin_s,
    }  # fmt: skip


def places_in_queues(folder: Path, warm_s: float) -> dict[str, Any]:
    """Where everybody is in the street, and in the mesoscopic model that goes on from it."""
    city = resolve_scenario(TOWN)
    make_branch(folder, warm_s, TOWN)
    traffic = read_traffic(folder)
    on_street = {one.id: one for one in traffic.vehicles if not one.waiting and one.edges}
    future = Future(city, folder, Change(), seed=1, horizon_s=60.0, mesoscopic=True, senses=False)
    vehicle = libsumo.vehicle
    ids = set(vehicle.getIDList())
    wrong = [name for name in ids if vehicle.getRoadID(name) != on_street[name].edges[0]]
    order = 0
    for edge in city.network.edges.ids:
        # SUMO lists the last to have entered first, queue by queue
        names = libsumo.edge.getLastStepVehicleIDs(edge)
        by_queue: dict[tuple[int, int], list[float]] = {}
        for name in names:
            key = (vehicle.getSegmentIndex(name), vehicle.getLaneIndex(name))
            by_queue.setdefault(key, []).append(on_street[name].position_m)
        order += sum(places != sorted(places) for places in by_queue.values())
    while not future.ended:
        future.step()
    figures = future.finish()
    future.close()
    return {"lost": len(on_street.keys() ^ ids), "wrong": len(wrong), "order": order,
            "arrived": figures.arrived, "count": len(ids)}  # fmt: skip


def make_branch(folder: Path, warm_s: float, scenario: str = GRID) -> None:
    city = resolve_scenario(scenario)
    twin = Twin(city, TwinOptions(emissions=False, sample=False))
    begin_s = twin.time_s
    while twin.time_s < begin_s + warm_s:
        twin.step()
    write_branch(twin, folder)
    twin.close()


def future_of(folder: Path, change: Change, mesoscopic: bool, watch: str = "") -> dict[str, Any]:
    """The figures; entered: vehicles that come onto the edge `watch` from the second step on."""
    city = resolve_scenario(GRID)
    future = Future(city, folder, change, seed=1, horizon_s=120.0, mesoscopic=mesoscopic, senses=False)
    there = set(libsumo.edge.getLastStepVehicleIDs(watch)) if watch else set()
    entered: set[str] = set()
    while not future.ended:
        future.step()
        if watch:
            now = set(libsumo.edge.getLastStepVehicleIDs(watch))
            departed = set(libsumo.simulation.getDepartedIDList())
            entered |= now - there - departed
            there |= now
    figures = msgspec.to_builtins(future.finish())
    future.close()
    return {**figures, "entered": len(entered)}


def branch_that_cannot_be_written(folder: Path) -> str:
    """What stands beside a state that could not be written; the street goes on."""
    twin = Twin(resolve_scenario(TOWN), TwinOptions(emissions=False, sample=False))
    (folder / "traffic.msgpack").mkdir(parents=True)  # in the way of the file
    brancher = Brancher()
    assert brancher.start(twin, folder)
    while brancher.poll():
        time.sleep(0.01)
    twin.step()
    twin.close()
    return (folder / "failed").read_text()


def branch_whose_writer_is_killed(folder: Path) -> str:
    """What stands beside a state whose writing process was ended from outside."""
    twin = Twin(resolve_scenario(TOWN), TwinOptions(emissions=False, sample=False))
    brancher = Brancher()
    assert brancher.start(twin, folder)
    os.kill(brancher._child, signal.SIGKILL)
    while brancher.poll():
        time.sleep(0.01)
    twin.close()
    return (folder / "failed").read_text()
