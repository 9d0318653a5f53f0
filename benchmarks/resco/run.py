"""Our controls in SUMO 1.9.2 under RESCO's rules, against its published learned results: see README.md."""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # also in the children that multiprocessing starts

import rules  # noqa: E402

FIXED, FREE_ROAD, OPEN, FORESIGHT = "fixed", "free-road", "open-signals", "foresight"
ROUTES = "vehroutes.xml"
SEARCH_WIDTH = 20
LIMITS = (FREE_ROAD, OPEN, FORESIGHT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--control", action="append", help=f"one of ours, {FIXED}, {', '.join(LIMITS)}")
    parser.add_argument("--map", action="append", choices=list(rules.BEST_LEARNED_S), help="repeatable")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="option of our control, as JSON"
    )
    parser.add_argument("--sumo", type=Path, help="folder of SUMO 1.9.2; default: beside this file")
    arguments = parser.parse_args()
    controls = arguments.control or [FIXED, *LIMITS, "max-pressure"]
    options = {key: json.loads(value) for key, _, value in (each.partition("=") for each in arguments.option)}
    results = read_results()
    for name in arguments.map or list(rules.BEST_LEARNED_S):
        for control in controls:
            runs = []
            for seed in range(1, arguments.seeds + 1):
                start = time.perf_counter()
                delay = one_run(name, control, seed, arguments.sumo, options)
                runs.append(delay)
                print(
                    f"{name} {control} seed {seed}: {delay['resco_s']:.1f} s by RESCO's definition, "
                    f"{delay['due_s']:.1f} s over all due ({time.perf_counter() - start:.0f} s of wall time)",
                    file=sys.stderr, flush=True,
                )  # fmt: skip
            label = " ".join([control, *([] if control in (FIXED, *LIMITS) else arguments.option)])
            results.setdefault(name, {})[label] = condense(runs)
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        (HERE / "results.md").write_text(table(results))
    print(table(results))
    return 0


def one_run(
    name: str, control: str, seed: int, folder: Path | None, options: dict[str, Any]
) -> dict[str, Any]:
    """The figures of `rules.Delay`, from a process of its own: TraCI keeps its connection in module globals,
    and the search needs our own SUMO's modules."""
    from civicbrain.twin.importing.scenarios import resolve_scenario

    resolve_scenario(name)  # imported by our own SUMO's modules: the run, with the other's, finds it made
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="civicbrain-resco-") as scratch:
        with spawn.Pool(1) as pool:
            delay = pool.apply(episode, (name, control, seed, folder, Path(scratch), options))
        if control == FORESIGHT:
            with spawn.Pool(1) as pool:
                waiting_s = pool.apply(search_stages, (name, Path(scratch) / ROUTES))
            for key in ("resco_s", "due_s"):
                delay[key] += waiting_s / delay["trips"]
        return delay


