"""What somebody may do: four roles, each with all that those below it may.

viewer          sees the city
operator        acts on it: cases, missions, overrides, controls, brains
engineer        changes how it works: plans, studies
administrator   decides who may do what
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return _ORDER.index(self)

    def covers(self, needed: Role) -> bool:
        """Whether who has this role may do what needs that one."""
        return self.rank >= needed.rank


_ORDER = tuple(Role)
