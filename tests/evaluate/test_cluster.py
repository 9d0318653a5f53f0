"""Studies on Ray: the figures of one machine, kills, other versions, cities that travel, closed doors."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cluster_runs
import fake_runs
import psutil
import pytest
from test_study import without_wall_clock

from civicbrain.city.folder import save_city
from civicbrain.city.model import City
from civicbrain.core.errors import ConfigurationError, ServiceError, StudyError
from civicbrain.evaluate import cluster, plan
from civicbrain.evaluate.cluster import RayCluster
from civicbrain.evaluate.parcel import pack_city, unpack_city
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.records import Evaluation
from civicbrain.evaluate.study import run_study

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed (pip install 'civicbrain[cluster]')"
)
OPTIONS = StudyOptions(controls=("fixed", "max-pressure"), seeds=(1, 2))


@pytest.fixture(autouse=True)
def _code_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "hash_code", lambda: "code")


@pytest.fixture
def city(tmp_path: Path) -> City:
    made = fake_runs.fake_city(tmp_path / "made")
    files = {name: made.folder / name for name in ("net.xml", "routes.rou.xml")}
    return replace(save_city(made, tmp_path / "city", files), name="sandbox")


@pytest.fixture(scope="module")
def doors_before() -> set[tuple[str, int]]:
    """What was listened on before there was a cluster."""
    return _doors()


@pytest.fixture(scope="module")
def notes(doors_before: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Ray of two workers for all tests of this file, and where its runs leave their notes."""
    folder = tmp_path_factory.mktemp("notes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIVICBRAIN_TEST_NOTES", str(folder))
        patch.setenv("CIVICBRAIN_TEST_DRIVER", str(os.getpid()))
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        for name in ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            patch.setenv(name, "")  # put back afterwards
            patch.delenv(name)
        with RayCluster("local:2")._connected():
            yield folder


@pytest.fixture
def clean(notes: Path) -> Path:
    for file in notes.iterdir():
        if file.is_file():
            file.unlink()
    return notes


def study(city: City, out: Path, simulate: Any) -> Evaluation:
    executor = RayCluster("local:2", identify=cluster_runs.identity)
    return run_study(["x"], OPTIONS, out, executor=executor, simulate=simulate, resolve=lambda _: city)[0]


def ran(notes: Path) -> list[str]:
    """control-seed of each note, once for each process that wrote one."""
    return sorted(
        file.name.rpartition("-")[0] for file in notes.iterdir() if file.is_file() and "-" in file.name
    )


@needs_ray
def test_the_figures_are_those_of_one_machine_and_finished_runs_are_found_again(
    city: City, clean: Path, tmp_path: Path
) -> None:
    run_study(["x"], OPTIONS, tmp_path / "here", simulate=fake_runs.simulate, resolve=lambda _: city)
    study(city, tmp_path / "there", cluster_runs.simulate_and_note)
    here, there = (tmp_path / name / "evaluation.json" for name in ("here", "there"))
    assert without_wall_clock(here) == without_wall_clock(there)
    assert ran(clean) == ["fixed-1", "fixed-2", "max-pressure-1", "max-pressure-2"]
    assert len({file.name.rpartition("-")[2] for file in clean.iterdir() if file.is_file()}) == 4
    for note in (file for file in clean.iterdir() if file.is_file()):
        place, content = note.read_text().split("\n", 1)
        assert str(city.folder) not in place  # it travelled
        assert content == "<net/>"
        note.unlink()
    (tmp_path / "there" / "runs" / "fixed-2.json").unlink()
    study(city, tmp_path / "there", cluster_runs.simulate_and_note)
    assert ran(clean) == ["fixed-2"]


