"""The last recorded word on what each brain asked of a junction: repetitions are not written again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Request
from civicbrain.contracts.missions import Claim
from civicbrain.guard.claims import is_sound
from civicbrain.guard.entries import text_of, what_of
from civicbrain.guard.rules import MAX_NAME

MOST_WORDS = 100_000

Key = tuple[str, str, str, bool]
"""Brain, junction and mission of a word, and whether it is the door's, not ours."""


@dataclass(slots=True)
class _Word:
    what: object
    outcome: Outcome
    rule: str


class LastWords:
    """refused_by_door: keys of what the controllers refused last."""

    def __init__(self, junctions: Collection[str]) -> None:
        self._junctions = junctions
        self._words: dict[Key, _Word] = {}
        self.refused_by_door: set[Key] = set()

    def is_news(self, request: Request, verdict: Verdict, by_the_door: bool = False) -> bool:
        """False for a repetition of the last word on this brain at this junction; keeps it otherwise."""
        key = self.key(request, by_the_door)
        rule = "accepted" if verdict.outcome is Outcome.ACCEPTED else verdict.rule
        word = _Word(what_of(request) if key[1] else None, verdict.outcome, rule)
        if self._words.get(key) == word:
            return False
        if len(self._words) > MOST_WORDS:
            self._words.clear()
        self._words[key] = word
        return True

    def key(self, request: Request, by_the_door: bool) -> Key:
        junction = text_of(getattr(request, "junction", None))
        if junction not in self._junctions:  # made-up names must not fill the memory or the record
            junction = ""
        claim = claim_of(request)
        mission = claim.mission if claim is not None and is_sound(claim, MAX_NAME) else ""
        return text_of(getattr(request, "brain", None)), junction, mission, by_the_door

    def door_opens(self, request: Request) -> bool:
        """Whether the door had refused this before; it no longer does."""
        if not self.refused_by_door:
            return False
        key = self.key(request, True)
        if key not in self.refused_by_door:
            return False
        self.refused_by_door.discard(key)
        self._words.pop(key, None)
        return True

    def forget(self) -> None:
        """All words; what the door refused is kept."""
        self._words.clear()

    def clear(self) -> None:
        self._words.clear()
        self.refused_by_door.clear()


def claim_of(request: Request) -> Claim | None:
    """The claim of a request, None where it has none or something that is none."""
    claim = getattr(request, "claim", None)
    return claim if isinstance(claim, Claim) else None
