"""The cases of the robustness benchmark: what goes wrong, and what is asked of a control then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from approach_counts import count_approaches
from new_demand import save_with_new_demand

from civicbrain.city.model import City
from civicbrain.city.network import RoadUse
from civicbrain.twin.faults import CameraFault, Faults, LaneBlock

DRAW_SEED = 2026
"""Of the junctions, lanes and entries that are hit: the same ones in every run of a scenario."""
FAULTY_SHARE = 0.5
BLOCKED_SHARE = 0.25
BLOCK_S = 600.0
BLOCK_BEFORE_STOP_LINE_M = 30.0
_LEAST_LENGTH_M = 50.0


@dataclass(frozen=True)
class Case:
    """changes: of StudyOptions. to_base, to_fixed: most that delay may be, as a share of the same control's
    without the fault and of the fixed plan's under the same fault; None: shown, not judged. on_street: the
    fixed plan suffers too, so it must be run again. city: another city folder than the scenario's."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    to_base: float | None = None
    to_fixed: float | None = 1.0
    on_street: bool = False
    city: Path | None = None
    note: str = ""


BASE = Case("base")


def make_cases(city: City, begin_s: float, end_s: float, scratch: Path) -> list[Case]:
    """All cases that this city can have, `BASE` first. scratch: folder for the city with the new demand."""
    middle_s = (begin_s + end_s) / 2.0
    count = len(city.junctions)
    cases = [BASE]
    for coverage, to_base, to_fixed in ((0.5, 1.15, None), (0.25, None, 0.9)):
        equipped = round(coverage * count)
        if equipped:  # a city of one junction has a camera or has none
            note = f"{equipped} of {count} junctions with a camera"
            cases.append(Case(f"coverage {coverage}", {"coverage": coverage}, to_base, to_fixed, note=note))
    sensing = {"miss_rate": 0.2, "latency_s": 1.0}
    cases.append(Case("miss 0.2, 1 s late", sensing, to_base=1.05, to_fixed=None))
    vehicles = count_approaches(city.folder, begin_s, end_s)
    draw = np.random.default_rng(DRAW_SEED)
    order = draw.permutation(count).tolist()
    hit = order[: max(1, round(FAULTY_SHARE * count))]
    for kind in ("silent", "blind", "frozen", "phantom"):
        faults = [
            CameraFault(city.junctions[row].id, kind, middle_s, end_s, lane)
            for row in hit
            if (lane := _quietest_lane(city, row, vehicles) if kind == "phantom" else "") is not None
        ]
        if faults:
            note = f"{len(faults)} of {count} cameras from the middle of the run on"
            cases.append(Case(f"camera {kind}", {"faults": Faults(cameras=tuple(faults))}, note=note))
    wanted = max(1, round(BLOCKED_SHARE * count))
    blocks = [block for row in order if (block := _block(city, row, vehicles, middle_s)) is not None][:wanted]
    if blocks:
        note = f"{len(blocks)} lanes, {BLOCK_S / 60.0:.0f} minutes from the middle of the run on"
        cases.append(Case("blocked lane", {"faults": Faults(lanes=tuple(blocks))}, on_street=True, note=note))
    other, changed = save_with_new_demand(city, DRAW_SEED, scratch / "new-demand-city")
    note = (
        f"{changed['doubled']} entries doubled, {changed['halved']} halved: "
        f"{changed['before']} vehicles become {changed['after']}"
    )
    cases.append(Case("new demand", on_street=True, city=other.folder, note=note))
    return cases


def _approach_lanes(city: City, junction: int) -> list[int]:
    """Rows of the approach lanes for cars that are long enough to see a queue on."""
    movements, lanes = city.network.movements, city.network.lanes
    rows = sorted(set(movements.from_lane[movements.junction == junction].tolist()))
    return [
        row for row in rows if lanes.length_m[row] >= _LEAST_LENGTH_M and lanes.use[row] & int(RoadUse.MOTOR)
    ]


def _quietest_lane(city: City, junction: int, vehicles: Mapping[int, int]) -> str | None:
    """Where an invented queue wastes most: on the approach lane that fewest vehicles use."""
    rows = _approach_lanes(city, junction)
    return city.network.lanes.ids[min(rows, key=lambda row: vehicles[row])] if rows else None


def _block(city: City, junction: int, vehicles: Mapping[int, int], begin_s: float) -> LaneBlock | None:
    """The busiest approach lane of a road with several for cars, so that others can go round it; of any road
    where no approach has several."""
    lanes, edges = city.network.lanes, city.network.edges
    rows = _approach_lanes(city, junction)
    motor = (lanes.use & int(RoadUse.MOTOR)) > 0
    wide = [row for row in rows if motor[_lanes_beside(edges.lane_start, int(lanes.edge[row]))].sum() > 1]
    if not (wide or rows):
        return None
    row = max(wide or rows, key=lambda row: vehicles[row])
    position_m = float(lanes.length_m[row]) - BLOCK_BEFORE_STOP_LINE_M
    return LaneBlock(lanes.ids[row], round(position_m, 1), begin_s, begin_s + BLOCK_S)


def _lanes_beside(lane_start: Any, edge: int) -> slice:
    return slice(int(lane_start[edge]), int(lane_start[edge + 1]))
