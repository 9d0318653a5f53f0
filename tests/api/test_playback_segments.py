"""The recorded picture: what goes in comes out, whatever happens to the file; numbers hold for a segment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from grid_city import grid_city
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import StandIn

from civicbrain.api.frames import FrameEncoder
from civicbrain.api.playback.columns import Columns, Decoder, Encoder
from civicbrain.api.playback.segment import Figures, Head, SegmentWriter, read_columns, read_figures

CITY = grid_city(3)
HEAD = Head("grid", 0.0)
VEHICLE = st.tuples(*[st.integers(0, 65535)] * 2, *[st.integers(0, 255)] * 3)


def some_columns(stand_in: StandIn, encoder: FrameEncoder) -> Columns:
    stand_in.step()
    frame = encoder.encode(0, stand_in.vehicle_frame(), stand_in.city_state(), 1.0)
    assert Columns.read(frame).pack(0) == frame
    return Columns.read(frame)


def a_minute(vehicles: int = 120, frames: int = 60) -> list[Columns]:
    stand_in, encoder = StandIn(CITY, vehicles), FrameEncoder(CITY)
    return [some_columns(stand_in, encoder) for _ in range(frames)]


def same_picture(a: Columns, b: Columns) -> bool:
    """But for the vehicles' order and numbers."""

    def vehicles(one: Columns) -> list[tuple[int, ...]]:
        return sorted(
            zip(*(getattr(one, c).tolist() for c in ("x", "y", "angle", "speed", "kind")), strict=True)
        )

    rest = [f.name for f in fields(Columns) if f.name in ("lamp", "delay", "queue", "mode", "stage")]
    return vehicles(a) == vehicles(b) and all((getattr(a, c) == getattr(b, c)).all() for c in rest)


def write(path: Path, frames: list[Columns]) -> None:
    writer = SegmentWriter(path, HEAD)
    for columns in frames:
        writer.add(columns, Figures(vehicles=len(columns.number)))
    writer.close()


def test_a_minute_comes_out_as_it_went_in(tmp_path: Path) -> None:
    frames = a_minute()
    write(tmp_path / "s", frames)
    found = list(read_columns(tmp_path / "s"))
    assert [one.time_s for one in found] == [one.time_s for one in frames]
    assert all(same_picture(a, b) for a, b in zip(frames, found, strict=True))
    assert [figures.vehicles for _, figures in read_figures(tmp_path / "s")] == [120] * 60


def test_within_a_segment_a_vehicle_keeps_its_number(tmp_path: Path) -> None:
    frames = a_minute()
    write(tmp_path / "s", frames)
    number_of: dict[int, int] = {}
    for given_, found in zip(frames, read_columns(tmp_path / "s"), strict=True):
        place = {
            (x, y): n
            for x, y, n in zip(found.x.tolist(), found.y.tolist(), found.number.tolist(), strict=True)
        }
        for x, y, n in zip(given_.x.tolist(), given_.y.tolist(), given_.number.tolist(), strict=True):
            if given_.x.tolist().count(x) == 1:  # two at one place cannot be told apart
                assert number_of.setdefault(n, place[x, y]) == place[x, y]
    assert len(set(number_of.values())) == len(number_of)


def test_numbers_say_nothing_across_segments(tmp_path: Path) -> None:
    """The same minute written twice: the numbers of one do not give away those of the other, nor the order in
    which the twin numbers its vehicles."""
    frames = a_minute(vehicles=200, frames=2)
    orders = []
    for name in ("a", "b"):
        write(tmp_path / name, frames)
        first = next(read_columns(tmp_path / name))
        number_at = dict(
            zip(zip(first.x.tolist(), first.y.tolist(), strict=True), first.number.tolist(), strict=True)
        )
        orders.append(
            [number_at[x, y] for x, y in zip(frames[0].x.tolist(), frames[0].y.tolist(), strict=True)]
        )
    assert orders[0] != orders[1]
    for order in orders:
        assert abs(np.corrcoef(order, range(200))[0, 1]) < 0.4  # by chance 0.07


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 30), VEHICLE, max_size=12), min_size=1, max_size=6))
def test_any_vehicles_come_and_go(minutes: list[dict[int, tuple[int, ...]]]) -> None:
    encoder, decoder = Encoder(np.random.default_rng(1)), Decoder()
    for second, vehicles in enumerate(minutes):
        x, y, angle, speed, kind = (np.array([v[i] for v in vehicles.values()]) for i in range(5))
        columns = Columns(
            float(second), 1.0, np.array(list(vehicles), np.uint32), x.astype(np.uint16), y.astype(np.uint16),
            angle.astype(np.uint8), speed.astype(np.uint8), np.array([n % 9 for n in vehicles], np.uint8),
            np.full(4, 71 + second, np.uint8), np.array([second, 65535 - second], np.uint16),
            np.array([65535, 0], np.uint16), np.array([2, 1], np.uint8), np.array([255, second], np.uint8),
        )  # fmt: skip
        assert same_picture(decoder.decode(encoder.encode(columns), float(second)), columns)
        assert kind.size == x.size


@pytest.mark.parametrize("cut", [1, 17, 400, 3000])
def test_a_cut_off_end_leaves_the_rest_readable(tmp_path: Path, cut: int) -> None:
    write(tmp_path / "s", a_minute(frames=20))
    whole = (tmp_path / "s").read_bytes()
    (tmp_path / "s").write_bytes(whole[:-cut])
    found = list(read_columns(tmp_path / "s"))
    assert 0 < len(found) < 20
    assert [one.time_s for one in found] == [float(k + 1) for k in range(len(found))]


def test_a_damaged_block_ends_the_segment(tmp_path: Path) -> None:
    write(tmp_path / "s", a_minute(frames=10))
    data = bytearray((tmp_path / "s").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "s").write_bytes(bytes(data))
    assert 0 < len(list(read_columns(tmp_path / "s"))) < 10
    for odd in (b"", b"CBS2", b"CBS2\xff\xff\xff\xff", b"something else"):
        (tmp_path / "s").write_bytes(odd)
        assert list(read_columns(tmp_path / "s")) == []


WRITER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_playback_segments import CITY, HEAD, some_columns
from stand_in import StandIn
from civicbrain.api.frames import FrameEncoder
from civicbrain.api.playback.segment import Figures, SegmentWriter
stand_in, encoder = StandIn(CITY, 400), FrameEncoder(CITY)
writer = SegmentWriter(Path(sys.argv[1]), HEAD)
while True:
    writer.add(some_columns(stand_in, encoder), Figures(vehicles=400))
    print(stand_in.time_s, flush=True)
"""


def test_a_writer_killed_in_the_middle_of_a_segment_loses_no_whole_frame(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "s"), str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [float(process.stdout.readline()) for _ in range(25)]
    time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    said += [float(line) for line in process.stdout.read().splitlines()]
    process.wait()
    found = [one.time_s for one in read_columns(tmp_path / "s")]
    assert found[: len(said)] == said  # what was said to be written is there
    assert found == [float(k + 1) for k in range(len(found))]


def test_a_vehicle_that_comes_back_is_another(tmp_path: Path) -> None:
    first = a_minute(vehicles=5, frames=1)[0]
    cut = {name: getattr(first, name)[:4] for name in ("number", "x", "y", "angle", "speed", "kind")}
    gone = replace(first, time_s=2.0, **cut)
    write(tmp_path / "s", [first, gone, replace(first, time_s=3.0)])
    before, without, back = read_columns(tmp_path / "s")
    assert set(without.number) < set(before.number)
    assert len(set(back.number) - set(before.number)) == 1
