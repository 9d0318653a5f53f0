"""Unsafe signal states in words: which rule, where, between whom."""

from __future__ import annotations

from collections.abc import Iterable

from civicbrain.twin.observer import UnsafeKind, merge_kinds

_RULES = {
    "prohibited-pair": "prohibited together, both green",
    "permitted-pair": "both with right of way",
    "intergreen": "intergreen cut",
    "min-green": "minimum green cut",
    "split-group": "lamps of one group differ",
}
MOST_TOLD = 5


def describe_unsafe(kinds: Iterable[UnsafeKind]) -> list[str]:
    """One line for each rule, junction and group(s) of these runs, most frequent first, at most MOST_TOLD."""
    merged = merge_kinds(kinds)
    lines = [
        f"junction {kind.junction}, {' and '.join(kind.groups)}: {_RULES.get(kind.rule, kind.rule)}, "
        f"{'once' if kind.count == 1 else f'{kind.count} times'}, first at {kind.first_s:.0f} s"
        for kind in merged[:MOST_TOLD]
    ]
    more = len(merged) - MOST_TOLD
    return [*lines, f"and {more} other{'s' if more > 1 else ''}"] if more > 0 else lines
