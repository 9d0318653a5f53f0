"""Brains that raise, hang, overrun, exit, hoard or return garbage: the loop and the others go on."""

from __future__ import annotations

import os
import signal
import time

import msgspec
import pytest

from civicbrain.city.incidents import Incident, IncidentKind, Place
from civicbrain.city.store import Store
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Advice, Alert, Severity
from civicbrain.contracts.rooms import get_room
from civicbrain.contracts.sandbox import sandbox_detections, sandbox_signals
from civicbrain.core.errors import BrainError, NotFoundError
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime import loop as loop_module
from civicbrain.runtime.health import Answer, Backoff, Record
from civicbrain.runtime.hosts import InlineHost, ProcessHost
from civicbrain.runtime.loop import Loop


class Door:
    name = "door"
    dry_run = False

    def __init__(self):
        self.requests = []
        self.beats = 0

    def apply(self, requests, now_s):
        self.requests += requests
        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s) for _ in requests]

    def heartbeat(self, now_s):
        self.beats += 1

    def close(self):
        pass


def make_loop(city, hosts):
    door = Door()
    return Loop(city, Store(city), Guard(city, Ledger(None), door), hosts), door


def data(city, now_s):
    return [sandbox_detections(city, now_s), sandbox_signals(city, now_s)]


def run(loop, city, seconds, start_s=100.0):
    """Tick once a platform second; returns all alerts."""
    alerts = []
    for second in range(seconds):
        now_s = start_s + second
        alerts += loop.tick(data(city, now_s), now_s).alerts
    return alerts


def inline(name, city, **options):
    return InlineHost.from_room(name, city, options=options)


# -- inline


def test_inline_brain_is_asked_at_its_cadence_and_heard(brains_on_trial, disk_city):
    loop, door = make_loop(disk_city, [inline("good", disk_city, spice=1)])
    run(loop, disk_city, 10)
    assert len(door.requests) == 20
    assert door.beats == 10
    assert len(loop.decision_ms) == 10
    assert loop.explanations["A"] == {"calls": 10, "seen": 40, "options": {"spice": 1}}
    [health] = loop.health(109.0)
    assert (health.state, health.runs, health.failures, health.last_run_s) == ("running", 10, 0, 109.0)
    assert [v.outcome for v in loop.verdicts] == [Outcome.ACCEPTED] * 2


@pytest.mark.parametrize("name", ["raiser", "leaver", "garbage", "thief", "writer"])
def test_inline_failures_are_isolated_shown_and_retried_with_back_off(brains_on_trial, disk_city, name):
    loop, door = make_loop(disk_city, [inline(name, disk_city), inline("good", disk_city)])
    alerts = run(loop, disk_city, 64)
    assert {request.brain for request in door.requests} == {"good"}
    assert len(door.requests) == 128
    bad, good = loop.health(163.0)
    assert bad.failures == 7  # at 0, 1, 3, 7, 15, 31, 63 s
    assert bad.state == "backing-off"
    assert bad.retry_in_s == pytest.approx(60.0)
    assert bad.last_error
    assert good.failures == 0
    assert alerts[0].severity is Severity.CRITICAL
    assert alerts[0].title == f"The brain “{name}” has failed"
    assert [e.kind for e in loop.guard.ledger.page(0, 99)].count("brain-failed") == 7
    assert list(loop.open_alerts) == [f"runtime/brain-{name}"]


def test_a_brain_that_recovers_is_said_to(disk_city, brains_on_trial):
    host = inline("good", disk_city)
    broken = True

    def sometimes(brain, snapshot):
        if broken:
            raise ValueError("bad day")

    host._brain.does = sometimes
    host._remake = None
    loop, _ = make_loop(disk_city, [host])
    run(loop, disk_city, 3)
    last_error = loop.health(103.0)[0].last_error
    assert last_error.startswith("ValueError: bad day (test_hosts_and_loop.py, line ")
    broken = False
    alerts = run(loop, disk_city, 5, start_s=103.0)
    assert [(a.severity, a.title) for a in alerts] == [(Severity.INFO, "The brain “good” works again")]
    assert loop.open_alerts == {}


