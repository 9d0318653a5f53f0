"""A sandbox city on disk and brains on trial, installed for this process and its children."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest

from civicbrain.city.folder import load_city, save_city
from civicbrain.city.model import DemandFiles
from civicbrain.contracts.sandbox import sandbox_city

_spec = importlib.util.spec_from_file_location(
    "brains_for_tests", Path(__file__).with_name("brains_for_tests.py")
)
assert _spec is not None
assert _spec.loader is not None
_brains = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_brains)


@pytest.fixture(scope="session")
def sandbox_folder(tmp_path_factory):
    """The sandbox city as a city folder (its network file is empty: no SUMO here)."""
    folder = tmp_path_factory.mktemp("city") / "sandbox"
    city = dataclasses.replace(sandbox_city(), demand=DemandFiles(net_file="twin/net.xml"))
    save_city(city, folder, {"twin/net.xml": b"<net/>"})
    return folder


@pytest.fixture(scope="session")
def disk_city(sandbox_folder):
    return load_city(sandbox_folder)


@pytest.fixture
def brains_on_trial(tmp_path, monkeypatch):
    folder = _brains.install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    yield folder
    sys.modules.pop("brains_on_trial", None)
