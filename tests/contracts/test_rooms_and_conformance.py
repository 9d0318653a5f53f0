"""Discovery, third-party rooms included, and conformance checks that find what they are for."""

from __future__ import annotations

import subprocess
import sys
import time

import msgspec
import numpy as np
import pytest

from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts import conformance
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Advice, Alert, ControlSpec, PlanRequest, Severity, StageRequest
from civicbrain.contracts.conformance import check_actuator, check_brain, check_feed, require
from civicbrain.contracts.rooms import get_control, get_room, list_controls, list_rooms
from civicbrain.contracts.sandbox import sandbox_city, sandbox_detections, sandbox_snapshots
from civicbrain.contracts.snapshot_wire import pack_snapshot, unpack_snapshot
from civicbrain.core.errors import BrainError, NotFoundError

# -- the sandbox and the wire


def test_sandbox_is_a_sound_city():
    city = sandbox_city()
    for row, junction in enumerate(city.junctions):
        conflict = junction.conflict_array
        assert (conflict == conflict.T).all()
        assert (junction.intergreen_array_s[conflict > 0] > 0).all()
        for stage in junction.stages:
            green = [i for i, lamp in enumerate(stage.lamps) if lamp in "Gg"]
            assert not (conflict[np.ix_(green, green)] == 2).any()
            protected = [i for i, lamp in enumerate(stage.lamps) if lamp == "G"]
            assert not conflict[np.ix_(protected, protected)].any()
        links = [link for group in junction.groups for link in group.links]
        assert sorted(links) == list(range(junction.link_count)) == list(range(12))
        movements = city.network.movements
        mine = movements.junction == row
        start = city.signals.group_start[row]
        for link, group in zip(movements.link[mine], movements.group[mine], strict=True):
            assert link in junction.groups[group - start].links
        assert "".join(sorted(map(chr, movements.turn[mine]))) == "llllrrrrssss"


def test_snapshots_survive_the_wire_unchanged_and_read_only():
    before = sandbox_snapshots(sandbox_city(), 3)[-1]
    after = unpack_snapshot(pack_snapshot(before))
    assert pack_snapshot(after) == pack_snapshot(before)
    assert isinstance(after, Snapshot)
    assert after.detections.kind is before.detections.kind
    assert not after.lanes.vehicles.flags.writeable
    assert after.asked.tolist() == before.asked.tolist() == [-1, -1]
    with pytest.raises(msgspec.DecodeError):
        unpack_snapshot(b"garbage")


# -- rooms


@pytest.fixture
def site(tmp_path, monkeypatch):
    """install(source, entry points) as a distribution on sys.path."""

    def install(source: str, entries: str, kind: str = "brains", name: str = "outsider"):
        module = name.replace("-", "_") + "_rooms"
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[civicbrain.{kind}]\n{entries.format(module=module)}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        modules.append(module)
        return module

    modules: list[str] = []
    yield install
    for module in modules:
        sys.modules.pop(module, None)


OUTSIDER = '''
"""longest: the card."""
from civicbrain.contracts.brain import Advice, ControlSpec
CONTROLS = (ControlSpec("night-rule", "central", brain="longest", options={"hours": 8}),)
class Longest:
    name, cadence_s, budget_s = "longest", 1.0, 0.5
    def advise(self, snapshot):
        return Advice()
def create(context):
    return Longest()
'''


def test_built_in_rooms_are_listed_and_loaded():
    names = {(room.kind, room.name) for room in list_rooms()}
    assert {("brains", "signals"), ("feeds", "twin"), ("actuators", "twin")} <= names
    room = get_room("brains", "signals")
    assert room.source == "built-in"
    assert room.card
    with pytest.raises(NotFoundError, match="signals"):
        get_room("brains", "none")
    with pytest.raises(NotFoundError, match="kinds"):
        list_rooms("cameras")


def test_third_party_room_is_found_with_its_controls(site):
    site(OUTSIDER, "longest = {module}")
    room = get_room("brains", "longest")
    assert room.source == "outsider"
    assert room.card == "longest: the card."
    assert get_control("night-rule").options == {"hours": 8}
    assert "longest" not in {control.name for control in list_controls()}, "it names its controls itself"
    assert [c.name for c in list_controls()][:3] == ["fixed", "actuated", "delay-based"]
    assert get_control("max-pressure").brain == "signals"


