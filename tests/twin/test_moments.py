"""Moments that a running twin keeps: when, how many, and what a what-if gets of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from civicbrain.core.errors import NotFoundError
from civicbrain.twin.whatif.moments import EVERY_S, MOST_KEPT, Moments, list_moments, take_moment


def write(folder: Path) -> None:
    folder.mkdir()
    (folder / "state").write_text("x")
    (folder / "done").touch()


def test_one_each_five_minutes_and_the_oldest_goes(tmp_path: Path) -> None:
    moments = Moments(tmp_path)
    wall = 0.0
    for minute in range(5 * (MOST_KEPT + 3)):
        wall += 60.0
        folder = moments.next_folder(0, 60.0 * minute, wall)
        assert (folder is not None) == (minute % 5 == 0)
        if folder is not None:
            write(folder)
    kept = list_moments(tmp_path)
    assert len(kept) == MOST_KEPT
    assert kept[0].time_s - kept[-1].time_s == EVERY_S * (MOST_KEPT - 1)
    moments.forget()
    assert list_moments(tmp_path) == []


def test_a_fast_twin_is_not_held_up_more_than_twice_a_minute(tmp_path: Path) -> None:
    moments = Moments(tmp_path)
    given = [moments.next_folder(0, 300.0 * n, 1.0 * n) for n in range(60)]
    assert sum(folder is not None for folder in given) == 2


def test_the_window_begins_anew(tmp_path: Path) -> None:
    moments = Moments(tmp_path)
    assert moments.next_folder(0, 3600.0, 100.0) is not None
    folder = moments.next_folder(1, 10.0, 200.0)
    assert folder is not None
    assert folder.name == "r0001-t0000010"


def test_a_moment_is_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = Moments(tmp_path).next_folder(0, 300.0, 0.0)
    assert folder is not None
    write(folder)
    take_moment(tmp_path, folder.name, tmp_path / "mine")
    assert (tmp_path / "mine" / "state").read_text() == "x"
    for name in ("r0000-t0000999", "../run", "", f"{folder.name}/../{folder.name}"):
        with pytest.raises(NotFoundError, match="not kept"):
            take_moment(tmp_path, name, tmp_path / "other")
    assert not (tmp_path / "other").exists()
