"""Conditions of procedures: plain comparisons of a case's fields. Nothing is ever evaluated as code.

when: {confidence: {at_least: 0.8}, urgency: high}           all of these hold
when: {capacity_left: {below: 0.5}, reporter: {in: [police, field_crew]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

NUMBERS = ("capacity_left", "confidence", "delay_veh_h", "lanes", "reports")
"""capacity_left, confidence: 0 to 1; delay_veh_h: expected; lanes: how many are named; reports: how many."""

TEXTS = ("assigned_to", "edge", "junction", "kind", "outcome", "reporter", "state", "urgency")
"""reporter: kinds of those who reported (any of them); junction, edge: of the place, "" for none."""

Facts = Mapping[str, float | str | tuple[str, ...]]


class Comparison(BaseModel):
    """All that are given must hold. Numbers: below, above, at_least, at_most. Texts: is, in."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    below: float | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    equals: str | None = Field(default=None, alias="is")
    one_of: tuple[str, ...] | None = Field(default=None, alias="in")

    @property
    def is_numeric(self) -> bool:
        return any(limit is not None for limit in (self.below, self.above, self.at_least, self.at_most))

    @property
    def is_textual(self) -> bool:
        return self.equals is not None or self.one_of is not None

    def holds(self, value: float | str | tuple[str, ...]) -> bool:
        """Whether a fact is as asked."""
        if isinstance(value, (int, float)):
            return (
                (self.below is None or value < self.below)
                and (self.above is None or value > self.above)
                and (self.at_least is None or value >= self.at_least)
                and (self.at_most is None or value <= self.at_most)
            )
        values = (value,) if isinstance(value, str) else value
        return (self.equals is None or self.equals in values) and (
            self.one_of is None or any(one in self.one_of for one in values)
        )


class Condition(BaseModel):
    """Field -> comparison; a plain text stands for `is`. Empty: always."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: dict[str, Comparison] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _open_up(cls, value: Any) -> Any:
        if isinstance(value, Condition) or (isinstance(value, dict) and set(value) == {"fields"}):
            return value
        if not isinstance(value, dict):
            raise ValueError("must be fields with what they must be, e.g. {confidence: {at_least: 0.8}}")
        return {"fields": {k: {"is": v} if isinstance(v, str) else v for k, v in value.items()}}

    @model_validator(mode="after")
    def _known(self) -> Condition:
        for name, comparison in self.fields.items():
            if name not in NUMBERS + TEXTS:
                raise ValueError(f"there is no field {name!r}; there is {', '.join(sorted(NUMBERS + TEXTS))}")
            if not (comparison.is_numeric or comparison.is_textual):
                raise ValueError(f"{name}: nothing is asked of it; use below, above, at_least, is or in")
            if comparison.is_textual == (name in NUMBERS) or (comparison.is_numeric and name in TEXTS):
                right = "below, above, at_least or at_most" if name in NUMBERS else "is or in"
                raise ValueError(f"{name}: use {right}")
        return self

    def holds(self, facts: Facts) -> bool:
        """Whether every comparison holds of these facts (all fields are there)."""
        return all(comparison.holds(facts[name]) for name, comparison in self.fields.items())
