"""A desk for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from case_desks import OnTrial


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[OnTrial]:
    made = OnTrial(tmp_path / "cases")
    yield made
    made.store.close()
