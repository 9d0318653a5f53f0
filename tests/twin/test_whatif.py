"""Branching off a running twin, and futures with something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from whatif_runs import (
    branch_that_cannot_be_written,
    branch_while_it_runs,
    branch_whose_writer_is_killed,
    future_of,
    make_branch,
    places_in_queues,
)

from civicbrain.city.whatif import Change, Closure, Detour, EventDemand
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.whatif.branch import read_traffic
from civicbrain.twin.whatif.changes import narrowed, write_narrowed

WARM_S = 400.0


@pytest.fixture(scope="module")
def branch(tmp_path_factory, in_process) -> Path:
    folder = tmp_path_factory.mktemp("branch") / "state"
    in_process(make_branch, folder, WARM_S)
    return folder


def busiest_edge(folder: Path, last: int = 3) -> str:
    """The edge that most have among those ahead."""
    count: dict[str, int] = {}
    for one in read_traffic(folder).vehicles:
        for edge in one.edges[1:last]:
            count[edge] = count.get(edge, 0) + 1
    return max(sorted(count), key=lambda edge: count[edge])


def test_a_running_twin_is_branched_without_being_changed(tmp_path, in_process):
    told = in_process(branch_while_it_runs, tmp_path / "state", 100.0)
    assert told["same"]  # the street goes on as it would have
    assert told["second"] is False  # one at a time
    assert told["missing"] == 0
    assert told["running"] > 20
    assert told["time_s"] == 100.0


def test_a_state_that_cannot_be_written_is_told_and_harms_nobody(tmp_path, in_process):
    said = in_process(branch_that_cannot_be_written, tmp_path / "state")
    assert "cannot be written" in said
    assert not (tmp_path / "state" / "done").exists()


def test_a_state_whose_writer_is_killed_is_told_with_the_cause(tmp_path, in_process):
    """The what-if waited for a minute, and was then told to look into a log that said nothing."""
    said = in_process(branch_whose_writer_is_killed, tmp_path / "state")
    assert said == "its process was ended by SIGKILL, as when memory runs out"


def test_the_mesoscopic_model_takes_everybody_over_where_they_are(tmp_path, in_process):
    told = in_process(places_in_queues, tmp_path / "state", 200.0)
    assert told["count"] > 30
    assert (told["lost"], told["wrong"], told["order"]) == (0, 0, 0)
    assert told["arrived"] > 10


@pytest.mark.parametrize("mesoscopic", [False, True])
def test_nobody_enters_a_closed_edge_but_who_stands_before_it(branch, in_process, mesoscopic):
    edge = busiest_edge(branch)
    free = in_process(future_of, branch, Change(), mesoscopic, edge)
    shut = in_process(future_of, branch, Change(closures=(Closure(edge),)), mesoscopic, edge)
    assert free["entered"] > 3
    assert shut["entered"] < free["entered"] / 2
    assert shut["diverted"] > 3
    assert free["diverted"] == 0


def test_same_seed_same_future(branch, in_process):
    first = in_process(future_of, branch, Change(), True)
    second = in_process(future_of, branch, Change(), True)
    first.pop("cpu_s"), second.pop("cpu_s")
    assert first == second


def test_demand_and_events_bring_vehicles(branch, in_process):
    plain = in_process(future_of, branch, Change(), True)
    more = in_process(future_of, branch, Change(demand_factor=2.0), True)
    due = plain["departed"] + plain["undeparted"]
    assert more["departed"] + more["undeparted"] == pytest.approx(2 * due, rel=0.2)
    someone = next(one for one in read_traffic(branch).vehicles if len(one.edges) > 2)
    event = EventDemand(someone.edges[0], someone.edges[-1], 1800.0)
    visited = in_process(future_of, branch, Change(events=(event,)), True)
    added = visited["departed"] + visited["undeparted"] - due
    assert added == pytest.approx(1800 / 3600 * 120, abs=3)


def test_half_of_the_drivers_take_advice(branch, in_process):
    edge = busiest_edge(branch, last=-1)  # nobody can be sent round where they are going
    some = in_process(future_of, branch, Change(detours=(Detour(edge, 0.5),)), True)
    every = in_process(future_of, branch, Change(detours=(Detour(edge, 1.0),)), True)
    assert 0 < some["diverted"] < every["diverted"]


def test_a_narrowed_edge_has_longer_headways(tmp_path):
    """One of n car lanes closed, another blocked: the rest's share of the flow, in the network's own file."""
    city = resolve_scenario("grid4x4")
    start = city.network.edges.lane_start
    edge = next(name for row, name in enumerate(city.network.edges.ids) if start[row + 1] - start[row] == 3)
    left = narrowed(city, Change(closures=(Closure(edge, (0,)),)), {edge: {2}})
    assert left == {edge: pytest.approx(1 / 3)}
    network, more = write_narrowed(city, left, tmp_path)
    assert f'<edge id="{edge}" type="civicbrain-narrowed-0"' in network.read_text()
    # the headway of a third of the flow is three times as long: 3 (2.0 + 0.55) s = 7.1 s + 0.55 s
    assert 'tauff="7.100"' in more.read_text()
