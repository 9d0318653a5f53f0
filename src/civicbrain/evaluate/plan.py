"""What a study is to run: options checked before anything starts, tasks, and what a result depends on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import civicbrain
from civicbrain.city.model import City
from civicbrain.contracts.brain import ControlSpec
from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.faults import NO_FAULTS, Faults

MAX_SEEDS = 10_000
SENSING = ("camera", "oracle")
_FORMAT = 1  # of RunFile; a higher number makes older files run again


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under what every run of a study runs alike; each as in `TwinOptions`."""

    sensing: str = "camera"
    coverage: float = 1.0
    miss_rate: float = 0.05
    latency_s: float = 0.5
    faults: Faults = NO_FAULTS
    delay_index_limit: float | None = None
    stop_at_limit: bool = False
    mesoscopic: bool = False

    def conditions(self) -> dict[str, Any]:
        """Name -> value of what stands here, without what a subclass adds."""
        return {one.name: getattr(self, one.name) for one in fields(Conditions)}


@dataclass(frozen=True, slots=True)
class StudyOptions(Conditions):
    """What is compared. begin_s, end_s: None takes the scenario's own window. baseline: None takes "fixed"
    if it is among the controls, else the first. bound: also work out how low delay could go. controls are
    names; `check` says what is wrong with them."""

    controls: tuple[str, ...]
    seeds: tuple[int, ...]
    begin_s: float | None = None
    end_s: float | None = None
    baseline: str | None = None
    bound: bool = False

    @property
    def baseline_name(self) -> str:
        if self.baseline is not None:
            return self.baseline
        return "fixed" if "fixed" in self.controls else self.controls[0]

    def check(self) -> StudyOptions:
        """Itself without repeated names; raises ConfigurationError at the first thing that is wrong."""
        if not self.controls:
            raise ConfigurationError("no control to run", remedy="name at least one, e.g. --control fixed")
        if not self.seeds:
            raise ConfigurationError("no seed to run", remedy="ask for at least one, e.g. --seeds 10")
        if len(self.seeds) > MAX_SEEDS:
            raise ConfigurationError(
                f"{len(self.seeds)} seeds are more than {MAX_SEEDS}", remedy="ask for fewer; 10 make a claim"
            )
        for seed in self.seeds:
            if not 1 <= seed < 2**31:
                raise ConfigurationError(
                    f"seed {seed} is not between 1 and 2147483647", remedy="seeds count from 1"
                )
        if self.sensing not in SENSING:
            raise ConfigurationError(f"no sensing {self.sensing!r}", remedy="choose camera or oracle")
        if not 0.0 <= self.coverage <= 1.0:  # refuses NaN as well
            raise ConfigurationError(
                f"coverage {self.coverage:g} is not between 0 and 1",
                remedy="give the share of junctions that have a camera, e.g. --coverage 0.5",
            )
        if not 0.0 <= self.miss_rate <= 1.0:
            raise ConfigurationError(
                f"miss rate {self.miss_rate:g} is not between 0 and 1",
                remedy="give the share of vehicles that a camera overlooks in a frame, e.g. 0.05",
            )
        if not 0.0 <= self.latency_s <= 60.0:
            raise ConfigurationError(
                f"latency {self.latency_s:g} s is not between 0 and 60 s",
                remedy="give the age at which a frame is delivered, e.g. 0.5",
            )
        for name, value in (("begin", self.begin_s), ("end", self.end_s)):
            if value is not None and not (math.isfinite(value) and value >= 0.0):
                raise ConfigurationError(
                    f"{name} {value:g} is no second of the scenario", remedy="give seconds, 0 or more"
                )
        if self.begin_s is not None and self.end_s is not None:
            _check_window(self.begin_s, self.end_s)
        limit = self.delay_index_limit
        if limit is not None and not 1.0 <= limit <= 1000.0:
            raise ConfigurationError(
                f"delay index {limit:g} is not between 1 and 1000",
                remedy="give trip time over free-flow trip time; the City Brain Challenge took 1.40",
            )
        if self.stop_at_limit and limit is None:
            raise ConfigurationError(
                "there is no delay index to stop at", remedy="give its limit, e.g. --delay-index 1.40"
            )
        if self.baseline is not None and self.baseline not in self.controls:
            raise ConfigurationError(
                f"the baseline {self.baseline!r} is not among the controls",
                remedy="the controls are " + ", ".join(self.controls),
            )
        return replace(
            self, controls=tuple(dict.fromkeys(self.controls)), seeds=tuple(dict.fromkeys(self.seeds))
        )


