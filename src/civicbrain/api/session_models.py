"""What the API says of log-ins."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from civicbrain.runtime.login import Role


class SessionView(Struct, frozen=True):
    """Who is logged in. name: "", role: null: nobody. actor: as the record of changes names them. way: how
    they came in; demo: by itself, for this server answers this machine only. expires_at: when they must log
    in again whatever they do; null: never."""

    name: str
    role: Role | None
    actor: str
    way: Literal["", "demo", "token", "password", "provider"]
    demo: bool
    expires_at: datetime | None = None
