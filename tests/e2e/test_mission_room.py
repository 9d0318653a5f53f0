"""A dispatcher's work in the control room, before a real city: twin, brain with corridors, API, Chromium.

CIVICBRAIN_PICTURES=1 keeps the pictures of the how-to as they then look.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import patient
import pytest
from PIL import Image
from playwright.sync_api import expect

from civicbrain.twin.generating import GenerateOptions, generate_city

STATIC = Path(__file__).parents[2] / "src" / "civicbrain" / "api" / "static"
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SPEED = "6"  # simulated seconds a second
ROUTE = (255, 107, 181)  # of the dark theme
LARGEST_PICTURE = 200_000


@dataclass
class Town:
    url: str
    places: dict[str, str]
    """Kind -> name."""
    junctions: list[str]


@pytest.fixture(scope="module")
def town(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Ten junctions with a hospital and stations, live under the control `priority`."""
    folder = tmp_path_factory.mktemp("town") / "smalltown"
    generate_city(GenerateOptions(junctions=12, load=0.5, name="smalltown"), folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    run_dir = tmp_path_factory.mktemp("r")
    (run_dir / "run.toml").write_text("[history]\nenabled = false\n")
    command = [
        sys.executable, "-m", "civicbrain.cli.main", "run", str(folder), "--port", str(port), "--control",
        "priority", "--run-dir", str(run_dir), "--warmup", "60", "--speed", SPEED,
        "--config", str(run_dir / "run.toml"),
    ]  # fmt: skip
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    with (run_dir / "out.txt").open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: patient.get(f"{url}/v1/health").json()["status"] == "ok", 90)
        geometry = patient.get(f"{url}/v1/city/geometry").json()
        places = {place["kind"]: place["name"] for place in geometry["places"]}
        yield Town(url, places, [junction["name"] for junction in geometry["junctions"]])
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def desk(town: Town, open_room: Any) -> Any:
    room = open_room(town.url, width=1140, height=700)
    room.page.get_by_test_id("rail-missions").click()
    expect(room.page.get_by_test_id("mission-list")).to_be_visible()
    return room


