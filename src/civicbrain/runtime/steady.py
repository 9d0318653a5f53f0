"""What was told stands until something else has held for some seconds: who looks twice reads the same.

The one place where causes are kept from flickering. What is judged anew each second, from figures near a
limit, would otherwise be told and taken back with every vehicle.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

STANDS_S = 15.0
"""Seconds of the city's clock that another cause must hold before it is told: longer than the last vehicles
of a queue take at the stop line, shorter than a cycle."""

FORGOTTEN_S = 20.0
"""What nobody looked at for so long is told anew."""


class Identified(Protocol):
    """Something that can be told."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Of two that read the same but for their figures, the same."""


T = TypeVar("T", bound=Identified)


class Steady(Generic[T]):
    """`keep` at each look, one answer a place."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[float, T]] = {}  # place -> last look, what was told
        self._other: dict[int, tuple[float, tuple[object, ...]]] = {}  # place -> since when it is which other

    def keep(self, place: int, found: T, now_s: float) -> T:
        """found: what the rules say now. Returns what is to be told."""
        at_s, told = self._told.get(place, (-1e9, found))
        other = found.identity
        if other == told.identity or not 0.0 <= now_s - at_s <= FORGOTTEN_S:
            self._other.pop(place, None)
            told = found
        else:
            since_s, which = self._other.get(place, (now_s, other))
            if which != other:
                since_s = now_s
            self._other[place] = since_s, other
            if now_s - since_s >= STANDS_S:
                del self._other[place]
                told = found
        self._told[place] = now_s, told
        return told
