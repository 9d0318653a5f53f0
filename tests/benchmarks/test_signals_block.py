"""The README's block of the signals brain is what the command makes from the committed results."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "signals"

sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]
import drawings  # noqa: E402
import sections  # noqa: E402
from signals import run  # noqa: E402

NOTHING = dict.fromkeys(sections.FILES)
SOUND = {"unsafe_states": 0, "collisions": 0, "deadlocks": 0}


def test_the_committed_block_and_plots_are_what_the_committed_results_give() -> None:
    results = sections.read_results()
    drawn = drawings.draw_all(results)
    block = run.compose(sections.make_sections(results), set(drawn))
    page = (ROOT / "README.md").read_text("utf-8")
    assert run.with_block(page, block) == page, "run: python benchmarks/signals/run.py"
    for name, content in drawn.items():
        assert (FOLDER / name).read_bytes() == content, "run: python benchmarks/signals/run.py"
        ElementTree.fromstring(content)


def test_what_was_never_measured_is_said_to_be_missing_and_nothing_breaks() -> None:
    made = sections.make_sections(NOTHING)
    assert all(section.missing for section in made)
    assert not any(section.missed for section in made)
    assert "Not measured" in run.compose(made, set())
    assert drawings.draw_all(NOTHING) == {}


def brain_row(ours_s: float, time_s: float) -> dict[str, object]:
    def control(delay_s: float, travel_s: float) -> dict[str, object]:
        return SOUND | {
            "mean_delay_s": {"mean": delay_s, "ci95": None},
            "mean_travel_time_s": {"mean": travel_s, "ci95": None},
        }

    controls = {
        "fixed": control(40.0, 100.0),
        "max-pressure": control(20.0, 80.0),
        "brain": control(ours_s, time_s),
    }
    return {"scenario": "cologne1", "seeds": 10, "controls": controls, "failures": []}


@pytest.mark.parametrize(
    ("ours_s", "time_s", "missed"),
    [
        (14.0, 84.7, []),  # 0.85 of 17.1 s are 14.5 s
        (14.6, 80.0, ["cologne1: 14.6 s of delay, 14.5 s asked"]),
        (14.0, 85.0, ["cologne1: travel time 0.850 of the plan's, 0.847 asked"]),
    ],
)
def test_delay_and_travel_time_are_both_judged(ours_s: float, time_s: float, missed: list[str]) -> None:
    section = sections.scenarios(NOTHING | {"brain": {"cologne1": brain_row(ours_s, time_s)}})
    assert section.missed == missed
    assert ("**no**" in section.text) == bool(missed)


def test_resco_is_judged_by_the_mean_of_its_seeds() -> None:
    """0.85 of the best learned 26.1 s are 22.2 s."""

    def judged(*delays_s: float) -> list[str]:
        row = {"brain": {"seeds": len(delays_s), "resco_s": list(delays_s)}}
        section = sections.resco(NOTHING | {"resco": {"cologne1": row}})
        assert section.few_seeds
        return section.missed

    assert judged(22.0, 22.2) == []
    assert judged(22.0, 23.0) == ["cologne1: 22.5 s, 22.2 s asked"]


def test_a_decision_that_takes_too_long_is_missed() -> None:
    growth = {"1300": {"junctions": 1300, "attached": {"decision": {"p99_ms": 61.0}}}}
    made = sections.cost(NOTHING | {"growth": growth})
    assert made.missed == ["a decision for 1,300 junctions, p99: 61 ms, at most 50 asked"]


def test_the_same_thing_of_several_is_said_once() -> None:
    assert run._sentence(["a: late", "b: late", "a: lost", "alone"]) == "a, b: late; a: lost; alone."


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(SystemExit, match="signals:begin"):
        run.with_block("no markers", "block")


def test_commands_name_only_benchmarks_that_are_there() -> None:
    made = run.commands(10, ["path/gudang"], [])
    assert all((sections.BENCHMARKS / one[0]).is_file() for one in made)
    assert "held_out/run.py" not in [one[0] for one in made]
    assert json.dumps(run.commands(3, [], ["a.sumocfg"])).count("a.sumocfg") == 1
