"""What can be set on the API process. Defaults are for one machine and one person in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Settings:
    """run_dir: where the sockets of the other processes stand. allowed_hosts: Host names accepted besides
    localhost (against DNS rebinding). Rates are requests a second, averaged, for each client address."""

    run_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ()
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
        """Bound to more than loopback: then every request needs the token."""
        return self.host not in LOOPBACK
