"""Which lane leads where: explicit connections, so that left turns at signals have a lane of their own."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from civicbrain.twin.generating.grid import Kind
from civicbrain.twin.generating.streets import Street, Streets

_AHEAD_DEG = 50.0
_AHEAD_ONTO_LOCAL_DEG = 20.0
"""Turns of less than this go straight on; where a local street joins at a slant, fewer do."""


@dataclass(frozen=True)
class Connection:
    """A lane (0 is rightmost) of one street to a lane of the next."""

    from_id: str
    to_id: str
    from_lane: int
    to_lane: int


def connect(city: Streets) -> list[Connection]:
    """Connections of every node, in the order of the streets.

    U-turns only at gates, at dead ends, and into a street that nothing else leads into.
    """
    leaving: dict[int, list[Street]] = defaultdict(list)
    for street in city.streets:
        leaving[street.a].append(street)
    onward = {street.id: _onward(city, street, leaving[street.b]) for street in city.streets}
    entered = {target.id for turns in onward.values() for targets in turns.values() for target in targets}
    by_ends = {(street.a, street.b): street for street in city.streets}
    gates = set(city.gates)
    result: list[Connection] = []
    for street in city.streets:
        turns = onward[street.id]
        back = by_ends.get((street.b, street.a))
        if back and (street.b in gates or not turns or back.id not in entered):
            turns["t"] = [back]
        result += _of_street(street, turns)
    return result


def _onward(city: Streets, street: Street, leaving: list[Street]) -> dict[str, list[Street]]:
    """Where a street leads, by turn, without turning round."""
    result: dict[str, list[Street]] = {}
    for target in leaving:
        if target.b == street.a:
            continue
        local = Kind.LOCAL in (street.kind, target.kind)
        turn = _turn(city, street, target, _AHEAD_ONTO_LOCAL_DEG if local else _AHEAD_DEG)
        if local and turn != "r" and _crosses_arterial(street, target, leaving):
            continue
        result.setdefault(turn, []).append(target)
    return result


def _crosses_arterial(street: Street, target: Street, around: list[Street]) -> bool:
    """Whether a way from or to a local street would cross or leave an arterial to the left."""
    return Kind.ARTERIAL in (street.kind, target.kind, *(other.kind for other in around))


def _turn(city: Streets, street: Street, target: Street, ahead_deg: float) -> str:
    (ax, ay), (bx, by), (cx, cy) = city.xy[street.a], city.xy[street.b], city.xy[target.b]
    before, after = math.atan2(by - ay, bx - ax), math.atan2(cy - by, cx - bx)
    angle = math.degrees(math.remainder(after - before, 2.0 * math.pi))
    return "s" if abs(angle) < ahead_deg else "l" if angle > 0 else "r"


def _of_street(street: Street, onward: dict[str, list[Street]]) -> list[Connection]:
    """Right turns from the right, left turns from the left, straight on from what lies between."""
    count = street.lanes
    turns = [turn for turn in "rslt" if onward.get(turn)]
    if not turns:
        return []
    shared = all(target.kind is Kind.LOCAL for target in onward.get("l", []))
    use = _lane_use(count, turns, shared)
    result = []
    for turn in turns:
        lanes = use[turn]
        for target in onward[turn]:
            if turn == "s":
                pairs = [(lane, min(lane, target.lanes - 1)) for lane in lanes]
            elif turn == "r":
                pairs = [(lane, min(place, target.lanes - 1)) for place, lane in enumerate(lanes)]
            else:
                last = target.lanes - 1
                pairs = [(lane, max(last - place, 0)) for place, lane in enumerate(reversed(lanes))]
            taken: set[int] = set()
            for lane, into in pairs:
                if into not in taken:  # two lanes never end in one
                    result.append(Connection(street.id, target.id, lane, into))
                    taken.add(into)
    return result


def _lane_use(count: int, turns: list[str], shared: bool) -> dict[str, list[int]]:
    """Lanes of each turn. With two lanes or more, left turns have the leftmost to themselves, unless they are
    the few into local streets (shared)."""
    everything = list(range(count))
    if len(turns) == 1:
        return {turns[0]: everything}
    if count == 1:
        return {turn: [0] for turn in turns}
    left = "l" if "l" in turns else "t" if "t" in turns else ""
    use: dict[str, list[int]] = {}
    if left:
        use[left] = [count - 1]
    rest = everything[:-1] if left and not (shared and left == "l") else everything
    if "s" in turns:
        use["s"] = rest
        if "r" in turns:
            use["r"] = rest[:1]
    elif "r" in turns:
        use["r"] = rest[:1]
        if left and count > 2:
            use[left] = everything[1:]
    if "t" in turns and left != "t":
        use["t"] = use["l"][-1:]
    return use
