"""The delay index and the vehicles served, against answers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import citybrain_towns
import pytest

from civicbrain.city.model import City
from civicbrain.contracts.rooms import get_control
from civicbrain.core.errors import ConfigurationError
from civicbrain.evaluate.plan import StudyOptions, make_tasks
from civicbrain.evaluate.study import run_study
from civicbrain.twin import delay_index
from civicbrain.twin.delay_index import DelayIndex, FreeFlows
from civicbrain.twin.importing import import_city
from civicbrain.twin.options import TwinOptions


@pytest.fixture(scope="module")
def cross(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Roads 2 and 5: 320 m at 10 m/s; road 3: 333.5 m at 12.5 m/s."""
    folder = tmp_path_factory.mktemp("index")
    return import_city(citybrain_towns.write_cross(folder / "cross"), folder / "city")


class Street:
    """Stands for SUMO: vehicles on the route of road 2 alone, 32 s at free flow. departures: name ->
    (due, departed, lane position); driven: name -> distance."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.departures: dict[str, tuple[float, float, float]] = {}
        self.driven: dict[str, float] = {}
        self.route, self.most_mps = ["2"], 50.0
        vehicle = SimpleNamespace(
            getRouteID=lambda _: "only",
            getMaxSpeed=lambda _: self.most_mps,
            getRoute=lambda _: self.route,
            getDeparture=lambda name: self.departures[name][1],
            getDepartDelay=lambda name: self.departures[name][1] - self.departures[name][0],
            getLanePosition=lambda name: self.departures[name][2] + self.driven.get(name, 0.0),
            getIDList=lambda: tuple(self.driven),
        )
        monkeypatch.setattr(delay_index, "libsumo", SimpleNamespace(vehicle=vehicle))
        monkeypatch.setattr(delay_index, "_get_distance", lambda name: self.driven.get(name, 0.0))


def _inside_m(city: City, start: str, end: str) -> float:
    lanes, moves, ids = city.network.lanes, city.network.movements, city.network.edges.ids
    found = [
        float(moves.length_m[row])
        for row in range(len(moves.from_lane))
        if ids[lanes.edge[moves.from_lane[row]]] == start and ids[lanes.edge[moves.to_lane[row]]] == end
    ]
    assert len(set(found)) == 1  # to each lane of the road that is entered
    return found[0]


def test_free_flow_is_length_over_limit_junctions_at_the_limit_of_the_edge_before(cross: City) -> None:
    inside_m = _inside_m(cross, "8", "3")
    free = FreeFlows(cross).along(["8", "3"])
    assert free.ends_s[-1] == pytest.approx(32.0 + inside_m / 10.0 + 333.5 / 12.5)
    assert free.time_at(0.0) == 0.0
    assert free.time_at(160.0) == pytest.approx(16.0)
    assert free.time_at(320.0 + inside_m / 2.0) == pytest.approx(32.0 + inside_m / 20.0)
    assert free.time_at(320.0 + inside_m + 125.0) == pytest.approx(42.0 + inside_m / 10.0)
    assert free.time_at(5000.0) == free.ends_s[-1]
    assert FreeFlows(cross).along(["2"], most_mps=5.0).ends_s[-1] == pytest.approx(64.0)


def test_mean_index_and_vehicles_served_by_hand(cross: City, monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street(monkeypatch)
    index = DelayIndex(cross, 0.0, 1.40)
    street.departures = {"a": (0, 0, 0), "b": (4, 10, 0), "c": (30, 30, 0), "d": (50, 50, 0)}

    index.step(["a"], [], 1.0)
    index.step(["b"], [], 11.0)
    street.driven = {"a": 100.0, "b": 50.0}
    index.step([], [], 20.0)
    # a: 20 s and 22 s to go; b: due since 16 s, 27 s to go
    assert index.value == pytest.approx((42 / 32 + 43 / 32) / 2)
    assert (index.served, index.reached_s) == (2, None)

    index.step(["c"], [], 31.0)
    street.driven = {"b": 100.0, "c": 100.0}
    index.step([], ["a"], 37.0)
    index.step([], [], 40.0)
    assert index.value == pytest.approx((37 / 32 + 58 / 32 + 32 / 32) / 3)
    assert index.served == 3

    index.step(["d"], [], 51.0)
    street.driven = {"b": 100.0, "c": 100.0, "d": 100.0}
    index.step([], [], 60.0)
    assert index.value == pytest.approx((37 / 32 + 78 / 32 + 52 / 32 + 32 / 32) / 4)
    assert index.value > 1.40
    assert (index.served, index.reached_s) == (3, 60.0), "those of the last look below the limit"

    street.driven["b"] = street.driven["c"] = street.driven["d"] = 320.0
    index.step([], [], 80.0)
    assert (index.served, index.reached_s) == (3, 60.0)


def test_it_looks_each_20_s_only(cross: City, monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street(monkeypatch)
    street.departures = {"a": (100, 100, 0)}
    index = DelayIndex(cross, 100.0, 1.01)
    index.step(["a"], [], 101.0)
    street.driven = {"a": 0.0}
    for second in range(102, 120):
        index.step([], [], float(second))
    assert (index.value, index.reached_s, index.served) == (1.0, None, 0)
    index.step([], [], 120.0)
    assert index.value == pytest.approx(52 / 32)
    assert (index.reached_s, index.served) == (120.0, 0)


def test_a_trip_begins_where_the_vehicle_enters(cross: City, monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street(monkeypatch)
    street.departures = {"a": (0, 0, 120.0)}
    index = DelayIndex(cross, 0.0, 9.0)
    index.step(["a"], [], 1.0)
    street.driven = {"a": 100.0}
    index.step([], [], 20.0)
    assert index.value == pytest.approx((20 + 10) / 20)


def test_a_vehicle_from_before_the_twin_began_counts_nowhere(
    cross: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = Street(monkeypatch)
    street.driven = {"old": 10.0}
    index = DelayIndex(cross, 0.0, 1.4)
    index.step([], ["older"], 20.0)
    assert (index.value, index.served, index.reached_s) == (1.0, 0, None)


def test_in_sumo_the_index_is_that_of_its_own_trip_records(cross: City, in_process: Any) -> None:
    found = in_process(citybrain_towns.index_beside_trips, str(cross.folder))
    assert found["arrived"] >= 10
    assert found["index"] == pytest.approx(found["by_hand"], rel=0.005)


def test_a_run_stops_at_the_limit_and_its_figures_are_of_that_time(cross: City, in_process: Any) -> None:
    stopped, whole = in_process(citybrain_towns.stopped_and_whole, str(cross.folder), 1.1)
    assert stopped["end_s"] == stopped["reached_s"] == whole["reached_s"] == 60.0
    assert whole["end_s"] == 100.0
    assert stopped["served"] == whole["served"] < stopped["departed"] < whole["departed"]
    assert stopped["index"] >= 1.1


def test_a_study_writes_the_figures_where_asked_for(cross: City, tmp_path: Path) -> None:
    for name, limit in (("with", 1.1), ("without", None)):
        options = StudyOptions(("fixed",), (1,), delay_index_limit=limit)
        run_study([cross.folder], options, tmp_path / name)
    runs = {
        name: json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("with", "without")
    }
    pages = {name: (tmp_path / name / "report.html").read_text() for name in ("with", "without")}
    assert "Served before the limit" in pages["with"]
    assert "Served before the limit" not in pages["without"]
    fixed = runs["with"]["runs"][0]
    assert fixed["vehicles_served"] == runs["with"]["summary"]["fixed"]["vehicles_served"]["mean"] == 7
    assert fixed["delay_index_reached_s"] == 60.0
    assert fixed["delay_index"] > 1.1
    assert {run["vehicles_served"] for run in runs["without"]["runs"]} == {None}
    assert runs["without"]["runs"][0]["mean_delay_s"] == fixed["mean_delay_s"], "looking changes nothing"


def test_options_that_make_no_sense_are_refused_and_others_make_other_runs(
    cross: City, tmp_path: Path
) -> None:
    for wrong in ({"delay_index_limit": 0.5}, {"delay_index_limit": float("nan")}, {"stop_at_limit": True}):
        with pytest.raises(ConfigurationError, match="delay index") as caught:
            StudyOptions(("fixed",), (1,), **wrong).check()  # type: ignore[arg-type]
        assert caught.value.exit_code == 2
    with pytest.raises(ConfigurationError, match="delay_index_limit"):
        TwinOptions(delay_index_limit=0.5)
    spec = get_control("fixed")
    keys = {
        make_tasks(cross, [spec], StudyOptions(("fixed",), (1,), **more), tmp_path)[0].key  # type: ignore[arg-type]
        for more in ({}, {"delay_index_limit": 1.4}, {"delay_index_limit": 1.4, "stop_at_limit": True})
    }
    assert len(keys) == 3
