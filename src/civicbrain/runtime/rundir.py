"""The run folder of one live city: sockets, ledger, logs, checkpoints. Only its owner may enter it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
from pathlib import Path

from civicbrain.contracts.transport import SOCKET_NAMES, socket_address
from civicbrain.core.errors import ServiceError
from civicbrain.twin.checkpoints import Checkpoints

LEDGER_FILE = "ledger.sqlite"
HISTORY_FOLDER = "history"
LOCK_FILE = "lock"


def default_run_dir(city_name: str) -> Path:
    """$XDG_STATE_HOME/civicbrain/run/NAME, by default in ~/.local/state. Not $XDG_RUNTIME_DIR: that is
    emptied at log-out, and the ledger stands here."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", city_name).strip("-")[:40] or "city"
    return Path(state) / "civicbrain" / "run" / name


class RunDir:
    """Makes and holds the folder: one `civicbrain run` at a time. The lock goes with the process."""

    def __init__(self, path: Path) -> None:
        """Raises ServiceError when the folder is another's, open to others, in use, or its path too long."""
        self.path = path.absolute()
        for name in SOCKET_NAMES:
            socket_address(self.path, name)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(self.path)
        self._lock = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._lock, 20).decode(errors="replace").strip()
            os.close(self._lock)
            raise ServiceError(
                f"another civicbrain runs in this folder (process {holder or 'unknown'})",
                place=str(self.path),
                remedy="end it with Ctrl-C, or give this one its own folder with --run-dir",
            ) from error
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    def clean(self) -> None:
        """Remove what a killed run left: sockets and checkpoints. Ledger and logs stay."""
        for name in SOCKET_NAMES:
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).unlink()
        Checkpoints(self.path).forget()

    def close(self) -> None:
        """Remove the sockets and give the folder free."""
        self.clean()
        os.close(self._lock)


def _require_private(path: Path) -> None:
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServiceError(
            "the run folder belongs to somebody else", place=str(path), remedy="choose another with --run-dir"
        )
    if found.st_mode & 0o077:
        # mkdir does not narrow a folder that was there; whoever may enter could speak to the processes
        if any(path.iterdir()) and not (path / LOCK_FILE).exists():
            raise ServiceError(
                "the folder is not empty and open to others",
                place=str(path),
                remedy="give a new folder with --run-dir, or `chmod 700` this one",
            )
        path.chmod(0o700)