def test_room_without_controls_is_a_control_of_its_own_name(site):
    site(OUTSIDER.replace("CONTROLS", "OTHERS"), "longest = {module}")
    assert get_control("longest") == ControlSpec(
        "longest", "central", brain="longest", summary="longest: the card."
    )


def test_names_that_belong_to_others_cannot_be_taken(site, caplog):
    site(OUTSIDER, "signals = {module}\noperator = {module}\nNot-A-Slug = {module}")
    rooms = {room.name: room for room in list_rooms("brains")}
    assert rooms["signals"].source == "built-in"
    assert "operator" not in rooms
    assert "Not-A-Slug" not in rooms
    assert "already taken" in caplog.text


def test_a_broken_third_party_room_harms_nobody(site):
    site("raise RuntimeError('half installed')", "broken = {module}")
    assert "broken" in [room.name for room in list_rooms("brains")]
    assert "max-pressure" in [control.name for control in list_controls()]
    with pytest.raises(BrainError, match="half installed"):
        get_room("brains", "broken").load()
    with pytest.raises(NotFoundError, match="installed controls"):
        get_control("none")


# -- conformance


class Brain:
    name, cadence_s, budget_s = "trial", 1.0, 0.5

    def __init__(self, city):
        self.city = city
        self.calls = 0

    def advise(self, snapshot):
        self.calls += 1
        return self.say(snapshot)

    def say(self, snapshot):
        return Advice((self.ask(snapshot),))

    def ask(self, snapshot, **changes):
        said = {
            "junction": "A", "stage": "side", "not_before_s": snapshot.time_s,
            "expires_s": snapshot.time_s + 10, "brain": self.name,
        }  # fmt: skip
        return StageRequest(**(said | changes))


def failing(brain_class):
    findings = check_brain(lambda context: brain_class(context.city))
    return {finding.check: finding.detail for finding in findings if not finding.ok}


def variant(**members):
    return type("Variant", (Brain,), members)


def asks(**changes):
    return variant(say=lambda self, s: Advice((self.ask(s, **changes),)))


def test_a_good_brain_passes():
    findings = check_brain(lambda context: Brain(context.city))
    require(findings)
    assert len(findings) >= 11


def test_a_good_plan_brain_passes():
    plan = variant(
        say=lambda self, s: Advice(
            (PlanRequest("B", (50.0, 25.0), 0.0, s.time_s, s.time_s + 600, self.name),)
        )
    )
    assert failing(plan) == {}


def write(self, snapshot):
    snapshot.lanes.vehicles[0] = 1.0
    return Advice()


def smuggle(self, snapshot):
    writable = np.zeros(3)
    object.__setattr__(snapshot.lanes, "vehicles", writable)
    return Advice()


def need_signals(self, snapshot):
    assert (snapshot.signals.stage >= 0).all()
    return Advice()


def need_fresh(self, snapshot):
    assert max(snapshot.staleness_s.values(), default=0.0) < 60
    return Advice()


def only_forward(self, snapshot):
    assert snapshot.time_s >= getattr(self, "last_s", 0.0)
    self.last_s = snapshot.time_s
    return Advice()


ALERT = Alert("k", Severity.INFO, "t", "d", 0.0, "trial")


