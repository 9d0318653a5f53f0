"""What an operator does in the control room, done in a real browser."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect


def pixels(room: Any) -> NDArray[np.uint8]:
    """The map as it is on the screen, (height, width, 3); without what lies over it."""
    box = {"x": 20, "y": 240, "width": 600, "height": 240}
    return np.asarray(Image.open(io.BytesIO(room.page.screenshot(clip=box))).convert("RGB"))


def seen(room: Any, colour: tuple[int, int, int], within: int = 24) -> int:
    """How many pixels of the map are close to a colour."""
    away = np.abs(pixels(room).astype(int) - np.array(colour)).max(axis=2)
    return int((away <= within).sum())


def until(holds: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def test_the_page_says_what_city_it_shows_and_who_is_logged_in(room: Any) -> None:
    page = room.page
    expect(page.get_by_test_id("city-name")).to_have_text("grid")
    expect(page).to_have_title("grid · Civic Brain")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    expect(page.get_by_test_id("clock")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    expect(page.get_by_test_id("demo-login")).to_contain_text("operator")


def test_the_map_is_drawn(room: Any) -> None:
    picture = pixels(room)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    assert seen(room, (58, 74, 90), within=6) > 500  # streets
    assert seen(room, (111, 183, 238)) > 20  # moving vehicles


def test_vehicles_move_between_frames_of_the_server(room: Any) -> None:
    first, before = pixels(room), room.statistics()
    until(lambda: (pixels(room) != first).any(axis=2).sum() > 50)
    until(lambda: room.statistics()["framesReceived"] > before["framesReceived"])
    # the second that is drawn falls between the whole seconds that the twin sends
    drawn = [room.statistics()["timeS"]]
    while len({round(t % 1, 2) for t in drawn}) <= 3:
        assert len(drawn) < 60, drawn
        room.page.wait_for_timeout(130)
        drawn.append(room.statistics()["timeS"])
    assert all(b >= a for a, b in pairwise(drawn))


def test_indicators_stand_beside_the_fixed_plan(room: Any) -> None:
    page = room.page
    expect(page.get_by_test_id("vehicles-now")).to_have_text("300")
    expect(page.get_by_test_id("delay-against")).to_contain_text("Fixed plan 49.0")
    expect(page.get_by_test_id("delay-against")).to_contain_text("better")
    expect(page.get_by_test_id("throughput-against")).to_contain_text("+500 (+11 %) better")


def test_pause_stops_the_picture_and_resume_goes_on(room: Any, server: Any) -> None:
    pause = room.page.get_by_test_id("pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    until(lambda: bool(server.get("/v1/twin")["paused"]))

    def stands() -> bool:
        """The second that is drawn catches up with the last one sent, and goes no further."""
        before = room.statistics()["timeS"]
        room.page.wait_for_timeout(1500)
        return bool(room.statistics()["timeS"] == before)

    until(stands)
    stood = room.statistics()["timeS"]
    expect(room.page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    expect(room.page.get_by_test_id("measured-speed")).to_have_text("paused")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "false")
    room.wait(f"window.__civicbrain.statistics.timeS > {stood + 1}")


def test_the_speed_of_the_twin_is_changed(room: Any, server: Any) -> None:
    for speed in ("5", "0", "1"):
        button = room.page.get_by_test_id(f"speed-{speed}")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        until(lambda wanted=float(speed): server.get("/v1/twin")["speed"] == wanted)


def test_the_brain_is_switched_off_and_on_with_a_reason(room: Any, server: Any) -> None:
    page, switch = room.page, room.page.get_by_test_id("brain-switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    page.get_by_test_id("dialog-cancel").click()
    assert server.get("/v1/snapshot")["brain_on"] is True
    switch.click()
    page.get_by_label("Reason").fill("works on the bridge")
    page.get_by_test_id("dialog-confirm").click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_contain_text("Off")
    assert server.get("/v1/snapshot")["brain_on"] is False
    assert "works on the bridge" in str(server.get("/v1/ledger?limit=500")["entries"])
    switch.click()
    page.get_by_test_id("dialog-confirm").click()
    expect(switch).to_have_attribute("aria-checked", "true")


def test_another_control_is_chosen(room: Any, server: Any) -> None:
    page, chooser = room.page, room.page.get_by_test_id("control")
    for name in ("fixed", "max-pressure"):
        chooser.select_option(name)
        expect(page.get_by_test_id("reason-dialog")).to_contain_text(name)
        page.get_by_test_id("dialog-confirm").click()
        expect(chooser).to_have_value(name)
        assert server.get("/v1/controls")["current"] == name


def test_a_junction_opens_from_the_list_with_the_keyboard(room: Any) -> None:
    page = room.page
    page.get_by_test_id("junction-search").fill("Street 2 / Street 1")
    page.get_by_test_id("junction-list").get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("junction-name")).to_have_text("Street 2 / Street 1")
    expect(page.get_by_test_id("junction-mode")).to_have_text("central: follows the brain")
    expect(page.get_by_test_id("junction-stage")).to_contain_text("Stage")
    expect(page.get_by_test_id("junction-groups")).to_contain_text(re.compile("green|yellow|red"))
    expect(page.get_by_test_id("junction-explanation")).to_contain_text("vehicle-seconds")
    room.wait("window.__civicbrain.map.getZoom() > 16.9")  # the map went there
    page.get_by_test_id("junction-back").click()
    room.wait("window.__civicbrain.map.getZoom() < 16")  # and back to where it was
    page.get_by_test_id("view-fit").click()
    expect(page.get_by_test_id("junction-list")).to_be_visible()


def test_a_junction_opens_from_the_map(room: Any) -> None:
    page = room.page
    page.get_by_test_id("view-fit").click()
    page.wait_for_timeout(500)
    point = page.evaluate(
        """async () => {
          const [city, geometry] = await Promise.all(
            ['/v1/city', '/v1/city/geometry'].map((path) => fetch(path).then((answer) => answer.json())));
          const [a, b, c, d, e, f] = city.lonlat_affine;
          const {x_m: x, y_m: y, name} = geometry.junctions[6];
          const at = window.__civicbrain.map.project([a * x + b * y + c, d * x + e * y + f]);
          const box = window.__civicbrain.map.getContainer().getBoundingClientRect();
          return {x: box.x + at.x, y: box.y + at.y, name};
        }"""
    )
    page.mouse.move(point["x"], point["y"])
    expect(page.get_by_test_id("tooltip")).to_contain_text(point["name"])
    page.mouse.click(point["x"], point["y"])
    expect(page.get_by_test_id("junction-name")).to_have_text(point["name"])
    page.get_by_test_id("junction-back").click()


def test_signal_heads_stand_at_the_stop_lines_when_zoomed_in(room: Any) -> None:
    page = room.page
    page.get_by_test_id("junction-list").get_by_role("button").first.click()
    room.wait("window.__civicbrain.map.getZoom() > 16.9")
    page.get_by_test_id("legend-toggle").click()
    expect(page.get_by_test_id("legend")).to_contain_text("Signal heads")
    page.get_by_test_id("legend-toggle").click()
    until(lambda: seen(room, (31, 214, 154)) > 5 and seen(room, (255, 75, 85)) > 5)  # green and red at once
    page.get_by_test_id("junction-back").click()
    page.get_by_test_id("view-fit").click()


def test_alerts_come_in_by_themselves(room: Any) -> None:
    expect(room.page.get_by_test_id("alerts")).to_contain_text("made-up alert")
    expect(room.page.get_by_test_id("alerts")).to_contain_text("Medium")


def test_a_refusal_of_the_server_is_shown_as_it_stands(room: Any) -> None:
    page = room.page
    page.route(
        "**/v1/twin",
        lambda route: route.fulfill(
            status=409,
            content_type="application/problem+json",
            body='{"title": "Conflict", "status": 409, "detail": "the twin is being restored"}',
        ),
    )
    page.get_by_test_id("speed-2").click()
    expect(page.get_by_test_id("toast")).to_contain_text("Refused: The twin is being restored.")
    page.unroute("**/v1/twin")
    page.get_by_test_id("toast").get_by_role("button").click()
    expect(page.get_by_test_id("toast")).to_have_count(0)
    # the browser itself notes each refused request in the console
    room.complaints = [line for line in room.complaints if "409" not in line]


def test_everything_that_can_be_pressed_has_a_name(room: Any) -> None:
    nameless = room.page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, [role=application]')]
          .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))
          .map((e) => e.outerHTML)"""
    )
    assert nameless == []


