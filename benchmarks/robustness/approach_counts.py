"""How many vehicles use each approach lane under the city's own plan: which lanes are worth blocking."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import libsumo

from civicbrain.city.folder import load_city
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

_LOOK_S = 5


def count_approaches(folder: Path, begin_s: float, end_s: float) -> dict[int, int]:
    """Row of each approach lane -> vehicles seen on it by a look each 5 s, seed 1. In a process of its own:
    libsumo holds one simulation a process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_count, folder, begin_s, end_s).result()


def _count(folder: Path, begin_s: float, end_s: float) -> dict[int, int]:
    city = load_city(folder)
    options = TwinOptions(seed=1, program="fixed", begin_s=begin_s, end_s=end_s, emissions=False)
    twin = Twin(city, options)
    rows = sorted(set(city.network.movements.from_lane[city.signalled_movements].tolist()))
    seen: dict[int, set[str]] = {row: set() for row in rows}
    step = 0
    while not twin.ended:
        twin.step()
        step += 1
        if step % _LOOK_S == 0:
            for row, names in seen.items():
                names.update(libsumo.lane.getLastStepVehicleIDs(city.network.lanes.ids[row]))
    twin.close()
    return {row: len(names) for row, names in seen.items()}
