"""The city's own identity provider, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import patient
import pytest
from login_place import Desk, run
from oidc_provider import CLIENT, SECRET, OidcProvider

from civicbrain.api.door.provider import Provider
from civicbrain.api.problems import ProblemError
from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.configuration import parse_configuration
from civicbrain.runtime.login import Role
from civicbrain.runtime.login.settings import ProviderTable
from civicbrain.runtime.login.users import add_user, set_disabled

BASE = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    started = OidcProvider()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def well(provider: OidcProvider) -> None:
    provider.be_well()


@pytest.fixture(scope="module")
def desk(provider: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    tmp_path = tmp_path_factory.mktemp("login")
    secret = tmp_path / "oidc.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    table = ProviderTable(
        issuer=provider.issuer, client_id=CLIENT, client_secret_file=str(secret), label="City account",
        roles={"ops": Role.OPERATOR, "signals": Role.ENGINEER},
    )  # fmt: skip
    return Desk(tmp_path, people=False, provider=table)


async def come_in(page: httpx.AsyncClient) -> httpx.Response:
    """As a browser goes: to the provider, and back to us."""
    away = await page.get("/v1/session/provider")
    assert away.status_code == 303, away.text
    async with patient.AsyncClient() as outside:
        back = await outside.get(away.headers["location"])
    return await page.get(back.headers["location"])


def test_the_provider_vouches_for_somebody(desk: Desk, provider: OidcProvider) -> None:
    async def work() -> None:
        page = desk.page(BASE)
        nobody = (await page.get("/v1/session")).json()
        assert (nobody["role"], nobody["ways"], nobody["provider"]) == (None, ["provider"], "City account")
        away = await page.get("/v1/session/provider")
        assert "SameSite=Lax" in away.headers["set-cookie"]
        assert "HttpOnly" in away.headers["set-cookie"]
        back = await come_in(page)
        assert (back.status_code, back.headers["location"]) == (303, "/")
        assert "SameSite=Strict" in back.headers["set-cookie"]
        said = (await page.get("/v1/session")).json()
        assert (said["name"], said["role"], said["way"]) == ("min-jun", "operator", "provider")
        asked = provider.asked[-1]
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["state"]) > 40
        assert len(asked["nonce"]) > 40
        refused = await page.put("/v1/session/password", json={"current": "x", "new": "lantern-meadow-73"})
        assert refused.status_code == 409
        out = (await page.request("DELETE", "/v1/session")).json()["provider_address"]
        assert out.startswith(f"{provider.issuer}/logout?")
        assert "id_token_hint=" in out
        assert (await page.get("/v1/city")).status_code == 401
        # tomorrow they have another role
        provider.claims["groups"] = ["signals", "ops", "choir"]
        await come_in(page)
        assert (await page.get("/v1/session")).json()["role"] == "engineer"

    run(work())
    kinds = [kind for kind, _, _ in desk.record()]
    assert kinds == ["user-added", "log-in", "session-ended", "user-role", "log-in"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("nonce", "provider"), ("audience", "provider"), ("party", "provider"), ("expired", "provider"),
        ("token-issuer", "provider"), ("unsigned", "provider"), ("shared-secret", "provider"),
        ("other-key", "provider"), ("no-id-token", "provider"),
    ],
)  # fmt: skip
def test_a_token_that_does_not_hold_lets_nobody_in(
    desk: Desk, provider: OidcProvider, fault: str, why: str
) -> None:
    provider.faults = {fault}

    async def work() -> None:
        page = desk.page(BASE)
        back = await come_in(page)
        assert back.headers["location"] == f"/?refused={why}"
        assert (await page.get("/v1/city")).status_code == 401

    run(work())
    assert desk.record()[-1][0] == "log-in-refused"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": "of another log-in"}, "again"),
        ({"iss": "https://other.example"}, "again"),
        ({"code": "invented"}, "provider"),
    ],
)
def test_an_answer_to_another_question_lets_nobody_in(
    desk: Desk, provider: OidcProvider, changed: dict[str, Any], why: str
) -> None:
    provider.changed = changed

    async def work() -> None:
        assert (await come_in(desk.page(BASE))).headers["location"] == f"/?refused={why}"

    run(work())


def test_an_answer_is_for_the_browser_that_asked_and_good_once(desk: Desk, provider: OidcProvider) -> None:
    async def work() -> None:
        victim, attacker = desk.page(BASE), desk.page(BASE)
        away = await attacker.get("/v1/session/provider")
        async with patient.AsyncClient() as outside:
            back = (await outside.get(away.headers["location"])).headers["location"]
        assert (await victim.get(back)).headers["location"] == "/?refused=again"  # log-in CSRF
        assert (await attacker.get(back)).headers["location"] == "/"
        assert (await attacker.get(back)).headers["location"] == "/?refused=again"

    run(work())


def test_who_has_no_role_here_stays_outside(desk: Desk, provider: OidcProvider) -> None:
    provider.claims["groups"] = ["choir"]

    async def work() -> None:
        page = desk.page(BASE)
        assert (await come_in(page)).headers["location"] == "/?refused=no-role"
        assert (await page.get("/v1/city")).status_code == 401

    run(work())


def test_a_name_belongs_to_one_person(desk: Desk, provider: OidcProvider) -> None:
    with desk.store() as store:
        add_user(store, "jae-won", Role.ADMINISTRATOR, "x", by="cli:test")

    async def work() -> None:
        page = desk.page(BASE)
        provider.claims["preferred_username"] = "jae-won"
        assert (await come_in(page)).headers["location"] == "/?refused=name"
        provider.claims |= {"preferred_username": "seo-yeon", "sub": "1"}
        assert (await come_in(page)).headers["location"] == "/"
        provider.claims["sub"] = "2"  # somebody else who took that name
        assert (await come_in(desk.page(BASE))).headers["location"] == "/?refused=name"
        provider.claims["sub"] = "1"
        with desk.store() as store:
            set_disabled(store, "seo-yeon", True, by="cli:test")
        assert (await come_in(desk.page(BASE))).headers["location"] == "/?refused=name"
        assert (await page.get("/v1/city")).status_code == 401

    run(work())


def test_keys_that_the_provider_changes_are_fetched_anew(
    desk: Desk, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civicbrain.api.door.provider._KEYS_AGAIN_S", 0.0)

    async def work() -> None:
        page = desk.page(BASE)
        assert (await come_in(page)).headers["location"] == "/"
        provider.change_key()
        assert (await come_in(page)).headers["location"] == "/"

    run(work())


def test_a_provider_that_is_another_or_away(provider: OidcProvider) -> None:
    provider.faults = {"issuer"}
    for issuer in (provider.issuer, "http://127.0.0.1:9"):
        fresh = Provider(ProviderTable(issuer=issuer, client_id=CLIENT), BASE)
        with pytest.raises(ProblemError, match="does not answer") as caught:
            run(fresh.begin())
        assert caught.value.problem.status == 503


@pytest.mark.parametrize(
    "table",
    [
        {"issuer": "http://id.city.example", "client_id": "x"},
        {"issuer": "id.city.example", "client_id": "x"},
        {"issuer": "https://id.city.example", "client_id": "x", "scopes": ["profile"]},
        {"issuer": "https://id.city.example", "client_id": "x", "roles": {"ops": "king"}},
        {"issuer": "https://id.city.example"},
    ],
)
def test_a_wrong_configuration_is_named(table: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"login\.provider"):
        parse_configuration({"login": {"provider": table}})


def test_a_secret_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    table = ProviderTable(issuer="https://id.example", client_id="x", client_secret_file=str(secret))
    with pytest.raises(ConfigurationError, match="open to others"):
        table.secret()
