"""Who calls, and what each route needs of them."""

from __future__ import annotations

import httpx
import pytest
from litestar.handlers.base import BaseRouteHandler

from civicbrain.api.door.identity import DEMO, PUBLIC, TOKEN, Identity, role_needed
from civicbrain.runtime.login import Role


def test_each_role_may_what_the_lesser_ones_may() -> None:
    assert list(Role) == ["viewer", "operator", "engineer", "administrator"]
    for number, role in enumerate(Role):
        assert [role.covers(needed) for needed in Role] == [True] * (number + 1) + [False] * (3 - number)


def test_reading_needs_a_viewer_and_all_else_an_operator() -> None:
    class Handler:
        def __init__(self) -> None:
            self.opt: dict[str, object] = {}

    def needed(method: str, **opt: object) -> Role | None:
        handler = Handler()
        handler.opt = opt
        return role_needed(handler, method)  # type: ignore[arg-type]

    assert isinstance(BaseRouteHandler, type)
    assert [needed(m) for m in ("GET", "HEAD", "OPTIONS")] == [Role.VIEWER] * 3
    assert [needed(m) for m in ("PUT", "POST", "PATCH", "DELETE")] == [Role.OPERATOR] * 4
    assert needed("GET", needs=Role.ADMINISTRATOR) is Role.ADMINISTRATOR
    assert needed("POST", needs=PUBLIC) is None


def test_the_ledger_names_role_and_name() -> None:
    assert Identity("kim", Role.ENGINEER, "password").actor == "engineer:kim"
    assert (DEMO.actor, TOKEN.actor) == ("operator (demo)", "administrator:token")


def test_the_demo_logs_in_by_itself_as_operator(client: httpx.Client) -> None:
    said = client.get("/v1/session").json()
    assert (said["name"], said["role"], said["demo"]) == ("operator (demo)", "operator", True)


def test_every_operation_says_what_role_it_needs(client: httpx.Client) -> None:
    needs = {
        (path, method): operation.get("x-needs-role")
        for path, item in client.get("/openapi.json").json()["paths"].items()
        for method, operation in item.items()
    }
    public = {key for key, needed in needs.items() if needed is None}
    assert public == {
        ("/v1/health", "get"), ("/v1/session", "get"), ("/v1/session", "post"), ("/v1/reports", "post"),
        ("/v1/observations", "post"),
    }  # fmt: skip
    assert needs["/v1/ledger", "get"] == "operator"
    assert needs["/v1/control", "put"] == "operator"


@pytest.mark.parametrize("body", [{"enabled": True, "by": "somebody else"}])
def test_no_body_says_who_it_is(client: httpx.Client, body: dict[str, object]) -> None:
    assert client.put("/v1/brains/signals", json=body).status_code == 400