@needs_ray
def test_a_killed_worker_loses_no_finished_run_and_one_that_always_dies_is_given_up(
    city: City, clean: Path, tmp_path: Path
) -> None:
    """fixed runs; max-pressure 1 is killed once, max-pressure 2 always; actuated fails by itself."""
    options = replace(OPTIONS, controls=("fixed", "max-pressure", "actuated"))
    executor = RayCluster("local:2", identify=cluster_runs.identity, retries=1)
    found = run_study(
        ["x"], options, tmp_path / "out", executor=executor, simulate=cluster_runs.simulate_and_die,
        resolve=lambda _: city,
    )[0]  # fmt: skip
    assert ran(clean) == ["fixed-1", "fixed-2", "max-pressure-1"]
    assert [(run.control, run.seed) for run in found.runs] == [
        ("fixed", 1), ("fixed", 2), ("max-pressure", 1),
    ]  # fmt: skip
    assert sorted((clean / "deaths").read_text().split()) == ["max-pressure.1", *2 * ["max-pressure.2"]]
    dead, ours, defect = found.failures
    assert (dead.control, dead.seed) == ("max-pressure", 2)
    assert "2 times" in dead.reason
    assert "SUMO could not read the additional file" in ours.reason
    assert "ZeroDivisionError: a defect" in defect.reason
    assert "ZeroDivisionError" in (tmp_path / "out" / "runs" / "actuated-2.log").read_text()
    assert not (tmp_path / "out" / "runs" / "fixed-1.log").exists()


@needs_ray
def test_a_machine_with_another_sumo_is_refused(city: City, clean: Path, tmp_path: Path) -> None:
    executor = RayCluster("local:2", identify=cluster_runs.identity_of_another_version)
    with pytest.raises(StudyError, match=r"SUMO 1\.27\.0, here 1\.28\.0"):
        run_study(
            ["x"], OPTIONS, tmp_path / "out", executor=executor, simulate=cluster_runs.simulate_and_note,
            resolve=lambda _: city,
        )  # fmt: skip
    assert ran(clean) == []


@needs_ray
def test_local_workers_are_reachable_from_this_machine_only(
    doors_before: set[tuple[str, int]], notes: Path
) -> None:
    """All that the cluster listens on is the loopback interface. Servers of other tests do not count."""
    import ray

    doors = _doors() - doors_before
    assert doors
    assert {address for address, _ in doors} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert ray.nodes()[0]["NodeManagerAddress"] == "127.0.0.1"
    assert os.environ["RAY_AUTH_MODE"] == "token"


def _doors() -> set[tuple[str, int]]:
    """(address, port) of all that this process and those it started listen on."""
    me = psutil.Process()
    found = set()
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            sockets = process.net_connections(kind="tcp")
            found |= {(s.laddr.ip, s.laddr.port) for s in sockets if s.status == psutil.CONN_LISTEN}
    return found


@pytest.mark.parametrize("address", ["", "local:0", "local:x", "10.0.0.1", "http://head:1", "head:6379; rm"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="no address"):
        RayCluster(address)


@needs_ray
def test_a_cluster_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(ServiceError, match="no Ray cluster answers"):
        RayCluster("127.0.0.1:1")._knock()


def test_without_ray_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"civicbrain\[cluster\]"):
        RayCluster("local:2")


def test_a_city_arrives_as_it_was_sent_and_only_once(city: City, tmp_path: Path) -> None:
    parcel = pack_city(city.folder)
    assert parcel == pack_city(city.folder)
    fetched = []

    def fetch() -> bytes:
        fetched.append(1)
        return parcel.archive

    first = unpack_city(parcel.address, fetch, tmp_path / "cache")
    assert unpack_city(parcel.address, fetch, tmp_path / "cache") == first
    assert len(fetched) == 1
    for name in ("city.toml", "network.civic", "net.xml", "routes.rou.xml"):
        assert (first / name).read_bytes() == (city.folder / name).read_bytes()
    (first / "net.xml").write_text("<changed/>")  # a damaged copy is noticed and replaced
    again = unpack_city(parcel.address, fetch, tmp_path / "cache")
    assert (again / "net.xml").read_text() == "<net/>"
    assert len(fetched) == 2
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [parcel.address]


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt"])
def test_an_archive_cannot_write_outside_its_folder(name: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(StudyError, match="no file of a city"):
        unpack_city("0" * 64, buffer.getvalue, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
