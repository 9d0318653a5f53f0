"""Logging in: passwords, sessions, cookies, other pages, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from login_place import HTTP, HTTPS, PASSWORDS, ROLES, Desk, log_in, run

from civicbrain.api.door.alive import LOGGED_OUT, while_logged_in
from civicbrain.api.link import Link
from civicbrain.api.problems import ProblemError
from civicbrain.api.server import _check_certificate
from civicbrain.api.settings import Settings
from civicbrain.contracts.wire import BrainCommand
from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.runtime.login import Role, passwords
from civicbrain.runtime.login.sessions import Limits
from civicbrain.runtime.login.throttle import Throttle
from civicbrain.runtime.login.users import set_disabled, set_role

WRITES = ("post", "put", "patch", "delete")


@pytest.fixture(scope="module", autouse=True)
def as_shipped() -> Iterator[tuple[PasswordHasher, str]]:
    """The hasher and the hash of nobody as they are; for all these tests cheap ones stand in their place."""
    shipped, cheap = (passwords._hasher, passwords.NOBODY), PasswordHasher(1, 64, 1)
    passwords._hasher, passwords.NOBODY = cheap, cheap.hash("of nobody")
    yield shipped
    passwords._hasher, passwords.NOBODY = shipped


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """For tests that leave users and allowances as they are."""
    return Desk(tmp_path_factory.mktemp("login"))


def test_no_route_is_reached_below_its_role(shared: Desk) -> None:
    async def work() -> None:
        pages = {role: await shared.logged_in(name) for name, role in ROLES.items()}
        nobody = shared.page()
        document = (await pages[Role.VIEWER].get("/openapi.json")).json()
        tried = 0
        for path, item in document["paths"].items():
            place = re.sub(r"{\w+}", "7", path)
            for method, operation in item.items():
                needed = operation.get("x-needs-role")
                if needed is None:
                    continue
                assert (await nobody.request(method, place)).status_code == 401, (method, path)
                assert "401" in operation["responses"]
                for role in list(Role)[: Role(needed).rank]:
                    answer = await pages[role].request(method, place)
                    assert answer.status_code == 403, (method, path, role, answer.text)
                    assert needed in answer.json()["detail"]
                    tried += 1
        assert tried > 50

    run(work())


def test_the_table_of_roles(shared: Desk) -> None:
    async def work() -> None:
        page = await shared.logged_in("vera")
        document = (await page.get("/openapi.json")).json()
        needs = {
            (method, path): operation.get("x-needs-role")
            for path, item in document["paths"].items()
            for method, operation in item.items()
        }
        assert {key for key, role in needs.items() if role is None} == {
            ("get", "/v1/health"), ("get", "/v1/session"), ("post", "/v1/session"),
            ("post", "/v1/observations"), ("post", "/v1/reports"),
        }  # fmt: skip
        # whoever is logged in may end that, and nobody else's
        assert {key for key, role in needs.items() if role == "viewer" and key[0] in WRITES} == {
            ("delete", "/v1/session"), ("put", "/v1/session/password"), ("post", "/v1/session/activity"),
        }  # fmt: skip
        for_administrators = ("/v1/users", "/v1/sessions", "/v1/access-record")
        for (method, path), role in needs.items():
            if path.startswith(for_administrators):
                assert role == "administrator", (method, path)
        assert needs["get", "/v1/ledger"] == needs["post", "/v1/cases/{case}/evidence"] == "operator"

    run(work())


def test_a_name_and_a_password_let_in_and_out(desk: Desk) -> None:
    async def work() -> None:
        page = desk.page()
        assert (await page.get("/v1/session")).json()["role"] is None
        assert (await page.get("/v1/city")).status_code == 401
        said = (await log_in(page, "otto")).json()
        assert (said["name"], said["role"], said["actor"]) == ("otto", "operator", "operator:otto")
        assert said["expires_at"] > said["idle_ends_at"]
        assert (await page.get("/v1/city")).status_code == 200
        assert (await page.request("DELETE", "/v1/session")).json() == {"provider_address": ""}
        assert (await page.get("/v1/city")).status_code == 401

    run(work())
    assert [kind for kind, _, _ in desk.record()][-2:] == ["log-in", "session-ended"]


def test_cookies_are_for_this_host_over_https_and_for_no_script(shared: Desk) -> None:
    async def work() -> None:
        secure = (await log_in(shared.page(HTTPS), "otto")).headers["set-cookie"]
        assert secure.startswith("__Host-civicbrain=")
        parts = {part.strip() for part in secure.split(";")[1:]}
        assert {"Path=/", "HttpOnly", "SameSite=Strict", "Secure"} <= parts
        assert not any(part.startswith("Domain") for part in parts)
        plain = (await log_in(shared.page(HTTP), "otto")).headers["set-cookie"]
        assert plain.startswith("civicbrain-8080=")
        assert "Secure" not in plain
        # over https a cookie that http could have set is none
        value = plain.partition("=")[2].partition(";")[0]
        smuggled = shared.client(HTTPS, cookie=f"civicbrain-8080={value}")
        assert (await smuggled.get("/v1/city")).status_code == 401

    run(work())


def test_an_id_from_before_the_log_in_is_worth_nothing_after_it(shared: Desk) -> None:
    async def work() -> None:
        page = shared.page()
        page.cookies.set("__Host-civicbrain", "chosen-by-an-attacker", domain="city.example")
        await log_in(page, "otto")
        planted = shared.client(cookie="__Host-civicbrain=chosen-by-an-attacker")
        assert (await planted.get("/v1/city")).status_code == 401
        first = page.cookies.get("__Host-civicbrain", domain="city.example", path="/")
        page = shared.client(
            origin=HTTPS, cookie=f"__Host-civicbrain={first}"
        )  # the same browser logs in once more
        second = (await log_in(page, "ada")).headers["set-cookie"]
        assert first is not None
        assert first not in second
        assert (await page.get("/v1/city")).status_code == 401

    run(work())
    with shared.store() as store:
        kept = [str(tuple(row)) for row in store.all("SELECT * FROM session")]
    assert all("civicbrain" not in row for row in kept)


def test_neither_passwords_nor_ids_stand_in_the_file(desk: Desk) -> None:
    async def work() -> str:
        page = await desk.logged_in("otto")
        return page.cookies["__Host-civicbrain"]

    given = run(work())
    kept = b"".join(file.read_bytes() for file in desk.settings.users_file.parent.glob("login.sqlite*"))
    assert given.encode() not in kept
    assert PASSWORDS["otto"].encode() not in kept
    for file in desk.settings.users_file.parent.glob("login.sqlite*"):
        assert file.stat().st_mode & 0o077 == 0


def test_guessing_is_slowed_down_by_name_and_by_address(desk: Desk) -> None:
    async def work() -> None:
        page = desk.page(address="198.51.100.1")
        answers = [(await log_in(page, "otto", f"guess number {n} of many")).status_code for n in range(7)]
        assert answers == [401] * 5 + [429] * 2
        refused = await log_in(page, "otto")
        assert refused.status_code == 429  # not even the right one
        assert int(refused.headers["retry-after"]) > 10
        assert (await log_in(desk.page(address="198.51.100.2"), "otto")).status_code == 201  # from elsewhere
        names = [(await log_in(page, f"name{n}", "guess number 1")).status_code for n in range(30)]
        assert names.count(401) == 15  # twenty from one address
        v6 = [desk.page(address=f"2001:db8::{n:x}") for n in range(1, 25)]
        both = [(await log_in(one, f"other{n}", "guess")).status_code for n, one in enumerate(v6)]
        assert both.count(401) == 20  # a network of 64 bits is one address

    run(work())


def test_an_unknown_name_is_answered_like_a_wrong_password(desk: Desk) -> None:
    async def work() -> None:
        with desk.store() as store:
            set_disabled(store, "vera", True, by="cli:test")
        answers = [
            await log_in(desk.page(), "otto", "wrong, but long enough"),
            await log_in(desk.page(), "nobody-of-that-name", "wrong, but long enough"),
            await log_in(desk.page(), "vera"),
            await log_in(desk.page(), "otto", ""),
        ]
        assert [answer.status_code for answer in answers] == [401] * 4
        assert len({answer.text for answer in answers}) == 1

    run(work())
    refused = [(actor, body["why"]) for kind, actor, body in desk.record() if kind == "log-in-refused"]
    assert refused == [
        ("otto", "name or password"), ("unknown", "name or password"), ("vera", "name or password"),
        ("otto", "name or password"),
    ]  # fmt: skip


def test_an_unknown_name_costs_a_comparison_too(
    monkeypatch: pytest.MonkeyPatch, as_shipped: tuple[PasswordHasher, str]
) -> None:
    compared: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            compared.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    monkeypatch.setattr(passwords, "NOBODY", as_shipped[1])
    assert not passwords.fits(None, "anything at all")
    assert compared == [passwords.NOBODY]
    assert not passwords.is_outdated(passwords.NOBODY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_cookie_alone_changes_nothing(shared: Desk, headers: dict[str, str]) -> None:
    async def work() -> None:
        cookie = (await shared.logged_in("ada")).cookies["__Host-civicbrain"]
        other = shared.client(cookie=f"__Host-civicbrain={cookie}", **headers)
        order = {"name": "mallory", "role": "administrator", "password": "a long enough password"}
        for method, path in (("POST", "/v1/users"), ("DELETE", "/v1/session"), ("PUT", "/v1/control")):
            assert (await other.request(method, path, json=order)).status_code == 403
        form = await other.post("/v1/users", data=order)
        assert form.status_code in (403, 415)
        assert (await other.get("/v1/users")).status_code == 200

    run(work())


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(desk: Desk) -> None:
    async def work() -> None:
        page = await desk.logged_in("emma")
        with desk.store() as store:
            set_role(store, "emma", Role.VIEWER, by="cli:test")
            assert (await page.get("/v1/ledger")).status_code == 403
            assert (await page.get("/v1/city")).status_code == 200
            set_disabled(store, "emma", True, by="cli:test")
        assert (await page.get("/v1/city")).status_code == 401

    run(work())


def test_sessions_end_by_themselves(tmp_path: Path) -> None:
    desk = Desk(tmp_path, session_limits=Limits(idle_s=60.0, longest_s=200.0, viewer_longest_s=1000.0))
    log = desk.app._log_in  # type: ignore[attr-defined]
    now = [1_000_000.0]
    log.store.clock = lambda: now[0]

    async def work() -> None:
        otto, vera = await desk.logged_in("otto"), await desk.logged_in("vera")

        async def alive(page: httpx.AsyncClient) -> bool:
            return (await page.get("/v1/city")).status_code == 200

        now[0] += 50
        assert await alive(otto)  # reading is the page's own doing: it does not keep a session
        now[0] += 5
        assert (await otto.post("/v1/session/activity")).status_code == 200
        now[0] += 55
        assert await alive(otto)
        now[0] += 10
        assert not await alive(otto)
        assert await alive(vera)  # a screen on the wall does nothing for days
        now[0] += 900
        assert not await alive(vera)
        again = await desk.logged_in("otto")
        for _ in range(5):
            now[0] += 40
            await again.post("/v1/session/activity")
        assert not await alive(again)  # whatever is done, in the end somebody must log in

    run(work())
    assert [b["why"] for k, _, b in desk.record() if k == "session-ended"] == ["idle", "its time was over"]


def test_sessions_outlive_the_process(desk: Desk) -> None:
    async def work() -> None:
        page = await desk.logged_in("otto")
        cookie = page.cookies["__Host-civicbrain"]
        desk.app = Desk(desk.run_dir, people=False).app
        assert (await desk.client(cookie=f"__Host-civicbrain={cookie}").get("/v1/city")).status_code == 200

    run(work())


def test_a_changed_password_ends_all_other_sessions(desk: Desk) -> None:
    async def work() -> None:
        here, there = await desk.logged_in("otto"), await desk.logged_in("otto")
        before = here.cookies["__Host-civicbrain"]

        async def change(current: str, new: str) -> httpx.Response:
            return await here.put("/v1/session/password", json={"current": current, "new": new})

        assert (await change("wrong", "meadow-candle-46-rust")).status_code == 403
        for bad in ("short", "otto" + "otto-is-my-name", "password1234", "aaaaaaaaaaaaaaaa"):
            assert (await change(PASSWORDS["otto"], bad)).status_code == 400, bad
        assert (await change(PASSWORDS["otto"], "meadow-candle-46-rust")).status_code == 200
        assert here.cookies["__Host-civicbrain"] != before
        assert (await here.get("/v1/city")).status_code == 200
        assert (await there.get("/v1/city")).status_code == 401
        assert (await log_in(desk.page(), "otto")).status_code == 401
        assert (await log_in(desk.page(), "otto", "meadow-candle-46-rust")).status_code == 201

    run(work())


def test_an_administrator_looks_after_people(desk: Desk) -> None:
    async def work() -> None:
        ada, otto = await desk.logged_in("ada"), await desk.logged_in("otto")
        order = {"name": "kim", "role": "viewer", "password": "lantern-meadow-73"}
        assert (await ada.post("/v1/users", json=order)).json()["role"] == "viewer"
        assert (await ada.post("/v1/users", json=order)).status_code == 409
        assert (await ada.post("/v1/users", json=order | {"name": "token"})).status_code == 400
        assert (await ada.patch("/v1/users/kim", json={"role": "engineer"})).json()["role"] == "engineer"
        assert (await ada.patch("/v1/users/kim", json={})).status_code == 400
        assert (await ada.patch("/v1/users/nobody-here", json={"disabled": True})).status_code == 404
        new = {"password": "orchard-signal-20"}
        assert (await ada.put("/v1/users/kim/password", json=new)).status_code == 200
        assert (await log_in(desk.page(), "kim", new["password"])).status_code == 201
        for change in ({"role": "viewer"}, {"disabled": True}):
            answer = await ada.patch("/v1/users/ada", json=change)
            assert answer.status_code == 409
            assert "last administrator" in answer.text
        assert (await ada.request("DELETE", "/v1/users/ada")).status_code == 409
        sessions = (await ada.get("/v1/sessions")).json()
        assert [(one["user"], one["own"]) for one in sessions] == [
            ("kim", False), ("otto", False), ("ada", True),
        ]  # fmt: skip
        number = sessions[1]["number"]
        assert (await ada.request("DELETE", f"/v1/sessions/{number}")).status_code == 204
        assert (await ada.request("DELETE", f"/v1/sessions/{number}")).status_code == 404
        assert (await otto.get("/v1/city")).status_code == 401
        assert (await ada.request("DELETE", "/v1/users/kim")).status_code == 204
        page = (await ada.get("/v1/access-record?limit=3")).json()
        assert [entry["kind"] for entry in page["entries"]] == [
            "user-removed", "session-ended", "session-ended",
        ]  # fmt: skip
        assert page["entries"][0]["actor"] == "administrator:ada"
        assert page["entries"][0]["body"] == {"user": "kim"}

    run(work())
    kinds = [kind for kind, _, _ in desk.record()]
    assert kinds[:4] == ["user-added"] * 4
    assert {"user-role", "user-password", "log-in", "session-ended", "user-removed"} <= set(kinds)


def test_the_token_is_the_administrator(tmp_path: Path) -> None:
    token = "t" * 43
    desk = Desk(tmp_path, token=token, people=False, host="0.0.0.0")

    async def work() -> None:
        bearer = desk.client(authorization=f"Bearer {token}")
        said = (await bearer.get("/v1/session")).json()
        assert (said["name"], said["role"], said["ways"]) == ("token", "administrator", ["token"])
        assert (await bearer.get("/v1/users")).json() == []
        page = desk.page()
        assert (await page.get(f"/?token={token[:-1]}x")).status_code == 401
        opened = await page.get(f"/?token={token}")
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert token not in opened.headers["set-cookie"]
        assert (await page.get("/v1/users")).status_code == 200
        typed = desk.page()
        assert (await typed.post("/v1/session", json={"token": token})).status_code == 201
        # another token: what began with the old one is over
        cookie = typed.cookies["__Host-civicbrain"]
        desk.app = Desk(tmp_path, token="u" * 43, people=False, host="0.0.0.0").app
        assert (await desk.client(cookie=f"__Host-civicbrain={cookie}").get("/v1/users")).status_code == 401

    run(work())


def test_others_are_not_let_in_without_users_or_a_token(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="there are no users"):
        Desk(tmp_path, people=False, host="0.0.0.0")


def test_the_demo_ends_with_the_first_user(tmp_path: Path) -> None:
    desk = Desk(tmp_path, people=False)

    async def work() -> None:
        page = desk.page(HTTP)
        assert (await page.get("/v1/session")).json()["demo"] is True
        assert (await page.get("/v1/users")).status_code == 403
        Desk(tmp_path)
        assert (await page.get("/v1/city")).status_code == 401

    run(work())


def test_what_goes_on_ends_with_its_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civicbrain.api.door.alive.CHECK_EVERY_S", 0.01)
    sent: list[dict[str, object]] = []

    async def work() -> None:
        import asyncio

        async def app(scope: object, receive: object, send: object) -> None:
            await send({"type": "websocket.accept"})  # type: ignore[operator]
            await asyncio.sleep(60)

        async def receive() -> dict[str, object]:
            return {"type": "websocket.connect"}

        async def send(message: object) -> None:
            sent.append(dict(message))  # type: ignore[call-overload]

        answers = iter([True, True, False])
        await while_logged_in(app, {"type": "websocket"}, receive, send, lambda: next(answers))  # type: ignore[arg-type]

    run(work())
    assert sent[-1] == {"type": "websocket.close", "code": LOGGED_OUT, "reason": "logged out"}


def test_allowances_come_back_and_good_attempts_cost_none() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(100):
        assert throttle.wait_s("a", "otto") == 0
        throttle.succeeded("a", "otto")
    waits = [throttle.wait_s("a", "otto") for _ in range(6)]
    assert waits[:5] == [0.0] * 5
    assert waits[5] > 0
    now[0] += waits[5]
    assert throttle.wait_s("a", "otto") == 0
    for number in range(20_000):
        throttle.wait_s(str(number), str(number))
    assert len(throttle._left) < 20_000


def test_the_records_of_all_processes_name_the_log_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[BrainCommand] = []

    async def take(_: Link, command: BrainCommand, *__: object) -> None:
        commands.append(command)
        raise ProblemError(409, "taken")

    monkeypatch.setattr(Link, "command", take)
    monkeypatch.setattr(Link, "ask_cases", take)

    async def work() -> None:
        otto, emma = await desk.logged_in("otto"), await desk.logged_in("emma")
        await otto.put("/v1/control", json={"name": "fixed", "reason": "works"})
        await emma.put("/v1/brains/signals", json={"enabled": False, "reason": "works"})
        await otto.post("/v1/missions/m-1/cancellation", json={"reason": "false alarm"})
        await emma.post("/v1/cases/case-1/notes", json={"text": "seen"})
        await otto.post("/v1/cases/case-1/evidence", json={"reason": "triage"})
        await otto.post("/v1/alarms/acknowledgements", json={"alarms": [1]})

    run(work())
    assert [(command.action, command.actor) for command in commands] == [
        ("control", "operator:otto"), ("brain-off", "engineer:emma"), ("mission-cancel", "operator:otto"),
        ("note", "engineer:emma"), ("evidence", "operator:otto"), ("acknowledge", "operator:otto"),
    ]  # fmt: skip
    kind, actor, body = desk.record()[-1]
    assert (kind, actor) == ("evidence-read", "operator:otto")
    assert body == {"case": "case-1", "reason": "triage"}


@pytest.mark.parametrize("given", ["", " ", "Otto\n", "o'to", "o" * 65, "token", "-otto", "müller"])
def test_what_is_no_name_for_a_log_in(shared: Desk, given: str) -> None:
    async def work() -> None:
        ada = await shared.logged_in("ada")
        order = {"name": given, "role": "viewer", "password": "lantern-meadow-73"}
        assert (await ada.post("/v1/users", json=order)).status_code == 400

    run(work())


def test_https_needs_files_that_belong_together(tmp_path: Path) -> None:
    pem = tmp_path / "nothing.pem"
    pem.write_text("no certificate")
    for certificate in (pem, tmp_path / "missing.pem"):
        settings = replace(Settings(tmp_path), certificate=str(certificate), key=str(pem))
        with pytest.raises(ConfigurationError, match="https cannot be spoken"):
            _check_certificate(settings)


def test_settings_know_the_address_that_people_open(tmp_path: Path) -> None:
    settings = replace(Settings(tmp_path), url="https://traffic.city.example:8443")
    assert "traffic.city.example" in settings.host_names
    assert "https://traffic.city.example:8443" in settings.origins
