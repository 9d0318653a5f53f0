"""One run: the twin, and, where the control is a brain's, the same loop that serves a live city.

Runs in a process of its own (libsumo holds one simulation a process). Everything but the wall-clock
figures repeats to the last digit.
"""

from __future__ import annotations

from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.records import RunFile


def simulate_run(task: RunTask) -> RunFile:
    raise NotImplementedError
