"""Streets of a generated city: the frame's sections and local streets through blocks, as directed edges.

Exactly the wanted number of junctions get signals: where the most lanes meet. Other crossings and all
ends of local streets are priority junctions. Local streets meet arterials by right turns only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from civicbrain.city.network import F64
from civicbrain.twin.generating.grid import Frame, Kind, Section, draw_frame

I64 = NDArray[np.int64]

LANES = {Kind.LOCAL: 1, Kind.COLLECTOR: 2, Kind.ARTERIAL: 3}
ONE_WAY_LANES = 3
SPEED_MPS = {Kind.LOCAL: 30 / 3.6, Kind.COLLECTOR: 40 / 3.6, Kind.ARTERIAL: 50 / 3.6}
LOCAL_SHARE = 0.45
"""Share of blocks with a local street through them."""
LOCAL_ONE_WAY_SHARE = 0.3
_SHORTEST_SPLIT_M = 200.0


@dataclass(frozen=True)
class Street:
    """A directed street section between nodes a and b (rows)."""

    id: str
    a: int
    b: int
    kind: Kind
    lanes: int
    name: str
    bridge: bool

    @property
    def speed_mps(self) -> float:
        return SPEED_MPS[self.kind]


@dataclass(frozen=True, eq=False)
class Streets:
    """xy (n, 2) m and ids of the nodes; which of them have signals, are gates; the directed sections."""

    xy: F64
    node_ids: tuple[str, ...]
    signals: tuple[int, ...]
    gates: tuple[int, ...]
    streets: tuple[Street, ...]
    frame: Frame


def draw_streets(junctions: int, seed: int) -> Streets:
    """Draw the city with exactly `junctions` signal junctions."""
    frame = _fitting_frame(junctions, seed)
    rng = np.random.default_rng((seed, junctions, 2))
    sections, xy = _with_local_streets(frame, rng)
    degree = _degree(frame.sections, len(xy))
    arms = np.zeros(len(xy))
    for section in frame.sections:
        arms[[section.a, section.b]] += LANES[section.kind]
    candidates = np.flatnonzero(degree >= 3)
    ranked = candidates[np.lexsort((rng.random(len(candidates)), -arms[candidates]))]
    signals = tuple(sorted(int(node) for node in ranked[:junctions]))
    ids = _node_ids(len(xy), signals, frame.gates)
    one_way = _one_way(frame, sections, len(xy), rng)
    return Streets(xy, ids, signals, frame.gates, tuple(_directed(sections, one_way, ids)), frame)


def _fitting_frame(junctions: int, seed: int) -> Frame:
    """The smallest frame, nearly square, with enough crossings of three streets or more."""
    sizes = sorted(
        (rows * columns, columns - rows, rows)
        for rows in range(3, 90)
        for columns in range(rows, min(int(rows * 1.6) + 1, 120))
        if junctions <= rows * columns <= 1.6 * junctions + 20
    )
    frame = None
    for size, _, rows in sizes:
        frame = draw_frame(rows, size // rows, np.random.default_rng((seed, junctions, 1, size, rows)))
        degree = _degree(frame.sections, len(frame.xy))
        if int((degree >= 3).sum()) >= junctions and _in_one_piece(frame, degree):
            return frame
    raise AssertionError(f"no frame holds {junctions} junctions")


def _in_one_piece(frame: Frame, degree: I64) -> bool:
    ends = np.array([(section.a, section.b) for section in frame.sections]).T
    matrix = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(len(degree), len(degree)))
    _, label = connected_components(matrix, directed=False)
    return len(np.unique(label[degree > 0])) == 1


def _degree(sections: tuple[Section, ...], count: int) -> I64:
    ends = np.array([(section.a, section.b) for section in sections]).ravel()
    return np.bincount(ends, minlength=count)


def _with_local_streets(frame: Frame, rng: np.random.Generator) -> tuple[list[Section], F64]:
    """The sections, those at which local streets end cut in two, and the local streets."""
    row_of = {(section.a, section.b): row for row, section in enumerate(frame.sections)}
    points = list(frame.xy)
    middle: dict[int, int] = {}  # row of a section -> node that cuts it
    local: list[Section] = []
    for number, (sw, se, nw, ne) in enumerate(frame.blocks):
        draw, upright, place = rng.random(), rng.random() < 0.5, rng.uniform(0.42, 0.58)
        if draw >= LOCAL_SHARE:
            continue
        sides = ((sw, se), (nw, ne)) if upright else ((sw, nw), (se, ne))
        rows = [row_of.get(side) for side in sides]
        if any(row is None or not _may_cut(frame, row) for row in rows):
            continue
        nodes = []
        for row in rows:
            assert row is not None
            if row not in middle:
                section = frame.sections[row]
                cut = (1.0 - place) * frame.xy[section.a] + place * frame.xy[section.b]
                middle[row] = len(points)
                points.append(np.round(cut, 1))
            nodes.append(middle[row])
        local.append(Section(nodes[0], nodes[1], Kind.LOCAL, f"Lane {len(local) + 1}", -1 - number))
    sections: list[Section] = []
    for row, section in enumerate(frame.sections):
        if row in middle:
            sections.append(Section(section.a, middle[row], section.kind, section.name, section.line))
            sections.append(Section(middle[row], section.b, section.kind, section.name, section.line))
        else:
            sections.append(section)
    return sections + local, np.array(points)


def _may_cut(frame: Frame, row: int) -> bool:
    section = frame.sections[row]
    length_m = float(np.hypot(*(frame.xy[section.a] - frame.xy[section.b])))
    return not section.bridge and length_m >= _SHORTEST_SPLIT_M


def _node_ids(count: int, signals: tuple[int, ...], gates: tuple[int, ...]) -> tuple[str, ...]:
    ids = [f"n{row}" for row in range(count)]
    for number, row in enumerate(signals, start=1):
        ids[row] = f"J{number}"
    for number, row in enumerate(gates, start=1):
        ids[row] = f"gate{number}"
    return tuple(ids)


def _one_way(frame: Frame, sections: list[Section], count: int, rng: np.random.Generator) -> dict[int, int]:
    """Row of a section -> +1 or -1, such that every node is reached from every other.

    A one-way section between parts of the city that do not reach each other both ways becomes two-way.
    """
    one_way: dict[int, int] = {}
    for row, section in enumerate(sections):
        if section.kind is Kind.LOCAL:
            if rng.random() < LOCAL_ONE_WAY_SHARE:
                one_way[row] = 1 if rng.random() < 0.5 else -1
        elif section.line in frame.one_way_lines and section.kind is Kind.COLLECTOR and not section.bridge:
            one_way[row] = frame.one_way_lines[section.line]
    while True:
        heads, tails = [], []
        for row, section in enumerate(sections):
            way = one_way.get(row, 0)
            if way >= 0:
                heads.append(section.a)
                tails.append(section.b)
            if way <= 0:
                heads.append(section.b)
                tails.append(section.a)
        matrix = coo_matrix((np.ones(len(heads)), (heads, tails)), shape=(count, count)).tocsr()
        _, label = connected_components(matrix, directed=True, connection="strong")
        apart = [row for row in one_way if label[sections[row].a] != label[sections[row].b]]
        if not apart:
            return one_way
        for row in apart:
            del one_way[row]


def _directed(sections: list[Section], one_way: dict[int, int], ids: tuple[str, ...]) -> list[Street]:
    result = []
    pieces: dict[tuple[int, int], int] = defaultdict(int)
    for row, section in enumerate(sections):
        way = one_way.get(row, 0)
        lanes = LANES[section.kind]
        if way and section.kind is not Kind.LOCAL:
            lanes = ONE_WAY_LANES
        ends = [(section.a, section.b)] * (way >= 0) + [(section.b, section.a)] * (way <= 0)
        for a, b in ends:
            pieces[a, b] += 1
            assert pieces[a, b] == 1, "two sections between the same nodes"
            street_id = f"{ids[a]}-{ids[b]}"
            result.append(Street(street_id, a, b, section.kind, lanes, section.name, section.bridge))
    return result
