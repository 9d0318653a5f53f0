"""NEMA dual-ring controllers as they come in SUMO's files, written out as the phases that the street sees.

A NEMA phase is a movement, not a state of the junction: of each ring one phase is shown, of two rings two at
once, and only at a barrier do both change together. SUMO's tlLogic of type NEMA gives the lamps of each
movement phase alone; taken one after the other they would be half of what the controller shows. Here the
rings run side by side with every phase as long as its longest green, which is the plan of a controller on
maximum recall; pairs that only occur when a phase is cut short or skipped are told as states beside it.

Source: Federal Highway Administration (2008), Traffic Signal Timing Manual, ch. 4 (rings and barriers);
SUMO's documentation, Simulation/NEMA (`ring1`, `ring2`, `barrierPhases`, `barrier2Phases`, phases by name;
clearance in each phase's `yellow` and `red`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from civicbrain.core.errors import SignalProgramError

YELLOW_S, RED_S = 3.0, 2.0
"""Clearance of a phase that gives none: what netconvert writes."""

_STRENGTH = {"G": 3, "g": 2, "y": 1}
"""Where both rings light a link, the stronger lamp is shown; all others are red."""


@dataclass(frozen=True, slots=True)
class RingPhase:
    """One movement phase. name: its number. state: lamps a link while it is green. green_s: its longest;
    least_s: its minimum, None where the file has none."""

    name: str
    state: str
    green_s: float
    least_s: float | None = None
    yellow_s: float = YELLOW_S
    red_s: float = RED_S

    @property
    def length_s(self) -> float:
        return self.green_s + self.yellow_s + self.red_s


@dataclass(frozen=True, slots=True)
class Cycle:
    """phases: (lamps a link, seconds, minimum or None), as of a plain program. beside: states that the
    controller shows when it cuts a phase short or skips one."""

    phases: tuple[tuple[str, float, float | None], ...]
    beside: tuple[str, ...]


@dataclass(slots=True)
class _Shown:
    """A phase of one ring in its place: seconds of the cycle in which its green begins and ends, and in which
    its clearance is over. after: lamps of the phase that follows at once, "" where the ring then rests."""

    phase: RingPhase
    begin_s: float
    end_s: float
    over_s: float
    after: str = ""

    @property
    def yellow_end_s(self) -> float:
        return round(self.end_s + self.phase.yellow_s, 3)


def write_out(phases: Sequence[RingPhase], params: Mapping[str, str], place: str) -> Cycle:
    """The cycle of both rings.

    Raises SignalProgramError where rings and barriers do not fit together. place: for its message.
    """
    by_name = {phase.name: phase for phase in phases}
    blocks = _blocks(by_name, params, place)
    rings: list[list[_Shown]] = [[], []]
    now_s = 0.0
    for block in blocks:
        length_s = max(sum(phase.length_s for phase in part) for part in block)
        for ring, part in zip(rings, block, strict=True):
            begin_s = now_s
            for number, phase in enumerate(part):
                clears_s = phase.yellow_s + phase.red_s
                last = number == len(part) - 1
                end_s = now_s + length_s - clears_s if last else begin_s + phase.green_s
                over_s = round(end_s + clears_s, 3)  # SUMO's resolution: both rings must agree to the digit
                ring.append(_Shown(phase, begin_s, round(end_s, 3), over_s))
                begin_s = over_s
        now_s = round(now_s + length_s, 3)
    for ring in rings:
        for shown, following in zip(ring, [*ring[1:], *ring[:1]], strict=True):
            if shown.over_s % now_s == following.begin_s:
                shown.after = following.phase.state
    moments = {0.0, now_s}
    for shown in (shown for ring in rings for shown in ring):
        moments |= {shown.begin_s, shown.end_s, shown.yellow_end_s, shown.over_s}
    found: list[tuple[str, float, float | None]] = []
    for begin_s, end_s in pairwise(sorted(moments)):
        now = [one for ring in rings if (one := _current(ring, begin_s))]
        state = _together([_lamps(shown, begin_s) for shown in now])
        clears = any(begin_s >= shown.end_s for shown in now)
        least_s = [shown.phase.least_s for shown in now if shown.phase.least_s is not None]
        found.append((state, end_s - begin_s, None if clears else max(least_s, default=None)))
    pairs = [
        _together([one.state, other.state]) for first, second in blocks for one in first for other in second
    ]
    shown_states = {state for state, _, _ in found}
    beside = dict.fromkeys(state for state in pairs if state not in shown_states)
    return Cycle(tuple(found), tuple(beside))


def _blocks(
    by_name: Mapping[str, RingPhase], params: Mapping[str, str], place: str
) -> list[tuple[list[RingPhase], list[RingPhase]]]:
    """What both rings show between two barriers, in the order of the first ring that has any."""
    barrier_of: dict[str, int] = {}
    for number, names in enumerate((_names(params, "barrierPhases"), _barrier_2(params))):
        barrier_of |= dict.fromkeys(names, number)
    rings = []
    for key in ("ring1", "ring2"):
        blocks: dict[int, list[RingPhase]] = {}
        part: list[RingPhase] = []
        for name in _names(params, key):
            if name not in by_name:
                raise SignalProgramError(
                    f"{key} names phase {name}, which the program does not have", place=place,
                    remedy="correct the ring, or add the phase",
                )  # fmt: skip
            part.append(by_name[name])
            if name in barrier_of:
                blocks[barrier_of[name]] = part
                part = []
        if part and blocks:  # the file begins the ring in the middle of a block
            first = next(iter(blocks))
            blocks[first] = part + blocks[first]
        elif part:
            blocks[0] = part
        rings.append(blocks)
    order = list(dict.fromkeys([*rings[0], *rings[1]]))
    if not order:
        raise SignalProgramError(
            "a NEMA program without rings", place=place, remedy="give it the params ring1 and ring2"
        )
    return [(rings[0].get(barrier, []), rings[1].get(barrier, [])) for barrier in order]


def _barrier_2(params: Mapping[str, str]) -> list[str]:
    """SUMO's files name the second barrier by its phases or, older, by those coordinated."""
    return _names(params, "barrier2Phases") or _names(params, "coordinatePhases")


def _names(params: Mapping[str, str], key: str) -> list[str]:
    """Phases of a ring or barrier; 0 stands for a phase that the junction does not have."""
    names = (text.strip() for text in params.get(key, "").split(","))
    return [name for name in names if name not in ("", "0")]


def _current(ring: Sequence[_Shown], at_s: float) -> _Shown | None:
    """What a ring shows in a second of the cycle, its clearance included; None while it rests."""
    return next((shown for shown in ring if shown.begin_s <= at_s < shown.over_s), None)


def _lamps(shown: _Shown, at_s: float) -> str:
    """A phase while it is green or clears: what the next phase shows as well stays green."""
    state = shown.phase.state
    if at_s < shown.end_s:
        return state
    ends = "y" if at_s < shown.yellow_end_s else "r"
    return "".join(
        min(old, new, key=_strength) if old in "Gg" and new in "Gg" else ends if old in "Gg" else "r"
        for old, new in zip(state, shown.after.ljust(len(state), "r"), strict=False)
    )


def _strength(lamp: str) -> int:
    return _STRENGTH.get(lamp, 0)


def _together(states: Sequence[str]) -> str:
    width = max((len(state) for state in states), default=0)
    columns = zip(*(state.ljust(width, "r") for state in states), strict=True)
    return "".join(max(column, key=_strength) for column in columns)
