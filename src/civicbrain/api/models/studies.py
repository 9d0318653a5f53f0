"""What the API says and takes about before/after studies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from civicbrain.evaluate.comparison import Compared
from civicbrain.evaluate.ordered.records import MOST_CONTROLS, MOST_SCENARIOS, MOST_SEEDS

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Words = Annotated[str, Meta(max_length=120, pattern=r"^[^\u0000-\u001f\u007f]*$")]
ControlName = Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
Second = Annotated[float, Meta(ge=0, le=864000)]


class StudyAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A before/after study. scenarios: names out of /v1/study-options; "city" is the one that runs here.
    controls: two or more, the same seeds 1 to `seeds` for each. baseline: "" takes `fixed` if it is among the
    controls, else the first. begin_s, end_s: the window in seconds of the scenario, null for its own. case:
    id of a case that it belongs to."""

    scenarios: Annotated[list[Name], Meta(min_length=1, max_length=MOST_SCENARIOS)]
    controls: Annotated[list[ControlName], Meta(min_length=2, max_length=MOST_CONTROLS)]
    seeds: Annotated[int, Meta(ge=1, le=MOST_SEEDS)] = 10
    title: Words = ""
    case: Words = ""
    baseline: Annotated[str, Meta(max_length=64, pattern=r"^([a-z][a-z0-9_-]*)?$")] = ""
    begin_s: Second | None = None
    end_s: Second | None = None
    sensing: Literal["camera", "oracle"] = "camera"
    coverage: Annotated[float, Meta(ge=0, le=1)] = 1.0
    mesoscopic: bool = False


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """An empty body."""


class ScenarioOption(Struct, frozen=True):
    """begin_s, end_s: its own window; null where it is only known once it is read."""

    name: str
    label: str
    begin_s: float | None = None
    end_s: float | None = None


class ControlAbout(Struct, frozen=True):
    name: str
    summary: str
    source: str


class StudyOptionsView(Struct, frozen=True):
    """What a study can be made of, and how much of it. controls: SUMO's, and those that the brain process
    tells of. most_runs: scenarios × controls × seeds."""

    scenarios: list[ScenarioOption]
    controls: list[ControlAbout]
    most_scenarios: int
    most_controls: int
    most_seeds: int
    most_runs: int
    claim_seeds: int


class StudyRun(Struct, frozen=True):
    """A run that is over. mean_delay_s: null when it failed; reason says why."""

    scenario: str
    control: str
    seed: int
    mean_delay_s: float | None
    reason: str


class StudyBrief(Struct, frozen=True):
    """state: "queued" | "running" | "done" | "failed" | "cancelled". ordered_at: RFC 3339, "" for a study of
    the command line. left_s: seconds that the rest will take, null while nobody can say. place: how many are
    before it in the line. headlines: the result in one sentence a scenario."""

    id: str
    title: str
    state: str
    scenarios: list[str]
    controls: list[str]
    seeds: int
    ordered_at: str
    by: str
    case: str
    runs_total: int
    runs_done: int
    runs_failed: int
    left_s: float | None
    place: int
    headlines: list[str]
    error: str


class StudyView(Struct, frozen=True):
    """A study with every run that is over so far. began_at, ended_at: RFC 3339, "" for not yet. files: what
    can be fetched of it."""

    brief: StudyBrief
    baseline: str
    sensing: str
    coverage: float
    mesoscopic: bool
    began_at: str
    ended_at: str
    runs: list[StudyRun]
    files: list[str]


class CurveView(Struct, frozen=True):
    """Vehicles standing, over the seeds: mean, least and greatest at each second of the scenario."""

    control: str
    time_s: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


class ControlEvents(Struct, frozen=True):
    """What should not happen, over all runs of the control; deadlock: runs."""

    control: str
    runs: int
    collisions: int
    emergency_stops: int
    teleports: int
    refused_requests: int
    unsafe_states: int
    deadlock: int


class JunctionDelays(Struct, frozen=True):
    """Seconds a vehicle served, by junction, mean over the seeds."""

    control: str
    delay_s: dict[str, float]


class ScenarioResult(Struct, frozen=True):
    """One scenario of a study. claim: whether there are enough seeds for one. failures: runs without
    figures."""

    scenario: str
    headline: str
    baseline: str
    controls: list[ControlAbout]
    seeds: list[int]
    claim: bool
    sensing: str
    coverage: float
    mesoscopic: bool
    begin_s: float
    end_s: float
    sumo_version: str
    civicbrain_version: str
    city_hash: str
    figures: list[Compared]
    events: list[ControlEvents]
    queues: list[CurveView]
    junctions: list[JunctionDelays]
    runs: list[StudyRun]
    failures: list[str]


class StudyResult(Struct, frozen=True):
    """What the study found, one a scenario."""

    id: str
    scenarios: list[ScenarioResult]


def examples() -> dict[str, list[Any]]:
    """Struct name -> examples for the document: small, so that trying it out costs little."""
    asked = StudyAsked(["city"], ["fixed", "actuated"], seeds=1, begin_s=0.0, end_s=60.0)
    return {"StudyAsked": [msgspec.to_builtins(asked)]}
