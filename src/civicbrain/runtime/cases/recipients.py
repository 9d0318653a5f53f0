"""[notices] of the configuration: who can be told, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from civicbrain.core.errors import ConfigurationError
from civicbrain.core.ids import check_slug
from civicbrain.runtime.cases.mail import Relay
from civicbrain.runtime.cases.webhook import Webhook

SHORTEST_SECRET = 16


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecipientTable(_Table):
    """[notices.recipients.NAME]: url (with secret_file, mode 0600) or mail. allow_private: the url may lead
    to an address inside (loopback, private), and may then be http."""

    url: str = ""
    secret_file: str = ""
    allow_private: bool = False
    mail: str = Field(default="", pattern=r"^([^\s@<>,;]+@[^\s@<>,;]+)?$", max_length=254)

    @model_validator(mode="after")
    def _one(self) -> RecipientTable:
        if bool(self.url) == bool(self.mail):
            raise ValueError("give either url or mail")
        if self.url:
            parts = urlsplit(self.url)
            schemes = ("https", "http") if self.allow_private else ("https",)
            if parts.scheme not in schemes or not parts.hostname:
                raise ValueError("url must be https://HOST/… (http only with allow_private = true)")
            if parts.username or parts.password:
                raise ValueError("url must not hold a password; the signature says who sends")
            if not self.secret_file:
                raise ValueError("a url needs a secret_file: its receiver must be able to tell who sends")
        return self


class MailTable(_Table):
    """[notices.mail]: the relay. sender: an address. password_file: mode 0600."""

    host: str = ""
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(default="", pattern=r"^([^\s@<>,;]+@[^\s@<>,;]+)?$", max_length=254)
    user: str = ""
    password_file: str = ""


class NoticesTable(_Table):
    """[notices]: mail: the relay. recipients: NAME -> how they are told; procedures name them."""

    mail: MailTable = MailTable()
    recipients: dict[str, RecipientTable] = Field(default_factory=dict)

    @field_validator("recipients")
    @classmethod
    def _slugs(cls, value: dict[str, RecipientTable]) -> dict[str, RecipientTable]:
        for name in value:
            try:
                check_slug(name, "recipient")
            except ConfigurationError as error:
                raise ValueError(error.message) from error
        return value

    @model_validator(mode="after")
    def _relay(self) -> NoticesTable:
        by_mail = [name for name, one in self.recipients.items() if one.mail]
        if by_mail and not (self.mail.host and self.mail.sender):
            raise ValueError(
                f"recipients.{by_mail[0]} is told by mail: give host and sender under [notices.mail]"
            )
        return self

    def hooks(self) -> dict[str, Webhook]:
        """Recipients that are told by webhook, with their secrets. Raises ConfigurationError."""
        return {
            name: Webhook(one.url, _secret(one.secret_file).encode(), one.allow_private)
            for name, one in self.recipients.items()
            if one.url
        }

    def relay(self) -> Relay | None:
        """How mail goes out; None without. Raises ConfigurationError."""
        mail = self.mail
        if not mail.host:
            return None
        password = _secret(mail.password_file) if mail.password_file else ""
        return Relay(mail.host, mail.port, mail.security, mail.sender, mail.user, password)


def _secret(file: str) -> str:
    path = Path(file).expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(
                "the secret is open to others", place=str(path), remedy=f"chmod 600 {path}"
            )
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the secret cannot be read: {error}", place=str(path), remedy="check the path in [notices]"
        ) from error
    if len(secret) < SHORTEST_SECRET:
        raise ConfigurationError(
            f"the secret is shorter than {SHORTEST_SECRET} characters", place=str(path),
            remedy='make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
        )  # fmt: skip
    return secret
