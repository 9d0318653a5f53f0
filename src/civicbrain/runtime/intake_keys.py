"""The keys of field sources, as files: a shared token in the run folder, keys of single sources in a file.

# keys.toml, mode 0600: source id = its key
camera-17 = "kT0Jq…"
"""

from __future__ import annotations

import os
import secrets
import tomllib
from pathlib import Path

from civicbrain.city.intake import Keys
from civicbrain.core.errors import ConfigurationError, ServiceError

TOKEN_FILE = "intake.token"  # noqa: S105 - a file's name
MOST_KEY_BYTES = 10_000_000


def load_keys(run_dir: Path, keys_file: str) -> Keys:
    """The keys. The shared token is made where it is missing, unless a file gives each source its own: then
    only a token that somebody has put there counts. Raises ConfigurationError, ServiceError."""
    of_source = _read_keys(Path(keys_file)) if keys_file else {}
    return Keys(_shared_token(run_dir / TOKEN_FILE, make=not keys_file), of_source)


def _read_keys(path: Path) -> dict[str, str]:
    try:
        found = path.stat()
        if found.st_mode & 0o077:
            raise ConfigurationError(
                "the keys are open to others", place=str(path), remedy=f"chmod 600 {path}"
            )
        if found.st_size > MOST_KEY_BYTES:
            raise ConfigurationError(
                f"is longer than {MOST_KEY_BYTES} bytes", place=str(path), remedy="name a file of keys"
            )
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"the keys cannot be read: {error.strerror}", place=str(path), remedy="check keys_file"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"is no TOML: {error}", place=str(path), remedy='one line a source: camera-17 = "its key"'
        ) from error
    wrong = next((name for name, key in table.items() if not isinstance(key, str)), None)
    if wrong is not None:
        raise ConfigurationError(
            f"the key of {wrong!r} is no text", place=str(path), remedy='write camera-17 = "its key"'
        )
    return table


def _shared_token(path: Path, *, make: bool) -> str:
    try:
        if path.exists():
            path.chmod(0o600)
            return path.read_text("utf-8").strip()
        if not make:
            return ""
        token = secrets.token_urlsafe(32)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(token + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(
            f"the token of the intake cannot be kept: {error}", place=str(path),
            remedy="make the run folder writable, or switch the intake off",
        ) from error  # fmt: skip
    return token