def test_a_phone_has_the_map_above_the_rail(room: Any) -> None:
    page = room.page
    page.set_viewport_size({"width": 390, "height": 800})
    try:
        place, rail = page.locator(".map").bounding_box(), page.locator(".rail").bounding_box()
        assert place["width"] == 390
        assert place["height"] >= 500
        assert rail["y"] >= place["y"] + place["height"]
        assert rail["y"] + rail["height"] <= 800
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        rooms = [one.bounding_box() for one in page.locator(".rail button").all()]
        assert len(rooms) >= 8
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in rooms)  # none out of sight
        page.evaluate("location.hash = '#/missions'")  # by address: the room is there, not the map alone
        expect(page.get_by_test_id("mission-new")).to_be_visible()
        page.evaluate("location.hash = '#/'")
    finally:
        page.set_viewport_size({"width": 1000, "height": 640})


def test_the_theme_follows_the_system_and_can_be_changed(server: Any, open_room: Any, alone: None) -> None:
    room = open_room(server.url, theme="light")
    assert room.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert seen(room, (238, 241, 243), within=3) > 10_000
    room.page.get_by_test_id("theme").click()
    until(lambda: seen(room, (14, 20, 27), within=3) > 10_000)
    room.page.get_by_test_id("rail-what-if").click()  # so that no map is made again
    room.page.reload(wait_until="commit")
    room.wait("document.documentElement.dataset.theme === 'dark'", 60)
    assert room.complaints == []
    room.page.context.close()