def search_stages(name: str, ways_file: Path) -> float:
    """Waiting (veh·s) under the best stage sequence found for each junction alone, a decision each 10 s."""
    import street

    from civicbrain.evaluate.bound import search
    from civicbrain.evaluate.stop_lines import stop_lines_of
    from civicbrain.twin.free_road import FreeRoad, read_ways
    from civicbrain.twin.importing.scenarios import resolve_scenario
    from civicbrain.twin.metrics import Trips

    city = resolve_scenario(name)
    begin_s, end_s = city.demand.begin_s, city.demand.end_s
    no_sums = Trips(0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
    lines = stop_lines_of(city, FreeRoad(no_sums, read_ways(ways_file)))
    restricted = street.under_resco_rules(city, network_phases(network_folder() / name / f"{name}.net.xml"))
    return search(restricted, lines, begin_s, end_s, every_s=rules.ACTION_S, width=SEARCH_WIDTH)[0]


def episode(
    name: str, control: str, seed: int, folder: Path | None, scratch: Path, options: dict[str, Any]
) -> dict[str, Any]:
    """One run in this process; the figures of `rules.Delay`."""
    import sumo192

    home = sumo192.install(folder)
    traci = sumo192.load_traci(home)  # before anything of ours may bring the newer one
    import street

    from civicbrain.contracts.brain import BrainContext
    from civicbrain.contracts.rooms import get_room
    from civicbrain.twin.importing.scenarios import resolve_scenario

    configuration = network_folder() / name / f"{name}.sumocfg"
    begin_s, end_s = window(configuration)
    drive: Callable[[], None]
    if control == FIXED:
        drive = lambda: street.run_fixed(traci, end_s)  # noqa: E731
    elif control == FREE_ROAD:
        drive = lambda: street.run_free_road(traci, end_s)  # noqa: E731
    elif control in (OPEN, FORESIGHT):
        plain = resolve_scenario(name)
        drive = lambda: street.run_open_signals(traci, plain, end_s)  # noqa: E731
    else:
        spec = find_control(control)
        phases = network_phases(network_folder() / name / f"{name}.net.xml")
        city = street.under_resco_rules(resolve_scenario(name), phases)
        brain = get_room("brains", spec.brain).create_brain(
            BrainContext(city, seed, {**spec.options, **options})
        )
        drive = lambda: street.run_control(traci, city, brain, phases, seed)  # noqa: E731
    trips, routes = scratch / "tripinfo.xml", network_folder() / name / f"{name}.rou.xml"
    more = ["--vehroute-output", str(scratch / ROUTES), "--vehroute-output.exit-times"]
    more += ["--vehroute-output.write-unfinished"]
    if control == FREE_ROAD:
        rules.reckless(routes, scratch / "reckless.rou.xml")
        more += ["-r", str(scratch / "reckless.rou.xml"), "--xml-validation", "never"]
    if control in LIMITS:
        more += ["--collision.action", "none"]
    # as RESCO's multi_signal.py starts it, with a seed in place of --random
    with (scratch / "log").open("w") as log:
        traci.start(
            [str(home / "bin" / "sumo"), "-c", str(configuration), "--seed", str(seed),
             "--time-to-teleport", "-1", "--tripinfo-output", str(trips),
             "--tripinfo-output.write-unfinished", "--no-step-log", "True", "--no-warnings", "True", *more],
            stdout=log,
        )  # fmt: skip
        drive()
        traci.close()
    return asdict(rules.read_delay(trips, routes, begin_s, end_s))


def find_control(name: str) -> Any:
    """The ControlSpec of that name, which must be one that sends requests. Raises NotFoundError."""
    from civicbrain.contracts.rooms import get_control

    spec = get_control(name)
    if spec.program != "central":
        raise SystemExit(f"control {name!r} is SUMO's own: it sends no requests")
    return spec


def network_folder() -> Path:
    """Where the sumo-rl package keeps RESCO's scenarios; it is found, never imported."""
    spec = importlib.util.find_spec("sumo_rl")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the scenarios are missing: pip install 'civicbrain[scenarios]'")
    return Path(spec.submodule_search_locations[0]) / "nets" / "RESCO"


def network_phases(net_file: Path) -> dict[str, list[str]]:
    """Junction id -> green phases of its program."""
    return {
        logic.attrib["id"]: rules.green_phases(phase.attrib["state"] for phase in logic.iter("phase"))
        for logic in ElementTree.parse(net_file).getroot().iter("tlLogic")
    }


def window(configuration: Path) -> tuple[float, float]:
    """Begin and end of a scenario, s."""
    root = ElementTree.parse(configuration).getroot()
    begin, end = root.find("time/begin"), root.find("time/end")
    assert begin is not None
    assert end is not None
    return float(begin.attrib["value"]), float(end.attrib["value"])


def condense(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What is committed of the runs of one control on one map."""
    return {
        "seeds": len(runs),
        "resco_s": [round(run["resco_s"], 2) for run in runs],
        "due_s": [round(run["due_s"], 2) for run in runs],
        "arrived": [run["arrived"] for run in runs],
        "never_departed": [run["never_departed"] for run in runs],
    }


def read_results() -> dict[str, Any]:
    """Results so far: maps and controls can be run one after the other."""
    file = HERE / "results.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def table(results: dict[str, Any]) -> str:
    """Markdown; delays by RESCO's definition in SUMO 1.9.2."""
    names = list(dict.fromkeys(control for row in results.values() for control in row))
    ours = [name for name in names if name not in (FIXED, *LIMITS)]
    names = [name for name in (FIXED, *LIMITS) if name in names] + ours
    lines = [
        "Mean delay by RESCO's definition, s per vehicle, SUMO 1.9.2.",
        "",
        f"| map | seeds | best learned | {rules.RATIO:g} of it | fixed, published | "
        + " | ".join([*names, *(f"{name} / best learned" for name in ours)])
        + " |",
        "|---|" + "---:|" * (4 + len(names) + len(ours)),
    ]
    for name, best_s in rules.BEST_LEARNED_S.items():
        row = results.get(name)
        if row is None:
            continue
        mean = {control: rules.mean(one["resco_s"]) for control, one in row.items()}
        cells = [f"{mean[each]:.1f}" if each in mean else "–" for each in names]
        ratios = [f"{mean[each] / best_s:.2f}" if each in mean else "–" for each in ours]
        seeds = min(one["seeds"] for one in row.values())
        lines.append(
            f"| {name} | {seeds} | {best_s} | {rules.RATIO * best_s:.1f} | {rules.FIXED_S[name]} | "
            f"{' | '.join(cells + ratios)} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
