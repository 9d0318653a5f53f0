"""`civicbrain retime` as a user meets it: counts that are wrong, and a retiming from end to end."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from civicbrain.brains.signals.plans.flows import list_turns
from civicbrain.cli.main import run
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError
from civicbrain.evaluate.retime.counts import COLUMNS, Counts, read_counts, read_passages, write_counts
from civicbrain.evaluate.retime.make import make_plans, parse_periods, programs
from civicbrain.evaluate.retime.records import Retiming
from civicbrain.evaluate.retime.report import render_retiming
from civicbrain.evaluate.retime.retimed import programs_for_sumo
from civicbrain.evaluate.retime.sheets import sheets_csv, sheets_markdown

needs_scenarios = pytest.mark.skipif(
    importlib.util.find_spec("sumo_rl") is None, reason="the scenarios extra is not installed"
)
CITY = sandbox_city()
EDGES = CITY.network.edges.ids
TURNS = tuple(list_turns(CITY))
HEADER = ",".join(COLUMNS)


def counts(change: float = 1.0) -> Counts:
    """An hour in 5 min; in the second half the first half of the turns carries `change` times as much."""
    vehicles = np.full((12, len(TURNS)), 12.0)
    vehicles[6:, : len(TURNS) // 2] *= change
    begin_s = np.arange(12) * 300.0
    return Counts("a count", begin_s, begin_s + 300.0, TURNS, vehicles)


def retiming(observed: Counts) -> Retiming:
    made = make_plans(CITY, observed, None, 120)
    return Retiming(
        city="<city>", civicbrain_version="0", sumo_version="0", counts=observed.source, rounds=1,
        max_cycle_s=120,
        periods=made.spans, junctions=made.junctions,
    )  # fmt: skip


def test_counts_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_bytes(write_counts(counts(2.0), CITY))
    again = read_counts(file, CITY)
    assert again.turns == TURNS
    assert np.array_equal(again.vehicles, counts(2.0).vehicles)
    assert again.flows(0, 6)[TURNS[0]] == pytest.approx(12.0 / 300.0)


def line(**change: object) -> str:
    turn = TURNS[0]
    moves, edge_of = CITY.network.movements, CITY.network.lanes.edge
    row = next(
        r for r in CITY.signalled_movements.tolist()
        if (int(edge_of[moves.from_lane[r]]), int(edge_of[moves.to_lane[r]])) == turn
    )  # fmt: skip
    fields: dict[str, object] = {
        "begin_s": 0, "end_s": 300, "junction": CITY.junctions[int(moves.junction[row])].id,
        "from_edge": EDGES[turn[0]], "to_edge": EDGES[turn[1]], "vehicles": 5,
    }  # fmt: skip
    return ",".join(str({**fields, **change}[name]) for name in COLUMNS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the column 'begin_s' is missing"),
        ("begin_s,end_s\n1,2", "the column 'junction' is missing"),
        (HEADER.replace(",", ";"), "separated by semicolons"),
        (HEADER, "no counts"),
        (f"{HEADER}\n{line(vehicles='many')}", "line 2: vehicles 'many' is no number"),
        (f"{HEADER}\n{line(vehicles='nan')}", "is no number"),
        (f"{HEADER}\n{line(vehicles=-1)}", "line 2: -1 vehicles"),
        (f"{HEADER}\n{line(end_s=0)}", "is empty"),
        (f"{HEADER}\n{line(from_edge='nowhere')}", "no edge 'nowhere'"),
        (f"{HEADER}\n{line(to_edge=EDGES[TURNS[0][0]])}", "no signal controls the turn"),
        (f"{HEADER}\n{line(junction='Z')}", "not 'Z'"),
        (f"{HEADER}\n{line()}\n{line()}", "line 3: this interval and turn stand there twice"),
        (f"{HEADER}\n{line()}\n{line(begin_s=200, end_s=500)}", "intervals overlap"),
    ],
)
def test_wrong_counts_are_named_with_their_line(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read_counts(file, CITY)
    assert words in str(error.value)
    assert error.value.remedy


def test_passages_are_counted_when_the_approach_is_left(tmp_path: Path) -> None:
    here, onward = (EDGES[edge] for edge in TURNS[0])
    file = tmp_path / "routes.xml"
    file.write_text(
        f'<routes><vehicle id="a"><route edges="{here} {onward}" exitTimes="299.0 320.0"/></vehicle>'
        f'<vehicle id="b"><route edges="{here} {onward}" exitTimes="301.0 -1"/></vehicle>'
        f'<vehicle id="c"><route edges="{here} {onward}" exitTimes="-1 -1"/></vehicle></routes>'
    )
    found = read_passages([file], CITY, 0.0, 400.0, "twin")
    assert found.vehicles[:, 0].tolist() == [1.0, 1.0]
    assert found.vehicles.sum() == 2.0
    assert found.end_s.tolist() == [300.0, 400.0]


def test_steady_demand_makes_one_period_and_asked_for_periods_are_made() -> None:
    assert len(make_plans(CITY, counts(), None, 120).spans) == 1
    spans = make_plans(CITY, counts(3.0), 2, 120).spans
    assert [(span.begin_s, span.end_s) for span in spans] == [(0.0, 1800.0), (1800.0, 3600.0)]
    with pytest.raises(ConfigurationError, match="5 periods do not fit"):
        make_plans(CITY, counts(), 5, 120)
    nobody = replace(counts(), vehicles=np.zeros((12, len(TURNS))))
    with pytest.raises(ConfigurationError, match="nobody was counted"):
        make_plans(CITY, nobody, None, 120)
    for text in ("zero", "0", "25", "-1"):
        with pytest.raises(ConfigurationError, match="number of periods"):
            parse_periods(text)


def test_files_say_the_same_and_escape_what_comes_from_outside() -> None:
    made = make_plans(CITY, counts(3.0), 2, 120)
    plans = programs(CITY, made.spans, made.plans)
    root = ElementTree.fromstring(programs_for_sumo(CITY, made.spans, plans))
    logics = root.findall("tlLogic")
    assert len(logics) == 2 * len(CITY.junctions)
    for logic in logics:
        plan = plans[int(logic.get("programID", "").rsplit("-", 1)[1]) - 1][logic.get("id", "")]
        assert sum(float(phase.get("duration", "0")) for phase in logic.findall("phase")) == plan.cycle_s
    assert [switch.get("time") for switch in root.iter("wautSwitch")] == ["1800"]
    assert {one.get("procedure") for one in root.iter("wautJunction")} == {"GSP"}
    record = retiming(counts())
    page = render_retiming(record, CITY, counts(), command="civicbrain retime <x>")
    assert "<city>" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert sheets_csv(record).decode().count("\n") == 1 + sum(len(j.stages) for j in record.junctions)
    assert all(junction.id in sheets_markdown(record) for junction in record.junctions)


@needs_scenarios
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cologn1"], "cologn1"),
        (["cologne1", "--periods", "many"], "number of periods"),
        (["cologne1", "--seeds", "0"], "0 seeds"),
        (["cologne1", "--max-cycle", "5"], "longest cycle of 5 s"),
        (["cologne1", "--jobs", "0"], "jobs 0"),
        (["cologne1", "--counts", "nothing.csv"], "nothing.csv"),
    ],
)
def test_bad_input_ends_with_2_and_nothing_written(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["retime", *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "remedy:" in error
    assert not any(tmp_path.iterdir())


@needs_scenarios
def test_other_peoples_folders_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    assert run(["retime", "cologne1", "--out", str(tmp_path)]) == 2
    assert "something else in the way" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@needs_scenarios
@pytest.mark.slow
def test_two_periods_run_safely_in_sumo_and_are_reported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert (
        run(
            [
                "retime",
                "cologne1",
                "--periods",
                "2",
                "--seeds",
                "1,",
                "--jobs",
                "1",
                "--json",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    record = json.loads(capfd.readouterr().out)
    assert record == json.loads((out / "plans.json").read_text())
    assert record["measured"]["unsafe_states_after"] == 0
    assert record["measured"]["ratio"] < 1.0
    assert len(record["periods"]) == 2
    names = {"plans.json", "plans.add.xml", "report.html", "timing-sheets.md", "timing-sheets.csv"}
    names |= {"counts.csv", "city", "measured"}
    assert {path.name for path in out.iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
