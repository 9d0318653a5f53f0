"""A job of the API in a process of its own: a what-if, or a study."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from civicbrain.runtime import child


async def start_job(
    module: str, arguments: Sequence[str], run_dir: Path, name: str, *, nice: int, listen: bool = False
) -> asyncio.subprocess.Process:
    """Start `module` in a session of its own; it logs to NAME.log and prints to NAME.out in run_dir. listen:
    its standard output comes to us instead. Raises OSError."""
    command = child.command(module, arguments, run_dir=run_dir, name=name, nice=nice)
    with (run_dir / f"{name}.out").open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stderr=output, start_new_session=True,
            stdout=asyncio.subprocess.PIPE if listen else output,
        )  # fmt: skip


def end_job(process: asyncio.subprocess.Process | None) -> None:
    """End it with all that it has started; one that is over is left alone."""
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
