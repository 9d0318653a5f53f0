"""The page about one mission: its figures by hand, nothing unescaped, whatever is missing."""

from __future__ import annotations

import re

import pytest
from api_place import SIZE
from grid_city import grid_city

from civicbrain.api.mission_report import render_mission
from civicbrain.city.missions import MissionKind
from civicbrain.contracts.missions import MissionView, Passage, PassageState

CITY = grid_city(SIZE)
EDGES = CITY.network.edges.ids
FIRST, SECOND = CITY.junctions[0].id, CITY.junctions[1].id


def mission(**values: object) -> MissionView:
    known: dict[str, object] = {
        "id": "m1", "vehicle": "Ambulance 7", "kind": MissionKind.AMBULANCE, "urgency": 3,
        "from_edge": EDGES[0], "to_edge": EDGES[1], "created_s": 3600.0, "state": "tracked",
    }  # fmt: skip
    return MissionView(**(known | values))  # type: ignore[arg-type]


ARRIVED = mission(
    state="ended", end="arrived", ended_s=3675.0, eta_without_s=3725.0, won_s=50.0, length_m=1000.0,
    cross_wait_veh_s=31.0, edges=(EDGES[0], EDGES[1]), ordered_by="operator", reason="cardiac arrest",
    passages=(
        Passage(FIRST, 200.0, PassageState.RELEASED, first_predicted_s=3620.0, opened_s=3610.0,
                passed_s=3624.0, released_s=3626.0, cross_wait_veh_s=31.0),
        Passage(SECOND, 700.0, PassageState.RELEASED, first_predicted_s=3650.0, opened_s=3640.0,
                passed_s=3648.0, released_s=3649.0),
    ),
)  # fmt: skip


def text_of(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_an_arrived_mission_is_told_on_one_page() -> None:
    page = render_mission(CITY, ARRIVED, 3700.0)
    text = text_of(page)
    assert "Took 1 min 15 s 1.0 km, 48 km/h on average" in text
    assert "Won against no priority 50 s 40 % of 2 min 5 s (estimate)" in text
    assert "31 vehicle seconds at red" in text
    assert "missed by 3 s on average over 2 junctions" in text  # 4 s late, 2 s early
    assert "01:00:00 by operator" in text
    assert "+4 s 16 s 31" in text
    assert "−2 s 9 s 0" in text
    assert re.search(rf"From Street \d \({EDGES[0]}\), near ", text)
    assert page.count(b"<circle") == 2


@pytest.mark.parametrize("state", ["expected", "tracked", "lost"])
def test_one_that_is_not_planned_yet_has_a_page_too(state: str) -> None:
    text = text_of(render_mission(CITY, mission(state=state), 3605.0))
    assert "No signal junction" in text
    assert "no junction was passed" in text
    assert "None" not in text


def test_what_people_wrote_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    view = mission(
        vehicle=evil, reason=evil, note=evil, cancelled_by=evil, cancel_reason=evil, state="ended", end=evil,
        ended_s=3660.0, refused={evil: 1}, edges=("nowhere",),
        passages=(Passage(evil, 1.0, PassageState.WAITS, reason=evil),),
    )  # fmt: skip
    assert b"<script" not in render_mission(CITY, view, 3700.0)
