"""Coming in, looking after people, and going on after a session has ended, in a real browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

sys.path.insert(0, str(Path(__file__).parent))
from conftest import Server, picture

from civicbrain.runtime.login import Role, passwords
from civicbrain.runtime.login.sessions import Limits, Sessions
from civicbrain.runtime.login.store import LoginStore
from civicbrain.runtime.login.users import add_user

PASSWORD = "adagio-river-94-flint"


@pytest.fixture(scope="module")
def guarded(make_server: Callable[..., Server]) -> Server:
    """A city that ada looks after and otto works in."""
    server = make_server(vehicles=60, size=2)
    with LoginStore(server.run_dir / "login.sqlite") as store:
        for name, role in (("ada", Role.ADMINISTRATOR), ("otto", Role.OPERATOR)):
            add_user(store, name, role, passwords.hash_password(PASSWORD), by="cli:test")
    return server


@pytest.fixture(scope="module")
def page(browser: Browser, guarded: Server) -> Iterator[Page]:
    # for a picture large, else cheap to draw: the map is drawn in software
    size = (1440, 900) if os.environ.get("CIVICBRAIN_PICTURES") == "1" else (900, 560)
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.set_default_timeout(60_000)
    opened = context.new_page()
    opened.goto(f"{guarded.url}/#/people")
    yield opened
    context.close()


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    if page.get_by_test_id("field-name").is_visible():
        page.get_by_test_id("field-name").fill(name)
    page.get_by_test_id("field-password").fill(password)
    page.get_by_test_id("log-in").click()


def test_an_administrator_comes_in_and_lets_somebody_in(page: Page) -> None:
    expect(page.get_by_test_id("log-in-page")).to_be_visible()
    expect(page.get_by_test_id("city-name")).to_have_count(0)  # nothing of the city before that
    log_in(page, "ada", "a wrong guess")
    expect(page.get_by_test_id("log-in-refused")).to_contain_text("wrong")
    picture(page, "log-in")
    log_in(page, "ada")
    expect(page.get_by_test_id("room-people")).to_be_visible()  # where the address said
    expect(page.get_by_test_id("user-ada")).to_contain_text("you")
    page.get_by_test_id("user-add").click()
    dialog = page.get_by_test_id("people-dialog")
    dialog.get_by_test_id("field-name").fill("kim")
    dialog.get_by_label("Engineer").check()
    dialog.get_by_test_id("field-password").fill("password1234")
    page.get_by_test_id("people-confirm").click()
    expect(dialog.get_by_role("alert")).to_contain_text("tried first")
    dialog.get_by_test_id("field-password").fill("lantern-meadow-73")
    page.get_by_test_id("people-confirm").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_test_id("user-kim")
    expect(row.get_by_role("combobox")).to_have_value("engineer")
    row.get_by_role("combobox").select_option("viewer")
    expect(page.get_by_text("Role changed").first).to_be_visible()
    expect(row.get_by_role("combobox")).to_have_value("viewer")
    expect(page.get_by_text("Log-in refused").first).to_be_visible()
    picture(page, "people")
    page.get_by_test_id("user-ada").get_by_role("button", name="Disable").click()
    expect(page.get_by_text("last administrator")).to_be_visible()


def test_a_session_that_ends_is_said_and_nothing_is_lost(page: Page, guarded: Server) -> None:
    page.get_by_test_id("user-add").click()
    page.get_by_test_id("people-dialog").get_by_test_id("field-name").fill("half-written")
    with LoginStore(guarded.run_dir / "login.sqlite") as store:
        sessions = Sessions(store, Limits())
        for session in sessions.list_all():
            sessions.end(session.number, by="cli:test", why="ended by an administrator")
    ended = page.get_by_test_id("session-ended")
    expect(ended).to_be_visible()
    picture(page, "session-ended")
    ended.get_by_test_id("field-name").fill("ada")
    ended.get_by_test_id("field-password").fill(PASSWORD)
    ended.get_by_test_id("log-in").click()
    expect(ended).to_have_count(0)
    dialog = page.get_by_test_id("people-dialog")
    expect(dialog.get_by_test_id("field-name")).to_have_value("half-written")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_logging_out_and_coming_in_as_somebody_else(page: Page) -> None:
    page.get_by_test_id("user-menu").click()
    expect(page.get_by_test_id("user-role")).to_have_text("Administrator")
    page.get_by_test_id("log-out").click()
    expect(page.get_by_test_id("log-in-page")).to_be_visible()
    log_in(page, "otto")
    expect(page.get_by_test_id("city-name")).to_be_visible()
    expect(page.get_by_test_id("rail-people")).to_have_count(0)
    expect(page.get_by_test_id("pause")).to_be_enabled()
    expect(page.get_by_text("Your role does not open this room.")).to_be_visible()
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("change-password").click()
    dialog = page.get_by_test_id("password-dialog")
    dialog.get_by_test_id("field-current").fill(PASSWORD)
    for name in ("fresh", "again"):
        dialog.get_by_test_id(f"field-{name}").fill("meadow-candle-46-rust")
    page.get_by_test_id("password-confirm").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
