"""The whole API in this process, with users in every role: no sockets, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import patient
from grid_city import grid_city

from civicbrain.api.app import build_app
from civicbrain.api.settings import Settings
from civicbrain.runtime.login import Role, passwords
from civicbrain.runtime.login.store import LoginStore
from civicbrain.runtime.login.users import add_user

PASSWORDS = {
    "vera": "violet-anchor-31-tide", "otto": "otter-harbour-17-kiln", "emma": "ember-lattice-58-moss",
    "ada": "adagio-river-94-flint",
}  # fmt: skip
ROLES = dict(zip(PASSWORDS, Role, strict=True))
HTTPS, HTTP = "https://city.example", "http://localhost:8080"


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


class Desk:
    """An API over one users' file. client(): a browser or a program before it."""

    def __init__(
        self, run_dir: Path, *, token: str | None = None, people: bool = True, **settings: Any
    ) -> None:
        self.run_dir = run_dir
        fast = {"read_rate_hz": 1e9, "write_rate_hz": 1e9}
        self.settings = replace(Settings(run_dir, allowed_hosts=("city.example",)), **(fast | settings))
        if people:
            with LoginStore(self.settings.users_file) as store:
                for name, role in ROLES.items():
                    add_user(store, name, role, passwords.hash_password(PASSWORDS[name]), by="cli:test")
        self.app = build_app(grid_city(2), self.settings, token)

    def client(self, base: str = HTTPS, address: str = "192.0.2.7", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 4000))  # type: ignore[arg-type]
        return patient.AsyncClient(transport=transport, base_url=base, headers=headers)

    def page(self, base: str = HTTPS, address: str = "192.0.2.7") -> httpx.AsyncClient:
        """As our own page in a browser asks."""
        return self.client(base, address, origin=base, **{"sec-fetch-site": "same-origin"})

    async def logged_in(self, name: str, base: str = HTTPS) -> httpx.AsyncClient:
        page = self.page(base)
        answer = await log_in(page, name)
        assert answer.status_code == 201, answer.text
        return page

    def store(self) -> LoginStore:
        return LoginStore(self.settings.users_file)

    def record(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, actor and body of the record, the oldest first."""
        with self.store() as store:
            entries, _ = store.page(0, 1000)
        return [(e.kind, e.actor, dict(e.body)) for e in reversed(entries)]


async def log_in(page: httpx.AsyncClient, name: str, password: str | None = None) -> httpx.Response:
    given = PASSWORDS[name] if password is None else password
    return await page.post("/v1/session", json={"name": name, "password": given})
