"""What stands in the folder of an ordered study besides its results."""

from __future__ import annotations

import msgspec

from civicbrain.evaluate.plan import StudyOptions

ORDER_FILE, STATE_FILE, PROGRESS_FILE = "order.json", "state.json", "progress.json"
RESULT_FILE = "evaluation.json"

MOST_SCENARIOS, MOST_CONTROLS, MOST_SEEDS, MOST_RUNS = 4, 6, 30, 240
SHORTEST_WINDOW_S, LONGEST_WINDOW_S = 60.0, 4 * 3600.0
OPEN_STATES = ("queued", "running")


class StudyOrder(msgspec.Struct, frozen=True):
    """What was ordered, when (RFC 3339) and by whom. scenarios: as `civicbrain evaluate` takes them. case:
    the case that it belongs to, "" for none."""

    title: str
    scenarios: tuple[str, ...]
    controls: tuple[str, ...]
    seeds: int
    ordered_at: str
    by: str = ""
    case: str = ""
    baseline: str = ""
    begin_s: float | None = None
    end_s: float | None = None
    sensing: str = "camera"
    coverage: float = 1.0
    mesoscopic: bool = False

    def options(self) -> StudyOptions:
        """The study's options; raises ConfigurationError at the first thing that is wrong."""
        return StudyOptions(
            controls=self.controls, seeds=tuple(range(1, self.seeds + 1)), sensing=self.sensing,
            coverage=self.coverage, begin_s=self.begin_s, end_s=self.end_s, baseline=self.baseline or None,
            mesoscopic=self.mesoscopic,
        ).check()  # fmt: skip


class StudyState(msgspec.Struct, frozen=True):
    """state: "queued" | "running" | "done" | "failed" | "cancelled". The API alone writes it. Times: RFC
    3339, "" for not yet."""

    state: str
    began_at: str = ""
    ended_at: str = ""
    error: str = ""


class RunDone(msgspec.Struct, frozen=True):
    """A run that is over. mean_delay_s: null when it failed, then reason says why. before: found finished, so
    it was not run again."""

    scenario: str
    control: str
    seed: int
    mean_delay_s: float | None = None
    reason: str = ""
    before: bool = False


class StudyProgressNow(msgspec.Struct, frozen=True):
    """What the study's process tells. total: runs in all. spent_s: wall seconds since the first run of this
    go began. headlines: one a scenario, once all is worked out. error: what a person can put right."""

    total: int = 0
    runs: tuple[RunDone, ...] = ()
    spent_s: float = 0.0
    headlines: tuple[str, ...] = ()
    error: str = ""

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at the pace so far; None before the first run of this go is
        over."""
        mine = sum(not run.before for run in self.runs)
        return self.spent_s / mine * (self.total - len(self.runs)) if mine else None
