"""How a supervised process starts: it ends with its parent, logs to a bounded file, then runs a module.

    python -m civicbrain.runtime.child --parent PID --run-dir DIR --name twin [--nice N] MODULE ARGUMENT…

The log is DIR/NAME.log (structlog and logging), rotated once; what the interpreter or a C++ library prints
goes to DIR/NAME.out, which starts empty each time.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import logging.handlers
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from civicbrain.core.low_priority import give_way

LOG_BYTES = 2_000_000
"""Size at which a log is rotated; one older file is kept."""

PR_SET_PDEATHSIG = 1  # prctl(2)


def command(
    module: str,
    arguments: Sequence[str],
    *,
    run_dir: Path,
    name: str,
    nice: int = 0,
    parent: int | None = None,
) -> list[str]:
    """The command line that starts `module` as a supervised process."""
    return [
        sys.executable, "-m", "civicbrain.runtime.child", "--parent", str(parent or os.getpid()),
        "--run-dir", str(run_dir), "--name", name, "--nice", str(nice), module, *arguments,
    ]  # fmt: skip


def end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux), however the parent dies.

    SIGKILL, not SIGTERM: nobody is left to insist, and every process here survives a kill at any time.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before prctl
        os._exit(1)


def set_up_logging(file: Path) -> None:
    """structlog and logging, as one line of text an event, into `file`."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.handlers.RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.KeyValueRenderer(
                    key_order=["timestamp", "level", "event"], drop_missing=True, sort_keys=True
                ),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="start a supervised process")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    end_with(options.parent)
    give_way(options.nice)
    set_up_logging(options.run_dir / f"{options.name}.log")
    sys.argv = [options.module, *options.arguments]
    try:
        runpy.run_module(options.module, run_name="__main__", alter_sys=True)
    except Exception:
        logging.getLogger(options.name).exception("the process died of an error")
        raise


if __name__ == "__main__":
    main()
