"""The parts of the RESCO comparison that need no SUMO 1.9.2, against answers by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "resco"


def _load(name: str, **beside: ModuleType) -> ModuleType:
    """The benchmark's module, which imports those `beside` by their short names; no name stays behind."""
    spec = importlib.util.spec_from_file_location(f"resco_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    with pytest.MonkeyPatch.context() as patch:
        for short, other in beside.items():
            patch.setitem(sys.modules, short, other)
        spec.loader.exec_module(module)
    return module


rules = _load("rules")
street = _load("street", rules=rules)

TRIPS = """<tripinfos>
  <tripinfo id="a" depart="0.0" departDelay="0.0" timeLoss="10.0" arrival="60.0"/>
  <tripinfo id="c" depart="50.0" departDelay="30.0" timeLoss="20.0" arrival="-1"/>
</tripinfos>"""
# b should have departed before c and never could; d after c; e lies behind the window
DUE = (("a", 0.0), ("b", 10.0), ("c", 20.0), ("d", 70.0))


def _routes(tag: str) -> str:
    return "<routes>" + "".join(f'<{tag} id="{name}" depart="{at_s}"/>' for name, at_s in DUE) + "</routes>"


@pytest.mark.parametrize(
    ("tag", "resco_s"),
    [
        ("vehicle", (10 + 20 + 30 + (100 - 70)) / 3),  # d counts, b does not: it is due before c was
        ("trip", (10 + 20 + 30) / 2),  # trips that never departed count nowhere
    ],
)
def test_delay_is_rescos_and_beside_it_ours(tmp_path: Path, tag: str, resco_s: float) -> None:
    (tmp_path / "trips.xml").write_text(TRIPS)
    (tmp_path / "routes.xml").write_text(_routes(tag))
    delay = rules.read_delay(tmp_path / "trips.xml", tmp_path / "routes.xml", 0.0, 100.0)
    assert delay.resco_s == pytest.approx(resco_s)
    assert delay.due_s == pytest.approx((10 + 20 + 30 + 90 + 30) / 4)
    assert (delay.trips, delay.arrived, delay.never_departed) == (2, 1, 2)


def test_yellow_for_what_loses_its_green_and_only_that() -> None:
    assert rules.yellow_between("GGrr", "rrGG") == "yyrr"
    assert rules.yellow_between("GgrG", "GrGs") == "Gyry"
    assert rules.yellow_between("Grrr", "Ggrr") is None  # nothing ends: the old phase stays for the 3 s


def test_phases_an_agent_may_choose() -> None:
    phases = ["GGrr", "yyrr", "rrrr", "rrGg", "rryy", "GGrr", "rrss"]
    assert rules.green_phases(phases) == ["GGrr", "rrGg"]


def test_reckless_drivers_heed_nobody(tmp_path: Path) -> None:
    (tmp_path / "in.xml").write_text('<routes><vType id="car"/><trip id="a" depart="0"/></routes>')
    rules.reckless(tmp_path / "in.xml", tmp_path / "out.xml")
    text = (tmp_path / "out.xml").read_text()
    assert 'jmIgnoreFoeProb="1"' in text
    assert '<trip id="a" depart="0" />' in text


def test_the_city_has_only_the_phases_and_times_of_resco() -> None:
    from civicbrain.contracts.sandbox import sandbox_city

    city = sandbox_city()
    junction = city.junctions[0]
    groups = junction.group_of_link
    phases = {
        each.id: [
            "".join(stage.lamps[group] if group >= 0 else "r" for group in each.group_of_link)
            for stage in each.stages
        ]
        for each in city.junctions
    }
    phases[junction.id] = phases[junction.id][:1]
    restricted = street.under_resco_rules(city, phases).junctions[0]
    assert [stage.lamps for stage in restricted.stages] == [junction.stages[0].lamps]
    assert {step.stage for step in restricted.local_plan.steps} == {0}
    assert {group.yellow_s for group in restricted.groups} == {3.0}
    assert {group.min_green_s for group in restricted.groups} == {7.0}
    assert {gap_s for row in restricted.intergreen_s for gap_s in row} <= {0.0, 3.0}
    assert len(groups) == junction.link_count


class _FakeTrafficLight:
    def __init__(self) -> None:
        self.shown: list[str] = []

    def setRedYellowGreenState(self, _: str, lamps: str) -> None:  # noqa: N802  (TraCI's name)
        self.shown.append(lamps)


class _FakeTraci:
    def __init__(self) -> None:
        self.trafficlight = _FakeTrafficLight()


def test_a_choice_shows_yellow_then_green_and_the_states_say_so() -> None:
    from dataclasses import replace

    from civicbrain.contracts.sandbox import sandbox_city

    city = replace(sandbox_city(), junctions=sandbox_city().junctions[:1])
    junction = city.junctions[0]
    phases = {
        junction.id: [
            "".join(stage.lamps[group] if group >= 0 else "r" for group in junction.group_of_link)
            for stage in junction.stages
        ]
    }
    assert len(junction.stages) > 1
    traci = _FakeTraci()
    lamps = street.Lamps(traci, city, phases, 0.0)
    lamps.choose({junction.id: junction.stages[1].id}, 10.0)
    during = lamps.states(11.0)
    assert (during.stage[0], during.target[0]) == (0, 1)
    assert ord("y") in during.lamps
    lamps.complete(13.0)
    after = lamps.states(13.0)
    assert (after.stage[0], after.target[0], after.stage_since_s[0]) == (1, 1, 13.0)
    assert bytes(after.lamps).decode() == junction.stages[1].lamps
    first, yellow, last = traci.trafficlight.shown
    assert first == phases[junction.id][0]
    assert yellow == rules.yellow_between(first, last)
    lamps.choose({junction.id: junction.stages[1].id}, 20.0)
    lamps.complete(23.0)
    assert len(traci.trafficlight.shown) == 3  # keeping a stage changes no lamp


class _Lanes:
    """traci.lane of one junction: lane WA_0 leads over `:A_0_0` and, a waiting place between, `:A_4_0`."""

    def getLinks(self, lane: str) -> list[tuple[object, ...]]:  # noqa: N802
        onto = {"WA_0": ":A_0_0", ":A_0_0": ":A_4_0", ":A_4_0": ""}
        return [("AB_0", True, True, False, onto[lane], "o", "l", 8.0)] if lane in onto else []

    def getLength(self, lane: str) -> float:  # noqa: N802
        return {":A_0_0": 8.0, ":A_4_0": 5.0}[lane]


def test_cameras_see_the_box_lane_by_lane() -> None:
    from civicbrain.contracts.sandbox import sandbox_city

    city = sandbox_city()
    lane = city.network.get_lane("WA_0")
    found = street.lanes_inside(SimpleNamespace(lane=_Lanes()), city)
    assert found == {":A_0_0": (0, lane, 0.0), ":A_4_0": (0, lane, 8.0)}
