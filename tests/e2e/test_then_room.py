"""The past in the control room: the last minutes played again, a link to a moment, and a corridor over time.

CIVICBRAIN_PICTURES=1 keeps the pictures of the how-to as they then look.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import patient
import pytest
from playwright.sync_api import expect

WINDOW_S = 600
TO_THE_MIDDLE = """([lon, lat]) => {
  const map = window.__civicbrain.map, box = map.getContainer().getBoundingClientRect();
  map.jumpTo({center: [lon, lat], zoom: 16});
  return [box.width / 2, box.height / 2];
}"""


def seconds_of(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + seconds


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Any]) -> Any:
    """Of its own, so that what happened is what this module did."""
    return make_server()


@pytest.fixture(scope="module")
def past(server: Any) -> str:
    """Ten minutes of the stand-in's city; within them the control was another for a while."""

    def until(second: float) -> None:
        end = time.monotonic() + 60
        while server.get("/v1/twin")["time_s"] < second:
            assert time.monotonic() < end
            time.sleep(0.1)

    patient.patch(f"{server.url}/v1/twin", json={"speed": 100})
    until(240)
    order = {"action": "stage", "stage": "2", "duration_s": 60, "reason": "queue from the west"}
    patient.post(f"{server.url}/v1/junctions/J2_2/override", json=order).raise_for_status()
    until(300)
    patient.put(f"{server.url}/v1/control", json={"name": "fixed", "reason": "works"})
    until(WINDOW_S + 40)
    patient.put(f"{server.url}/v1/control", json={"name": "max-pressure", "reason": "over"})
    patient.patch(f"{server.url}/v1/twin", json={"speed": 1})
    return str(server.url)


@pytest.fixture(scope="module")
def then(past: str, open_room: Callable[..., Any]) -> Any:
    room = open_room(past, width=1280, height=760)
    room.page.get_by_test_id("rail-then").click()
    expect(room.page.get_by_test_id("then-state")).to_have_attribute("data-shown", "frames")
    return room


@pytest.fixture
def room(then: Any) -> Iterator[Any]:
    yield then
    complaints, then.complaints = then.complaints, []
    assert not complaints


def keep(page: Any, name: str) -> None:
    """Among the documentation's pictures, when they are asked for."""
    if os.environ.get("CIVICBRAIN_PICTURES") == "1":
        page.mouse.move(1, 1)
        page.wait_for_timeout(600)  # until nothing fades any more
        page.screenshot(path=Path(__file__).parents[2] / "docs" / "images" / f"{name}.png")


def moment(page: Any) -> int:
    return seconds_of(page.get_by_test_id("then-moment").inner_text())


def query(page: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(page.url.partition("?")[2]).items()}


def test_the_last_ten_minutes_are_played_again(room: Any) -> None:
    page = room.page
    expect(page.get_by_test_id("then-flag")).to_contain_text("The past")
    expect(page.get_by_test_id("then-back")).to_be_visible()
    start, end = (datetime.fromisoformat(query(page)[key]) for key in ("from", "to"))
    assert end - start == timedelta(seconds=WINDOW_S)
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
    first = moment(page)
    drawn = room.statistics()["vehiclesDrawn"]
    assert drawn >= 300  # the stand-in's, some of them twice while they cross a segment's end
    page.keyboard.press("5")
    page.keyboard.press("Space")
    room.wait(f"document.querySelector('[data-testid=then-moment]').textContent >= '{clock(first + 60)}'", 40)
    shown = room.statistics()["timeS"]
    assert first + 20 <= shown < first + WINDOW_S  # it is the map that shows it, a picture later
    assert query(page)["speed"] == "60"
    page.keyboard.press("Space")
    expect(page.get_by_test_id("then-play")).to_have_attribute("aria-label", "Play")
    page.wait_for_timeout(300)
    stands = moment(page)
    page.wait_for_timeout(600)
    assert moment(page) == stands


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_keys_go_through_the_window(room: Any) -> None:
    page = room.page
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
    first = moment(page)
    for key, at in (
        ("ArrowRight", 5),
        ("Shift+ArrowRight", 65),
        ("ArrowLeft", 60),
        ("End", WINDOW_S),
        ("Shift+ArrowLeft", WINDOW_S - 60),
    ):
        page.keyboard.press(key)
        expect(page.get_by_test_id("then-moment")).to_have_text(clock(first + at))
    page.keyboard.press("1")
    expect(page.get_by_test_id("then-state")).to_have_attribute("data-shown", "frames", timeout=60_000)
    page.keyboard.press(".")
    on = moment(page)
    assert on > first + WINDOW_S - 60
    page.keyboard.press(",")
    assert moment(page) < on


def test_what_happened_is_marked_and_gone_to(room: Any, server: Any) -> None:
    page = room.page
    expect(page.get_by_test_id("then-mark-control").first).to_be_attached()
    change = page.get_by_test_id("then-marks").get_by_role(
        "button", name=re.compile("from max-pressure to fixed: “works”")
    )
    change.click()
    assert 300 <= moment(page) <= 420  # when it was asked for, and told a second later
    delay = page.get_by_test_id("then-delay_s")
    expect(delay).to_have_text(re.compile(r"^2\d\.\d$"))  # 23 to 29 s, as the stand-in makes it up
    # a junction of then, by a click on the map
    a, b, c, d, e, f = server.get("/v1/city")["lonlat_affine"]
    (junction,) = [one for one in server.get("/v1/junctions") if one["id"] == "J2_2"]
    at = (junction["x_m"], junction["y_m"])
    x, y = page.evaluate(TO_THE_MIDDLE, [a * at[0] + b * at[1] + c, d * at[0] + e * at[1] + f])
    page.get_by_test_id("map").click(position={"x": x, "y": y})
    expect(page.get_by_test_id("then-junction")).to_contain_text("Street")
    assert "junction=J2_2" in page.evaluate("() => location.href")
    marks = page.get_by_test_id("then-marks")
    marks.get_by_role("button", name=re.compile("took control at .* “queue from the west”")).click()
    assert 240 <= moment(page) <= 299
    expect(page.get_by_test_id("then-held")).to_contain_text("Held by operator (demo)")
    expect(page.get_by_test_id("then-held")).to_contain_text("queue from the west")
    keep(page, "then")
    page.keyboard.press("End")
    expect(page.get_by_test_id("then-held")).not_to_contain_text("Held by")