@pytest.mark.parametrize(
    ("brain", "check", "words"),
    [
        (variant(name="Not A Slug"), "name", "slug"),
        (variant(name="operator"), "name", "reserved"),
        (variant(name=7), "name", "text"),
        (variant(cadence_s=0.0), "cadence", "cadence_s"),
        (variant(budget_s=float("nan")), "cadence", "budget_s"),
        (variant(advise=7), "advise", "not callable"),
        (variant(say=lambda self, s: None), "advise", "NoneType"),
        (variant(say=lambda self, s: sys.exit(1)), "advise", "SystemExit"),
        (variant(say=write), "advise", "read-only"),
        (variant(say=smuggle), "advise", "changed the snapshot"),
        (variant(say=lambda self, s: Advice((self.calls,))), "requests", "int is no request"),
        (asks(junction="Z"), "requests", "unknown junction"),
        (asks(stage="Z"), "requests", "no stage"),
        (asks(junction="B"), "requests", "takes only plans"),
        (asks(brain="other"), "requests", "in the name of 'other'"),
        (asks(priority=11), "requests", "priority"),
        (asks(expires_s=float("inf")), "requests", "finite"),
        (asks(expires_s=-1.0), "requests", "expires_s"),
        (asks(expires_s=1000.0), "requests", "at most 30 s"),
        (variant(say=lambda self, s: Advice((PlanRequest("B", (5.0,), 0.0, 0.0, s.time_s + 60, "trial"),))),
         "requests", "1 durations for 2 steps"),
        (variant(say=lambda self, s: Advice(alerts=(ALERT, Alert("k", Severity.INFO, "t", "d", 0.0, "x")))),
         "alerts", "in the name of 'x'"),
        (variant(say=lambda self, s: Advice(explanations={"Z": {}})), "explanations", "unknown junction"),
        (variant(say=lambda self, s: Advice(explanations={"A": {"o": object()}})), "explanations", "JSON"),
        (variant(say=lambda self, s: Advice(explanations={"A": {"n": np.random.default_rng().random()}})),
         "same-again", "other advice"),
        (variant(say=lambda self, s: Advice(explanations={"A": {"n": time.perf_counter()}})),
         "same-again", "other advice"),
        (variant(budget_s=1e-9), "budget", "budget"),
        (variant(say=need_signals), "empty-snapshot", "AssertionError"),
        (variant(say=need_fresh), "stale-snapshot", "AssertionError"),
        (variant(say=only_forward), "time-jump", "AssertionError"),
    ],
)  # fmt: skip
def test_each_check_finds_what_it_is_for(brain, check, words):
    found = failing(brain)
    assert check in found
    assert words in found[check]
    with pytest.raises(AssertionError, match=check):
        require(check_brain(lambda context: brain(context.city)))


def test_a_brain_that_cannot_be_made_is_one_finding():
    [finding] = check_brain(lambda context: 1 / 0)
    assert (finding.check, finding.ok) == ("create", False)
    assert "ZeroDivisionError" in finding.detail


class Feed:
    name, cadence_s, stale_after_s = "trial", 1.0, 3.0

    def __init__(self, data=()):
        self.data = data

    def poll(self, now_s):
        if isinstance(self.data, Exception):
            raise self.data
        return self.data

    def close(self):
        pass


def test_feeds():
    require(check_feed(Feed([sandbox_detections(sandbox_city(), 0.0)])))
    require(check_feed(Feed(NotFoundError("the source is dead"))))
    for bad, check in [
        (Feed(["text"]), "poll"), (Feed(KeyError("x")), "poll"), (object(), "protocol"),
        (type("F", (Feed,), {"stale_after_s": -1})(), "cadence"),
        (type("F", (Feed,), {"name": "X"})(), "name"),
    ]:  # fmt: skip
        assert check in [finding.check for finding in check_feed(bad) if not finding.ok]


class Actuator:
    name, dry_run = "trial", True

    def apply(self, requests, now_s):
        return [Verdict(Outcome.ACCEPTED, "actuator", "dry-run", "", now_s) for _ in requests]

    def heartbeat(self, now_s):
        pass

    def close(self):
        pass


def test_actuators():
    require(check_actuator(Actuator()))
    sent = []
    wet = type("A", (Actuator,), {"dry_run": False, "apply": lambda self, r, n: sent.append(r)})()
    mute = type("A", (Actuator,), {"apply": lambda self, r, n: []})()
    for bad, check in [(wet, "dry-run"), (mute, "apply"), (object(), "protocol")]:
        assert check in [finding.check for finding in check_actuator(bad) if not finding.ok]
    assert sent == []  # a check never sends to a street


def test_rooms_are_checked_in_a_process_of_their_own(site):
    site("import os\ndef create(context):\n    os._exit(9)\n", "killer = {module}")
    findings = conformance.check_room_apart(get_room("brains", "killer"))
    assert [(f.check, f.ok) for f in findings] == [("process", False)]
    assert "exit status 9" in findings[0].detail


def test_checks_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "civicbrain.contracts.conformance", "brains", "signals", "/dev/null"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
