"""The comparison run: the city's own plan, same demand, same seed, as fast as it goes, in a nice'd child.

Its figures by minute stand beside the live ones: delay, throughput and vehicles, which the twin counts alike
in both. Spill-backs and incidents are not compared: live ones rest on what brains and people say, too, and
nobody speaks in this run. They are computed once and kept in the city folder as
baseline-SEED-HASH.json; HASH covers the city's files and SUMO's version, so a changed city is run again.

    python -m civicbrain.runtime.baseline --city DIR --seed N --out FILE
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import structlog

from civicbrain.city.model import City
from civicbrain.contracts.wire import TwinStatus
from civicbrain.runtime import child
from civicbrain.runtime.indicators import MinuteFigures, RunFigures

FORMAT = 4
_log = structlog.get_logger("civicbrain.runtime.baseline")


class BaselineFile(msgspec.Struct, frozen=True):
    """minutes: figures at the end of each minute of the window, in order."""

    format: int
    city: str
    seed: int
    sumo_version: str
    minutes: tuple[MinuteFigures, ...]


def baseline_path(city: City, seed: int) -> Path:
    """Where the figures of this city, as it is now, are kept."""
    digest = hashlib.sha256(f"{FORMAT} {_sumo_version()}".encode())
    files = [
        city.folder / "city.toml",
        city.folder / "network.civic",
        *sorted((city.folder / "twin").rglob("*")),
    ]
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(city.folder)).encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return city.folder / f"baseline-{seed}-{digest.hexdigest()[:12]}.json"


class Baseline:
    """The figures of the fixed plan by minute; None for minutes that are not known yet. Never blocks, never
    raises: without a comparison run the live city goes on."""

    def __init__(self, city: City, seed: int, run_dir: Path) -> None:
        self._city, self._seed, self._run_dir = city, seed, run_dir
        self._minutes: list[MinuteFigures] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._complete = False

    def start(self) -> None:
        """Read the figures, or start the run that computes them."""
        path = baseline_path(self._city, self._seed)
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=BaselineFile)
            self._minutes, self._complete = list(kept.minutes), True
            return
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("the comparison figures cannot be read; they are computed again", reason=str(error))
        arguments = ["--city", str(self._city.folder), "--seed", str(self._seed), "--out", str(path)]
        command = child.command(
            "civicbrain.runtime.baseline", arguments, run_dir=self._run_dir, name="baseline", nice=19
        )
        try:
            with (self._run_dir / "baseline.out").open("wb") as stderr:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr
                )
        except OSError as error:
            _log.warning("the comparison run cannot be started", reason=str(error))
            return
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    def poll(self) -> None:
        """Take in what the run has computed since; never waits."""
        if self._process is None or self._process.stdout is None:
            return
        while chunk := self._process.stdout.read(65536):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                with contextlib.suppress(msgspec.MsgspecError):  # SUMO may print, too
                    self._minutes.append(msgspec.json.decode(line, type=MinuteFigures))
        if (code := self._process.poll()) is not None and chunk is not None:
            self._complete = code == 0
            if code:
                _log.warning(
                    "the comparison run ended early; see baseline.log and baseline.out", exit_code=code
                )
            self._process.stdout.close()
            self._process = None

    @property
    def progress(self) -> float:
        """0..1 of the run."""
        demand = self._city.demand
        if self._complete or not self._minutes:
            return float(self._complete)
        return min(1.0, (self._minutes[-1].time_s - demand.begin_s) / max(1.0, demand.end_s - demand.begin_s))

    def find(self, time_s: float) -> MinuteFigures | None:
        """The figures of the fixed plan for the minute of time_s, or None."""
        minute = int((time_s - self._city.demand.begin_s) // 60) - 1  # figures stand at the end of a minute
        return self._minutes[minute] if 0 <= minute < len(self._minutes) else None

    def close(self) -> None:
        """End the run if it goes on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def by_minute(statuses: Iterator[TwinStatus], begin_s: float) -> Iterator[MinuteFigures]:
    """The figures at the end of each full minute."""
    figures, due_s = RunFigures(), begin_s + 60.0
    for status in statuses:
        now = figures.update(status)
        if status.time_s >= due_s:
            due_s += 60.0
            yield now


def _run(city_folder: Path, seed: int, out: Path) -> None:
    from civicbrain.city.folder import load_city
    from civicbrain.twin.options import TwinOptions
    from civicbrain.twin.simulation import Twin

    city = load_city(city_folder)
    twin = Twin(city, TwinOptions(seed=seed, program="fixed", track_live=True, emissions=False))

    def statuses() -> Iterator[TwinStatus]:
        while not twin.ended:
            twin.step()
            yield twin.status()

    minutes = []
    for figures in by_minute(statuses(), city.demand.begin_s):
        minutes.append(figures)
        sys.stdout.buffer.write(msgspec.json.encode(figures) + b"\n")
        sys.stdout.buffer.flush()
    record = BaselineFile(FORMAT, city.name, seed, _sumo_version(), tuple(minutes))
    part = out.with_suffix(f".part{os.getpid()}")
    try:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(record)))
        part.replace(out)
    except OSError as error:  # a city folder that may not be written: the figures live as long as this run
        part.unlink(missing_ok=True)
        _log.warning("the comparison figures cannot be kept", file=str(out), reason=str(error))


def _sumo_version() -> str:
    try:
        return version("eclipse-sumo")
    except PackageNotFoundError:
        return "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(
        description="run the city's own plan once and keep its figures by minute"
    )
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    _run(options.city, options.seed, options.out)


if __name__ == "__main__":
    main()