def test_space_plays_also_after_a_click_on_what_happened(room: Any) -> None:
    page = room.page
    row = page.get_by_test_id("then-marks").get_by_role("button").first
    row.click()
    before = moment(page)
    page.keyboard.press("Space")
    room.wait(f"document.querySelector('[data-testid=then-moment]').textContent > '{clock(before)}'", 40)
    page.keyboard.press("Space")


def test_a_link_opens_the_same_moment(room: Any, open_room: Callable[..., Any], past: str) -> None:
    page = room.page
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(300)
    link, shown = page.evaluate("() => location.href"), page.get_by_test_id("then-moment").inner_text()
    other = open_room(past)
    other.page.goto("about:blank")
    other.page.goto(link)
    expect(other.page.get_by_test_id("then-moment")).to_have_text(shown, timeout=60_000)
    expect(other.page.get_by_test_id("then-state")).to_have_attribute("data-shown", "frames", timeout=60_000)
    other.wait("window.__civicbrain.statistics.vehiclesDrawn >= 300")
    assert other.page.evaluate("() => location.href") == link
    other.page.context.close()


def test_back_to_now(room: Any) -> None:
    page = room.page
    page.get_by_test_id("then-back").click()
    expect(page.get_by_test_id("then-flag")).not_to_be_attached()
    now_s = patient.get(f"{page.url.partition('#')[0]}v1/twin").json()["time_s"]
    room.wait(f"window.__civicbrain.statistics.timeS >= {now_s - 3}")
    assert page.url.endswith("#/")
    page.go_back()
    expect(page.get_by_test_id("then-flag")).to_be_visible()


def test_a_corridor_and_its_green_bands(room: Any) -> None:
    """As worked out by hand in tests/api/test_corridors.py: nothing northwards, 28.2 s of 90 s southwards."""
    page = room.page
    page.get_by_test_id("rail-corridor").click()
    expect(page.get_by_test_id("corridor-choices").get_by_role("button")).to_have_count(8)
    page.get_by_test_id("corridor-from").select_option("J1_1")
    page.get_by_test_id("corridor-to").select_option("J1_3")
    page.get_by_test_id("corridor-show").click()
    expect(page.get_by_test_id("corridor-back-efficiency")).to_have_text("31 %", timeout=60_000)
    expect(page.get_by_test_id("corridor-back-bandwidth")).to_have_text(re.compile(r"28\.[0-4] s"))
    expect(page.get_by_test_id("corridor-back-cycle")).to_have_text("90.0 s")
    expect(page.get_by_test_id("corridor-forward-efficiency")).to_have_text("0 %")
    assert page.evaluate("() => location.href").endswith("#/corridor/J1_1%3EJ1_3")
    rows = page.get_by_test_id("corridor-stops-forward").locator("tbody tr")
    expect(rows).to_have_count(3)
    for k, starts in enumerate(rows.locator("td:last-child").all_inner_texts()):
        seconds = [seconds_of(one) for one in starts.split(", ")]
        assert len(seconds) == 3
        assert {(one + 7 * k) % 90 for one in seconds[1:]} == {0}  # the junctions' offsets


def test_the_diagram_says_what_lies_under_the_pointer(room: Any) -> None:
    page = room.page
    page.get_by_test_id("corridor-hold").click()
    expect(page.get_by_test_id("corridor-hold")).to_have_text("Go on")
    canvas = page.get_by_test_id("corridor-canvas")
    expect(canvas).to_be_visible(timeout=30_000)
    # a new diagram may come in between: then there is no canvas for a moment
    box = next(found for _ in range(100) if (found := canvas.bounding_box()) or page.wait_for_timeout(100))
    canvas.hover(position={"x": box["width"] * 0.6, "y": box["height"] * 0.7})
    reading = page.get_by_test_id("corridor-reading")
    expect(reading).to_contain_text("Street 1 / Street")
    at, state = re.search(r"^(\d\d:\d\d:\d\d)[\s\S]*?: (green|yellow|red) ", reading.inner_text()).groups()  # type: ignore[union-attr]
    row = int(re.search(r"Street 1 / Street (\d)", reading.inner_text())[1]) - 1  # type: ignore[index]
    phase = (seconds_of(at) + 7 * row) % 90
    assert state == ("green" if phase < 43 else "yellow" if phase < 45 else "red")
    page.get_by_test_id("corridor-tracks").click()
    expect(page.get_by_test_id("corridor-tracks")).to_have_attribute("aria-pressed", "false")
    page.get_by_test_id("corridor-tracks").click()
    keep(page, "corridor")


def test_from_the_corridor_to_the_map_of_then(room: Any) -> None:
    page = room.page
    page.get_by_test_id("corridor-replay").click()
    expect(page.get_by_test_id("then-flag")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("then-speed-3")).to_have_attribute("aria-pressed", "true")
