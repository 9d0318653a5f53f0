"""Logging in: who a request comes from, and how somebody becomes one that it knows.

Four ways: the demo, where this server answers only this machine and there are no users; the token of the run
folder, for programs and the first visit; a local user's password; the city's identity provider.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from pathlib import Path

from civicbrain.api.asgi import Scope
from civicbrain.api.door.cookies import address_of, cookie_name, cookie_of, set_cookie
from civicbrain.api.door.identity import DEMO, TOKEN, Identity
from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.core.errors import ServiceError
from civicbrain.runtime.login import passwords, users
from civicbrain.runtime.login.sessions import TOKEN_USER, Session, Sessions
from civicbrain.runtime.login.store import LoginStore
from civicbrain.runtime.login.throttle import Throttle

COOKIE = "civicbrain"
SHORTEST_TOKEN = 32
_HASHES_AT_ONCE = 2  # each takes 64 MiB and a tenth of a second of four cores
_UNKNOWN = "unknown"


def find_token(run_dir: Path, *, make: bool) -> str | None:
    """The token of this run folder: read from `api.token`; where there is none it is made, for its owner
    only, or None. Raises ServiceError."""
    path = run_dir / "api.token"
    try:
        if path.exists():
            path.chmod(0o600)
            token = path.read_text().strip()
            if len(token) >= SHORTEST_TOKEN:
                return token
            if make:
                path.unlink()
        if not make:
            return None
        token = secrets.token_urlsafe(32)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(token + "\n")
    except OSError as error:
        raise ServiceError(
            f"the token cannot be kept: {error.strerror}",
            place=str(path),
            remedy="make the run folder writable, or bind to 127.0.0.1",
        ) from error
    return token


class LogIn:
    """token: None where there is none. Everything here runs on the event loop, but the hashing."""

    def __init__(self, settings: Settings, store: LoginStore, token: str | None) -> None:
        """Raises ServiceError where others could come in and nobody could be told from anybody."""
        self.token = token
        self.store = store
        self._settings = settings
        proof = hashlib.sha256(token.encode()).hexdigest() if token else ""
        self.sessions = Sessions(store, settings.session_limits, proof)
        self._throttle = Throttle()
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        if settings.open_to_others and not self.is_needed:
            raise ServiceError(
                f"{settings.host} lets others in, and there are no users",
                place="--host",
                remedy="civicbrain user add NAME --role administrator, or bind to 127.0.0.1",
            )

    @property
    def is_needed(self) -> bool:
        """False: whoever is at this machine is logged in as operator."""
        return bool(self.token or self._settings.provider or users.has_users(self.store))

    @property
    def takes_passwords(self) -> bool:
        return users.has_users(self.store)

    def has_token(self, headers: dict[str, str]) -> bool:
        """Whether a request brings the token."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_token(given.strip())

    def identify(self, scope: Scope, headers: dict[str, str]) -> Identity | None:
        """Who sends a request; None: nobody that is known."""
        if self.has_token(headers):
            return TOKEN
        session = self.find_session(scope, headers)
        if session is not None:
            way = "token" if session.way == TOKEN_USER else session.way
            return Identity(session.user, session.role, way, session.number)  # type: ignore[arg-type]
        return None if self.is_needed else DEMO

    def find_session(self, scope: Scope, headers: dict[str, str]) -> Session | None:
        given = cookie_of(headers, self._cookie_name(scope))
        return self.sessions.find(given) if given else None

    def touch(self, who: Identity) -> None:
        """They have done something, and stay logged in for it."""
        session = self.sessions.find_number(who.session)
        if session is not None:
            self.sessions.touch(session)

    async def with_password(self, scope: Scope, headers: dict[str, str], name: str, password: str) -> str:
        """The session's cookie. Raises ProblemError: 401 where name and password do not fit, 429."""
        name, address = users.as_name(name), address_of(scope)
        self._require_allowance(address, name)
        kept = users.find_password(self.store, name)
        async with self._hashing:
            right = await asyncio.to_thread(passwords.fits, kept, password)
        if not right or kept is None:
            # a password is sometimes typed into the field of the name: what is no name is not written down
            self._refused(name if _is_user(self.store, name) else _UNKNOWN, address, "name or password")
            raise ProblemError(401, "name or password is wrong")
        self._throttle.succeeded(address, name)
        if passwords.is_outdated(kept):
            users.replace_hash(self.store, name, await asyncio.to_thread(passwords.hash_password, password))
        return self.begin(scope, headers, name, users.PASSWORD)

    def open_with_token(self, scope: Scope, headers: dict[str, str], given: str) -> str:
        """The same for who brings the token of the run folder."""
        address = address_of(scope)
        self._require_allowance(address, TOKEN_USER)
        if not self._is_token(given.strip()):
            self._refused(TOKEN_USER, address, "token")
            raise ProblemError(401, "this token does not fit; it stands in api.token in the run folder")
        self._throttle.succeeded(address, TOKEN_USER)
        return self.begin(scope, headers, TOKEN_USER, TOKEN_USER)

    def begin(self, scope: Scope, headers: dict[str, str], name: str, way: str) -> str:
        """The cookie of a new session. The one that this browser had ends: an id that somebody may have
        put there before the log-in is worth nothing after it."""
        before = self.find_session(scope, headers)
        given = self.sessions.begin(
            name, way, address=address_of(scope), agent=headers.get("user-agent", ""),
            ends=before.number if before else 0,
        )  # fmt: skip
        return self.cookie(scope, given)

    async def change_password(self, scope: Scope, session: Session, current: str, new: str) -> str:
        """The cookie under its new id; all other sessions of theirs end. Raises ProblemError: 403 where the
        current password is wrong, 429; ConfigurationError for a new one that nobody should have."""
        address = address_of(scope)
        self._require_allowance(address, session.user)
        kept = users.find_password(self.store, session.user)
        async with self._hashing:
            right = await asyncio.to_thread(passwords.fits, kept, current)
        if not right:
            self._refused(session.user, address, "current password")
            raise ProblemError(403, "the current password is wrong")
        self._throttle.succeeded(address, session.user)
        hashed = await self.hash_new(new, session.user)
        users.set_password(self.store, session.user, hashed, by=session.user, keep_session=session.number)
        return self.cookie(scope, self.sessions.renew(session))

    async def hash_new(self, password: str, name: str) -> str:
        """Raises ConfigurationError for a password that nobody should have."""
        passwords.check_password(password, name)
        async with self._hashing:
            return await asyncio.to_thread(passwords.hash_password, password)

    def cookie(self, scope: Scope, given: str, *, base: str = COOKIE, same_site: str = "Strict",
               longest_s: float | None = None) -> str:  # fmt: skip
        """The header's value; given "": it is taken away."""
        limits = self._settings.session_limits
        longest_s = longest_s or max(limits.longest_s, limits.viewer_longest_s)
        secure = self.is_secure(scope)
        return set_cookie(
            self._cookie_name(scope, base), given, secure=secure, longest_s=longest_s, same_site=same_site
        )

    def is_secure(self, scope: Scope) -> bool:
        """Whether the browser speaks https, with us or with a proxy before us."""
        return scope.get("scheme") in ("https", "wss") or self._settings.url.startswith("https://")

    def read_cookie(self, scope: Scope, headers: dict[str, str], base: str) -> str:
        return cookie_of(headers, self._cookie_name(scope, base))

    def refused(self, scope: Scope, name: str, why: str) -> None:
        """Put a refused log-in into the record."""
        self._refused(name, address_of(scope), why)

    def _refused(self, name: str, address: str, why: str) -> None:
        self.store.record(name, "log-in-refused", address=address, why=why)

    def _require_allowance(self, address: str, name: str) -> None:
        wait_s = self._throttle.wait_s(address, name)
        if wait_s > 0:
            raise ProblemError(
                429, f"too many attempts to log in; try again in {int(wait_s) + 1} s",
                headers={"Retry-After": str(int(wait_s) + 1)},
            )  # fmt: skip

    def _is_token(self, given: str) -> bool:
        return self.token is not None and hmac.compare_digest(
            given.encode(errors="replace"), self.token.encode()
        )

    def _cookie_name(self, scope: Scope, base: str = COOKIE) -> str:
        return cookie_name(base, secure=self.is_secure(scope), port=self._settings.port)


def _is_user(store: LoginStore, name: str) -> bool:
    return store.one("SELECT 1 FROM user WHERE name = ?", name) is not None
