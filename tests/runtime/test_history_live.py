"""History beside a live city: it is there by default, and a kill costs the open minute and nothing else."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.append(str(Path(__file__).parent))
from live_city import LiveCity

from civicbrain.contracts.transport import HISTORY_CMD, Client
from civicbrain.runtime.history.question import Answer, Question
from civicbrain.runtime.history.wire import Ask

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
SPEED = 30.0
MODULE = "civicbrain.runtime.history.server"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    city = LiveCity(tmp_path_factory.mktemp("hist") / "r", "--speed", f"{SPEED:g}", "--control", "fixed")
    city.wait_for_start()
    yield city
    city.close()


def history_pid(live: LiveCity) -> int | None:
    found = [pid for pid, words in live.processes() if MODULE in words]
    return found[0] if found else None


def ask(live: LiveCity, minutes: int) -> Answer | None:
    """The city's queue by minute from the beginning on, None while nobody answers."""
    client = Client(live.run_dir, HISTORY_CMD)
    question = Question(indicator="queue_veh", start=EPOCH, end=EPOCH + timedelta(minutes=minutes))
    reply = client.ask(Ask(action="ask", question=question), 3.0)
    client.close()
    return msgspec.convert(reply.body, Answer) if reply.ok else None


def health(live: LiveCity) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{live.port}/v1/health", timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def known(live: LiveCity, minutes: int = 30) -> list[int]:
    """Minutes of which something is known."""
    answer = ask(live, minutes)
    return [n for n, value in enumerate(answer.mean[0]) if value is not None] if answer else []


def test_history_is_kept_by_default_and_told_in_health(live: LiveCity) -> None:
    live.eventually(lambda: len(known(live)) >= 2, 60)
    live.eventually(lambda: health(live)["history"]["minutes"] >= 2, 10)
    told = health(live)["history"]
    assert told["answering"]
    assert (told["failed"], told["shed"]) == (0, {})


def test_a_kill_costs_one_minute_at_most_and_the_city_runs_on(live: LiveCity) -> None:
    live.eventually(lambda: len(known(live)) >= 2, 60)
    twin, brain, killed = live.pid("twin"), live.pid("brain"), history_pid(live)
    assert killed is not None
    before = known(live)
    os.kill(killed, signal.SIGKILL)
    away_s = live.eventually(lambda: history_pid(live) not in (None, killed), 20)
    away_s += live.eventually(lambda: ask(live, 30) is not None, 20)
    live.eventually(lambda: known(live)[-1:] > [before[-1] + 2], 90)
    after = known(live)
    assert set(before) <= set(after)
    missing = set(range(after[0], after[-1] + 1)) - set(after)
    # what waits for it is 120 samples, one a simulated second; a start may take longer
    assert len(missing) <= 1 + math.ceil(max(0.0, SPEED * away_s - 120.0) / 60.0)
    assert (live.pid("twin"), live.pid("brain")) == (twin, brain)
    assert health(live)["history"]["run"] == 1
    assert not list((live.run_dir / "history").rglob("*.part"))


def test_a_hung_history_holds_nobody_up(live: LiveCity) -> None:
    pid = history_pid(live)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        first = live.state()
        live.eventually(lambda: live.state().time_s > first.time_s + 100, 60)
        live.eventually(lambda: not health(live)["history"]["answering"], 20)
        live.eventually(lambda: health(live)["status"] == "degraded", 20)
    finally:
        os.kill(pid, signal.SIGCONT)
    live.eventually(lambda: health(live)["history"]["answering"], 20)
