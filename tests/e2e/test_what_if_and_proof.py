"""What if and Proof in the browser.

Answers and a study that are kept, read by the demo's operator; and before a real city a what-if and a tiny
study, asked and ordered by an engineer, watched to their ends and read.
"""

from __future__ import annotations

import os
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
from playwright.sync_api import Page, expect

sys.path.append(str(Path(__file__).parent))
from kept_work import keep_study, keep_what_ifs, picture

from civicbrain.city.folder import load_city

WIDTH, HEIGHT = 1440, 900


@pytest.fixture(scope="module")
def kept(make_server: Callable[..., Any], open_room: Callable[..., Any]) -> Any:
    def prepare(server: Any) -> None:
        keep_what_ifs(load_city(server.city), server.run_dir)
        keep_study(server.run_dir)

    server = make_server(prepare=prepare)
    room = open_room(server.url, width=WIDTH, height=HEIGHT, at="#/what-if")
    yield room
    assert not room.complaints
    assert not room.foreign


def test_an_operator_reads_an_answer_and_compares_two(kept: Any) -> None:
    page = kept.page
    page.get_by_test_id("rail-what-if").click()
    page.get_by_test_id("what-if-w-closed").click()
    delay = page.get_by_test_id("figure-mean_delay")
    expect(delay).to_contain_text("worse")
    expect(page.get_by_test_id("what-if-verdict")).to_contain_text(
        "% more delay in the next 15 minutes; 3 of 3"
    )
    expect(page.get_by_test_id("what-if-junctions")).to_contain_text("Street")
    expect(page.locator(".difference.more").first).to_be_visible()
    picture(page, "what-if-answer")
    for box in page.get_by_test_id("what-if-list").get_by_role("checkbox").all():
        box.check()
    page.get_by_test_id("what-if-compare").click()
    expect(page.get_by_test_id("what-if-comparison")).to_contain_text("A fifth less traffic")
    picture(page, "what-if-comparison")
    page.go_back()  # the place is in the address
    expect(delay).to_contain_text("worse")


def test_a_proposal_is_accepted_with_a_reason(kept: Any) -> None:
    page = kept.page
    page.goto(page.url.split("#")[0] + "#/what-if/p-closed")
    card = page.get_by_test_id("proposal-0")
    expect(card).to_contain_text("advised")
    picture(page, "what-if-proposals")
    card.get_by_role("button", name="Accept").click()
    page.get_by_test_id("reason-dialog").get_by_role("textbox").fill("police can man it")
    page.get_by_test_id("dialog-confirm").click()
    expect(card).to_contain_text("accepted by operator (demo): police can man it")


def test_the_form_says_what_is_changed_before_anything_runs(kept: Any) -> None:
    page = kept.page
    page.goto(page.url.split("#")[0] + "#/what-if?case=C-7&edge=E1_1-1_2&lanes=0")
    expect(page.get_by_test_id("changes")).to_contain_text("Close lane 0 of E1_1-1_2")  # as a case sends it
    page.goto(page.url.split("#")[0] + "#/what-if")
    expect(page.get_by_test_id("what-if-submit")).to_be_disabled()
    expect(page.get_by_test_id("what-if-missing")).to_contain_text("at least one change")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)  # a person chooses what is changed
    page.get_by_test_id("kind-close").click()
    expect(page.get_by_test_id("change-missing")).to_contain_text("Choose a street section")
    box = page.get_by_test_id("city-plan").bounding_box()
    metres = 1.06 * 1000 / 0.62 / box["width"]  # a pixel; the nearest street lies 100 m above the middle
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 100 / metres)
    expect(page.get_by_test_id("section-0")).not_to_have_value("")
    page.get_by_test_id("change-add").click()
    page.get_by_test_id("kind-plan").click()
    page.get_by_test_id("plan-junction").select_option(index=2)
    expect(page.get_by_test_id("plan-note")).to_contain_text("no brain decides there")
    offset = float(page.get_by_test_id("plan-offset").input_value())
    assert 0 <= offset < 3600  # as the server takes it
    page.get_by_test_id("step-0").fill("30")
    page.get_by_test_id("change-add").click()
    page.get_by_test_id("kind-demand").click()
    page.get_by_test_id("change-add").click()
    changes = page.get_by_test_id("changes")
    for part in ("Close E", "Plan at", "20 % more traffic"):
        expect(changes).to_contain_text(part)
    picture(page, "what-if-form")
    page.get_by_test_id("kind-plan").click()
    page.get_by_test_id("plan-junction").select_option(index=2)
    page.get_by_test_id("plan-offset").fill("-2")  # counts modulo the cycle
    page.get_by_test_id("step-0").fill("1")
    page.get_by_test_id("change-add").click()
    page.get_by_test_id("what-if-submit").click()
    expect(page.get_by_test_id("what-if-refused")).to_contain_text("too little time")
    assert "409" in kept.complaints.pop()  # the browser notes each refusal
    page.get_by_test_id("step-0").fill("30")
    page.get_by_test_id("change-add").click()
    expect(page.get_by_test_id("what-if-refused")).to_have_count(0)
    expect(changes).to_contain_text("offset")
    changes.get_by_role("button", name="Take out: 20 % more traffic").click()
    expect(changes).not_to_contain_text("20 %")
    expect(page.get_by_test_id("what-if-submit")).to_be_enabled()


