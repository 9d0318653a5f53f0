"""`run_retiming`: counts, plans, files, and the proof in the twin; a folder that is whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import civicbrain
from civicbrain.city.model import City
from civicbrain.core.errors import CityError, ConfigurationError, StudyError
from civicbrain.evaluate.plan import StudyOptions, sumo_version
from civicbrain.evaluate.records import Evaluation, encode
from civicbrain.evaluate.retime.counts import Counts, read_counts, write_counts
from civicbrain.evaluate.retime.make import MadePlans, make_plans, programs
from civicbrain.evaluate.retime.records import Measured, Retiming
from civicbrain.evaluate.retime.report import render_retiming
from civicbrain.evaluate.retime.retimed import programs_for_sumo, save_retimed
from civicbrain.evaluate.retime.sheets import sheets_csv, sheets_markdown
from civicbrain.evaluate.retime.survey import survey
from civicbrain.evaluate.study import resolve_city, run_study
from civicbrain.evaluate.unsafe import describe_unsafe
from civicbrain.science.statistics import estimate_paired_ratio

PLANS = "plans.json"
ROUNDS = 2
"""Where a stream is at capacity under the old plan, its counts say what passed: the twin is counted once more
under the new plan, and the plans are made again."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RetimingOptions:
    """seeds: of the runs that measure before and after. count_seeds: of the runs that count, others than
    those. periods: None lets the counts decide. max_cycle_s: longest cycle. jobs: processes at a time."""

    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    count_seeds: tuple[int, ...] = (101, 102, 103)
    periods: int | None = None
    max_cycle_s: int = 120
    jobs: int = 1

    def check(self) -> None:
        """Raise ConfigurationError for what cannot be run."""
        for seeds in (self.seeds, self.count_seeds):
            StudyOptions(controls=("fixed",), seeds=seeds).check()
        if not 30 <= self.max_cycle_s <= 300:
            raise ConfigurationError(
                f"a longest cycle of {self.max_cycle_s} s", place="--max-cycle", remedy="give 30 to 300 s"
            )
        if self.jobs < 1:
            raise ConfigurationError(f"jobs {self.jobs} is less than 1", remedy="give 1 or more processes")


def run_retiming(
    source: str | Path, out: Path, options: RetimingOptions, *, counts_file: Path | None = None,
    say: Say = lambda _: None, command: str = "",
) -> Retiming:  # fmt: skip
    """Make plans for a city and prove them; writes the folder `out`. say: told what is being done.

    Raises ConfigurationError, NotFoundError, CityError or StudyError; `out` is then as it was.
    """
    options.check()
    _check_target(out)
    city = resolve_city(source)
    if not city.junctions:
        raise CityError("this city has no signals to retime", place=city.name, remedy="import one that has")
    if not city.demand.route_files and not city.demand.additional_files:
        raise CityError(
            "this city has no demand to prove plans with", place=city.name, remedy="import it with demand"
        )
    given = read_counts(counts_file, city) if counts_file is not None else None
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise StudyError(
            f"cannot write here: {error.strerror or error}", place=str(out.parent),
            remedy="choose another folder with --out, or check its permissions",
        ) from error  # fmt: skip
    try:
        retiming = _fill(scratch / "out", scratch, city, given, options, say, command)
        if out.exists():
            out.rename(scratch / "replaced")
        os.replace(scratch / "out", out)  # noqa: PTH105  (out may be an empty folder)
        return retiming
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fill(
    folder: Path,
    scratch: Path,
    city: City,
    given: Counts | None,
    options: RetimingOptions,
    say: Say,
    command: str,
) -> Retiming:
    folder.mkdir()
    counts, made, retimed, rounds = _plan(folder, scratch, city, given, options, say)
    say(f"measuring both plans, {len(options.seeds)} seeds each")
    studies = []
    for name, one in (("before", city), ("after", retimed)):
        study_options = StudyOptions(controls=("fixed",), seeds=options.seeds)
        study = run_study([one.folder], study_options, folder / "measured" / name, jobs=options.jobs)[0]
        if study.failures:
            failure = study.failures[0]
            raise StudyError(
                f"the run of the plans {name} failed (seed {failure.seed}): {failure.reason}",
                place=city.name, remedy="put the cause right and retime again",
            )  # fmt: skip
        studies.append(study)
    retiming = Retiming(
        city=city.name, civicbrain_version=civicbrain.__version__, sumo_version=sumo_version(),
        counts=counts.source, rounds=rounds, max_cycle_s=options.max_cycle_s, periods=made.spans,
        junctions=made.junctions, measured=_measured(*studies),
    )  # fmt: skip
    (folder / PLANS).write_bytes(encode(retiming))
    (folder / "counts.csv").write_bytes(write_counts(counts, city))
    (folder / "timing-sheets.md").write_text(sheets_markdown(retiming), encoding="utf-8")
    (folder / "timing-sheets.csv").write_bytes(sheets_csv(retiming))
    (folder / "report.html").write_text(
        render_retiming(retiming, city, counts, command=command), encoding="utf-8"
    )
    return retiming


