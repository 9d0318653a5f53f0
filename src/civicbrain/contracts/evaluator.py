"""The door to the twin for brains and tools that want a what-if: injected, never imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Evaluator(Protocol):
    def evaluate(self, scenario: str, controls: Sequence[str], seeds: Sequence[int]) -> Mapping[str, object]:
        """Run the study and return what `evaluation.json` holds."""
        ...
