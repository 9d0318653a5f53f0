"""A process of its own for each simulation."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

# the twins' processes are started afresh and import `twin_runs` by this path
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def in_process():
    """call(function, *args): run it in a fresh process (libsumo is global to one)."""

    def call(function, *args):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function, *args).result(timeout=200)

    return call
