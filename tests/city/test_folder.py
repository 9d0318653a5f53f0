"""Cities on disk: what is saved is loaded, and what is wrong is named."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from civicbrain.city.folder import NETWORK, load_city, save_city
from civicbrain.city.model import Cameras, City, DemandFiles
from civicbrain.city.network import Edges, Lanes, Movements, Network, Nodes, Projection
from civicbrain.city.signals import GroupKind, PlanStep, SignalGroup, SignalJunction, SignalPlan, Stage
from civicbrain.core.errors import CityError, ConfigurationError


def _i(*values: int) -> np.ndarray:
    return np.asarray(values, dtype=np.int32)


def _f(*values: float) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def make_city(folder: Path) -> City:
    """Two streets in a row with a signal between them."""
    junction = SignalJunction(
        id="J", name="High Street", x_m=100.0, y_m=0.0, node_ids=("J",), link_count=1,
        groups=(SignalGroup("g1", GroupKind.VEHICLE, (0,), 3.0, 5.0, approach="a"),),
        conflict=((0,),), intergreen_s=((0.0,),), stages=(Stage("s1", "G"),),
        local_plan=SignalPlan("0", (PlanStep(0, 60.0),), 7.0), warnings=("a warning",),
    )  # fmt: skip
    shape = np.asarray([[0, 0], [100, 0], [110, 0], [210, 0]], dtype=np.float32)
    network = Network(
        Lanes(("a_0", "b_0"), _i(0, 1), _i(0, 0), _f(100, 100), _f(13.9, 13.9), _f(3.2, 3.2),
              np.asarray([1, 1], np.uint8), shape, _i(0, 2, 4)),
        Edges(("a", "b"), ("High Street", ""), _i(0, 1), _i(1, 2), _i(1, 1), _i(0, 1, 2)),
        Nodes(("A", "J", "B"), np.asarray([[0, 0], [105, 0], [210, 0]], np.float32), _i(-1, 0, -1)),
        Movements(_i(0), _i(1), _i(1), _i(0), _i(0), _i(0), np.asarray([ord("s")], np.uint8), _f(10)),
        Projection("+proj=utm +zone=33", 1.0, -2.0),
    )  # fmt: skip
    return City(
        "town", network, (junction,), Cameras(150.0, _i(0), _i(0), _f(0)),
        DemandFiles("twin/net.xml", ("twin/r.xml",), (), 10.0, 20.0, 0.5, (("lateral-resolution", "0.8"),)),
        folder, source="by hand", epoch=datetime(2026, 3, 1, 6, tzinfo=UTC), zone="Asia/Seoul",
        warnings=("w",),
    )  # fmt: skip


FILES = {"twin/net.xml": b"<net/>", "twin/r.xml": b"<routes/>"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_city(make_city(tmp_path / "town"), tmp_path / "town", FILES)
    return tmp_path / "town"


def test_what_is_saved_is_loaded(folder: Path) -> None:
    city, loaded = make_city(folder), load_city(folder)
    assert (loaded.name, loaded.demand, loaded.epoch) == (city.name, city.demand, city.epoch)
    assert loaded.zone == "Asia/Seoul"
    assert (loaded.junctions, loaded.source, loaded.warnings) == (city.junctions, city.source, city.warnings)
    assert loaded.network.projection == city.network.projection
    for table in ("lanes", "edges", "nodes", "movements"):
        before, after = getattr(city.network, table), getattr(loaded.network, table)
        for name, column in vars(before).items():
            if isinstance(column, np.ndarray):
                np.testing.assert_array_equal(column, getattr(after, name))
                assert column.dtype == getattr(after, name).dtype
            else:
                assert column == getattr(after, name)
    np.testing.assert_array_equal(loaded.cameras.lane, city.cameras.lane)
    assert (folder / "twin" / "net.xml").read_bytes() == b"<net/>"


def test_a_city_saved_before_a_stage_could_be_extra_is_loaded(folder: Path) -> None:
    magic, _, packed = (folder / NETWORK).read_bytes().partition(b"\n")
    pack = msgspec.msgpack.decode(zlib.decompress(packed))
    old = _without(pack, "extra")
    assert old != pack
    (folder / NETWORK).write_bytes(magic + b"\n" + zlib.compress(msgspec.msgpack.encode(old)))
    assert load_city(folder).junctions == make_city(folder).junctions


def _without(value: object, key: str) -> object:
    if isinstance(value, dict):
        return {name: _without(one, key) for name, one in value.items() if name != key}
    return [_without(one, key) for one in value] if isinstance(value, list) else value


def test_a_wrong_key_is_named_with_its_file(folder: Path) -> None:
    text = (folder / "city.toml").read_text()
    (folder / "city.toml").write_text(text.replace("[twin]", "[twin]\nstep = 1"))
    with pytest.raises(ConfigurationError, match=r"unknown key 'twin\.step'") as caught:
        load_city(folder)
    assert str(folder / "city.toml") in str(caught.value)
    assert "step_s" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("begin_s = 10.0", 'begin_s = "soon"', "begin_s"),
        ("Asia/Seoul", "Asia/Soul", "no time zone"),
        ("format = 1", "format = 2", "has format 2, this Civic Brain reads format 1"),
        ("end_s = 20.0", "end_s = 5.0", "later than begin_s"),
        ('name = "town"', "", "'name' is missing"),
        ("begin_s = 10.0", "begin_s = ", "line"),
        ("begin_s = 10.0", "begin_s = nan", "begin_s"),
    ],
)
def test_wrong_values_are_named(folder: Path, old: str, new: str, message: str) -> None:
    text = (folder / "city.toml").read_text()
    assert old in text
    (folder / "city.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=message):
        load_city(folder)


def test_a_cut_off_network_is_named(folder: Path) -> None:
    content = (folder / "network.civic").read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"nonsense", content[:-1]):
        (folder / "network.civic").write_bytes(damaged)
        with pytest.raises(CityError, match=r"network\.civic"):
            load_city(folder)


def test_a_file_outside_the_folder_is_refused(folder: Path) -> None:
    text = (folder / "city.toml").read_text()
    (folder / "city.toml").write_text(text.replace("twin/net.xml", "../secret.xml"))
    with pytest.raises(CityError, match="leaves the city folder"):
        load_city(folder)


def test_no_city_and_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CityError, match="civicbrain import"):
        load_city(tmp_path / "nowhere")
    (folder / "twin" / "r.xml").unlink()
    with pytest.raises(CityError, match=r"twin/r\.xml is missing"):
        load_city(folder)


def test_a_failed_save_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_city(make_city(folder), folder, {"twin/net.xml": tmp_path / "missing"})
    assert load_city(folder).name == "town"
    assert [path.name for path in tmp_path.iterdir()] == ["town"]


def test_other_folders_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(CityError, match="something else"):
        save_city(make_city(tmp_path), tmp_path / "thesis", FILES)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "x"
