"""How the held-out benchmark judges, by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "held_out"
spec = importlib.util.spec_from_file_location("held_out_run", FOLDER / "run.py")
assert spec is not None
assert spec.loader is not None
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)


def row(**ours: Any) -> dict[str, Any]:
    control = {"unsafe_states": 0, "collisions": 1, "deadlocks": 0}
    ratio = {"fixed": {"mean": 0.7, "ci95": None}, "actuated": {"mean": 0.8, "ci95": None}}
    return {"controls": {"fixed": control, "brain": control | ours}, "ratio": ratio, "failures": []}


def test_targets_are_judged_against_both_and_safety_against_the_citys_plan() -> None:
    assert run.misses("town", row()) == []
    assert run.misses("town", row(unsafe_states=3)) == ["town: 3 unsafe states"]
    assert run.misses("town", row(collisions=2)) == ["town: 2 collisions, 1 under the city's plan"]
    slow = row() | {"ratio": {"fixed": {"mean": 0.7}, "actuated": {"mean": 0.81}}}
    assert run.misses("town", slow) == ["town: delay is 0.81 times that of actuated, at most 0.8 is asked"]
    assert run.misses("town", row() | {"controls": {}}) == ["town: brain or the fixed plan did not finish"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/bologna/acosta/run.sumocfg", "acosta"), ("a/city", "city"), ("x/Wildau/o.sumocfg", "Wildau")],
)
def test_a_city_is_called_by_its_folder(path: str, name: str) -> None:
    assert run.label(Path(path)) == name