def test_the_demo_reads_a_study_with_its_losses_and_takes_it_away(kept: Any) -> None:
    page = kept.page
    page.get_by_test_id("rail-proof").click()
    expect(page.get_by_test_id("needs-engineer")).to_contain_text("role engineer")
    expect(page.get_by_test_id("study-new")).to_have_count(0)
    page.get_by_test_id("study-ring-road").click()
    expect(page.get_by_test_id("headline")).to_contain_text("max-pressure")
    expect(page.get_by_test_id("losses")).to_contain_text("delay-based: Mean delay +")
    expect(page.get_by_test_id("study-figures")).to_contain_text("better")
    picture(page, "study-result")
    for link in page.get_by_test_id("study-files").get_by_role("link").all():
        answer = page.request.get(f"{page.url.split('/#')[0]}{link.get_attribute('href')}")
        assert answer.status == 200
        assert len(answer.body()) > 500


@dataclass
class Town:
    url: str
    token: str


@pytest.fixture(scope="module")
def town(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Cologne's one junction, live under its own plan, where the log-in is by token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    run_dir = tmp_path_factory.mktemp("r")
    run_dir.chmod(0o700)
    (run_dir / "run.toml").write_text("[history]\nenabled = false\n[cases]\nenabled = false\n")
    command = [
        sys.executable, "-m", "civicbrain.cli.main", "run", "cologne1", "--host", "0.0.0.0",
        "--port", str(port),
        "--control", "fixed", "--run-dir", str(run_dir), "--warmup", "120",
        "--config", str(run_dir / "run.toml"),
    ]  # fmt: skip
    with (run_dir / "out.txt").open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "NUMBA_NUM_THREADS": "1"},
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while True:
            try:
                if patient.get(f"{url}/v1/health").json()["status"] == "ok":
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < end, (run_dir / "out.txt").read_text()[-2000:]
            time.sleep(0.05)
        yield Town(url, (run_dir / "api.token").read_text().strip())
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def engineer(town: Town, open_room: Callable[..., Any]) -> Page:
    page: Page = open_room(town.url, width=WIDTH, height=HEIGHT, at=f"/?token={town.token}#/what-if").page
    return page


def test_a_what_if_is_asked_of_a_real_city_and_read(engineer: Page) -> None:
    page = engineer
    page.get_by_test_id("rail-what-if").click()
    page.get_by_test_id("kind-demand").click()
    page.get_by_test_id("demand").fill("140")
    page.get_by_test_id("change-add").click()
    expect(page.get_by_test_id("what-if-moment").locator("option")).to_have_count(2)  # now, and what was kept
    page.get_by_test_id("what-if-moment").select_option(index=1)
    page.get_by_test_id("what-if-minutes").select_option("5")
    page.get_by_test_id("what-if-submit").click()
    expect(page.get_by_test_id("what-if-answer")).to_contain_text("40 % more traffic")
    expect(page.get_by_test_id("figure-mean_delay")).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("what-if-answer")).to_contain_text("3 pairs of runs", timeout=120_000)
    expect(page.get_by_test_id("figure-arrived")).not_to_contain_text("no interval")


def test_an_engineer_orders_a_tiny_study_watches_and_reads_it(engineer: Page) -> None:
    page = engineer
    page.get_by_test_id("rail-proof").click()
    page.get_by_test_id("study-new").click()
    page.get_by_test_id("control-fixed").check()
    if page.get_by_test_id("control-brain").is_checked():
        page.get_by_test_id("control-brain").uncheck()
    page.get_by_test_id("control-actuated").check()
    page.get_by_test_id("seeds").fill("2")
    page.get_by_test_id("whole-window").uncheck()
    begin = int(page.get_by_test_id("begin").input_value())
    page.get_by_test_id("end").fill(str(begin + 60))
    page.get_by_test_id("study-title").fill("A minute of Cologne")
    picture(page, "study-form")
    page.get_by_test_id("study-submit").click()
    expect(page.get_by_test_id("study-page")).to_contain_text("A minute of Cologne")
    expect(page.get_by_test_id("study-progress")).to_be_visible()
    expect(page.get_by_test_id("study-figures")).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("study-result")).to_contain_text("fewer than the 10")
    href = page.get_by_role("link", name="Report (PDF)").get_attribute("href")
    answer = page.request.get(f"{page.url.split('/#')[0]}{href}")
    assert answer.body().startswith(b"%PDF-")
