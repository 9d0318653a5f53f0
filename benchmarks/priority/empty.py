"""The missions in an empty city with every light green: below that no control of signals gets.

Each mission of runs.json drives its own route with its own vehicle, alone, all lights green, in the same
simulator. Unlike `alone` in results.md (travel time less what SUMO counts as lost) it has to set out from
standstill and to slow down for turns, which no priority takes away.

    python benchmarks/priority/empty.py --also PATH/TO/hangzhou_gudang    # empty.md; a minute
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import libsumo
import numpy as np
from arm_studies import open_city
from run import A_RUN, HERE, SCENARIOS, STUDIES, make_tasks, read_kept

from civicbrain.city.model import City
from civicbrain.evaluate.missions import MissionRun, MissionRunRecord
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.launch import start_sumo
from civicbrain.twin.missions import MissionTraffic, with_mission_types
from civicbrain.twin.options import TwinOptions

LONGEST_S = 3600.0
WITHOUT = ("plan", "signals")
KINDS = (("obeys lights", False), ("may pass red", True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--also", action="append", default=[], help="a CityFlow folder or .sumocfg")
    source_of = {Path(source).name: source for source in parser.parse_args().also}
    lines = [
        "Median ratio of travel times in an empty city with every light green to those without priority.",
        "",
        "| scenario | " + " | ".join(f"of `{arm}`, {kind}" for arm in WITHOUT for kind, _ in KINDS) + " |",
        "|---|" + "---:|" * (len(WITHOUT) * len(KINDS)),
    ]
    for name, runs in read_kept().items():
        if name not in (*SCENARIOS, *source_of):
            continue
        city = open_city(source_of.get(name, name), STUDIES)
        seeds = {run.seed for run in runs}
        tasks = [task for task in make_tasks(city, A_RUN * max(seeds), ["plan"]) if task.seed in seeds]
        empty_s = drive_alone(city, tasks)
        end_s = city.demand.end_s
        cells = [f"{ratio(runs, arm, blue, empty_s, end_s):.2f}" for arm in WITHOUT for _, blue in KINDS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    write_atomically(HERE / "empty.md", ("\n".join(lines) + "\n").encode())
    return 0


def drive_alone(city: City, tasks: Sequence[MissionRun]) -> dict[str, float]:
    """Mission -> seconds that it takes, one after the other."""
    found = {}
    with empty_city(city):
        traffic = MissionTraffic()
        for trip in [trip for task in tasks for trip in task.trips]:
            traffic.add(trip)
            drive = traffic.drives[trip.mission.id]
            while drive.arrived_s is None and libsumo.simulation.getTime() - drive.due_s < LONGEST_S:
                libsumo.simulationStep()
                traffic.look(libsumo.simulation.getTime())
            if drive.arrived_s is not None:
                found[trip.mission.id] = drive.arrived_s - drive.due_s
    return found


@contextmanager
def empty_city(city: City) -> Iterator[None]:
    """SUMO with the city's network, nobody in it, and every light green for good."""
    with tempfile.TemporaryDirectory(prefix="civicbrain-empty-") as folder:
        scratch = Path(folder)
        bare = replace(city, demand=replace(city.demand, route_files=(), additional_files=()))
        bare = with_mission_types(bare, scratch)
        start_sumo(bare, TwinOptions(program="fixed"), 0.0, 1e7, scratch, None)
        try:
            for light in libsumo.trafficlight.getIDList():
                links = len(libsumo.trafficlight.getRedYellowGreenState(light))
                libsumo.trafficlight.setRedYellowGreenState(light, "G" * links)
            yield
        finally:
            libsumo.close()


def ratio(
    runs: Sequence[MissionRunRecord], arm: str, blue: bool, empty_s: dict[str, float], end_s: float
) -> float:
    """Median over the missions of one kind. Who had not arrived counts with the time until the end, as in
    results.md."""
    own = [run for run in runs if run.arm == arm]
    base_s = {
        mission.id: end_s - mission.due_s if mission.travel_s is None else mission.travel_s
        for run in own
        for mission in run.missions
        if mission.blue_light is blue
    }
    return float(np.median([empty_s[name] / base_s[name] for name in base_s if name in empty_s]))


if __name__ == "__main__":
    sys.exit(main())
