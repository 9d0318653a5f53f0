"""The robustness benchmark's own parts, against answers by hand."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from civicbrain.city.folder import save_city
from civicbrain.city.model import City, DemandFiles
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import CityError

FOLDER = Path(__file__).parents[2] / "benchmarks" / "robustness"


def _load(name: str, **beside: ModuleType) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"robustness_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER.parent)
        for short, other in beside.items():
            patch.setitem(sys.modules, short, other)
        spec.loader.exec_module(module)
    return module


new_demand = _load("new_demand")
counts = _load("approach_counts")
cases = _load("fault_cases", approach_counts=counts, new_demand=new_demand)
run = _load("run", fault_cases=cases)

BUS = '<vehicle id="bus" depart="5.00"><route edges="north x"/><stop busStop="b" duration="9"/></vehicle>'


def _city(folder: Path, vehicles: str) -> City:
    city = replace(sandbox_city(), demand=DemandFiles("twin/net.xml", ("twin/routes.xml",), end_s=100.0))
    files = {"twin/net.xml": b"<net/>", "twin/routes.xml": f"<routes>{vehicles}</routes>".encode()}
    return save_city(city, folder, files)


def _trips(entry: str, count: int) -> str:
    return "".join(
        f'<trip id="{entry}{n}" depart="{10.0 + n:.2f}" from="{entry}" to="x"/>' for n in range(count)
    )


def test_one_entry_is_doubled_one_halved_and_the_rest_stays(tmp_path: Path) -> None:
    """Entries with 40, 40 and 20 vehicles hold 15 % or more each: one doubled, one halved, one kept."""
    trips = BUS + _trips("north", 40) + _trips("east", 40) + _trips("south", 20)
    city = _city(tmp_path / "a", trips)
    other, changed = new_demand.save_with_new_demand(city, 3, tmp_path / "b")
    assert (changed["doubled"], changed["halved"], changed["before"]) == (1, 1, 100)
    root = ElementTree.parse(other.folder / "twin/routes.xml").getroot()
    departs = [float(one.attrib["depart"]) for one in root]
    assert departs == sorted(departs)
    assert max(departs) < 100.0
    ids = [one.attrib["id"] for one in root]
    assert len(ids) == len(set(ids)) == changed["after"] + 1
    assert "bus" in ids
    by_entry = {e: sum(one.attrib.get("from") == e for one in root) for e in ("north", "east", "south")}
    before = {"north": 40, "east": 40, "south": 20}
    shares = {entry: by_entry[entry] / before[entry] for entry in before}
    assert 2.0 in shares.values()
    assert 1.0 in shares.values()
    assert any(0.2 < share < 0.8 for share in shares.values())


def test_the_same_seed_makes_the_same_demand_another_seed_another(tmp_path: Path) -> None:
    city = _city(tmp_path / "a", _trips("north", 40) + _trips("east", 40) + _trips("south", 20))
    made = [new_demand.save_with_new_demand(city, s, tmp_path / f"b{n}") for n, s in enumerate((3, 3, 4))]
    texts = [(other.folder / "twin/routes.xml").read_bytes() for other, _ in made]
    assert texts[0] == texts[1] != texts[2]


def test_a_demand_of_one_entry_cannot_be_mixed_anew(tmp_path: Path) -> None:
    with pytest.raises(CityError, match="two entries"):
        new_demand.save_with_new_demand(_city(tmp_path / "a", _trips("north", 9)), 1, tmp_path / "b")


def test_half_of_the_cameras_fail_from_the_middle_on_and_every_case_fits_the_city(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = _city(tmp_path / "a", _trips("north", 40) + _trips("east", 40) + _trips("south", 20))
    lanes = range(len(city.network.lanes.ids))
    monkeypatch.setattr(cases, "count_approaches", lambda *_: {lane: lane for lane in lanes})
    made = {case.name: case for case in cases.make_cases(city, 0.0, 100.0, tmp_path)}
    assert next(iter(made)) == "base"
    for case in made.values():
        if "faults" in case.changes:
            case.changes["faults"].check(city)
    blind = made["camera blind"].changes["faults"].cameras
    assert len(blind) == max(1, round(0.5 * len(city.junctions)))
    assert {(fault.begin_s, fault.end_s) for fault in blind} == {(50.0, 100.0)}
    assert made["blocked lane"].on_street
    assert made["new demand"].city is not None


def _row(**changes: object) -> dict[str, object]:
    good: dict[str, object] = {
        "failures": [], "unsafe_states": 0, "collisions": 0, "deadlocks": 0, "fixed_deadlocks": 0,
        "delay_s": 20.0, "fixed_delay_s": 40.0, "to_fixed": {"mean": 0.5, "ci95": None},
        "to_base": {"mean": 1.1, "ci95": None}, "most_to_fixed": 1.0, "most_to_base": 1.15,
    }  # fmt: skip
    return {"cases": {"one": good | changes}}


def test_what_is_missed_is_named() -> None:
    assert run.misses("town", _row()) == []
    assert "1.2 times that of the fixed plan" in run.misses("town", _row(to_fixed={"mean": 1.2}))[0]
    assert "at most 1.05" in run.misses("town", _row(most_to_base=1.05))[0]
    assert run.misses("town", _row(deadlocks=1)) == ["town, one: 1 deadlocks, fixed plan 0"]
    assert run.misses("town", _row(deadlocks=1, fixed_deadlocks=1)) == []
    assert run.misses("town", _row(unsafe_states=2)) == ["town, one: unsafe_states is 2"]
    assert run.misses("town", _row(to_fixed={"mean": None}))
    assert run.misses("town", _row(failures=["brain, seed 1: broke"])) == ["town, one: brain, seed 1: broke"]
