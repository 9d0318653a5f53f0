"""What brains last said about each junction, when, and what of it the platform itself understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec


class Said(NamedTuple):
    """words: as in `Advice.explanations`, said at time_s, platform seconds."""

    brain: str
    time_s: float
    words: Mapping[str, object]


class Explanations(Mapping[str, Mapping[str, object]]):
    """By junction, the newest words of any brain; of each brain by `find`."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, tuple[float, Mapping[str, object]]]] = {}

    def take(self, brain: str, said: Mapping[str, Mapping[str, object]], now_s: float) -> None:
        """What a brain says now; of junctions that it leaves out its last word stays."""
        self._of.setdefault(brain, {}).update({name: (now_s, words) for name, words in said.items()})

    def find(self, junction: str, brain: str = "") -> Said | None:
        """The last word of that brain about a junction, or where it said none, the newest of any."""
        own = self._of.get(brain, {}).get(junction)
        if own is not None:
            return Said(brain, *own)
        found = [Said(name, *words[junction]) for name, words in self._of.items() if junction in words]
        return max(found, key=lambda said: said.time_s, default=None)

    def words_of(self, brain: str, since_s: float) -> dict[str, Mapping[str, object]]:
        """Junction -> its last word, of those about which it has spoken since then."""
        own = self._of.get(brain, {})
        return {junction: words for junction, (at_s, words) in own.items() if at_s >= since_s}

    def clear(self) -> None:
        self._of.clear()

    def __getitem__(self, junction: str) -> Mapping[str, object]:
        said = self.find(junction)
        if said is None:
            raise KeyError(junction)
        return said.words

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for words in self._of.values() for name in words))

    def __len__(self) -> int:
        return len(set().union(*self._of.values()))


class Part(msgspec.Struct, frozen=True):
    """Of a schedule."""

    stage: str
    from_s: float
    until_s: float


class Worth(msgspec.Struct, frozen=True):
    """What a stage would serve, weighted veh/s."""

    worth: float


class Explained(msgspec.Struct, frozen=True):
    """What of an explanation is understood; brains/signals and brains/priority say what each means."""

    chosen: str = ""
    schedule: list[Part] = []
    expected_delay_veh_s: dict[str, float] = {}
    stages: dict[str, Worth] = {}
    demand_veh: dict[str, float] = {}
    queue_veh: dict[str, float] = {}
    full_outlets: list[str] = []
    durations_s: list[float] = []
    offset_s: float = 0.0
    line: str = ""
    bus: str = ""


def read_words(words: Mapping[str, object]) -> Explained:
    """Brains may say what they like: what cannot be read is left out."""
    try:
        return msgspec.convert(dict(words), Explained)
    except msgspec.ValidationError:
        return Explained()
