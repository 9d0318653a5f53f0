"""Bad input is found before any run, in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import fake_city

from civicbrain.contracts.brain import ControlSpec
from civicbrain.core.errors import ConfigurationError
from civicbrain.evaluate.plan import StudyOptions, make_tasks, parse_seeds
from civicbrain.twin.faults import CameraFault, Faults


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", (1, 2, 3)), ("1,2,5", (1, 2, 5)), ("7,", (7,)), (" 2 , 4 ", (2, 4)), ("1", (1,))],
)
def test_seeds_are_a_number_or_a_list(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "-3", "ten", "", ",", "1;2", "1.5", "99999999999"])
def test_seeds_that_cannot_be_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigurationError, match="remedy: give a number"):
        parse_seeds(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": ()}, "no control"),
        ({"seeds": ()}, "no seed"),
        ({"seeds": (0,)}, "seed 0"),
        ({"seeds": (2**31,)}, "seed 2147483648"),
        ({"coverage": -0.1}, "coverage -0.1"),
        ({"coverage": 1.5}, "coverage 1.5"),
        ({"coverage": float("nan")}, "coverage nan"),
        ({"sensing": "radar"}, "radar"),
        ({"miss_rate": 1.1}, "miss rate 1.1"),
        ({"latency_s": float("nan")}, "latency nan"),
        ({"begin_s": 100.0, "end_s": 100.0}, "is empty"),
        ({"begin_s": -1.0}, "begin -1"),
        ({"end_s": float("inf")}, "end inf"),
        ({"baseline": "actuated"}, "baseline 'actuated' is not among"),
    ],
)
def test_options_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"controls": ("fixed", "max-pressure"), "seeds": (1, 2)}
    with pytest.raises(ConfigurationError, match=message):
        StudyOptions(**(good | changes)).check()  # type: ignore[arg-type]


def test_the_baseline_is_fixed_where_it_runs_else_the_first() -> None:
    assert StudyOptions(controls=("max-pressure", "fixed"), seeds=(1,)).baseline_name == "fixed"
    assert StudyOptions(controls=("actuated", "max-pressure"), seeds=(1,)).baseline_name == "actuated"
    assert (
        StudyOptions(controls=("fixed", "actuated"), seeds=(1,), baseline="actuated").baseline_name
        == "actuated"
    )


def test_a_name_given_twice_runs_once() -> None:
    options = StudyOptions(controls=("fixed", "fixed"), seeds=(2, 1, 2)).check()
    assert options.controls == ("fixed",)
    assert options.seeds == (2, 1)


def test_a_window_that_ends_before_the_scenario_begins_is_refused(tmp_path: Path) -> None:
    options = StudyOptions(controls=("fixed",), seeds=(1,), end_s=100.0)
    with pytest.raises(ConfigurationError, match=r"25200 s to 100 s is empty"):
        make_tasks(fake_city(tmp_path), [ControlSpec("fixed", "fixed")], options, tmp_path)


def test_a_window_in_which_nobody_drives_is_refused(tmp_path: Path) -> None:
    options = StudyOptions(controls=("fixed",), seeds=(1,), begin_s=90_000.0, end_s=91_000.0)
    with pytest.raises(ConfigurationError, match=r"nobody drives from 90000 s to 91000 s: .* 25200 s"):
        make_tasks(fake_city(tmp_path), [ControlSpec("fixed", "fixed")], options, tmp_path)


def test_the_key_changes_with_everything_the_figures_depend_on(tmp_path: Path) -> None:
    city = fake_city(tmp_path / "city")
    spec = ControlSpec("max-pressure", "central", brain="signals", options={"max_red_s": 120})
    options = StudyOptions(controls=("max-pressure",), seeds=(1,))

    def key(spec: ControlSpec = spec, **changes: object) -> str:
        from dataclasses import replace

        return make_tasks(city, [spec], replace(options, **changes), tmp_path)[0].key  # type: ignore[arg-type]

    keys = [
        key(),
        key(seeds=(2,)),
        key(sensing="oracle"),
        key(coverage=0.5),
        key(end_s=26000.0),
        key(ControlSpec("max-pressure", "central", brain="signals", options={"max_red_s": 90})),
    ]
    (tmp_path / "city" / "routes.rou.xml").write_text("<routes><vehicle/></routes>")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key() == keys[-1]


def test_a_run_with_other_sensing_or_faults_is_another_run(tmp_path: Path) -> None:
    city = fake_city(tmp_path)
    spec = ControlSpec("fixed", "fixed")
    fault = CameraFault(city.junctions[0].id, "blind", 0.0, 9.0)

    def key(**changes: object) -> str:
        options = StudyOptions(controls=("fixed",), seeds=(1,), **changes)  # type: ignore[arg-type]
        return make_tasks(city, [spec], options, tmp_path)[0].key

    keys = [key(), key(miss_rate=0.2), key(latency_s=1.0), key(faults=Faults((fault,)))]
    assert len(set(keys)) == 4
    assert key(faults=Faults((fault,))) == keys[3]


def test_a_fault_that_does_not_fit_the_city_is_found_before_any_run(tmp_path: Path) -> None:
    faults = Faults((CameraFault("nowhere", "blind", 0.0, 9.0),))
    options = StudyOptions(controls=("fixed",), seeds=(1,), faults=faults)
    with pytest.raises(ConfigurationError, match="nowhere"):
        make_tasks(fake_city(tmp_path), [ControlSpec("fixed", "fixed")], options, tmp_path)