def test_overruns_inline_change_no_result(brains_on_trial, disk_city):
    host = inline("sleeper", disk_city)
    loop, door = make_loop(disk_city, [host])
    run(loop, disk_city, 2)
    assert len(door.requests) == 4
    assert loop.health(101.0)[0].overruns == 2
    assert loop.health(101.0)[0].failures == 0


def test_two_runs_over_the_same_data_give_the_same_record(brains_on_trial, disk_city):
    def record():
        loop, _ = make_loop(disk_city, [inline("raiser", disk_city), inline("good", disk_city)])
        run(loop, disk_city, 30)
        return [(e.kind, e.time_s, e.body) for e in loop.guard.ledger.page(0, 1000)]

    assert record() == record()


def test_time_going_back_starts_over(brains_on_trial, disk_city):
    loop, door = make_loop(disk_city, [inline("good", disk_city)])
    run(loop, disk_city, 5, start_s=1000.0)
    loop.tick(data(disk_city, 100.0), 100.0)
    assert loop.explanations["A"]["calls"] == 1  # a fresh brain
    assert door.requests[-1].expires_s == 110.0
    assert loop.last_snapshot.detections.end_s == 100.0
    assert [v.rule for v in loop.verdicts] == ["accepted", "accepted"]


def test_switching_a_brain_off_and_on(brains_on_trial, disk_city):
    loop, door = make_loop(disk_city, [inline("good", disk_city)])
    run(loop, disk_city, 2)
    loop.switch_brain("good", False, actor="maria", reason="road works", now_s=102.0)
    run(loop, disk_city, 2, start_s=102.0)
    assert len(door.requests) == 4
    assert loop.health(103.0)[0].state == "off"
    assert loop.explanations == {}
    loop.switch_brain("good", True, actor="maria", reason="", now_s=104.0)
    run(loop, disk_city, 1, start_s=104.0)
    assert len(door.requests) == 6
    with pytest.raises(NotFoundError):
        loop.switch_brain("none", True, actor="maria", reason="", now_s=104.0)


def test_what_was_let_through_is_known_to_all_until_it_expires(brains_on_trial, disk_city):
    """The brain asks for the second stage of both junctions each second; a request holds for 5 s."""
    loop, _ = make_loop(disk_city, [inline("good", disk_city)])
    assert loop.store.snapshot(99.0).asked.tolist() == [-1, -1]
    run(loop, disk_city, 3)
    assert loop.store.snapshot(103.0).asked.tolist() == [1, 1]
    assert loop.store.snapshot(200.0).asked.tolist() == [-1, -1]


def test_what_was_refused_was_not_asked(brains_on_trial, disk_city):
    loop, door = make_loop(disk_city, [inline("good", disk_city)])
    door.apply = lambda requests, now_s: [Verdict(Outcome.REFUSED, "c", "no", "", now_s) for _ in requests]
    run(loop, disk_city, 3)
    assert loop.store.snapshot(103.0).asked.tolist() == [-1, -1]


def test_no_snapshot_is_made_when_nobody_asks(disk_city):
    loop, _ = make_loop(disk_city, [])
    loop.store.snapshot = None
    run(loop, disk_city, 2)


def test_rooms_that_cannot_be_made_say_why(brains_on_trial, disk_city):
    with pytest.raises(BrainError, match="no model file"):
        inline("unmade", disk_city)
    with pytest.raises(BrainError, match="calls itself 'somebody-else'"):
        inline("misnomer", disk_city)
    assert get_room("brains", "good").source == "brains-on-trial"


def test_back_off_doubles_to_a_minute_and_forgives():
    backoff = Backoff()
    now_s, delays = 0.0, []
    for _ in range(9):
        delays.append(backoff.failed(now_s) - now_s)
        now_s = backoff.until_s
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert backoff.failed(now_s + 61.0) - (now_s + 61.0) == 1.0


# -- in a process

EVER_S = 120.0


