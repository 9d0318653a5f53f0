"""What can be set on the API process. Defaults are for one machine and one person in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from civicbrain.runtime.login.sessions import Limits
from civicbrain.runtime.login.settings import ProviderTable
from civicbrain.runtime.login.store import default_login_file

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Settings:
    """run_dir: where the sockets of the other processes stand. allowed_hosts: Host names accepted besides
    localhost (against DNS rebinding). url: the address as people open it, "" where it is host and port.
    login_file: users and sessions; None: in run_dir. provider: the city's identity provider. proxies: whose
    word on who asks is taken; certificate, key: for https. Rates are requests a second, averaged, for each
    client address."""

    run_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ()
    url: str = ""
    login_file: Path | None = None
    session_limits: Limits = field(default_factory=Limits)
    provider: ProviderTable | None = None
    proxies: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    allowed_origins: tuple[str, ...] = ()  # pages besides our own that may write, e.g. a development server
    studies_dir: Path | None = None  # before/after studies; None: `studies` in the run folder
    static_dir: Path = Path(__file__).parent / "static"
    read_rate_hz: float = 50.0
    write_rate_hz: float = 5.0
    rate_burst_s: float = 4.0  # so many seconds' worth may come at once
    max_body_bytes: int = 64 * 1024
    intake_rate_hz: float = 50.0  # messages with observations; a gateway sends those of many cameras in one
    intake_body_bytes: int = 1024 * 1024
    command_timeout_s: float = 3.0
    stale_after_s: float = 5.0  # a process not heard of for so long counts as away
    map_rate_hz: float = 5.0
    map_clients: int = 64
    map_send_timeout_s: float = 10.0  # a map client that reads nothing for so long is dropped
    playback_hours: float = 4.0  # how long the moving picture is kept, real time; 0: not at all
    playback_bytes: int = 2_000_000_000
    alert_clients: int = 32
    alert_buffer: int = 1000  # newest alerts kept for Last-Event-ID
    alert_heartbeat_s: float = 15.0

    @property
    def open_to_others(self) -> bool:
        """Bound to more than loopback: then nobody comes in without logging in."""
        return self.host not in LOOPBACK

    @property
    def users_file(self) -> Path:
        return self.login_file or default_login_file(self.run_dir)

    @property
    def host_names(self) -> tuple[str, ...]:
        """Host names accepted besides localhost."""
        named = urlsplit(self.url).hostname
        return (*self.allowed_hosts, named) if named else self.allowed_hosts

    @property
    def origins(self) -> tuple[str, ...]:
        """Pages besides our own host's that may write."""
        parts = urlsplit(self.url)
        return (
            (*self.allowed_origins, f"{parts.scheme}://{parts.netloc}") if self.url else self.allowed_origins
        )
