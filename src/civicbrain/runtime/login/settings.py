"""[login] of the configuration: how people come in.

[login]
idle_minutes = 60

[login.provider]
issuer = "https://id.city.example/realms/city"
client_id = "civicbrain"
client_secret_file = "/etc/civicbrain/oidc.secret"
roles = { "traffic-engineers" = "engineer", "control-room" = "operator" }
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.login.roles import Role
from civicbrain.runtime.login.sessions import Limits
from civicbrain.runtime.login.store import default_login_file

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderTable(_Table):
    """[login.provider]: the city's own identity provider (OpenID Connect). client_secret_file: mode 0600; "":
    a public client. label: what the button says. name_claim, role_claim: where name and roles stand in the ID
    token (a dot goes one level down: "realm_access.roles"). roles: value of that claim -> role; the highest
    counts. default_role: of somebody with none of them; without one they are refused."""

    issuer: str
    client_id: str = Field(min_length=1, max_length=200)
    client_secret_file: str = ""
    label: str = Field(default="", max_length=60)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: dict[str, Role] = Field(default_factory=dict)
    default_role: Role | None = None

    @field_validator("issuer")
    @classmethod
    def _secure(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.query or parts.fragment or not parts.hostname:
            raise ValueError("must be https://HOST/…, as the provider names itself")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("must begin with https:// (http only on this machine)")
        return value

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError("must contain openid")
        return value

    def secret(self) -> str:
        """ "" for a public client. Raises ConfigurationError."""
        if not self.client_secret_file:
            return ""
        path = Path(self.client_secret_file)
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigurationError(
                    "the secret is open to others", place=str(path), remedy=f"chmod 600 {path}"
                )
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"the secret cannot be read: {getattr(error, 'strerror', None) or error}",
                place=str(path),
                remedy="check login.provider.client_secret_file",
            ) from error


class LoginTable(_Table):
    """[login]: file: users, sessions and the record of access; "": `login.sqlite` of this account, or of the
    run folder that was named. idle_minutes: without anything done, 0: any time. hours: after the log-in,
    whatever is done; viewer_hours: the same of viewers, who do nothing."""

    file: str = ""
    idle_minutes: float = Field(default=60.0, ge=0.0, le=10_080.0)
    hours: float = Field(default=12.0, gt=0.0, le=720.0)
    viewer_hours: float = Field(default=168.0, gt=0.0, le=8_784.0)
    provider: ProviderTable | None = None

    def limits(self) -> Limits:
        return Limits(self.idle_minutes * 60.0, self.hours * 3600.0, self.viewer_hours * 3600.0)

    def path(self, run_dir: Path | None) -> Path:
        """run_dir: the folder that was named, None for the usual one."""
        return Path(self.file).expanduser() if self.file else default_login_file(run_dir)
