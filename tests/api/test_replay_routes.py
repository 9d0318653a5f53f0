"""The moving picture over HTTP, of a stand-in city that runs ten times as fast, and what is older."""

from __future__ import annotations

import json
import struct
import time
from datetime import UTC, datetime, timedelta

import httpx
import patient
import pytest
from api_place import Place

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)


def at(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


def frames_of(answer: httpx.Response) -> list[bytes]:
    frames, rest = [], answer.content
    while rest:
        (size,) = struct.unpack_from("<I", rest)
        frames.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    return frames


def seconds_of(frames: list[bytes]) -> list[float]:
    return [struct.unpack_from("<d", frame, 8)[0] for frame in frames]


@pytest.fixture(scope="module")
def kept(live: Place) -> tuple[Place, float, float]:
    """The shared place, with the first and last second that it has recorded."""
    patient.patch(f"{live.url}/v1/twin", json={"speed": 20})
    end = time.monotonic() + 120
    while True:
        spans = patient.get(f"{live.url}/v1/replay").json()["spans"]
        if spans:
            start_s, end_s = (
                (datetime.fromisoformat(spans[-1][k]) - EPOCH).total_seconds() for k in ("start", "end")
            )
            if end_s - start_s > 90:
                break
        assert time.monotonic() < end, spans
        time.sleep(0.2)
    patient.patch(f"{live.url}/v1/twin", json={"speed": 1})
    return live, start_s, end_s


def test_what_can_be_shown(kept: tuple[Place, float, float]) -> None:
    place, _, _ = kept
    view = patient.get(f"{place.url}/v1/replay").json()
    assert view["recording"] is True
    assert view["kept_hours"] == 4.0
    assert view["frames"] > 0
    assert view["last_error"] == ""
    assert patient.get(f"{place.url}/v1/replay?run=77").status_code == 404


def test_frames_of_a_window(kept: tuple[Place, float, float]) -> None:
    place, _, end_s = kept
    window = {"start": at(end_s - 70), "end": at(end_s - 5)}
    answer = patient.get(f"{place.url}/v1/replay/frames", params=window)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-replay-source"] == "recording"
    seconds = seconds_of(frames := frames_of(answer))
    assert seconds == sorted(set(seconds))
    assert len(seconds) > 20
    assert end_s - 70 <= seconds[0] < end_s - 60
    for frame in frames:
        assert frame[:4] == b"CBF1"
        assert struct.unpack_from("<I", frame, 20)[0] == 400
    fewer = seconds_of(
        frames_of(patient.get(f"{place.url}/v1/replay/frames", params=window | {"step_s": 20}))
    )
    assert len(fewer) == 4


def test_the_strip_and_what_happened(kept: tuple[Place, float, float]) -> None:
    place, _, end_s = kept
    strip = patient.get(
        f"{place.url}/v1/replay/strip", params={"start": at(end_s - 60), "end": at(end_s)}
    ).json()
    assert strip["source"] == "recording"
    assert strip["step_s"] == 1.0
    assert len(strip["delay_s"]) == 60
    known = [value for value in strip["delay_s"] if value is not None]
    assert all(23 <= value <= 29 for value in known)  # as the stand-in makes it up
    assert len(known) > 20
    assert "alert" in {mark["kind"] for mark in strip["marks"]}


def test_windows_that_make_no_sense(kept: tuple[Place, float, float]) -> None:
    place, _, _ = kept
    for window, status, words in (
        ({"start": at(10), "end": at(10)}, 409, "empty"),
        ({"start": at(0), "end": at(8 * 86400)}, 409, "week"),
        ({"start": "2026-01-05T00:00:00", "end": at(9)}, 400, "zone"),
        ({"start": at(0), "end": at(9), "step_s": "0.1"}, 400, "fit"),
    ):
        for route in ("frames", "strip")[: 1 if "step_s" in window else 2]:
            answer = patient.get(f"{place.url}/v1/replay/{route}", params=window)
            assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_a_time_of_which_nothing_is_known(kept: tuple[Place, float, float]) -> None:
    place, _, _ = kept
    window = {"start": at(-9000), "end": at(-8990)}
    answer = patient.get(f"{place.url}/v1/replay/frames", params=window)
    assert (answer.status_code, answer.headers["x-replay-source"], answer.content) == (200, "none", b"")
    strip = patient.get(f"{place.url}/v1/replay/strip", params=window).json()
    assert (strip["source"], set(strip["delay_s"])) == ("none", {None})


def test_who_looked_is_recorded(kept: tuple[Place, float, float]) -> None:
    place, _, end_s = kept
    patient.get(f"{place.url}/v1/replay/frames", params={"start": at(end_s - 9), "end": at(end_s - 5)})
    lines = (place.run_dir / "playback" / "access.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["actor"] == "operator (demo)"
