"""The benchmark of networks of any shape: what it draws, and that it objects to what must not be."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

_FILE = Path(__file__).parents[2] / "benchmarks" / "shapes" / "run.py"
_spec = importlib.util.spec_from_file_location("shapes_run", _FILE)
assert _spec is not None
assert _spec.loader is not None
shapes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(shapes)

GOOD = {"mean_delay_s": 10.0, "max_waiting_s": 40.0, "unsafe_states": 0, "collisions": 0, "deadlock": False}


def row(control: str = "brain", **change: Any) -> dict[str, Any]:
    runs = {name: dict(GOOD) for name in shapes.CONTROLS}
    runs[control] |= change
    return {"seed": 1, "layout": "spider", "twists": ["two lanes"], "failures": [], "runs": runs}


def test_every_twist_is_drawn_and_none_sets_an_option_twice() -> None:
    seen: set[str] = set()
    for seed in range(200):
        layout, twists, _ = shapes.draw(seed)
        words = [word for name in twists for word in shapes.TWISTS[name] if word.startswith("-")]
        assert len(words) == len(set(words)), (layout, twists)
        assert shapes.draw(seed)[1] == twists
        seen |= set(twists)
    assert seen == set(shapes.TWISTS)


@pytest.mark.parametrize(
    ("control", "change", "words"),
    [
        ("fixed", {"unsafe_states": 3}, "3 unsafe states under fixed"),
        ("brain", {"deadlock": True}, "deadlocks than"),
        ("brain", {"collisions": 1}, "more collisions"),
        ("brain", {"max_waiting_s": 400.0}, "waited 400 s"),
        ("brain", {"mean_delay_s": 10.1}, "more delay than under its own plan"),
    ],
)
def test_what_must_not_be_is_named(control: str, change: dict[str, Any], words: str) -> None:
    assert shapes.objections(row()) == []
    (miss,) = shapes.objections(row(control, **change))
    assert words in miss
    assert "network 1 (spider; two lanes)" in miss


def test_a_network_that_does_not_import_is_a_miss() -> None:
    broken = {"seed": 2, "layout": "grown", "twists": [], "vehicles_per_h": 800, "error": "no signals"}
    assert shapes.objections(broken) == ["network 2 (grown; ): no signals"]
    assert "not imported: no signals" in shapes.table([broken])