def test_a_page_opened_at_another_room_makes_the_map_when_it_is_first_seen(
    server: Any, open_room: Any, alone: None
) -> None:
    """A map takes seconds of the page's thread in software."""
    room = open_room(server.url, at="#/what-if")
    expect(room.page.get_by_test_id("clock")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))  # frames come
    expect(room.page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert room.page.locator("canvas").count() == 0
    room.page.get_by_test_id("rail-now").click()
    room.wait("window.__civicbrain?.statistics.vehiclesDrawn > 0")
    assert room.complaints == []
    room.page.context.close()


def test_a_page_older_than_the_server_asks_to_be_fetched_anew(
    server: Any, open_room: Any, alone: None
) -> None:
    page = open_room(server.url, at="#/proof").page
    part = re.compile(r"/assets/what-if-room-[^/]+\.js$")
    page.route(part, lambda route: route.fulfill(status=404, body="gone"))
    page.get_by_test_id("rail-what-if").click()
    expect(page.get_by_test_id("renewed")).to_contain_text("The control room was renewed")
    expect(page.get_by_test_id("room-failed")).to_contain_text("reload it")
    page.get_by_test_id("renewed-reload").click()
    expect(page.get_by_test_id("renewed")).to_be_visible()  # once by itself, and not again and again
    page.unroute(part)
    page.get_by_test_id("renewed-reload").click()
    expect(page.get_by_test_id("what-if-form")).to_be_visible()
    page.context.close()


def test_a_room_that_does_not_come_can_be_asked_for_again(server: Any, open_room: Any, alone: None) -> None:
    page = open_room(server.url, at="#/what-if").page
    part = re.compile(r"/assets/proof-room-[^/]+\.js$")
    page.route(part, lambda route: route.abort())
    page.get_by_test_id("rail-proof").click()
    expect(page.get_by_test_id("room-failed")).to_contain_text("could not be loaded")
    expect(page.get_by_test_id("renewed")).to_have_count(0)
    page.unroute(part)
    page.get_by_test_id("room-again").click()
    expect(page.get_by_test_id("needs-engineer")).to_be_visible()
    page.context.close()
