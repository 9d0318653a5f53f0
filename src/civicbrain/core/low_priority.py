"""Processes whose work may wait leave processor and disk to the live loop (Linux)."""

from __future__ import annotations

import ctypes
import os
import platform

JOB_NICE = 10
"""Of jobs: a nice process of 10 gets about a tenth of a core that one of 0 wants, too (sched(7))."""

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
"""Number of the system call (ioprio_set(2)); the C library has no function for it."""
_WHO_PROCESS, _CLASS_IDLE, _CLASS_SHIFT = 1, 3, 13


def give_way(nice: int) -> None:
    """Lower this process's priority by `nice`; from JOB_NICE on its reading and writing wait for an idle
    disk, too, where the kernel's scheduler for that disk knows priorities. What it starts inherits both."""
    if nice <= 0:
        return
    os.nice(nice)
    number = _IOPRIO_SET.get(platform.machine())
    if nice >= JOB_NICE and number is not None:
        # a refusal (a sandbox, another kernel) costs nothing but the courtesy
        ctypes.CDLL(None, use_errno=True).syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE << _CLASS_SHIFT)
