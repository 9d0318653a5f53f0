"""The rules of the RESCO benchmark, as its code has them; nothing here needs SUMO.

Source: Ault and Sharon (2021), "Reinforcement Learning Benchmarks for Traffic Signal Control", NeurIPS
Datasets and Benchmarks, and https://github.com/Pi-Star-Lab/RESCO: `config/map_config.py` (step_length 10,
yellow_length 3, warmup 0), `multi_signal.py` (what an action is), `traffic_signal.py` (yellow),
`utils/readXML.py` (delay).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ACTION_S = 10
YELLOW_S = 3

BEST_LEARNED_S = {
    "cologne1": 26.1,
    "cologne3": 24.0,
    "cologne8": 21.6,
    "ingolstadt1": 20.9,
    "ingolstadt7": 31.2,
    "ingolstadt21": 59.6,
}
"""Best learned result of each map that RESCO published (`utils/avg_timeLoss.py`): the lowest of all training
episodes, of all learners."""

FIXED_S = {
    "cologne1": 56.6,
    "cologne3": 46.4,
    "cologne8": 63.8,
    "ingolstadt1": 39.4,
    "ingolstadt7": 91.3,
    "ingolstadt21": 133.1,
}
"""What RESCO published for the fixed plans, mean of its 30 episodes, same file."""

RATIO = 0.85
"""We want to land at most at this share of the best learned result."""


def green_phases(states: Iterable[str]) -> list[str]:
    """Phases an agent may choose: each once, without yellow, and not all red."""
    return [state for state in dict.fromkeys(states) if "y" not in state and set(state) - set("rs")]


def yellow_between(shown: str, wanted: str) -> str | None:
    """Lamps of the 3 s between two phases: yellow for what loses its green, all else as before.

    None where nothing loses its green: then the old phase stays for these 3 s."""
    lamps = ["y" if old in "Gg" and new in "rs" else old for old, new in zip(shown, wanted, strict=True)]
    return "".join(lamps) if "y" in lamps else None


@dataclass(frozen=True)
class Delay:
    """Of one run, in s per vehicle. resco: by RESCO's definition. due: by ours, every vehicle due counts.
    never_departed: vehicles due that never entered."""

    resco_s: float
    due_s: float
    trips: int
    arrived: int
    never_departed: int


def read_delay(trip_file: Path, route_file: Path, begin_s: float, end_s: float) -> Delay:
    """Delay of a run from SUMO's tripinfo output (with unfinished vehicles) and its route file.

    RESCO sums time loss and departure delay of all who departed, running ones included. To these it adds
    those of the route file's <vehicle> elements that should have departed after the one that departed last,
    each waiting until the end, and divides by the number of both. <trip> elements are passed over there, so
    that vehicles of the Cologne 1, Cologne 8 and Ingolstadt maps that never departed do not count. Ours
    counts them on all maps, as well as those that were held back before the last departure.
    """
    total_s, last_s, last_id = 0.0, 0.0, ""
    departed: set[str] = set()
    arrived = 0
    for trip in ElementTree.parse(trip_file).getroot():
        total_s += float(trip.attrib["timeLoss"]) + float(trip.attrib["departDelay"])
        departed.add(trip.attrib["id"])
        arrived += float(trip.attrib["arrival"]) >= 0.0
        if float(trip.attrib["depart"]) > last_s:
            last_s, last_id = float(trip.attrib["depart"]), trip.attrib["id"]
    due = [
        (element.attrib["id"], float(element.attrib["depart"]), element.tag)
        for element in ElementTree.parse(route_file).getroot()
        if element.tag in ("vehicle", "trip")
    ]
    planned_s = next((depart_s for name, depart_s, _ in due if name == last_id), end_s)
    theirs = [end_s - depart_s for _, depart_s, tag in due if tag == "vehicle" and depart_s > planned_s]
    ours = [
        end_s - depart_s for name, depart_s, _ in due if begin_s <= depart_s < end_s and name not in departed
    ]
    return Delay(
        resco_s=(total_s + sum(theirs)) / max(len(departed) + len(theirs), 1),
        due_s=(total_s + sum(ours)) / max(len(departed) + len(ours), 1),
        trips=len(departed),
        arrived=arrived,
        never_departed=len(ours),
    )


def reckless(route_file: Path, out: Path) -> None:
    """Copy a route file; its drivers heed nobody at junctions (SUMO 1.9.2 has no speed mode for that).

    Source: SUMO documentation, "Vehicle Type Parameter Defaults", junction model parameters."""
    tree = ElementTree.parse(route_file)
    for kind in tree.getroot().iter("vType"):
        kind.attrib.update(jmIgnoreFoeProb="1", jmIgnoreFoeSpeed="1000", jmIgnoreJunctionFoeProb="1")
    tree.write(out)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
