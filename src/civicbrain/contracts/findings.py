"""What the conformance checks find, and how they are run so that none of them can end the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from civicbrain.contracts.rooms import RESERVED
from civicbrain.core.errors import CivicBrainError
from civicbrain.core.ids import check_slug


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. detail: what is wrong and where, "" when ok."""

    check: str
    ok: bool
    detail: str = ""


class Findings(list[Finding]):
    """Runs checks; one that raises is a finding, not a crash."""

    def run(self, name: str, check: Callable[[], str]) -> bool:
        """check returns what is wrong, "" when all is well."""
        try:
            detail = check()
        except (Exception, SystemExit) as error:
            detail = (
                error.message if isinstance(error, CivicBrainError) else f"{type(error).__name__}: {error}"
            )
        self.append(Finding(name, not detail, detail))
        return not detail


def require(findings: Sequence[Finding]) -> None:
    """Raise AssertionError naming every check that failed."""
    failed = [f"{finding.check}: {finding.detail}" for finding in findings if not finding.ok]
    if failed:
        raise AssertionError("; ".join(failed))


def name_fault(name: object) -> str:
    """What is wrong with a room's name, "" when nothing is."""
    if not isinstance(name, str):
        return "name must be a text"
    check_slug(name)
    return f"the name {name!r} is reserved" if name in RESERVED else ""


def number_fault(what: str, value: object) -> str:
    """What is wrong with a number of seconds, "" when nothing is."""
    good = isinstance(value, (int, float)) and math.isfinite(value) and value > 0
    return "" if good else f"{what} must be a positive number of seconds, not {value!r}"
