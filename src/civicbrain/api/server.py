"""The API process: `python -m civicbrain.api.server --city DIR --run-dir DIR [--host H] [--port P]`."""

from __future__ import annotations

import argparse
import asyncio
import socket
import ssl
import sys
from dataclasses import replace
from pathlib import Path

import structlog
import uvicorn

from civicbrain.api.app import build_app
from civicbrain.api.door.log_in import find_token
from civicbrain.api.settings import Settings
from civicbrain.city.model import City
from civicbrain.contracts.transport import SOCKET_NAMES, socket_address
from civicbrain.core.errors import CivicBrainError, ConfigurationError, ServiceError
from civicbrain.runtime.login.store import LoginStore
from civicbrain.runtime.login.users import has_users

_log = structlog.get_logger("civicbrain.api")


def bind(settings: Settings) -> socket.socket:
    """The listening socket. Raises ServiceError when the port is in use or the address is not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sends without delay (TCP_NODELAY) only where the protocol is named: else each answer takes 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServiceError(
            f"cannot listen: {getattr(error, 'strerror', None) or error}",
            place=f"{settings.host}:{settings.port}",
            remedy="stop what uses the port, or choose another with --port",
        ) from error
    listener.set_inheritable(False)
    return listener


def serve(city: City, settings: Settings, listener: socket.socket | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises ServiceError when the port is in use."""
    listener = listener or bind(settings)
    port = listener.getsockname()[1]
    settings = replace(settings, port=port)
    if not settings.certificate and settings.open_to_others and not settings.url.startswith("https://"):
        _log.warning("passwords travel readable: give [api] certificate and key, or a proxy with https")
    _check_certificate(settings)
    token = _token(settings)
    config = uvicorn.Config(
        build_app(city, settings, token),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        ssl_certfile=settings.certificate or None,
        ssl_keyfile=settings.key or None,
        ws_per_message_deflate=False,
        ws_max_size=4096,
        ws_max_queue=4,
        limit_concurrency=512,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=32 * 1024,
    )
    scheme = "https" if settings.certificate else "http"
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    _log.info("listening", url=f"{scheme}://{shown}:{port}/", token_asked=token is not None)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def _check_certificate(settings: Settings) -> None:
    """Raises ConfigurationError where https cannot be spoken with these files."""
    if not settings.certificate:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"https cannot be spoken with these files: {error.strerror or error}",
            place=f"{settings.certificate}, {settings.key}",
            remedy="give [api] certificate and key as PEM files that belong together",
        ) from error


def _token(settings: Settings) -> str | None:
    """The run folder's token. It is made only where others could come in and nobody could log in; one that
    is there is for programs, unless this is a demo."""
    with LoginStore(settings.users_file) as store:
        people = settings.provider is not None or has_users(store)
    if not (people or settings.open_to_others):
        return None
    return find_token(settings.run_dir, make=not people)


def _with_configuration(settings: Settings, config: Path | None, login: Path | None) -> Settings:
    """What stands in the file. Raises ConfigurationError."""
    if config is None:
        return replace(settings, login_file=login)
    from civicbrain.runtime.configuration import load_configuration

    found = load_configuration(config)
    return replace(
        settings, url=found.api.url, proxies=found.api.proxies, certificate=found.api.certificate,
        key=found.api.key, session_limits=found.login.limits(), provider=found.login.provider,
        login_file=login or found.login.path(settings.run_dir),
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0, or 2 with a message for anything a person can put right."""
    parser = argparse.ArgumentParser(prog="python -m civicbrain.api.server", description="Civic Brain's API")
    parser.add_argument("--city", type=Path, required=True, help="the city folder")
    parser.add_argument("--run-dir", type=Path, required=True, help="folder of the sockets")
    parser.add_argument("--host", default="127.0.0.1", help="beyond loopback people log in")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="Host name to accept"
    )
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="URL", help="page that may write"
    )
    parser.add_argument("--login", type=Path, metavar="FILE", help="users and sessions [in the run folder]")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a civicbrain.toml: [api] and [login]")
    parser.add_argument("--tile-url", default="", metavar="URL", help="base map; default: the city's own")
    parser.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="before/after studies [in the run folder]"
    )
    parser.add_argument("--read-rate", type=float, default=Settings.read_rate_hz, metavar="PER_S")
    parser.add_argument("--write-rate", type=float, default=Settings.write_rate_hz, metavar="PER_S")
    parser.add_argument("--intake-rate", type=float, default=Settings.intake_rate_hz, metavar="PER_S")
    parser.add_argument("--playback-hours", type=float, default=Settings.playback_hours, metavar="H")
    parser.add_argument("--playback-gb", type=float, default=Settings.playback_bytes / 1e9, metavar="GB")
    parser.add_argument("--stale-after", type=float, default=Settings.stale_after_s, metavar="S")
    parser.add_argument(
        "--map-send-timeout",
        type=float,
        default=Settings.map_send_timeout_s,
        metavar="S",
        help=argparse.SUPPRESS,
    )
    options = parser.parse_args(arguments)
    settings = Settings(
        run_dir=options.run_dir,
        host=options.host,
        port=options.port,
        allowed_hosts=tuple(options.allow_host),
        allowed_origins=tuple(options.allow_origin),
        studies_dir=options.studies_dir,
        read_rate_hz=options.read_rate,
        write_rate_hz=options.write_rate,
        intake_rate_hz=options.intake_rate,
        playback_hours=options.playback_hours,
        playback_bytes=int(options.playback_gb * 1e9),
        stale_after_s=options.stale_after,
        map_send_timeout_s=options.map_send_timeout,
    )
    try:
        settings = _with_configuration(settings, options.config, options.login)
        for name in SOCKET_NAMES:
            socket_address(settings.run_dir, name)  # refuses paths that are too long for a socket
        if not settings.run_dir.is_dir():
            raise ConfigurationError(
                "there is no such run folder", place=str(settings.run_dir),
                remedy="name the one that `civicbrain run` says at its start, or make it",
            )  # fmt: skip
        # the port first: whoever finds it in use should not wait for a city to load
        listener = bind(settings)
        from civicbrain.city.folder import load_city

        city = load_city(options.city)
        if options.tile_url:
            city = replace(city, tile_url=options.tile_url)
        serve(city, settings, listener)
    except CivicBrainError as error:
        print(f"civicbrain api: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