def wait_until(holds: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def keep(shown: Any, name: str, tmp_path: Path) -> Image.Image:
    """A picture of a page or a part of it; among the documentation's when asked for."""
    kept = os.environ.get("CIVICBRAIN_PICTURES") == "1"
    file = (IMAGES if kept else tmp_path) / f"{name}.png"
    shown.screenshot(path=file)
    image = Image.open(file).convert("RGB")
    image.save(file, optimize=True)
    assert file.stat().st_size < LARGEST_PICTURE
    return image


def count_of(image: Image.Image, colour: tuple[int, int, int], within: int = 32) -> int:
    def near(pixel: Any) -> bool:
        return all(abs(a - b) <= within for a, b in zip(pixel, colour, strict=True))

    return sum(number for number, pixel in image.getcolors(2**24) or [] if near(pixel))


def order(room: Any, vehicle: str, start: str, end: str, kind: str = "ambulance", urgency: int = 3) -> str:
    """Through the form; the id of the mission."""
    page = room.page
    page.evaluate("location.hash = '#/missions'")  # wherever a test before has left it
    page.get_by_test_id("mission-new").click()
    page.get_by_test_id("order-vehicle").fill(vehicle)
    page.get_by_test_id("order-kind").select_option(kind)
    page.get_by_test_id(f"order-urgency-{urgency}").check()
    page.get_by_test_id("place-from").fill(start)
    page.get_by_test_id("place-to").fill(end)
    page.get_by_test_id("order-reason").fill("cardiac arrest")
    page.get_by_test_id("order-submit").click()
    expect(page.get_by_test_id("mission-name")).to_have_text(vehicle)
    assert page.evaluate("sessionStorage.getItem('civicbrain-draft-mission')") is None  # it was sent
    address = page.get_by_test_id("mission-report").get_attribute("href")
    return str(address).split("/")[3]


def test_the_page_stays_small_and_missions_come_later(chromium: str) -> None:
    packed = list((STATIC / "assets").glob("*.gz"))
    assert sum(file.stat().st_size for file in packed) < 1_200_000
    [part] = [file for file in packed if file.name.startswith("missions-")]
    assert part.stat().st_size < 60_000
    assert part.name.removesuffix(".gz") not in (STATIC / "index.html").read_text()


def test_who_is_first_is_answered_and_sent(desk: Any, town: Town, tmp_path: Path) -> None:
    page = desk.page
    page.get_by_test_id("mission-ask").click()
    page.get_by_test_id("dispatch-submit").click()
    expect(page.get_by_test_id("dispatch-form")).to_contain_text("Required.")
    page.get_by_test_id("place-address").fill(town.places["railway-station"])
    for kind in ("ambulance-station", "fire-station"):
        page.get_by_test_id("place-candidate").fill(town.places[kind])
        page.get_by_test_id("candidate-add").click()
    page.get_by_test_id("dispatch-submit").click()
    rows = page.get_by_test_id("dispatch-answer").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(re.compile(r"\d+ (s|min( \d+ s)?) ± \d+ s\s*\d+ %\s*[\d.]+ k?m"))
    page.wait_for_timeout(700)
    assert count_of(keep(page, "dispatch", tmp_path), ROUTE) > 400  # the way of the soonest
    page.get_by_test_id("dispatch-hospital").check()
    page.get_by_test_id("dispatch-submit").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button", name=re.compile("New mission")).click()
    expect(page.get_by_test_id("place-to")).to_have_value(town.places["hospital"])
    page.get_by_test_id("missions-back").click()


def test_a_place_is_chosen_on_the_map_or_by_the_keyboard(desk: Any, town: Town) -> None:
    page = desk.page
    page.get_by_test_id("view-fit").click()
    page.get_by_test_id("mission-new").press("Enter")
    expect(page.get_by_test_id("order-vehicle")).to_be_focused()
    page.get_by_test_id("place-to").fill("Atlantis")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("order-form")).to_contain_text("No such place")
    page.get_by_test_id("pick-to").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("pick-to")).to_have_attribute("aria-pressed", "false")
    page.get_by_test_id("pick-from").click()
    point = page.evaluate(
        """async () => {
          const [city, geometry] = await Promise.all(
            ['/v1/city', '/v1/city/geometry'].map((path) => fetch(path).then((answer) => answer.json())));
          const [a, b, c, d, e, f] = city.lonlat_affine;
          const {x_m: x, y_m: y} = geometry.places.find((place) => place.kind === 'hospital');
          const at = window.__civicbrain.map.project([a * x + b * y + c, d * x + e * y + f]);
          const box = window.__civicbrain.map.getContainer().getBoundingClientRect();
          return {x: box.x + at.x, y: box.y + at.y};
        }"""
    )
    page.mouse.click(point["x"], point["y"])
    expect(page.get_by_test_id("place-from")).not_to_have_value("")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, a, [role=tab]')]
          .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))
          .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    page.get_by_test_id("missions-back").click()


def test_a_form_goes_on_where_another_room_was_looked_at(desk: Any, town: Town) -> None:
    page = desk.page
    page.get_by_test_id("mission-new").click()
    page.get_by_test_id("order-vehicle").fill("Ambulance 9")
    page.get_by_test_id("order-urgency-2").check()
    page.get_by_test_id("place-to").fill(town.places["hospital"])
    page.get_by_test_id("order-reason").fill("fall from a ladder")
    page.evaluate("location.hash = '#/cases'")
    expect(page.get_by_test_id("order-form")).to_be_hidden()
    page.evaluate("location.hash = '#/missions'")
    expect(page.get_by_test_id("order-vehicle")).to_have_value("Ambulance 9")
    expect(page.get_by_test_id("order-urgency-2")).to_be_checked()
    expect(page.get_by_test_id("place-to")).to_have_value(town.places["hospital"])
    expect(page.get_by_test_id("order-reason")).to_have_value("fall from a ladder")
    page.get_by_test_id("missions-back").click()  # given up
    page.get_by_test_id("mission-new").click()
    expect(page.get_by_test_id("order-vehicle")).to_have_value("")
    expect(page.get_by_test_id("place-to")).to_have_value("")
    page.get_by_test_id("missions-back").click()


