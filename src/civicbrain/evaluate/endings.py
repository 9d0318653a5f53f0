"""How a process that gave no result ended, as people should read it: the cause, and what to do about it."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
_ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Ending:
    """cause and remedy: parts of a sentence."""

    cause: str
    remedy: str


def tell_ending(code: int | None) -> Ending:
    """code: as `Popen.returncode` has it, below 0 for a signal; None: it goes on, or nobody knows."""
    if code is None or code >= 0:
        how = f"ended with exit code {code} and no result" if code is not None else "gave no result"
        return Ending(f"its process {how}", "its log says why; ask again")
    try:
        name = signal.Signals(-code)
    except ValueError:
        return Ending(f"its process was ended by signal {-code}", "ask again")
    said = f"its process was ended by {name.name}"
    if name is signal.SIGKILL:
        return Ending(
            f"{said}, as the kernel does when memory runs out",
            "free memory, or ask for fewer minutes, fewer pairs or the mesoscopic model",
        )
    if name in _CRASHES:
        return Ending(f"{said}: SUMO crashed", "ask with the other traffic model, and report what was asked")
    if name in _ASKED:
        return Ending(f"{said}: somebody ended it from outside", "ask again")
    return Ending(said, "ask again")


def first_to_end(codes: Sequence[int | None]) -> int | None:
    """The code of the process that broke, where the others were then told to end."""
    known = [code for code in codes if code is not None]
    return next((code for code in known if code not in (0, -signal.SIGTERM)), known[0] if known else None)
