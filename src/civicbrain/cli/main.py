"""The `civicbrain` command: finds the commands, and turns errors into sentences.

Exit codes: 0 done, 1 a defect of ours (traceback), 2 something the reader can put right, 130 Ctrl-C, 143
and 129 ended from outside (SIGTERM, SIGHUP), half-made folders put away first.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import typer

import civicbrain.cli
from civicbrain.core.errors import CivicBrainError

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


def build_app() -> typer.Typer:
    """The application with the commands of every module of this package that has `register`."""
    app = typer.Typer(
        name="civicbrain",
        help="An open city brain: sense, know, decide, guard, act, proven in a digital twin.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(invoke_without_command=True)(_root)
    for module in sorted(pkgutil.iter_modules(civicbrain.cli.__path__), key=lambda entry: entry.name):
        if module.name == "main":
            continue
        register = getattr(importlib.import_module(f"civicbrain.cli.{module.name}"), "register", None)
        if register is not None:
            register(app)
    return app


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from civicbrain import __version__

        typer.echo(f"civicbrain {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script; always leaves by SystemExit."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores one of them: so do we
            signal.signal(number, _leave)
    raise SystemExit(run(sys.argv[1:] if arguments is None else arguments))


def _leave(number: int, _frame: FrameType | None) -> None:
    """As an exception, so that what cleans up does; `civicbrain run` has handlers of its own."""
    raise SystemExit(128 + number)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        build_app()(args=list(arguments), prog_name="civicbrain")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except CivicBrainError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the reader of our output (head, less) went away; keep Python from complaining about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _complain(_describe(error))
        return EXIT_USER_ERROR
    return 0


def _complain(text: str) -> None:
    sys.stdout.flush()
    print(f"civicbrain: {text}", file=sys.stderr)


def _describe(error: OSError) -> str:
    """An operating-system error in words, with the file and what to do."""
    remedies = {
        errno.ENOSPC: "free some space, then run the command again",
        errno.EDQUOT: "free some of your disk quota, then run the command again",
        errno.EACCES: "check the permissions, or choose another place",
        errno.EPERM: "check the permissions, or choose another place",
        errno.EROFS: "choose a place that can be written to",
        errno.ENOENT: "check the path",
        errno.ENOTDIR: "check the path",
        errno.EISDIR: "name a file, not a folder",
        errno.EADDRINUSE: "choose another port with --port, or end the program that uses it",
        errno.EMFILE: "raise the limit of open files (ulimit -n)",
    }
    files = [str(name) for name in (error.filename, error.filename2) if name is not None]
    message = (error.strerror or str(error) or type(error).__name__).lower()
    place = f"{' -> '.join(files)}: " if files else ""
    remedy = remedies.get(error.errno or 0)
    return f"{place}{message}" + (f"\n  remedy: {remedy}" if remedy else "")


if __name__ == "__main__":
    main()