def drive(loop, city, until, *, start_s=100.0, step_s=0.05, ever_s=EVER_S):
    """Tick in real time (platform time = wall time) until `until(loop)`; returns the longest tick in s."""
    begin = time.monotonic()
    longest = 0.0
    while time.monotonic() - begin < ever_s:
        now_s = start_s + time.monotonic() - begin
        start = time.monotonic()
        loop.tick(data(city, now_s), now_s)
        longest = max(longest, time.monotonic() - start)
        if until(loop):
            return longest
        time.sleep(step_s)
    pytest.fail(f"never happened; {loop.health(0.0)}")


@pytest.fixture
def hosted(brains_on_trial, sandbox_folder, disk_city):
    """hosted(names…) -> (loop, door) of process hosts that are ready."""
    loops = []

    def make(*names, **options):
        hosts = [ProcessHost(name, sandbox_folder, **options) for name in names]
        loop, door = make_loop(disk_city, hosts)
        loops.append(loop)
        return loop, door

    yield make
    for loop in loops:
        loop.close()


def running(*names):
    return lambda loop: all(loop.hosts[name].record.runs >= 3 for name in names)


@pytest.mark.quiet
def test_process_brain_is_asked_and_heard(hosted, disk_city):
    loop, door = hosted("good", options={"spice": 2})
    assert loop.health(0.0)[0].state == "starting"
    drive(loop, disk_city, running("good"))
    assert {r.junction for r in door.requests} == {"A", "B"}
    assert loop.explanations["A"]["seen"] == 40
    assert loop.explanations["A"]["options"] == {"spice": 2}
    [health] = loop.health(0.0)
    assert (health.state, health.failures, health.cadence_s, health.budget_s) == ("running", 0, 1.0, 1.0)


WAYS_TO_FAIL = {
    "raiser": "ZeroDivisionError: by hand",
    "hanger": "did not answer within 1 s",
    "exiter": "exit status 7",
    "leaver": "exit",
    "garbage": "returned a dict",
    "secret": "object is nothing that JSON",
    "thief": "speaks in the name of 'operator'",
    "writer": "read-only",
    "unmade": "no model file",
    "none-such": "no brain 'none-such'",
}


@pytest.mark.quiet
def test_process_failures_are_isolated_while_a_good_brain_goes_on(hosted, disk_city):
    loop, door = hosted("good", *WAYS_TO_FAIL)
    longest_s = drive(
        loop,
        disk_city,
        lambda loop: all(loop.hosts[name].record.failures for name in WAYS_TO_FAIL) and running("good")(loop),
        ever_s=180,
    )
    for name, words in WAYS_TO_FAIL.items():
        assert words in loop.hosts[name].record.last_error
        assert f"runtime/brain-{name}" in loop.open_alerts
    assert {request.brain for request in door.requests} == {"good"}
    assert loop.hosts["good"].record.failures == 0
    assert longest_s < 1.5  # the loop did not wait for any of them


def test_a_brain_that_failed_is_started_again_with_growing_waits(hosted, disk_city):
    loop, _ = hosted("exiter")
    drive(loop, disk_city, lambda loop: loop.hosts["exiter"].record.failures >= 2)
    [health] = loop.health(0.0)
    assert health.state == "backing-off"
    assert 1.0 < health.retry_in_s <= 2.0


def test_a_hoarder_is_stopped_before_it_takes_the_machine(hosted, disk_city):
    loop, _ = hosted("hoarder", memory_mb=1000)
    drive(loop, disk_city, lambda loop: loop.hosts["hoarder"].record.failures >= 1)
    reason = loop.hosts["hoarder"].record.last_error
    assert "MemoryError" in reason or "killed" in reason  # whichever limit it meets first


@pytest.mark.quiet
def test_late_advice_is_counted_and_still_used(hosted, disk_city):
    loop, door = hosted("sleeper")
    drive(loop, disk_city, running("sleeper"))
    record = loop.hosts["sleeper"].record
    assert record.overruns == record.runs
    assert record.failures == 0
    assert door.requests


def test_kill_9_of_a_brain_is_noticed_and_it_comes_back(hosted, disk_city):
    loop, _ = hosted("good")
    drive(loop, disk_city, running("good"))
    os.kill(loop.hosts["good"].pid, signal.SIGKILL)
    drive(loop, disk_city, lambda loop: loop.hosts["good"].record.failures == 1, start_s=200.0)
    assert loop.health(0.0)[0].state == "backing-off"
    runs = loop.hosts["good"].record.runs
    drive(loop, disk_city, lambda loop: loop.hosts["good"].record.runs > runs, start_s=300.0)
    assert loop.open_alerts == {}


