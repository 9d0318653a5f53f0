"""The city's own identity provider: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

What is checked of an answer: state and the browser's own cookie (that it is the answer to what this browser
asked), `iss` (RFC 9207), the ID token's signature by one of the provider's keys, issuer, audience, authorised
party, times and nonce. Then the roles that the city gave decide whether somebody may come in at all.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.login import Role
from civicbrain.runtime.login.settings import ProviderTable
from civicbrain.runtime.login.users import as_name

if TYPE_CHECKING:  # slow to import, and few cities have a provider
    from authlib.integrations.httpx_client import AsyncOAuth2Client

CALLBACK = "/v1/session/provider/callback"
TAKES_S = 600.0
"""How long somebody may take at the provider."""

_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")  # never "none", never a shared secret
_METADATA_S, _KEYS_AGAIN_S = 3600.0, 30.0
_TIMEOUT_S, _LEEWAY_S = 10.0, 60
_MOST_UNDER_WAY, _MOST_HINTS = 1000, 1000
_log = structlog.get_logger("civicbrain.api")


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for. role: None: it gave none that counts here."""

    name: str
    role: Role | None
    subject: str
    id_token: str


@dataclass(frozen=True)
class _UnderWay:
    state: str
    nonce: str
    verifier: str
    at_s: float


