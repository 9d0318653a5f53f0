"""[feeds.mqtt] options: which broker, and as whom. No password goes over a network in the clear."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from civicbrain.core.errors import ConfigurationError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PLACE = "feeds.mqtt.options"


class MqttOptions(BaseModel):
    """host, port: the broker. topic: a filter; with `vouched` its last level is the source's id. qos: 0, 1 or
    2. username, password_file: how we log in; the file holds the password alone. tls: required for a broker
    elsewhere; ca_file: who signed its certificate, where the system does not know them; certificate_file,
    key_file: our own, where the broker asks for one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65_535)
    topic: str = Field(default="civicbrain/observations/#", min_length=1, max_length=1000)
    qos: int = Field(default=0, ge=0, le=2)
    client_id: str = Field(default="", max_length=200)
    username: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    vouched: bool = False

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> MqttOptions:
        if self.host not in LOOPBACK and not self.tls:
            raise ValueError(f"the broker {self.host} is not this machine: set tls = true")
        if (self.ca_file or self.certificate_file) and not self.tls:
            raise ValueError("certificates are given, but tls = false")
        return self

    def password(self) -> str | None:
        """What stands in password_file. Raises ConfigurationError."""
        if not self.password_file:
            return None
        path = Path(self.password_file)
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigurationError(
                    "the password file is open to others", place=str(path), remedy=f"chmod 600 {path}"
                )
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"the password cannot be read: {error}", place=str(path), remedy="check password_file"
            ) from error

    def ssl_context(self) -> ssl.SSLContext | None:
        """Certificates are always checked. Raises ConfigurationError."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"the certificates cannot be used: {error}", place=PLACE, remedy="check the files"
            ) from error
        return context


def parse_options(table: Mapping[str, Any]) -> MqttOptions:
    """The checked options; raises ConfigurationError naming the key."""
    try:
        return MqttOptions.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(MqttOptions.model_fields)
        if first["type"] == "extra_forbidden":
            message, remedy = f"unknown key {key!r}", f"the keys here are {known}"
        else:
            message, remedy = f"{key}: {first['msg']}" if key else first["msg"], "correct the value"
        raise ConfigurationError(message, place=PLACE, remedy=remedy) from error
