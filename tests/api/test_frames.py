"""The binary map frame: read back by the layout that stands in frames.py, and made quickly."""

from __future__ import annotations

import math
import struct
import time
from typing import Any

import msgspec
import numpy as np
import pytest
from grid_city import grid_city
from stand_in import StandIn

from civicbrain.api.frames import UNKNOWN_U16, FrameEncoder, without_state
from civicbrain.contracts import wire


def read(frame: bytes) -> dict[str, Any]:
    """As a browser does."""
    magic, sequence, time_s, speed, n, g, j = struct.unpack_from("<4sIdfIII", frame)
    result: dict[str, Any] = {"magic": magic, "sequence": sequence, "time_s": time_s, "speed": speed}
    at = 32
    for name, kind, count in (
        ("number", "<u4", n), ("x", "<u2", n), ("y", "<u2", n), ("angle", "u1", n), ("velocity", "u1", n),
        ("class", "u1", n), ("lamp", "u1", g), ("delay", "<u2", j), ("queue", "<u2", j), ("mode", "u1", j),
        ("stage", "i1", j),
    ):  # fmt: skip
        assert at % 4 == 0, name
        result[name] = np.frombuffer(frame, kind, count, at)
        at += math.ceil(result[name].nbytes / 4) * 4
    assert at == len(frame)
    return result


def vehicles_at(x_m: list[float], y_m: list[float], **columns: list[float]) -> wire.VehicleFrame:
    count = len(x_m)
    return wire.VehicleFrame(
        12.5,
        wire.pack_array(np.arange(count, dtype=np.uint32)),
        wire.pack_array(np.array(x_m, np.float32)),
        wire.pack_array(np.array(y_m, np.float32)),
        wire.pack_array(np.array(columns.get("angle", [0] * count), np.float32)),
        wire.pack_array(np.array(columns.get("speed", [0] * count), np.float32)),
        wire.pack_array(np.zeros(count, np.uint8)),
    )


def test_columns_read_back() -> None:
    city = grid_city(3)
    x_low, _, x_high, _ = city.network.bounds_m
    stand_in = StandIn(city, 501)
    for _ in range(20):
        stand_in.step()
    sent = stand_in.vehicle_frame()
    state = stand_in.city_state()
    frame = read(FrameEncoder(city).encode(7, sent, state, 2.5))
    assert (frame["magic"], frame["sequence"], frame["time_s"], frame["speed"]) == (b"CBF1", 7, 20.0, 2.5)
    x_m = wire.unpack_array(sent.x_m)
    assert x_low + frame["x"] / 65535 * (x_high - x_low) == pytest.approx(x_m, abs=0.02)
    assert frame["velocity"] / 4 == pytest.approx(wire.unpack_array(sent.speed_mps), abs=0.13)
    assert (frame["number"] == wire.unpack_array(sent.number)).all()
    assert (frame["lamp"] == wire.unpack_array(state.group_lamp)).all()
    delay = wire.unpack_array(state.junction_delay_s)
    assert frame["delay"][0] / 10 == pytest.approx(delay[0], abs=0.06)
    assert frame["delay"][1] == UNKNOWN_U16  # NaN
    assert (frame["stage"] == wire.unpack_array(state.junction_stage)).all()


def test_odd_values_are_clipped() -> None:
    city = grid_city(1)
    odd = vehicles_at(
        [-1e9, 1e9, math.nan],
        [0, math.inf, -math.inf],
        angle=[359.9, -90, math.nan],
        speed=[1e6, -3, math.nan],
    )
    frame = read(FrameEncoder(city).encode(2**32 + 1, odd, None, 1.0))
    assert frame["sequence"] == 1
    assert frame["x"].tolist() == [0, 65535, 0]
    assert frame["angle"].tolist() == [0, 192, 0]  # 359.9° rounds to north; -90° is west
    assert frame["velocity"].tolist() == [255, 0, 0]
    assert set(frame["lamp"]) == {ord("o")}
    assert frame["stage"].tolist() == [-1]


def test_nothing_known_and_a_state_of_another_city() -> None:
    city = grid_city(2)
    frame = read(FrameEncoder(city).encode(0, None, None, 0.0))
    assert len(frame["number"]) == 0
    other = StandIn(grid_city(3), 5).city_state()
    frame = read(FrameEncoder(city).encode(0, None, other, 0.0))
    assert set(frame["delay"]) == {UNKNOWN_U16}


def test_ten_thousand_vehicles_take_a_millisecond() -> None:
    city = grid_city(6)
    stand_in = StandIn(city, 10_000)
    vehicles, state = stand_in.vehicle_frame(), stand_in.city_state()
    vehicles = msgspec.msgpack.decode(msgspec.msgpack.encode(vehicles), type=wire.VehicleFrame)
    encoder = FrameEncoder(city)
    times = []
    for number in range(50):
        start = time.perf_counter()
        frame = encoder.encode(number, vehicles, state, 1.0)
        times.append(time.perf_counter() - start)
    assert len(frame) < 120_000
    assert min(times) < 0.001


@pytest.mark.parametrize("count", [1, 2, 3, 501])
def test_a_frame_without_its_state_is_the_same_but_for_lamps_and_junctions(count: int) -> None:
    stand_in = StandIn(grid_city(3), count)
    whole = FrameEncoder(grid_city(3)).encode(4, stand_in.vehicle_frame(), stand_in.city_state(), 2.0)
    light, before = read(without_state(whole)), read(whole)
    for name in ("magic", "sequence", "time_s", "speed"):
        assert light[name] == before[name]
    for name in ("number", "x", "y", "angle", "velocity", "class"):
        np.testing.assert_array_equal(light[name], before[name])
    assert not any(len(light[name]) for name in ("lamp", "delay", "queue", "mode", "stage"))
