"""The safety envelope of the controller, rule by rule, under any requests at any time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civicbrain.city.signals import (
    Capability,
    ControllerMode,
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalIndex,
    SignalJunction,
    SignalPlan,
    Stage,
)
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import PlanRequest, Priority, StageRequest
from civicbrain.core.errors import SignalProgramError
from civicbrain.twin.controller import STARTUP_ALL_RED_S, Controller
from civicbrain.twin.importing import BUILTIN_NAMES, resolve_scenario
from civicbrain.twin.observer import JunctionObserver
from civicbrain.twin.plan import unsafe_stages
from civicbrain.twin.roadside import Roadside

WATCHDOG_S = 4.0
EPS = 1e-4

# --- junctions ---------------------------------------------------------------------------------------


def group(name: str, link: int, kind: GroupKind = GroupKind.VEHICLE, **values: float) -> SignalGroup:
    return SignalGroup(
        name,
        kind,
        (link,),
        values.get("yellow_s", 3.0),
        values.get("min_green_s", 5.0),
        values.get("crossing_m", 0.0),
    )


def crossroads() -> SignalJunction:
    """0 main through, 1 main left that yields, 2 side, 3 pedestrians over the main road (9 m, 1.2 m/s)."""
    groups = (
        group("main", 0),
        group("left", 1),
        group("side", 2),
        group("walk", 3, GroupKind.PEDESTRIAN, yellow_s=0.0, min_green_s=7.0, crossing_m=9.0),
    )
    conflict = ((0, 1, 2, 2), (1, 0, 2, 2), (2, 2, 0, 0), (2, 2, 0, 0))
    gaps = ((0.0, 5.0, 5.0, 6.0), (4.0, 0.0, 6.0, 6.0), (5.0, 5.0, 0.0, 0.0), (8.0, 8.0, 0.0, 0.0))
    stages = (
        Stage("main", "Ggrr"),
        Stage("left", "gGrr"),
        Stage("side", "rrGG"),
        Stage("arrow", "rrGs"),
        Stage("clash", "GrGr"),
        Stage("both", "GGrr"),
    )
    plan = SignalPlan("plan", (PlanStep(0, 30.0), PlanStep(1, 15.0), PlanStep(2, 25.0)), offset_s=7.0)
    return SignalJunction("x", "x", 0.0, 0.0, ("x",), 4, groups, conflict, gaps, stages, plan)


@st.composite
def random_junctions(draw: st.DrawFn) -> SignalJunction:
    """Any tables a city could hold, sensible or not; some stages unsafe, the plan made of safe ones."""
    count = draw(st.integers(2, 6))
    rows = range(count)
    conflict = [[0] * count for _ in rows]
    gaps = [[0.0] * count for _ in rows]
    for a in rows:
        for b in range(a):
            conflict[a][b] = conflict[b][a] = draw(st.sampled_from((0, 1, 2, 2)))
            if conflict[a][b]:
                gaps[a][b], gaps[b][a] = (float(draw(st.integers(0, 9))) for _ in range(2))
    groups = tuple(
        SignalGroup(
            f"g{row}",
            draw(st.sampled_from(tuple(GroupKind))),
            (row,),
            float(draw(st.integers(0, 5))),
            float(draw(st.integers(0, 12))),
        )
        for row in rows
    )
    lamps = draw(
        st.lists(st.text("Ggrs", min_size=count, max_size=count), min_size=2, max_size=6, unique=True)
    )
    lamps += ["r" * row + "G" + "r" * (count - row - 1) for row in (0, count - 1)]
    stages = tuple(Stage(f"s{row}", text) for row, text in enumerate(lamps))

    def junction(steps: tuple[PlanStep, ...]) -> SignalJunction:
        plan = SignalPlan("plan", steps, float(draw(st.integers(-50, 50))))
        return SignalJunction(
            "x", "x", 0.0, 0.0, ("x",), count, groups,
            tuple(map(tuple, conflict)), tuple(map(tuple, gaps)), stages, plan,
        )  # fmt: skip

    bare = junction(())
    safe = [row for row in range(len(stages)) if row not in unsafe_stages(bare)]
    steps = draw(
        st.lists(
            st.builds(PlanStep, st.sampled_from(safe), st.integers(1, 40).map(float)), min_size=1, max_size=4
        )
    )
    return junction(tuple(steps))


def builtin_junctions() -> list[SignalJunction]:
    return [junction for name in BUILTIN_NAMES for junction in resolve_scenario(name).junctions]


@pytest.fixture(scope="module")
def derived() -> list[SignalJunction]:
    return builtin_junctions()


# --- what is done to them ----------------------------------------------------------------------------

wild = st.one_of(st.floats(-20.0, 60.0), st.sampled_from((math.nan, math.inf, -math.inf, 1e300, -1e300, 0.0)))
sane = st.floats(0.5, 40.0)
stage_picks = st.one_of(st.integers(0, 29), st.sampled_from(("", "nowhere", None, -1)))


@dataclass(frozen=True)
class Ask:
    """One request; times relative to when it is sent."""

    stage: object
    not_before_s: float
    expires_s: float
    priority: object
    durations_s: tuple[float, ...] | None


asks = st.one_of(
    st.builds(Ask, st.integers(0, 29), st.just(0.0), sane, st.just(10), st.none()),
    st.builds(Ask, stage_picks, wild, wild, st.sampled_from((10, 20, 30, 40, -5, math.nan, None)), st.none()),
    st.builds(
        Ask, st.just(0), st.floats(-5.0, 5.0), wild, st.sampled_from((10, 30)),
        st.lists(st.one_of(st.floats(1.0, 60.0), wild), max_size=4).map(tuple),
    ),
    st.just(None),
)  # fmt: skip
doings = st.lists(
    st.tuples(
        st.sampled_from((1.0, 1.0, 1.0, 0.1, 0.5, 2.5)),  # length of a step
        st.integers(1, 25),  # steps
        st.booleans(),  # the centre is alive meanwhile
        st.lists(asks, max_size=3),
    ),
    min_size=1,
    max_size=8,
)


@dataclass
class Trace:
    """What stood at the street from each moment on."""

    junction: SignalJunction
    time_s: list[float] = field(default_factory=list)
    lamps: list[str] = field(default_factory=list)
    mode: list[ControllerMode] = field(default_factory=list)
    stage: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    last_heartbeat_s: list[float] = field(default_factory=list)
    covered_until_s: list[float] = field(default_factory=list)  # expiry of the newest accepted requests

    @cached_property
    def changes(self) -> list[int]:
        """Rows at which a lamp changed."""
        return [row for row in range(1, len(self.lamps)) if self.lamps[row] != self.lamps[row - 1]]


def play(junction: SignalJunction, script: list[tuple[float, int, bool, list[Ask | None]]]) -> Trace:
    """Run the script against the controller and note what it shows."""
    roadside = Roadside(SignalIndex((junction,)), 0.0, WATCHDOG_S)
    controller = roadside.controllers[0]
    trace = Trace(junction)
    now_s, heartbeat_s, covered_s = 0.0, -math.inf, -math.inf
    for step_s, steps, alive, sent in script:
        if alive:
            roadside.heartbeat(now_s)
            heartbeat_s = now_s
        for ask in sent:
            request = to_request(junction, ask, now_s)
            [verdict] = roadside.apply([request], now_s)  # type: ignore[list-item]
            if verdict.outcome == Outcome.ACCEPTED:
                assert request is not None
                covered_s = max(covered_s, request.expires_s)
        for _ in range(steps):
            if alive:
                roadside.heartbeat(now_s)
                heartbeat_s = now_s
            roadside.act(now_s)
            trace.time_s.append(now_s)
            trace.lamps.append(controller.lamps)
            trace.mode.append(controller.mode)
            trace.stage.append(controller.stage)
            trace.target.append(controller.target)
            trace.last_heartbeat_s.append(heartbeat_s)
            trace.covered_until_s.append(covered_s)
            now_s += step_s
    return trace


def to_request(junction: SignalJunction, ask: Ask | None, now_s: float) -> StageRequest | PlanRequest | None:
    if ask is None:
        return None
    not_before_s, expires_s = now_s + ask.not_before_s, now_s + ask.expires_s
    if ask.durations_s is not None:
        return PlanRequest("x" if junction.id == "x" else junction.id, ask.durations_s, not_before_s,
                           not_before_s, expires_s, "test", ask.priority)  # type: ignore[arg-type]  # fmt: skip
    stage = ask.stage
    if isinstance(stage, int) and stage >= 0:
        stage = junction.stages[stage % len(junction.stages)].id
    return StageRequest(junction.id, stage, not_before_s, expires_s, "test", ask.priority)  # type: ignore[arg-type]


# --- the rules, read off a trace -----------------------------------------------------------------------


def conflicts(trace: Trace) -> list[tuple[int, int, int]]:
    size = range(len(trace.junction.groups))
    table = trace.junction.conflict
    return [(a, b, table[a][b]) for a in size for b in size if a != b and table[a][b]]


def no_prohibited_pair_green(trace: Trace) -> None:
    pairs = [(a, b) for a, b, kind in conflicts(trace) if kind == 2]
    for lamps in trace.lamps:
        for a, b in pairs:
            assert not (lamps[a] in "Gg" and lamps[b] in "Gg"), (a, b, lamps)


def no_permitted_pair_both_with_right_of_way(trace: Trace) -> None:
    pairs = [(a, b) for a, b, kind in conflicts(trace) if kind == 1]
    for lamps in trace.lamps:
        for a, b in pairs:
            assert not (lamps[a] == lamps[b] == "G"), (a, b, lamps)


def intergreen_never_cut(trace: Trace, kinds: tuple[GroupKind, ...] = tuple(GroupKind)) -> None:
    """Whenever a group turns green (or gets its right of way), each rival ended long enough ago."""
    for ending, starting, _ in conflicts(trace):
        if trace.junction.groups[ending].kind not in kinds:
            continue
        least_s = trace.junction.intergreen_s[ending][starting]
        green_end_s = right_end_s = -math.inf
        for row in trace.changes:
            now_s = trace.time_s[row]
            old, new = trace.lamps[row - 1], trace.lamps[row]
            if old[ending] in "Gg" and new[ending] not in "Gg":
                green_end_s = now_s
            if old[ending] == "G" and new[ending] == "g":
                right_end_s = now_s
            starts = old[starting] not in "Gg" and new[starting] in "Gg"
            if starts or (old[starting] == "g" and new[starting] == "G"):
                ended_s = right_end_s if new[ending] in "Gg" else max(green_end_s, right_end_s)
                assert now_s - ended_s >= least_s - EPS, (ending, starting, now_s - ended_s, least_s)


def pedestrian_clearance_never_cut(trace: Trace) -> None:
    intergreen_never_cut(trace, (GroupKind.PEDESTRIAN,))


def min_green_never_cut(trace: Trace) -> None:
    for row, of in enumerate(trace.junction.groups):
        since_s = math.inf
        for step, lamps in enumerate(trace.lamps):
            green = lamps[row] in "Gg"
            if green and math.isinf(since_s):
                since_s = trace.time_s[step]
            if not green and not math.isinf(since_s):
                assert trace.time_s[step] - since_s >= of.min_green_s - EPS
                since_s = math.inf


def yellow_never_cut(trace: Trace) -> None:
    for row, of in enumerate(trace.junction.groups):
        end_s = -math.inf
        for step in range(1, len(trace.lamps)):
            old, new = trace.lamps[step - 1][row], trace.lamps[step][row]
            if old in "Gg" and new not in "Gg":
                end_s = trace.time_s[step]
                assert new == "y" or of.yellow_s == 0.0
            if old == "y" and new != "y":
                assert new in "rs"
                assert trace.time_s[step] - end_s >= of.yellow_s - EPS


def starts_all_red(trace: Trace) -> None:
    gaps = [trace.junction.intergreen_s[a][b] for a, b, _ in conflicts(trace)]
    least_s = max([STARTUP_ALL_RED_S, *gaps])
    for now_s, lamps in zip(trace.time_s, trace.lamps, strict=True):
        if now_s - trace.time_s[0] < least_s - EPS:
            assert set(lamps) == {"r"}


def transitions_complete(trace: Trace) -> None:
    """A target is only replaced once it stood at the street, if only for the blink of an instant switch."""
    for row in range(1, len(trace.time_s)):
        old, new = trace.target[row - 1], trace.target[row]
        if old == new or old < 0:
            continue
        assert trace.stage[row] in (old, new)
        shown = trace.lamps[row - 1], trace.lamps[row]
        for place, wanted in enumerate(trace.junction.stages[old].lamps):
            if wanted in "Gg" and trace.junction.groups[place].min_green_s > 0.0:
                assert shown[0][place] in "Gg" or shown[1][place] in "Gg"


def silence_leads_to_the_local_plan(trace: Trace) -> None:
    own = (ControllerMode.LOCAL, ControllerMode.STARTUP)
    for now_s, mode, heartbeat_s in zip(trace.time_s, trace.mode, trace.last_heartbeat_s, strict=True):
        if now_s - heartbeat_s >= WATCHDOG_S:
            assert mode in own


def expiry_leads_to_the_local_plan(trace: Trace) -> None:
    own = (ControllerMode.LOCAL, ControllerMode.STARTUP)
    for now_s, mode, covered_s in zip(trace.time_s, trace.mode, trace.covered_until_s, strict=True):
        if now_s >= covered_s:
            assert mode in own


RULES = [
    no_prohibited_pair_green,
    no_permitted_pair_both_with_right_of_way,
    intergreen_never_cut,
    pedestrian_clearance_never_cut,
    min_green_never_cut,
    yellow_never_cut,
    starts_all_red,
    transitions_complete,
    silence_leads_to_the_local_plan,
    expiry_leads_to_the_local_plan,
]
hard = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def check_every_rule(trace: Trace) -> None:
    for rule in RULES:
        rule(trace)


@settings(hard, max_examples=150)
@given(doings)
def test_every_rule_holds_at_a_crossroads(script) -> None:
    check_every_rule(play(crossroads(), script))


@settings(hard, max_examples=150)
@given(random_junctions(), doings)
def test_every_rule_holds_for_any_tables(junction, script) -> None:
    check_every_rule(play(junction, script))


def test_every_rule_holds_at_every_derived_junction(derived) -> None:
    @settings(hard, max_examples=60)
    @given(st.sampled_from(derived), doings)
    def holds(junction, script) -> None:
        check_every_rule(play(junction, script))

    holds()


def test_every_rule_holds_between_extra_and_other_stages(derived) -> None:
    """Each accepted in turn: the transitions from and to it keep intergreens and minimum greens."""
    rows = [(one, row) for one in derived for row, stage in enumerate(one.stages) if stage.extra]
    assert rows

    @settings(hard, max_examples=60)
    @given(st.sampled_from(rows), st.lists(st.integers(0, 29), min_size=1, max_size=3), st.integers(5, 25))
    def holds(extra, others, steps) -> None:
        junction, row = extra
        stages = [pick for other in others for pick in (row, other)]
        calls = [(1.0, steps, True, [Ask(pick, 0.0, 30.0, 10, None)]) for pick in stages]
        trace = play(
            junction, [(1.0, 20, True, []), *calls, (1.0, 40, True, [Ask(row, 0.0, 60.0, 10, None)])]
        )
        check_every_rule(trace)
        assert row in trace.stage

    holds()


@hard
@given(random_junctions(), doings)
def test_the_observer_finds_nothing_against_the_controller(junction, script) -> None:
    trace = play(junction, script)
    observer = JunctionObserver(junction)
    for now_s, lamps in zip(trace.time_s, trace.lamps, strict=True):
        assert observer.look(lamps, now_s) == []


@hard
@given(st.sampled_from((crossroads(),)), doings, st.integers(0, 5))
def test_a_resumed_controller_is_led_to_all_red_safely(junction, script, pause_s) -> None:
    """Lamps are carried over a restart: no green or yellow is cut by it, then all is red."""
    trace = play(junction, script)
    first = Roadside(SignalIndex((junction,)), 0.0, WATCHDOG_S)
    for now_s in trace.time_s:
        first.act(now_s)
    start_s = trace.time_s[-1] + pause_s
    second = Roadside(SignalIndex((junction,)), start_s, WATCHDOG_S, first.memories)
    observer = JunctionObserver(junction)
    for now_s in trace.time_s:
        observer.look(first.controllers[0].lamps, now_s)
    seen_red = False
    for tick in range(60):
        second.act(start_s + tick)
        lamps = second.controllers[0].lamps
        assert observer.look(lamps, start_s + tick) == []
        seen_red = seen_red or set(lamps) == {"r"}
        assert seen_red or second.controllers[0].mode == ControllerMode.STARTUP
    assert seen_red
    assert second.controllers[0].mode == ControllerMode.LOCAL


# --- liveness and verdicts -----------------------------------------------------------------------------


def ready(junction: SignalJunction | None = None) -> tuple[Roadside, float]:
    """A roadside past its start-up, and the time."""
    roadside = Roadside(SignalIndex((junction or crossroads(),)), 0.0, WATCHDOG_S)
    for second in range(30):
        roadside.heartbeat(float(second))
        roadside.act(float(second))
    return roadside, 30.0


def ask(stage: str, now_s: float, **values: object) -> StageRequest:
    fields = {"not_before_s": now_s, "expires_s": now_s + 20.0, "brain": "test", **values}
    return StageRequest("x", stage, **fields)  # type: ignore[arg-type]


def run_on(roadside: Roadside, now_s: float, seconds: int, *, alive: bool = True) -> float:
    for _ in range(seconds):
        if alive:
            roadside.heartbeat(now_s)
        roadside.act(now_s)
        now_s += 1.0
    return now_s


@pytest.mark.parametrize("stage", ["main", "left", "side", "arrow"])
def test_a_lasting_request_is_served(stage) -> None:
    roadside, now_s = ready()
    assert roadside.apply([ask(stage, now_s, expires_s=now_s + 100)], now_s)[0].outcome == Outcome.ACCEPTED
    run_on(roadside, now_s, 40)
    controller = roadside.controllers[0]
    assert controller.lamps == controller.junction.stages[controller.junction.get_stage(stage)].lamps
    assert controller.mode == ControllerMode.CENTRAL


def test_every_stage_of_every_derived_junction_can_be_reached_from_every_other(derived) -> None:
    for junction in derived:
        safe = [row for row in range(len(junction.stages)) if row not in unsafe_stages(junction)]
        roadside, now_s = ready(junction)
        for row in [*safe, *reversed(safe)]:
            request = StageRequest(junction.id, junction.stages[row].id, now_s, now_s + 100.0, "test")
            roadside.heartbeat(now_s)
            assert roadside.apply([request], now_s)[0].outcome == Outcome.ACCEPTED
            now_s = run_on(roadside, now_s, 60)
            assert roadside.controllers[0].lamps == junction.stages[row].lamps


def refusal(verdict: Verdict) -> str:
    assert verdict.outcome == Outcome.REFUSED
    assert verdict.by == "controller"
    assert verdict.reason
    return verdict.rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"stage": "nowhere"}, "unknown-stage"),
        ({"stage": "clash"}, "unsafe-stage"),
        ({"stage": "both"}, "unsafe-stage"),
        ({"expires_s": 30.0}, "expired"),
        ({"expires_s": math.nan}, "invalid-time"),
        ({"expires_s": math.inf}, "invalid-time"),
        ({"not_before_s": 60.0}, "invalid-time"),
        ({"expires_s": 1e6}, "too-long"),
        ({"junction": "elsewhere"}, "unknown-junction"),
    ],
)
def test_refusals_name_the_rule(change, rule) -> None:
    roadside, now_s = ready()
    fields = {
        "junction": "x",
        "stage": "side",
        "not_before_s": 30.0,
        "expires_s": 50.0,
        "brain": "test",
    } | change
    assert refusal(roadside.apply([StageRequest(**fields)], now_s)[0]) == rule
    assert roadside.refused_requests == 1


def test_a_controller_for_plans_takes_no_stages_but_plans() -> None:
    junction = msgspec.structs.replace(crossroads(), capability=Capability.PLAN)
    roadside, now_s = ready(junction)
    assert refusal(roadside.apply([ask("side", now_s)], now_s)[0]) == "capability"
    plan = PlanRequest("x", (20.0, 20.0, 40.0), 0.0, now_s, now_s + 200.0, "test")
    assert roadside.apply([plan], now_s)[0].outcome == Outcome.ACCEPTED
    assert refusal(
        roadside.apply([PlanRequest("x", (2.0, 20.0, 40.0), 0.0, now_s, now_s + 200.0, "t")], now_s)[0]
    ) == ("min-green")
    shown = set()
    for _ in range(100):
        now_s = run_on(roadside, now_s, 1)
        shown.add(roadside.controllers[0].stage)
    assert shown == {0, 1, 2}
    assert roadside.controllers[0].mode == ControllerMode.CENTRAL


def test_a_silent_centre_is_refused_until_it_speaks() -> None:
    roadside, now_s = ready()
    now_s = run_on(roadside, now_s, 10, alive=False)
    assert refusal(roadside.apply([ask("side", now_s)], now_s)[0]) == "watchdog"
    roadside.heartbeat(now_s)
    assert roadside.apply([ask("side", now_s)], now_s)[0].outcome == Outcome.ACCEPTED


def test_the_watchdog_needs_four_seconds_and_no_more() -> None:
    roadside, now_s = ready()
    roadside.heartbeat(now_s)
    roadside.apply([ask("side", now_s, expires_s=now_s + 100)], now_s)
    modes = []
    for _ in range(6):
        roadside.act(now_s)
        modes.append(roadside.controllers[0].mode)
        now_s += 1.0
    assert modes[:4] == [ControllerMode.CENTRAL] * 4
    assert modes[4:] == [ControllerMode.LOCAL] * 2


def test_the_operator_is_not_overruled_by_the_brain() -> None:
    roadside, now_s = ready()
    held = ask("side", now_s, brain="operator", priority=Priority.OPERATOR, expires_s=now_s + 20)
    assert roadside.apply([held], now_s)[0].outcome == Outcome.ACCEPTED
    assert refusal(roadside.apply([ask("main", now_s)], now_s)[0]) == "not-central"
    now_s = run_on(roadside, now_s, 19)
    assert roadside.controllers[0].mode == ControllerMode.MANUAL
    now_s = run_on(roadside, now_s, 2)
    assert roadside.controllers[0].mode == ControllerMode.LOCAL


def test_who_holds_a_junction_may_step_down_and_others_follow_without_a_gap() -> None:
    roadside, now_s = ready()
    corridor = {"brain": "priority", "priority": Priority.EMERGENCY}
    roadside.apply([ask("side", now_s, **corridor)], now_s)
    now_s = run_on(roadside, now_s, 15)
    assert roadside.controllers[0].mode == ControllerMode.FORCED
    assert refusal(roadside.apply([ask("main", now_s)], now_s)[0]) == "not-central"
    down = ask("side", now_s, brain="priority", expires_s=now_s + 2.0)
    assert roadside.apply([down], now_s)[0].outcome == Outcome.ACCEPTED
    assert roadside.controllers[0].mode == ControllerMode.CENTRAL
    now_s = run_on(roadside, now_s, 1)
    assert roadside.apply([ask("main", now_s)], now_s)[0].outcome == Outcome.ACCEPTED
    assert roadside.controllers[0].mode == ControllerMode.CENTRAL


def test_a_switch_waits_for_minimum_green_and_says_so() -> None:
    roadside, now_s = ready()
    roadside.apply([ask("side", now_s, expires_s=now_s + 100)], now_s)
    while roadside.controllers[0].lamps != "rrGG":
        now_s = run_on(roadside, now_s, 1)
    verdict = roadside.apply([ask("main", now_s)], now_s)[0]
    assert (verdict.outcome, verdict.rule) == (Outcome.ACCEPTED, "min-green")
    started_s = roadside.controllers[0].stage_since_s
    while roadside.controllers[0].lamps[3] == "G":
        now_s = run_on(roadside, now_s, 1)
    assert now_s - 1.0 - started_s == pytest.approx(7.0)


def test_a_controller_that_listens_each_tenth_second_changes_then_alone() -> None:
    junction = msgspec.structs.replace(crossroads(), request_every_s=10.0, request_phase_s=3.0)
    roadside, now_s = ready(junction)
    changed = []
    for second in range(60):
        wanted = ("main", "side")[second // 7 % 2]
        before = roadside.controllers[0].target
        assert roadside.apply([ask(wanted, now_s)], now_s)[0].outcome == Outcome.ACCEPTED
        now_s = run_on(roadside, now_s, 1)
        if second and roadside.controllers[0].target != before:
            changed.append(now_s - 1.0)
    assert changed
    assert {time_s % 10.0 for time_s in changed} == {3.0}


def test_a_scheduled_request_starts_at_its_time() -> None:
    roadside, now_s = ready()
    at_s = now_s + 12.0
    verdict = roadside.apply([ask("side", now_s, not_before_s=at_s, expires_s=at_s + 30)], now_s)[0]
    assert (verdict.outcome, verdict.rule) == (Outcome.ACCEPTED, "scheduled")
    run_on(roadside, now_s, 12)
    assert roadside.controllers[0].mode == ControllerMode.LOCAL
    run_on(roadside, at_s, 1)
    assert roadside.controllers[0].mode == ControllerMode.CENTRAL


def test_a_steady_controller_asks_for_nothing() -> None:
    roadside, now_s = ready()
    roadside.apply([ask("side", now_s, expires_s=now_s + 200)], now_s)
    run_on(roadside, now_s, 30)
    assert roadside.controllers[0].wake_s == pytest.approx(now_s + 200)


def test_the_local_plan_is_shown_to_the_second() -> None:
    """By hand: offset 7 s, cycle 70 s; left gets its right of way 5 s after main lost it."""
    controller = Controller(crossroads(), 0.0)
    shown = []
    for second in range(7 + 70 + 71):
        controller.act(float(second))
        shown.append(controller.lamps)
    cycle = shown[77:147]
    assert cycle[8] == "Ggrr"
    assert cycle[29] == "Ggrr"
    assert cycle[30] == "ggrr"  # main yields at once
    assert cycle[34] == "ggrr"
    assert cycle[35] == "gGrr"  # intergreen main -> left 5 s
    assert cycle[44] == "gGrr"
    assert cycle[45:48] == ["yyrr"] * 3
    assert cycle[48:51] == ["rrrr"] * 3
    assert cycle[51] == "rrGG"  # left -> side 6 s
    assert cycle[69] == "rrGG"


@pytest.mark.parametrize(
    "fault",
    [
        {"conflict": ((0, 2), (1, 0))},
        {"intergreen_s": ((0.0, math.nan), (5.0, 0.0))},
        {"intergreen_s": ((0.0, -1.0), (5.0, 0.0))},
        {"stages": (Stage("a", "GG"), Stage("b", "rG"))},
        {"stages": (Stage("a", "G"), Stage("b", "rG"))},
        {"local_plan": SignalPlan("p", ())},
        {"local_plan": SignalPlan("p", (PlanStep(0, 0.0),))},
        {"local_plan": SignalPlan("p", (PlanStep(7, 10.0),))},
    ],
)
def test_a_junction_no_street_could_run_is_not_started(fault) -> None:
    sound = {
        "conflict": ((0, 2), (2, 0)),
        "intergreen_s": ((0.0, 5.0), (5.0, 0.0)),
        "stages": (Stage("a", "Gr"), Stage("b", "rG")),
        "local_plan": SignalPlan("p", (PlanStep(0, 20.0), PlanStep(1, 20.0))),
    }
    fixed = {"id": "x", "name": "x", "x_m": 0.0, "y_m": 0.0, "node_ids": (), "link_count": 2}
    groups = (group("a", 0), group("b", 1))
    Controller(SignalJunction(**fixed, groups=groups, **sound), 0.0)
    with pytest.raises(SignalProgramError, match="junction x"):
        Controller(SignalJunction(**fixed, groups=groups, **(sound | fault)), 0.0)


# --- the short cut for renewals ------------------------------------------------------------------------


@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from(["main", "left", "side", "arrow", "clash", "nowhere"]),
            st.sampled_from([Priority.SIGNALS, Priority.EMERGENCY]),
            st.sampled_from(["a", "b"]),
            st.sampled_from([0.5, 2.0, 10.0, 400.0, math.nan, math.inf]),  # expires so long after now
            st.sampled_from([0.0, 0.0, 0.0, -5.0, 3.0, -math.inf]),  # not before, from now
            st.integers(1, 12),  # asked so many seconds running
        ),
        max_size=25,
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_renewal_by_the_short_cut_is_what_a_request_would_have_been(asked) -> None:
    """One controller takes every request the long way and looks each second; the other renews and sleeps."""
    (plain, now_s), (quick, _) = ready(), ready()
    plain._renew = lambda _request, _now_s: False  # type: ignore[method-assign]
    for stage, priority, brain, lasts_s, delay_s, times in asked:
        for _ in range(times):
            request = StageRequest("x", stage, now_s + delay_s, now_s + lasts_s, brain, priority)
            assert _tell(quick, request, now_s) == _tell(plain, request, now_s)
            plain._wake_s[:] = now_s
            assert quick.act(now_s) == plain.act(now_s)
            mine, other = quick.states(now_s), plain.states(now_s)
            for name in ("lamps", "lamps_since_s", "stage", "stage_since_s", "target", "mode"):
                assert (getattr(mine, name) == getattr(other, name)).all(), name
            now_s += 1.0


def _tell(roadside: Roadside, request: StageRequest, now_s: float) -> Verdict:
    roadside.heartbeat(now_s)
    return roadside.apply([request], now_s)[0]