class Provider:
    """One provider. redirect: the address it sends browsers back to."""

    def __init__(self, table: ProviderTable, url: str) -> None:
        """Raises ConfigurationError where the secret cannot be read."""
        self._table, self._secret, self._url = table, table.secret(), url.rstrip("/")
        self._under_way: OrderedDict[str, _UnderWay] = OrderedDict()
        self._hints: OrderedDict[int, str] = OrderedDict()  # session -> ID token, for logging out there
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    @staticmethod
    def of(settings: Settings) -> Provider | None:
        """None where none is configured. Raises ConfigurationError without a public address."""
        if settings.provider is None:
            return None
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        if not settings.url and settings.open_to_others:
            raise ConfigurationError(
                "the identity provider must know where to send people back", place="[api]",
                remedy='set url = "https://…", the address as people open it',
            )  # fmt: skip
        return Provider(settings.provider, settings.url or f"http://{host}:{settings.port}")

    @property
    def label(self) -> str:
        return self._table.label or self._table.issuer.split("//", 1)[-1].split("/", 1)[0]

    async def begin(self) -> tuple[str, str]:
        """The address to send a browser to, and a secret for its cookie. Raises ProblemError (503)."""
        metadata = await self._find_metadata()
        secret = secrets.token_urlsafe(32)
        now_s = time.monotonic()
        begun = _UnderWay(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), now_s
        )
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=begun.state, nonce=begun.nonce,
                code_verifier=begun.verifier,
            )  # fmt: skip
        self._under_way[secret] = begun
        while len(self._under_way) > _MOST_UNDER_WAY:
            self._under_way.popitem(last=False)
        return address, secret

    async def finish(self, secret: str, answer: Mapping[str, str]) -> Person:
        """Whom the provider sent back; each answer is good once. Raises ProblemError: 400 for what is no
        answer to what this browser asked, 401 where the provider or its token says no, 503."""
        begun = self._under_way.pop(secret, None) if secret else None
        if begun is None or time.monotonic() - begun.at_s > TAKES_S:
            raise ProblemError(400, "this log-in was not begun here, or took too long; begin again")
        if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise ProblemError(400, "this is the answer to another log-in; begin again")
        metadata = await self._find_metadata()
        named = answer.get("iss")
        if named != metadata["issuer"] and (
            named is not None or metadata.get("authorization_response_iss_parameter_supported")
        ):
            raise ProblemError(400, "the answer comes from another identity provider")
        if "code" not in answer:
            raise ProblemError(401, "the identity provider did not let you in")
        token = await self._fetch_token(metadata, answer["code"], begun.verifier)
        return self._person(await self._claims(metadata, token, begun.nonce), token)

    async def end_address(self, session: int) -> str:
        """Where the provider ends its own session, "" where it cannot."""
        hint = self._hints.pop(session, "")
        try:
            metadata = await self._find_metadata()
        except ProblemError:
            return ""
        address = metadata.get("end_session_endpoint", "")
        if not address:
            return ""
        asked = {"client_id": self._table.client_id, "post_logout_redirect_uri": f"{self._url}/"}
        return f"{address}?{urlencode(asked | ({'id_token_hint': hint} if hint else {}))}"

    def remember(self, session: int, person: Person) -> None:
        """For logging out there, too. Not kept over a restart: then the provider asks."""
        self._hints[session] = person.id_token
        while len(self._hints) > _MOST_HINTS:
            self._hints.popitem(last=False)

    def _client(self) -> AsyncOAuth2Client:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            self._table.client_id, self._secret or None,
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            scope=" ".join(self._table.scopes), redirect_uri=self._url + CALLBACK,
            code_challenge_method="S256", timeout=_TIMEOUT_S,
        )  # fmt: skip

    async def _fetch_token(self, metadata: Mapping[str, Any], code: str, verifier: str) -> str:
        from authlib.common.errors import AuthlibBaseError

        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=verifier,
                    grant_type="authorization_code",
                )  # fmt: skip
        except AuthlibBaseError as error:
            _log.warning("identity provider refused a code", error=str(error)[:300])
            raise ProblemError(401, "the identity provider refused this log-in; begin again") from None
        except (httpx2.HTTPError, ValueError) as error:
            raise _away(error) from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProblemError(401, "the identity provider sent no ID token; is `openid` among the scopes?")
        return token

    async def _claims(self, metadata: Mapping[str, Any], token: str, nonce: str) -> dict[str, Any]:
        wanted = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": str(metadata["issuer"])},
            aud={"essential": True, "value": self._table.client_id},
            exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )  # fmt: skip
        try:
            for again in (False, True):
                try:
                    claims = jwt.decode(
                        token, await self._find_keys(metadata, again), list(_ALGORITHMS)
                    ).claims
                    break
                except (JoseError, ValueError):
                    if again:  # with keys fetched anew: the provider may have changed them
                        raise
            wanted.validate(claims)
            party, audience = claims.get("azp"), claims["aud"]
            several = isinstance(audience, list) and len(audience) > 1
            if (several or party is not None) and party != self._table.client_id:
                raise ValueError("azp")
        except (JoseError, ValueError, KeyError, TypeError) as error:
            _log.warning("ID token refused", error=f"{type(error).__name__}: {error}"[:300])
            raise ProblemError(401, "the identity provider's token does not hold; the log says why") from None
        return dict(claims)

    def _person(self, claims: dict[str, Any], token: str) -> Person:
        name = _dig(claims, self._table.name_claim)
        given = _dig(claims, self._table.role_claim)
        named = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = [self._table.roles[one] for one in named if isinstance(one, str) and one in self._table.roles]
        role = max(roles, key=lambda found: found.rank) if roles else self._table.default_role
        if not isinstance(name, str) or not name:
            raise ProblemError(
                401, f"the identity provider did not say who you are: no claim {self._table.name_claim!r}"
            )
        return Person(as_name(name), role, f"{claims['iss']}|{claims['sub']}", token)

    async def _find_metadata(self) -> Mapping[str, Any]:
        """OpenID Connect Discovery 1.0, section 4."""
        now_s = time.monotonic()
        if self._metadata is None or now_s - self._metadata[0] > _METADATA_S:
            issuer = self._table.issuer
            found = await self._get(issuer.rstrip("/") + "/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != issuer or not all(isinstance(found.get(key), str) for key in needed):
                raise _away(f"its discovery document does not belong to {issuer}, or lacks an address")
            secure = [*(found[key] for key in needed), found.get("end_session_endpoint", "https://")]
            if issuer.startswith("https://") and not all(str(one).startswith("https://") for one in secure):
                raise _away("its discovery document names an address without https")
            self._metadata = (now_s, found)
        return self._metadata[1]

    async def _find_keys(self, metadata: Mapping[str, Any], again: bool) -> KeySet:
        now_s = time.monotonic()
        age_s = _METADATA_S if self._keys is None else now_s - self._keys[0]
        if self._keys is None or age_s >= _METADATA_S or (again and age_s > _KEYS_AGAIN_S):
            found = await self._get(metadata["jwks_uri"])
            self._keys = (now_s, KeySet.import_key_set(found))  # type: ignore[arg-type]
        return self._keys[1]

    async def _get(self, address: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
                answer = await client.get(address, headers={"accept": "application/json"})
                answer.raise_for_status()
                found = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise _away(error) from None
        if not isinstance(found, dict):
            raise _away("its answer is no JSON object")
        return found


def _dig(claims: dict[str, Any], path: str) -> Any:
    """A claim; "a.b": b inside of a. A name with a dot in it, as URLs have, is tried as it is first."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _away(error: object) -> ProblemError:
    _log.warning("identity provider does not answer", error=str(error)[:300])
    return ProblemError(
        503, "the identity provider does not answer as it should; try again, or ask an administrator",
        headers={"Retry-After": "10"},
    )  # fmt: skip
