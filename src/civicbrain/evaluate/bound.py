"""How low could delay go? Limits and an estimate, so that a report shows how far a control is from them."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.evaluate.cliques import least_waiting_s
from civicbrain.evaluate.junction_model import junction_model, plan_stages
from civicbrain.evaluate.records import Bound
from civicbrain.evaluate.stop_lines import StopLines, stop_lines_of
from civicbrain.science.foresight import Arrivals, foresight_delay_s, replay_delay_s
from civicbrain.twin.free_road import FreeRoad, run_free_road
from civicbrain.twin.options import TwinOptions


def measure_bound(city_folder: Path, seed: int, begin_s: float, end_s: float) -> Bound:
    """The bound of one window and seed, in a process of its own (libsumo holds one simulation a process).

    Two simulations without signals and a search for each junction: from seconds to a few minutes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(bound_here, city_folder, seed, begin_s, end_s).result()


def bound_here(city_folder: Path, seed: int, begin_s: float, end_s: float) -> Bound:
    """`measure_bound`, in this process. Raises TwinError."""
    city = load_city(city_folder)
    options = TwinOptions(seed=seed, begin_s=begin_s, end_s=end_s)
    free = run_free_road(city, options)
    opened = run_free_road(city, options, right_of_way=True)
    return make_bound(city, free, opened, seed, begin_s, end_s)


def make_bound(
    city: City, free: FreeRoad, opened: FreeRoad, seed: int, begin_s: float, end_s: float
) -> Bound:
    """free, opened: the runs on the free road and with open signals."""
    due = max(free.trips.departed + free.trips.undeparted, 1)
    waiting_s = least_waiting_s(city, stop_lines_of(city, free), begin_s, end_s)
    lines = stop_lines_of(city, opened)
    foresight_s, plan_s = search(city, lines, begin_s, end_s)
    return Bound(
        seed=seed,
        vehicles_due=due,
        free_road_s=round(free.mean_delay_s, 3),
        conflicts_s=round(free.mean_delay_s + waiting_s / due, 3),
        open_signals_s=round(opened.mean_delay_s, 3),
        foresight_s=round(opened.mean_delay_s + foresight_s / due, 3),
        plan_in_model_s=round(opened.mean_delay_s + plan_s / due, 3),
        stop_lines_per_vehicle=round(sum(len(p) for each in lines for p in each.lanes.values()) / due, 2),
    )


def search(
    city: City, lines: tuple[StopLines, ...], begin_s: float, end_s: float, every_s: int = 1, width: int = 20
) -> tuple[float, float]:
    """Waiting (veh·s) at all junctions, each by itself, under the best stage sequence found and under the
    city's plan. every_s: seconds between two decisions. width: see `foresight_delay_s`."""
    found_s = plan_s = 0.0
    for junction, each in zip(city.junctions, lines, strict=True):
        if not each.lanes:
            continue
        model = junction_model(junction, every_s)
        ways = [[(one.time_s, one.group) for one in lane] for lane in each.lanes.values()]
        arrivals = Arrivals.of(ways, begin_s, end_s)
        found_s += foresight_delay_s(model, arrivals, width)
        plan_s += replay_delay_s(model, arrivals, plan_stages(junction, begin_s, end_s))
    return found_s, plan_s
