"""Towns in the form of the City Brain Challenge, made by hand, and runs of them."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import libsumo

from civicbrain.city.folder import load_city
from civicbrain.twin.delay_index import FreeFlows
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

LANES = "1 0 0 0 1 0 0 0 1"
CROSS_ROADNET = f"""6 // C has signals; X lies beyond N, 40 m away
28.7000 115.8000 C 1
28.7030 115.8000 N 0
28.7000 115.8034 E 0
28.6970 115.8000 S 0
28.7000 115.7966 W 0
28.7034 115.8000 X 0
5
C N 320 10 3 3 1 2
{LANES}
{LANES}
C E 333.5 12.5 3 3 3 4
{LANES}
{LANES}
C S 320 10 3 3 5 6
{LANES}
{LANES}
C W 320 10 3 3 7 8
{LANES}
{LANES}
N X 40 10 3 3 9 10
{LANES}
{LANES}
1
C 1 3 5 7
"""
CROSS_FLOW = """3
0\t100\t10
2
8 3

0 30 12.5
3
4 1 9
50 60 30
2
6 5
"""


def write_cross(folder: Path, roadnet: str = CROSS_ROADNET, flow: str | None = None) -> Path:
    """A junction C with four arms, and a road of 40 m beyond its northern one. The last flow turns round,
    which no lane may: it is left out unless `flow` is given."""
    folder.mkdir(parents=True)
    (folder / "roadnet.txt").write_text(roadnet)
    sound = "2\n" + "\n".join(CROSS_FLOW.splitlines()[1:8]) + "\n"
    (folder / "flow.txt").write_text(sound if flow is None else flow)
    return folder


def write_tee(folder: Path) -> Path:
    """The same without a western arm."""
    lines = CROSS_ROADNET.splitlines()
    at = lines.index("C W 320 10 3 3 7 8")
    kept = [*lines[:at], *lines[at + 3 :]]
    text = "\n".join(kept).replace("C 1 3 5 7", "C 1 3 5 -1").replace("\n5\nC N", "\n4\nC N") + "\n"
    text = text.replace("28.7000 115.7966 W 0\n", "").replace("6 // C", "5 // C")
    return write_cross(folder, text, "1\n0 60 20\n2\n4 1\n")


def write_crossroads(folder: Path) -> Path:
    """The same, and at N, which has no signals, a road that crosses: 1,200 vehicles an hour and way on
    it, and as many on the road from X to C."""
    arms = f"N P 400 12.5 3 3 11 12\n{LANES}\n{LANES}\nN Q 400 12.5 3 3 13 14\n{LANES}\n{LANES}\n1\nC 1 3 5 7"
    text = CROSS_ROADNET.replace("1\nC 1 3 5 7", arms)
    text = text.replace("6 // C", "8 // C").replace("\n5\nC N", "\n7\nC N")
    places = "28.7070 115.8000 X 0\n28.7030 115.7959 P 0\n28.7030 115.8041 Q 0"
    text = text.replace("28.7034 115.8000 X 0", places).replace("N X 40 10", "N X 400 10")
    ways = ("10 2", "12 13", "14 11")
    return write_cross(folder, text, "3\n" + "".join(f"0 600 3\n2\n{way}\n" for way in ways))


# in the twin's own process


def _fixed_twin(folder: str, **options: Any) -> Twin:
    return Twin(load_city(Path(folder)), TwinOptions(program="fixed", seed=1, **options))


def index_beside_trips(folder: str) -> dict[str, float]:
    """The index once all have arrived, beside the mean of (arrival - due) / free-flow time that follows from
    SUMO's trip records. Roads 8, 3 and 4, 1, 9 are 320 m at 10 m/s, but 3 and 4 333.5 m at 12.5 m/s and 9
    40 m; vehicles enter with their front where SUMO says."""
    twin = _fixed_twin(folder, delay_index_limit=100.0, end_s=300.0)
    assert twin._folder is not None
    inside = FreeFlows(twin.city)
    while not twin.ended:
        twin.step()
    index = twin._index
    assert index is not None
    kept = twin._folder
    libsumo.close()
    indices = []
    for _, element in ElementTree.iterparse(kept / "trips.xml"):
        if element.tag == "tripinfo":
            trip = {name: float(element.attrib[name]) for name in ("duration", "departDelay", "departPos")}
            route = ["8", "3"] if element.attrib["id"].startswith("flow0") else ["4", "1", "9"]
            speeds = {"8": 10.0, "3": 12.5, "4": 12.5, "1": 10.0, "9": 10.0}
            lengths = {"8": 320.0, "3": 333.5, "4": 333.5, "1": 320.0, "9": 40.0}
            free_s = sum(lengths[name] / speeds[name] for name in route)
            free_s += sum(inside._inside_m[pair] / speeds[pair[0]] for pair in itertools.pairwise(route))
            free_s -= trip["departPos"] / speeds[route[0]]
            indices.append((trip["duration"] + trip["departDelay"]) / free_s)
    value = index.value
    twin.close()
    return {"index": value, "by_hand": sum(indices) / len(indices), "arrived": len(indices)}


def stopped_and_whole(folder: str, limit: float) -> list[dict[str, Any]]:
    """Figures of a run that stops at the limit, and of one that goes on."""
    result = []
    for stop in (True, False):
        twin = _fixed_twin(folder, delay_index_limit=limit, stop_at_limit=stop)
        while not twin.ended:
            twin.step()
        metrics = twin.finish()
        result.append(
            {"end_s": twin.time_s, "reached_s": metrics.delay_index_reached_s, "index": metrics.delay_index,
             "served": metrics.vehicles_served, "departed": metrics.departed}
        )  # fmt: skip
    return result


def run_to_the_end(folder: str) -> dict[str, float]:
    """How a day of it ends, once all have had time to arrive."""
    twin = _fixed_twin(folder, end_s=900.0)
    while not twin.ended:
        twin.step()
    metrics = twin.finish()
    twin.close()
    return {
        "due": metrics.vehicles_due, "arrived": metrics.arrived, "collisions": metrics.collisions,
        "time_loss_s": metrics.mean_time_loss_s,
    }  # fmt: skip