@pytest.mark.quiet
def test_stopped_brain_does_not_block_the_loop(hosted, disk_city):
    loop, _ = hosted("good")
    drive(loop, disk_city, running("good"))
    os.kill(loop.hosts["good"].pid, signal.SIGSTOP)
    longest_s = drive(loop, disk_city, lambda loop: loop.hosts["good"].record.failures == 1, start_s=200.0)
    assert longest_s < 1.5


@pytest.mark.quiet
def test_time_going_back_makes_a_fresh_brain(hosted, disk_city):
    loop, _ = hosted("good")
    drive(loop, disk_city, running("good"), start_s=1000.0)
    runs = loop.hosts["good"].record.runs
    drive(loop, disk_city, lambda loop: loop.hosts["good"].record.runs > runs, start_s=100.0)
    assert loop.explanations["A"]["calls"] == 1
    assert loop.hosts["good"].record.failures == 0


def test_closing_ends_the_child(hosted, disk_city):
    loop, _ = hosted("good", "hanger")
    pids = [host.pid for host in loop.hosts.values()]
    loop.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert loop.tick([], 1.0).requests == ()


# -- more alerts than there is room for


class Crier:
    """A host whose brain says as many alerts as it is told to."""

    name, enabled = "crier", True

    def __init__(self):
        self.says, self.record = 0, Record()

    def step(self, now_s, snapshot):
        alerts = tuple(
            Alert(f"a{number}", Severity.WARNING, "t", "", now_s, self.name) for number in range(self.says)
        )
        return Answer(Advice(alerts=alerts), 0.1)

    def reset(self):
        pass


def test_alerts_that_find_no_room_are_counted_and_said(disk_city, monkeypatch):
    monkeypatch.setattr(loop_module, "MAX_OPEN_ALERTS", 5)
    crier = Crier()
    loop, _ = make_loop(disk_city, [crier])
    crier.says = 8
    [*taken, own] = loop.tick([], 100.0).alerts
    assert [alert.key for alert in taken] == ["a0", "a1", "a2", "a3", "a4"]
    assert (own.key, own.severity, own.brain) == ("alerts-lost", Severity.CRITICAL, "runtime")
    assert loop.alerts_lost == 3
    assert "runtime/alerts-lost" in loop.open_alerts  # the loop's own always find room
    crier.says = 2
    assert [a.key for a in loop.tick([], 101.0).alerts] == []
    crier.says = 0
    *ended, over = loop.tick([], 170.0).alerts
    assert [(a.key, a.ended_s) for a in ended] == [
        ("a0", 101.0), ("a1", 101.0), ("a2", 100.0), ("a3", 100.0), ("a4", 100.0)
    ]  # fmt: skip
    assert (over.key, over.severity) == ("alerts-lost", Severity.INFO)
    assert (loop.alerts_lost, loop.open_alerts) == (3, {})


def test_the_alert_of_an_incident_ends_with_it_at_once(disk_city):
    place = Place(0.0, 0.0)
    said = Incident("crier-1", IncidentKind.CRASH, place, 0.9, 90.0, 95.0, 100.0)
    crash = Alert(said.id, Severity.CRITICAL, "Crash", "", 100.0, "crier")
    crier = Crier()
    advices = [
        Advice(alerts=(crash,), incidents=(said,)),
        Advice(incidents=(msgspec.structs.replace(said, updated_s=102.0, cleared_s=102.0),)),
    ]
    crier.step = lambda now_s, snapshot: Answer(advices.pop(0), 0.1)
    loop, _ = make_loop(disk_city, [crier])
    loop.tick([], 100.0)
    assert list(loop.open_alerts) == ["crier/crier-1"]
    assert [(a.key, a.ended_s) for a in loop.tick([], 102.0).alerts] == [("crier-1", 100.0)]
    assert loop.open_alerts == {}
