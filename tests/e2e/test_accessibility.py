"""The control room without a mouse, without colours, without motion; and what axe says of every room.

axe-core (Deque) comes with the page's development packages. It is let past the page's content-security
policy, in a browser profile of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async (rules) => {
  const options = {resultTypes: ['violations'], ...(rules ? {runOnly: {type: 'rule', values: rules}} : {})};
  const found = await window.axe.run(document, options);
  return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => [v.id, v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} | ${n.any[0]?.message}`)]);
}"""


@pytest.fixture(scope="module")
def watched(server: Any, open_room: Callable[..., Any]) -> Iterator[Any]:
    """A room with axe in it."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    room = open_room(server.url, bypass_csp=True)
    room.page.add_script_tag(content=AXE.read_text())
    yield room
    room.page.close()


def each_room(page: Any) -> Iterator[str]:
    """Goes into every room of the rail, one after another, and waits until it is there."""
    for button in page.locator(".rail button").all():
        button.click()
        slug = str(button.get_attribute("data-testid"))
        page.locator(".room-loading").first.wait_for(state="detached")
        expect(page.locator(".room-loading")).to_have_count(0)
        yield slug


def test_axe_finds_nothing_serious_in_any_room(watched: Any) -> None:
    page = watched.page
    found = {slug: page.evaluate(RUN, None) for slug in each_room(page)}
    assert {slug: what for slug, what in found.items() if what} == {}
    assert len(found) >= 2


def test_contrast_holds_in_the_light_theme_too(watched: Any) -> None:
    page = watched.page
    page.get_by_test_id("theme").click()
    found = {slug: page.evaluate(RUN, ["color-contrast"]) for slug in each_room(page)}
    page.get_by_test_id("theme").click()
    assert {slug: what for slug, what in found.items() if what} == {}


def test_the_first_stop_of_the_keyboard_leads_to_the_content(watched: Any) -> None:
    page = watched.page
    page.locator(".rail button").first.click()
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    page.keyboard.press("Tab")
    for _ in range(40):  # blur leaves the starting point where it was: walk on to the page's beginning
        if page.evaluate("() => document.activeElement.dataset.testid") == "skip":
            break
        page.keyboard.press("Shift+Tab")
    expect(page.get_by_test_id("skip")).to_be_in_viewport()
    address = page.url
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("panel")).to_be_focused()
    assert page.url == address
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.getElementById('panel').contains(document.activeElement)")


def test_every_stop_of_the_keyboard_is_named_and_seen(watched: Any) -> None:
    page = watched.page
    page.locator(".rail button").first.click()
    page.get_by_test_id("skip").focus()
    stops = []
    for _ in range(70):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
              const e = document.activeElement, style = getComputedStyle(e);
              const name = e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent;
              const place = e.closest('.map-place') ? getComputedStyle(e.closest('.map-place')) : style;
              const ring = (s) => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1;
              return {body: e === document.body, id: e.dataset.testid ?? '', name: (name || e.title).trim(),
                      html: e.outerHTML.slice(0, 200), seen: ring(style) || ring(place)};
            }"""
        )
        if stop["body"]:
            break
        stops.append(stop)
    assert [stop for stop in stops if not stop["seen"] or not stop["name"]] == []
    assert {"pause", "control", "brain-switch", "theme", "junction-search"} <= {stop["id"] for stop in stops}


def test_nothing_moves_by_itself_for_who_wants_less_motion(watched: Any) -> None:
    moving = watched.page.evaluate(
        """() => document.getAnimations()
          .filter((a) => a.playState === 'running' && a.effect.getTiming().iterations > 1)
          .map((a) => a.animationName)"""
    )
    assert moving == []


def test_the_page_speaks_korean_and_chinese(watched: Any) -> None:
    page = watched.page
    page.get_by_test_id("rail-shift").click()  # no map is made again with each language
    page.get_by_test_id("preferences").click()
    for code, word in (("ko", "도시"), ("zh", "城市"), ("en", "City")):
        if not page.get_by_test_id("language").is_visible():
            page.get_by_test_id("preferences").click()
        page.get_by_test_id("language").select_option(code)
        expect(page.get_by_test_id("rail-now")).to_have_text(word)
        assert page.evaluate("() => document.documentElement.lang") == code