def _plan(
    folder: Path, scratch: Path, city: City, given: Counts | None, options: RetimingOptions, say: Say
) -> tuple[Counts, MadePlans, City, int]:
    counted = city
    for number in range(1, ROUNDS + 1):
        if given is None:
            say(f"counting in the twin, {len(options.count_seeds)} runs")
            counts = survey(counted, options.count_seeds, scratch / f"counts-{number}", options.jobs)
        else:
            counts = given
        say("making plans")
        made = make_plans(city, counts, options.periods, options.max_cycle_s)
        plans = programs(city, made.spans, made.plans)
        content = programs_for_sumo(city, made.spans, plans)
        retimed = counted = save_retimed(city, content, plans[0], folder / "city")
        (folder / "plans.add.xml").write_bytes(content)
        if given is not None or not made.full:
            break
    return counts, made, retimed, number


def _check_target(out: Path) -> None:
    if out.is_dir() and ((out / PLANS).is_file() or not any(out.iterdir())):
        return
    if os.path.lexists(out):
        raise ConfigurationError(
            "there is something else in the way", place=str(out), remedy="choose another folder with --out"
        )


def _measured(before: Evaluation, after: Evaluation) -> Measured:
    def total(study: Evaluation, name: str) -> float:
        return float(sum(getattr(run, name) or 0 for run in study.runs))

    def delays(study: Evaluation) -> list[float]:
        return [run.mean_delay_s if run.mean_delay_s is not None else float("nan") for run in study.runs]

    def junctions(study: Evaluation) -> dict[str, float]:
        series = study.series.get("fixed")
        return {} if series is None else {j: round(delay, 2) for j, delay in series.junction_delay_s.items()}

    pairs = [(a, b) for a, b in zip(delays(after), delays(before), strict=True) if a == a and b == b]
    usable = bool(pairs) and sum(b for _, b in pairs) > 0.0
    ratio = estimate_paired_ratio([a for a, _ in pairs], [b for _, b in pairs]) if usable else None
    count = max(len(before.runs), 1)
    return Measured(
        seeds=list(before.seeds),
        before_s=[round(b, 3) for _, b in pairs], after_s=[round(a, 3) for a, _ in pairs],
        ratio=None if ratio is None else round(ratio.mean, 4),
        ratio_ci95=None if ratio is None or ratio.interval is None
        else (round(ratio.interval[0], 4), round(ratio.interval[1], 4)),
        stops_before=round(total(before, "stops_per_vehicle") / count, 3),
        stops_after=round(total(after, "stops_per_vehicle") / count, 3),
        undeparted_before=total(before, "undeparted") / count,
        undeparted_after=total(after, "undeparted") / count,
        unsafe_states_before=int(total(before, "unsafe_states")),
        unsafe_states_after=int(total(after, "unsafe_states")),
        unsafe_after=describe_unsafe(kind for run in after.runs for kind in run.unsafe),
        deadlocks_before=int(total(before, "deadlock")), deadlocks_after=int(total(after, "deadlock")),
        junction_delay_before_s=junctions(before), junction_delay_after_s=junctions(after),
    )  # fmt: skip


def default_folder(source: str, stamp: str) -> Path:
    """retimed/<city>-<stamp>, where no --out was given."""
    return Path("retimed") / f"{Path(source.rstrip('/')).name.split('.')[0] or 'city'}-{stamp}"


def parse_count_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Seeds of the runs that count: from 101 on, none of those that measure (a plan is not proven on the runs
    that it was made from)."""
    return tuple([seed for seed in range(101, 101 + 3 + len(seeds)) if seed not in seeds][:3])