def test_a_mission_drives_through_its_corridor_to_its_report(desk: Any, town: Town, tmp_path: Path) -> None:
    page = desk.page
    page.get_by_test_id("speed-2").click()  # a corridor is green for seconds: each is to be seen
    name = order(desk, "Ambulance 7", town.places["fire-station"], town.places["railway-station"])
    state = page.get_by_test_id("mission-state")
    expect(state).to_have_text("on its way")
    rows = page.get_by_test_id("mission-corridor").locator("tbody tr")
    expect(rows.first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("mission-eta")).to_contain_text(re.compile(r"in .+ · [\d:]+ to [\d:]+"))
    seen: set[str] = set()
    places: set[tuple[float, float]] = set()
    shot = False
    end = time.monotonic() + 150
    while state.text_content() == "on its way" and time.monotonic() < end:
        phases = rows.evaluate_all("rows => rows.map((row) => row.dataset.phase)")
        seen.update(phases)
        view = patient.get(f"{town.url}/v1/missions/{name}").json()
        places.add((view["x_m"], view["y_m"]))
        if not shot and "green" in phases:
            shot = True
            page.get_by_test_id("pause").click()
            # all at once: each goes by itself, too
            page.get_by_test_id("toast").get_by_role("button").evaluate_all(
                "all => all.forEach((b) => b.click())"
            )
            page.wait_for_timeout(1500)  # the map catches up with the last second
            assert count_of(keep(page, "mission", tmp_path), ROUTE) > 400
            page.get_by_test_id("pause").click()
        page.wait_for_timeout(50)
    expect(state).to_have_text("arrived")
    page.get_by_test_id("speed-5").click()
    assert {"green", "passed"} <= seen, seen
    assert len(places) > 5
    expect(rows.first).to_contain_text("passed")
    expect(rows.first).to_contain_text(re.compile(r"\d\d:\d\d:\d\d.*\d\d:\d\d:\d\d"))  # predicted and actual
    expect(page.get_by_test_id("mission-won")).to_contain_text(re.compile(r"\d"))
    with page.context.expect_page() as opened:
        page.get_by_test_id("mission-report").click()
    report = opened.value
    expect(report.get_by_role("heading", level=1)).to_have_text("Ambulance 7")
    expect(report.locator("body")).to_contain_text("cardiac arrest")
    expect(report.locator("svg[role=img]")).to_be_visible()
    report.set_viewport_size({"width": 820, "height": 1000})
    keep(report.locator("main"), "mission-report", tmp_path)
    assert report.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 1  # one page to print
    report.close()
    page.get_by_test_id("missions-back").click()


def test_a_mission_is_cancelled_with_a_reason(desk: Any, town: Town, tmp_path: Path) -> None:
    page = desk.page
    ends = town.places["police-station"], town.places["railway-station"]
    name = order(desk, "Fire engine 2", *ends, kind="fire", urgency=2)
    expect(page.get_by_test_id("mission-state")).to_have_text("on its way")
    page.get_by_test_id("mission-follow").click()
    expect(page.get_by_test_id("mission-follow")).to_have_attribute("aria-pressed", "true")
    before = page.evaluate("() => window.__civicbrain.map.getCenter().toArray()")
    desk.wait(f"window.__civicbrain.map.getCenter().toArray().join() !== '{before[0]},{before[1]}'")
    page.get_by_test_id("mission-cancel").click()
    page.get_by_test_id("dialog-cancel").click()
    assert patient.get(f"{town.url}/v1/missions/{name}").json()["state"] == "tracked"
    page.get_by_test_id("mission-cancel").click()
    page.get_by_label("Reason").fill("false alarm")
    page.get_by_test_id("dialog-confirm").click()
    expect(page.get_by_test_id("mission-state")).to_have_text("cancelled")
    expect(page.get_by_test_id("mission-cancel")).to_have_count(0)
    assert "false alarm" in patient.get(f"{town.url}/v1/missions/{name}/report").text
    page.get_by_test_id("missions-back").click()
    expect(page.get_by_role("list", name="Ended")).to_contain_text("Fire engine 2")
    keep(page, "missions", tmp_path)
    assert not [line for line in desk.complaints if "404" not in line]
