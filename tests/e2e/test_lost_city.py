"""A large city in front of a real browser: what drawing costs, and how soon it is told that data stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.quiet

WITHIN_S = 3.0  # an operator is told so soon that the picture is old
# of the main thread, for 10,000 vehicles: a picture has half of the time between two at 30 a second, reading
# a frame of data what a page may take without counting as held up (a "long task")
PICTURE_MS, FRAME_MS = 16.0, 50.0


@pytest.fixture(scope="module")
def doomed(make_server: Any) -> Any:
    """A server of its own, with many vehicles, whose processes die."""
    return make_server(vehicles=10_000, size=16)


@pytest.fixture(scope="module")
def doomed_room(doomed: Any, open_room: Any) -> Any:
    return open_room(doomed.url, width=900, height=560, calm=False)


def test_ten_thousand_vehicles_leave_the_main_thread_free(doomed_room: Any) -> None:
    room = doomed_room
    session = room.page.context.new_cdp_session(room.page)
    # processor time of the main thread, not wall time: other work on the machine does not count
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def measure() -> tuple[float, int, int]:
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        seen = room.statistics()
        return 1000 * float(metrics["TaskDuration"]), int(seen["pictures"]), int(seen["framesReceived"])

    assert room.statistics()["vehiclesDrawn"] >= 10_000
    room.page.wait_for_timeout(2000)
    before = measure()
    room.wait(f"window.__civicbrain.statistics.pictures >= {before[1] + 20}")  # however long that takes
    busy_ms, drawn, received = (now - then for now, then in zip(measure(), before, strict=True))
    print(f"main thread: {busy_ms:.0f} ms of processor for {drawn} pictures and {received} frames of data")
    # two costs, two budgets (6 and 17 ms when this was written): how many pictures a machine without a
    # graphics card makes of one frame of data says nothing about the main thread
    assert busy_ms < PICTURE_MS * drawn + FRAME_MS * received
    room.page.evaluate("() => void (window.__everyMs = 240)")  # what follows is about words, not pictures


def says_it_is_old(room: Any, killed: float, state: str) -> None:
    """The bar and the panel, soon enough; then the panels of all rooms that were opened before."""
    page = room.page
    expect(page.get_by_test_id("connection")).to_have_attribute(
        "data-state", re.compile(state), timeout=15_000
    )
    expect(page.get_by_test_id("panel").get_by_test_id("age")).to_be_visible(timeout=60_000)
    # what the page noted itself, so that a slow test machine is not mistaken for a slow page
    assert page.evaluate("() => window.__civicbrain.toldMs") / 1000 - killed < WITHIN_S
    for button in page.locator(".rail button").all():
        button.click()
        expect(page.get_by_test_id("age").first).to_contain_text("old")
    page.locator(".rail button").first.click()


def killed_at(room: Any, server: Any, process: str) -> float:
    """Kills it; seconds on the page's own clock."""
    at = float(room.page.evaluate("() => performance.now()")) / 1000
    server.kill(process)
    return at


def test_the_page_says_when_the_api_is_gone_and_recovers(doomed: Any, doomed_room: Any) -> None:
    room, state = doomed_room, doomed_room.page.get_by_test_id("connection")
    for button in room.page.locator(".rail button").all():
        button.click()  # the rooms' parts are fetched once
        expect(room.page.locator(".room-loading")).to_have_count(0)
    room.page.locator(".rail button").first.click()
    expect(state).to_have_attribute("data-state", "live")
    expect(room.page.get_by_test_id("age")).to_have_count(0)
    says_it_is_old(room, killed_at(room, doomed, "api"), "reconnecting|stale")
    before = room.statistics()["framesReceived"]
    doomed.start_api()
    expect(state).to_have_attribute("data-state", "live")
    room.wait(f"window.__civicbrain.statistics.framesReceived > {before}")
    expect(room.page.get_by_test_id("age")).to_have_count(0)
    assert not [line for line in room.complaints if line.startswith("uncaught")]


def test_the_page_says_when_data_stops_although_the_api_answers(doomed: Any, doomed_room: Any) -> None:
    room, state = doomed_room, doomed_room.page.get_by_test_id("connection")
    says_it_is_old(room, killed_at(room, doomed, "backend"), "stale")
    expect(state).to_contain_text("No data for")
    doomed.start_backend(50, 16)
    expect(state).to_have_attribute("data-state", "live")
    expect(room.page.get_by_test_id("vehicles-now")).to_have_text("50")
    expect(room.page.get_by_test_id("age")).to_have_count(0)
