"""A hand-made city for the tests: a grid of signalled junctions, two lanes a direction, 200 m blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from civicbrain.city.model import Cameras, City, DemandFiles
from civicbrain.city.network import Edges, Lanes, Movements, Network, Nodes, RoadUse
from civicbrain.city.signals import (
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalJunction,
    SignalPlan,
    Stage,
)

BLOCK_M = 200.0
LANE_WIDTH_M = 3.2
JUNCTION_RADIUS_M = 10.0
HEADINGS = ((0, 1), (1, 0), (0, -1), (-1, 0))  # north, east, south, west
APPROACHES = 4


def grid_city(size: int = 6, folder: Path = Path(), *, awkward_id: str = "") -> City:
    """A size × size grid. Junction ids are J<column>_<row>; awkward_id renames the first one."""
    nodes = [(i, k) for i in range(size + 2) for k in range(size + 2) if not _corner(i, k, size)]
    row_of = {node: row for row, node in enumerate(nodes)}
    inner = [node for node in nodes if 0 < node[0] <= size and 0 < node[1] <= size]
    junction_of = {node: row for row, node in enumerate(inner)}
    pairs = [
        (node, (node[0] + dx, node[1] + dy))
        for node in nodes
        for dx, dy in HEADINGS
        if (node[0] + dx, node[1] + dy) in row_of
        and (node in junction_of or (node[0] + dx, node[1] + dy) in junction_of)
    ]
    edge_of = {pair: row for row, pair in enumerate(pairs)}
    lanes = _lanes(pairs)
    edges = Edges(
        ids=tuple(f"E{a[0]}_{a[1]}-{b[0]}_{b[1]}" for a, b in pairs),
        names=tuple(f"Street {a[0] if a[0] == b[0] else a[1]}" for a, b in pairs),
        from_node=np.array([row_of[a] for a, _ in pairs], np.int32),
        to_node=np.array([row_of[b] for _, b in pairs], np.int32),
        priority=np.ones(len(pairs), np.int32),
        lane_start=np.arange(0, 2 * len(pairs) + 1, 2, dtype=np.int32),
    )
    node_table = Nodes(
        ids=tuple(f"N{i}_{k}" for i, k in nodes),
        xy=np.array(nodes, np.float32) * BLOCK_M,
        junction=np.array([junction_of.get(node, -1) for node in nodes], np.int32),
    )
    movements = _movements(inner, edge_of, row_of, junction_of)
    junctions = tuple(_junction(node, awkward_id if row == 0 else "") for row, node in enumerate(inner))
    approach = np.flatnonzero(np.isin(edges.to_node, [row_of[node] for node in inner]))
    cameras = Cameras(
        range_m=150.0,
        junction=np.repeat(node_table.junction[edges.to_node[approach]], 2).astype(np.int32),
        lane=(np.repeat(approach * 2, 2) + np.tile([0, 1], len(approach))).astype(np.int32),
        beyond_m=np.zeros(2 * len(approach), np.float32),
    )
    return City(
        name="grid",
        network=Network(lanes, edges, node_table, movements),
        junctions=junctions,
        cameras=cameras,
        demand=DemandFiles(net_file="twin/net.xml.gz", begin_s=0.0, end_s=3600.0),
        folder=folder,
        source="hand-made grid for tests",
    )


def _corner(i: int, k: int, size: int) -> bool:
    return i in (0, size + 1) and k in (0, size + 1)


def _lanes(pairs: list[tuple[tuple[int, int], tuple[int, int]]]) -> Lanes:
    ids, shapes, edge, index = [], [], [], []
    for row, (a, b) in enumerate(pairs):
        start, end = np.array(a) * BLOCK_M, np.array(b) * BLOCK_M
        heading = (end - start) / BLOCK_M
        right = np.array([heading[1], -heading[0]])
        for lane in (0, 1):  # right to left
            offset = right * LANE_WIDTH_M * (1.5 - lane)
            shapes.append(start + heading * JUNCTION_RADIUS_M + offset)
            shapes.append(end - heading * JUNCTION_RADIUS_M + offset)
            ids.append(f"E{a[0]}_{a[1]}-{b[0]}_{b[1]}_{lane}")
            edge.append(row)
            index.append(lane)
    count = len(ids)
    return Lanes(
        ids=tuple(ids),
        edge=np.array(edge, np.int32),
        index=np.array(index, np.int32),
        length_m=np.full(count, BLOCK_M - 2 * JUNCTION_RADIUS_M, np.float32),
        speed_mps=np.full(count, 13.9, np.float32),
        width_m=np.full(count, LANE_WIDTH_M, np.float32),
        use=np.full(count, RoadUse.MOTOR, np.uint8),
        shape_xy=np.array(shapes, np.float32),
        shape_start=np.arange(0, 2 * count + 1, 2, dtype=np.int32),
    )


def _movements(
    inner: list[tuple[int, int]],
    edge_of: dict[tuple[tuple[int, int], tuple[int, int]], int],
    row_of: dict[tuple[int, int], int],
    junction_of: dict[tuple[int, int], int],
) -> Movements:
    rows = []
    for node in inner:
        for approach, (dx, dy) in enumerate(HEADINGS):
            came = edge_of[(node[0] - dx, node[1] - dy), node]
            # (turn, heading, from lane): straight from both, right and left from one each
            for link, (turn, (tx, ty), lane) in enumerate(
                (("r", (dy, -dx), 0), ("s", (dx, dy), 0), ("s", (dx, dy), 1), ("l", (-dy, dx), 1))
            ):
                goes = edge_of[node, (node[0] + tx, node[1] + ty)]
                junction = junction_of[node]
                rows.append(
                    (2 * came + lane, 2 * goes + lane, row_of[node], junction, 4 * approach + link,
                     APPROACHES * junction + approach, ord(turn), 20.0)
                )  # fmt: skip
    columns = np.array(rows)
    return Movements(
        *(columns[:, i].astype(np.int32) for i in range(6)),
        turn=columns[:, 6].astype(np.uint8),
        length_m=columns[:, 7].astype(np.float32),
    )


def _junction(node: tuple[int, int], junction_id: str) -> SignalJunction:
    crosses = tuple(
        tuple((a + b) % 2 for b in range(APPROACHES)) for a in range(APPROACHES)
    )  # approaches 0, 2 run north-south, 1, 3 east-west
    return SignalJunction(
        id=junction_id or f"J{node[0]}_{node[1]}",
        name=f"Street {node[0]} / Street {node[1]}",
        x_m=node[0] * BLOCK_M,
        y_m=node[1] * BLOCK_M,
        node_ids=(f"N{node[0]}_{node[1]}",),
        link_count=4 * APPROACHES,
        groups=tuple(
            SignalGroup(
                id=f"g{approach}", kind=GroupKind.VEHICLE,
                links=tuple(range(4 * approach, 4 * approach + 4)), yellow_s=3.0, min_green_s=5.0,
            )
            for approach in range(APPROACHES)
        ),
        conflict=tuple(tuple(2 * value for value in row) for row in crosses),
        intergreen_s=tuple(tuple(5.0 * value for value in row) for row in crosses),
        stages=(Stage("1", "GrGr"), Stage("2", "rGrG")),
        local_plan=SignalPlan("plan", (PlanStep(0, 45.0), PlanStep(1, 45.0))),
        intergreen_source="written by hand",
    )  # fmt: skip
