"""A city made by hand: two signalled junctions on one street. For the conformance checks and for tests.

    NA        NB            each arm: one lane each way, 300 m, 50 km/h
    |         |             each junction: 8 vehicle groups (through and left of each arm), 2 stages
W - A ------- B - E         left turns are permitted ('g') against the opposing through traffic
    |         |
    SA        SB
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from civicbrain.city.model import Cameras, City, DemandFiles
from civicbrain.city.network import Edges, Lanes, Movements, Network, Nodes, RoadUse
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.signals import (
    Capability,
    Conflict,
    ControllerMode,
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalJunction,
    SignalPlan,
    Stage,
)
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.store import Store

ARM_M = 300.0
SPEED_MPS = 50.0 / 3.6
INTERGREEN_S = 6.0

_PLACES = {
    "W": (0, 0), "A": (1, 0), "B": (2, 0), "E": (3, 0),
    "NA": (1, 1), "SA": (1, -1), "NB": (2, 1), "SB": (2, -1),
}  # fmt: skip
_STREETS = (("W", "A"), ("A", "B"), ("B", "E"), ("NA", "A"), ("SA", "A"), ("NB", "B"), ("SB", "B"))
_COMPASS = {(1, 0): 0, (0, 1): 1, (-1, 0): 2, (0, -1): 3}  # heading -> quarter turns, counter-clockwise
_TURN = {0: "s", 1: "l", 3: "r"}


def sandbox_city(*, plan_only: Collection[str] = ()) -> City:
    """The city drawn above. plan_only: junctions ("A", "B") whose controllers take no stage requests."""
    names = tuple(_PLACES)
    node_row = {name: row for row, name in enumerate(names)}
    pairs = [pair for street in _STREETS for pair in (street, street[::-1])]
    edge_row = {pair: row for row, pair in enumerate(pairs)}
    count = len(pairs)
    edge_ids = tuple(f"{a}{b}" for a, b in pairs)
    shape_xy = np.array([_PLACES[end] for pair in pairs for end in pair], np.float32) * ARM_M

    junctions, rows = [], []
    for junction_row, name in enumerate(("A", "B")):
        arms = [pair for pair in pairs if pair[1] == name]
        groups: list[SignalGroup] = []
        headings: list[int] = []
        link = 0
        for arm in arms:
            links: dict[str, list[int]] = {"through": [], "left": []}
            for exit_ in (pair for pair in pairs if pair[0] == name and pair[1] != arm[0]):
                turn = _TURN[(_heading(exit_) - _heading(arm)) % 4]
                kind = "left" if turn == "l" else "through"
                links[kind].append(link)
                group = len(groups) + (kind == "left")
                rows.append((edge_row[arm], edge_row[exit_], node_row[name], junction_row, link, group, turn))
                link += 1
            for kind, of_kind in links.items():
                groups.append(
                    SignalGroup(
                        f"{arm[0]}-{kind}", GroupKind.VEHICLE, tuple(of_kind), 3.0, 5.0,
                        approach=edge_ids[edge_row[arm]],
                    )
                )  # fmt: skip
                headings.append(_heading(arm))
        junctions.append(_junction(name, groups, headings, link, name in plan_only))

    group_start = (0, len(junctions[0].groups))
    column = [np.array([row[i] for row in rows], np.int32) for i in range(6)]
    movements = Movements(
        from_lane=column[0], to_lane=column[1], node=column[2], junction=column[3], link=column[4],
        group=np.array([row[5] + group_start[row[3]] for row in rows], np.int32),
        turn=np.array([ord(row[6]) for row in rows], np.uint8),
        length_m=np.full(len(rows), 15.0, np.float32),
    )  # fmt: skip
    network = Network(
        lanes=Lanes(
            ids=tuple(f"{edge}_0" for edge in edge_ids),
            edge=np.arange(count, dtype=np.int32),
            index=np.zeros(count, np.int32),
            length_m=np.full(count, ARM_M, np.float32),
            speed_mps=np.full(count, SPEED_MPS, np.float32),
            width_m=np.full(count, 3.2, np.float32),
            use=np.full(count, RoadUse.MOTOR | RoadUse.BUS, np.uint8),
            shape_xy=shape_xy,
            shape_start=np.arange(0, 2 * count + 1, 2, dtype=np.int32),
        ),
        edges=Edges(
            ids=edge_ids,
            names=("",) * count,
            from_node=np.array([node_row[a] for a, _ in pairs], np.int32),
            to_node=np.array([node_row[b] for _, b in pairs], np.int32),
            priority=np.ones(count, np.int32),
            lane_start=np.arange(count + 1, dtype=np.int32),
        ),
        nodes=Nodes(
            ids=names,
            xy=np.array([_PLACES[name] for name in names], np.float32) * ARM_M,
            junction=np.array([("A", "B").index(n) if n in ("A", "B") else -1 for n in names], np.int32),
        ),
        movements=movements,
    )
    seen = [(row, edge_row[pair]) for row, name in enumerate(("A", "B")) for pair in pairs if pair[1] == name]
    cameras = Cameras(
        range_m=150.0,
        junction=np.array([row for row, _ in seen], np.int32),
        lane=np.array([lane for _, lane in seen], np.int32),
        beyond_m=np.zeros(len(seen), np.float32),
    )
    return City(
        name="sandbox", network=network, junctions=tuple(junctions), cameras=cameras,
        demand=DemandFiles(net_file=""), folder=Path("sandbox"), source="made by hand",
    )  # fmt: skip


def _heading(pair: tuple[str, str]) -> int:
    (x0, y0), (x1, y1) = _PLACES[pair[0]], _PLACES[pair[1]]
    return _COMPASS[x1 - x0, y1 - y0]


def _junction(
    name: str, groups: list[SignalGroup], headings: list[int], links: int, plan_only: bool
) -> SignalJunction:
    def relation(a: int, b: int) -> Conflict:
        if headings[a] % 2 != headings[b] % 2:
            return Conflict.PROHIBITED
        left = (groups[a].id.endswith("left"), groups[b].id.endswith("left"))
        return Conflict.PERMITTED if headings[a] != headings[b] and left[0] != left[1] else Conflict.NONE

    size = range(len(groups))
    conflict = tuple(tuple(int(relation(a, b)) for b in size) for a in size)
    intergreen_s = tuple(tuple(INTERGREEN_S if value else 0.0 for value in row) for row in conflict)

    def stage(stage_id: str, axis: int) -> Stage:
        lamps = (("g" if groups[a].id.endswith("left") else "G") if headings[a] % 2 == axis else "r"
                 for a in size)  # fmt: skip
        return Stage(stage_id, "".join(lamps))

    x, y = _PLACES[name]
    return SignalJunction(
        id=name, name=f"Junction {name}", x_m=x * ARM_M, y_m=y * ARM_M, node_ids=(name,), link_count=links,
        groups=tuple(groups), conflict=conflict, intergreen_s=intergreen_s,
        stages=(stage("main", 0), stage("side", 1)),
        local_plan=SignalPlan("local", (PlanStep(0, 45.0), PlanStep(1, 30.0))),
        capability=Capability.PLAN if plan_only else Capability.STAGE,
        intergreen_source="made by hand",
    )  # fmt: skip


def sandbox_detections(city: City, time_s: float, seed: int = 0, vehicles: int = 40) -> Detections:
    """A frame of vehicles at random places before the stop lines; the same for the same time and seed."""
    random = np.random.default_rng([seed, int(abs(time_s) * 10)])
    vehicles = vehicles if len(city.cameras.lane) else 0
    pick = np.sort(random.integers(0, max(1, len(city.cameras.lane)), vehicles))
    reach_m = np.minimum(city.network.lanes.length_m[city.cameras.lane[pick]], city.cameras.range_m)
    return Detections(
        "sandbox", time_s, time_s,
        cameras=np.arange(len(city.junctions), dtype=np.int32),
        camera=city.cameras.junction[pick],
        lane=city.cameras.lane[pick],
        distance_m=(random.random(vehicles) * reach_m + city.cameras.beyond_m[pick]).astype(np.float32),
        speed_mps=(random.random(vehicles) * SPEED_MPS).astype(np.float32),
        vehicle_class=np.zeros(vehicles, np.uint8),
        next_movement=np.full(vehicles, -1, np.int32),
    )  # fmt: skip


def sandbox_signals(city: City, time_s: float, stage: int = 0, since_s: float = 0.0) -> SignalStates:
    """All controllers steady in that stage (or their last, if they have fewer), under the centre."""
    shown = [min(stage, len(junction.stages) - 1) for junction in city.junctions]
    lamps = "".join(j.stages[row].lamps for j, row in zip(city.junctions, shown, strict=True))
    count = len(shown)
    return SignalStates(
        "sandbox", time_s,
        lamps=np.frombuffer(lamps.encode("ascii"), np.uint8),
        lamps_since_s=np.full(len(lamps), since_s, np.float32),
        stage=np.array(shown, np.int32),
        stage_since_s=np.full(count, since_s, np.float32),
        target=np.array(shown, np.int32),
        mode=np.full(count, int(ControllerMode.CENTRAL), np.uint8),
    )  # fmt: skip


def sandbox_snapshots(city: City, count: int, *, seed: int = 0, step_s: float = 1.0) -> list[Snapshot]:
    """`count` snapshots in a row, as a store hands them out; the stage changes every 20 s."""
    store = Store(city)
    snapshots = []
    for number in range(count):
        now_s = city.demand.begin_s + number * step_s
        since_s = now_s - (now_s - city.demand.begin_s) % 20.0
        stage = int((since_s - city.demand.begin_s) // 20.0) % 2
        store.fold(
            [sandbox_detections(city, now_s, seed), sandbox_signals(city, now_s, stage, since_s)], now_s
        )
        snapshots.append(store.snapshot(now_s))
    return snapshots
