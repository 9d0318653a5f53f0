"""`civicbrain history`: tables, CSV and Parquet from the files of a run, without a running city."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.append(str(Path(__file__).parent.parent / "runtime"))
from history_samples import make_sample

from civicbrain.city.folder import save_city
from civicbrain.city.model import City
from civicbrain.cli.main import run
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.history.recorder import Recorder
from civicbrain.runtime.history.storage import Storage, open_engine

WEST = 0  # an approach of junction A


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """City folder and run folder of a run of three minutes, the middle one unseen."""
    import dataclasses

    from civicbrain.city.model import DemandFiles

    base = tmp_path_factory.mktemp("history")
    city: City = dataclasses.replace(sandbox_city(), demand=DemandFiles(net_file="twin/net.xml"))
    save_city(city, base / "sandbox", {"twin/net.xml": b"<net/>"})
    recorder = Recorder(base / "run" / "history", city, Storage(open_engine(64)))
    for second in [*range(60), *range(120, 180)]:
        recorder.take(make_sample(city, float(second), [(WEST, 5.0, 0.0, 0)] * 2, city={"vehicles": 2.0}))
    recorder.flush()
    return [str(base / "sandbox"), "--run-dir", str(base / "run")]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["history", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_csv_leaves_gaps_empty(kept: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "show", *kept, "--indicator", "queue_veh", "--junction", "A",
                        "--from", "0", "--to", "180", "--csv")  # fmt: skip
    assert code == 0
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["time", "id", "queue_veh", "highest", "p95", "observed"]
    assert [row[2] for row in rows[1:]] == ["2.0", "", "2.0"]
    assert rows[1][0] == "2026-01-05T00:00:00Z"


def test_table_and_catalogue(kept: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "show", *kept, "--indicator", "vehicles", "--entity", "city",
                        "--from", "2026-01-05T00:00Z", "--to", "2026-01-05T00:03Z")  # fmt: skip
    assert code == 0
    assert "2.00" in out
    code, out, _ = call(capsys, "what", *kept)
    assert code == 0
    assert "queue_veh" in out
    assert "--indicator vehicles --entity city" in out
    assert "vehicles  1s" in out


def test_export_has_ids_and_instants(
    kept: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out_folder = tmp_path / "out"
    code, out, _ = call(capsys, "export", *kept, "--out", str(out_folder), "--from", "0", "--to", "180")
    assert code == 0
    file = out_folder / "junction-1min-2026-01-05.parquet"
    assert f"{file}: 6 rows" in out  # two junctions and the city, two minutes
    rows = duckdb.sql(
        f"SELECT epoch(time), junction, queued_s FROM '{file}' WHERE junction = 'A' ORDER BY time"
    ).fetchall()
    assert rows == [(1767571200.0, "A", 120), (1767571320.0, "A", 120)]
    code, out, _ = call(capsys, "export", *kept, "--out", str(out_folder), "--table", "vehicles",
                        "--resolution", "1s", "--from", "0", "--to", "10")  # fmt: skip
    assert code == 0
    assert "20 rows" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "--indicator", "no_such"], "use one of queue_veh"),
        (["show", "--indicator", "queue_veh", "--junction", "Z"], "no junction"),
        (["show", "--indicator", "queue_veh", "--from", "yesterday"], "is no time"),
        (["show", "--indicator", "queue_veh", "--from", "2026-01-05T00:00:00"], "no zone"),
        (["show", "--indicator", "queue_veh", "--run", "9"], "no run 9"),
        (["show", "--indicator", "queue_veh", "--polygon", "1,2;3"], "no corners"),
        (["export", "--out", "x", "--table", "lamps"], "no table"),
        (["export", "--out", "x", "--from", "9000", "--to", "9060"], "nothing of junction"),
    ],
)
def test_mistakes_end_with_2_and_a_remedy(
    kept: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    arguments: list[str], words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, arguments[0], *kept, *arguments[1:])
    assert (code, words in err, "remedy" in err) == (2, True, True), err
    assert not list(tmp_path.iterdir())


def test_no_history_yet(kept: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = call(capsys, "what", kept[0], "--run-dir", str(tmp_path))
    assert code == 2
    assert "there is no history here" in err