@dataclass(frozen=True, slots=True)
class RunTask(Conditions):
    """One run, as its process is given it. folder: the study's, absolute; key: what the result depends on."""

    city_folder: Path
    control: ControlSpec
    seed: int
    begin_s: float
    end_s: float
    folder: Path
    key: str

    @property
    def log_file(self) -> Path:
        """What the run's process printed; kept only when the run failed."""
        return self.folder / "runs" / f"{self.control.name}-{self.seed}.log"

    @property
    def sumo_log_file(self) -> Path:
        """SUMO's warnings and errors; kept only when the run failed."""
        return self.folder / "runs" / f"{self.control.name}-{self.seed}.sumo.log"


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "10" is 1 to 10; "1,2,5" is those three; "3," is 3 alone. Raises ConfigurationError."""
    remedy = "give a number (10 runs the seeds 1 to 10) or a list (1,2,5)"
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ConfigurationError(f"seeds {text[:60]!r} cannot be read", remedy=remedy) from error
    if not numbers:
        raise ConfigurationError("no seed to run", remedy=remedy)
    if "," in text:
        return tuple(numbers)
    if not 1 <= numbers[0] <= MAX_SEEDS:
        raise ConfigurationError(f"{numbers[0]} seeds are not between 1 and {MAX_SEEDS}", remedy=remedy)
    return tuple(range(1, numbers[0] + 1))


def make_tasks(
    city: City, specs: Sequence[ControlSpec], options: StudyOptions, folder: Path
) -> list[RunTask]:
    """All runs of a study of one city; seed by seed, so that a study cut short still compares its controls.

    Raises ConfigurationError when the window is empty, or a fault does not fit the city.
    """
    begin_s = city.demand.begin_s if options.begin_s is None else options.begin_s
    end_s = city.demand.end_s if options.end_s is None else options.end_s
    _check_window(begin_s, end_s)
    demand = city.demand
    if begin_s >= demand.end_s or end_s <= demand.begin_s:
        raise ConfigurationError(
            f"nobody drives from {begin_s:g} s to {end_s:g} s: the demand of {city.name} is from"
            f" {demand.begin_s:g} s to {demand.end_s:g} s",
            remedy="give a --begin and --end within it (seconds of the scenario)",
        )
    options.faults.check(city, options.mesoscopic)
    if options.mesoscopic:
        _check_mesoscopic(specs, options)
    digest = hash_city(city)
    return [
        RunTask(
            city_folder=city.folder,
            control=spec,
            seed=seed,
            begin_s=begin_s,
            end_s=end_s,
            folder=folder,
            key=run_key(digest, spec, seed, options, begin_s, end_s),
            **options.conditions(),
        )
        for seed in options.seeds
        for spec in specs
    ]


def _check_mesoscopic(specs: Sequence[ControlSpec], options: StudyOptions) -> None:
    """Refuse what the mesoscopic model cannot answer (docs/decisions/mesoscopic-twin.md)."""
    for spec in specs:
        if spec.program not in ("fixed", "central"):
            raise ConfigurationError(
                f"the control {spec.name!r} cannot be compared in the mesoscopic model, where short greens "
                "cost nothing",
                remedy="leave it out, or run the study without --mesoscopic",
            )
    if options.bound:
        raise ConfigurationError(
            "the bound is worked out microscopically", remedy="leave out --bound or --mesoscopic"
        )
    if options.delay_index_limit is not None:
        raise ConfigurationError(
            "the delay index is measured microscopically", remedy="leave out --delay-index or --mesoscopic"
        )


def _check_window(begin_s: float, end_s: float) -> None:
    if end_s <= begin_s:
        raise ConfigurationError(
            f"the window from {begin_s:g} s to {end_s:g} s is empty",
            remedy="give an --end later than --begin (seconds of the scenario)",
        )


def run_key(
    city_hash: str, spec: ControlSpec, seed: int, options: StudyOptions, begin_s: float, end_s: float
) -> str:
    """SHA-256 over everything a run's figures depend on, our own code and SUMO's version included."""
    content = {
        "format": _FORMAT,
        "city": city_hash,
        "control": [spec.name, spec.program, spec.brain, dict(spec.options)],
        "seed": seed,
        "sensing": options.sensing,
        "coverage": options.coverage,
        "miss_rate": options.miss_rate,
        "latency_s": options.latency_s,
        "faults": asdict(options.faults),
        "mesoscopic": options.mesoscopic,
        "delay_index": [options.delay_index_limit, options.stop_at_limit],
        "window_s": [begin_s, end_s],
        "civicbrain": civicbrain.__version__,
        "sumo": sumo_version(),
        "code": hash_code(),
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_city(city: City) -> str:
    """SHA-256 over the files of a city that a run reads: configuration, network and what SUMO is given."""
    demand = city.demand
    names = ["city.toml", "network.civic", demand.net_file, *demand.route_files, *demand.additional_files]
    digest = hashlib.sha256()
    for name in sorted(set(names)):
        path = city.folder / name
        if path.is_file():
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def hash_code() -> str:
    """SHA-256 over the sources that decide a run's figures, so that a study in which someone has changed a
    brain since does not go on with figures of the old one."""
    root = Path(civicbrain.__file__).parent
    rooms = ("core", "city", "science", "contracts", "brains", "twin", "ledger", "guard", "runtime")
    paths = [path for room in rooms for path in (root / room).rglob("*.py")]
    digest = hashlib.sha256()
    for path in sorted([*paths, root / "evaluate" / "run.py"]):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    for entry in sorted(metadata.entry_points(group="civicbrain.brains"), key=lambda entry: entry.name):
        source = import_module(entry.module).__file__
        if source is not None:
            digest.update(entry.name.encode() + b"\0" + Path(source).read_bytes())
    return digest.hexdigest()


@cache
def sumo_version() -> str:
    """Version of the SUMO that runs ("1.28.0")."""
    return metadata.version("libsumo")
