"""A live city from the first check to the last child: what `civicbrain run` does."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from civicbrain.city.model import City
from civicbrain.contracts.transport import (
    BRAIN_PUB,
    CASES_PUB,
    HISTORY_PUB,
    TWIN_PUB,
    decode,
    open_subscriber,
    receive,
)
from civicbrain.contracts.wire import SIGNALS_TOPIC, STATE_TOPIC, STATUS_TOPIC, CityState, TwinStatus
from civicbrain.core.time import to_local
from civicbrain.runtime.cases.procedures import load_procedures
from civicbrain.runtime.cases.reporters import load_reporters
from civicbrain.runtime.cases.wire import STATUS_TOPIC as CASES_TOPIC
from civicbrain.runtime.configuration import (
    ApiTable,
    RunConfiguration,
    load_configuration,
    parse_configuration,
)
from civicbrain.runtime.control import require_live
from civicbrain.runtime.history.wire import STATUS_TOPIC as HISTORY_TOPIC
from civicbrain.runtime.login.store import LoginStore
from civicbrain.runtime.page_stamp import HOW_TO_BUILD, is_stale
from civicbrain.runtime.rundir import LEDGER_FILE, RunDir, default_run_dir
from civicbrain.runtime.supervise import Child, Supervisor, check_port

DEFAULT_WARMUP_S = 300.0
DEFAULT_WARMUP_WALL_S = 4.0
"""A map that moves soon is worth more than a full one."""

CHECK_EVERY_S = 0.1
HUNG_AFTER_S = 30.0
"""A process that has worked and then publishes nothing for so long hangs. Twin and brain speak each second;
the longest pause of a healthy one, the twin's end of a window, takes seconds."""

STARTING_AT_MOST_S = 300.0
"""The same for one that has been started again: a large city takes long to load."""

HISTORY_NICE = 5


@dataclass(frozen=True)
class LiveOptions:
    """configuration: everything that a file can say, with the command line's word over it. config: that file.
    warmup_s: None: 300 s, but no longer than 4 s of wall time."""

    configuration: RunConfiguration
    config: Path | None = None
    warmup_s: float | None = None
    run_dir: Path | None = None


def live_options(
    given: Mapping[str, Mapping[str, object]], *, config: Path | None = None, run_dir: Path | None = None
) -> LiveOptions:
    """Options from a configuration file and what was given besides (table -> key -> value, None = not given).
    Raises ConfigurationError."""
    base = load_configuration(config) if config else RunConfiguration()
    table: dict[str, Any] = base.model_dump(exclude_unset=True)
    for name, values in given.items():
        table.setdefault(name, {}).update({key: value for key, value in values.items() if value is not None})
    merged = parse_configuration(table, "command line")
    warmup_s = merged.run.warmup_s if "warmup_s" in merged.run.model_fields_set else None
    return LiveOptions(merged, config.absolute() if config else None, warmup_s, run_dir)


class Terminal:
    """What a person at the terminal reads: one line a fact, with the seconds since the start."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._start = time.monotonic()

    def say(self, name: str, text: str) -> None:
        seconds = time.monotonic() - self._start
        self._console.print(f"[dim]{seconds:6.1f} s[/dim]  [bold]{name:<6}[/bold]  ", end="")
        self._console.print(text, markup=False)


def run_live(source: str, options: LiveOptions) -> None:
    """Run a city until SIGINT or SIGTERM. Raises CivicBrainError for everything the reader can put right;
    the port and the control are checked before anything is imported or started."""
    terminal = Terminal()
    configuration = options.configuration
    check_port(configuration.api.host, configuration.api.port)
    require_live(configuration.run.control)
    terminal.say("city", f"opening {source}")
    from civicbrain.twin.importing import resolve_scenario

    city = resolve_scenario(source)
    demand = city.demand
    terminal.say(
        "city",
        f"{city.name}: {len(city.junctions)} signal junctions, {len(city.network.lanes.ids)} lanes, "
        f"{_clock(city, demand.begin_s)} to {_clock(city, demand.end_s)}",
    )
    check_cases(city, configuration)
    check_login(configuration, options.run_dir)
    run_dir = RunDir(options.run_dir or default_run_dir(city.name))
    run_dir.clean()
    terminal.say("run", f"folder {run_dir.path} (ledger, logs, sockets)")
    stop = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    supervisor = Supervisor(run_dir.path, children(city, options, run_dir.path), terminal.say)
    try:
        terminal.say("run", "starting the twin (SUMO), the brain and the API, each in a process of its own")
        supervisor.start()
        _watch(city, configuration.api, supervisor, terminal, stop)
        terminal.say("run", "ending all processes")
    finally:
        supervisor.stop()
        run_dir.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    terminal.say("run", f"ended; the ledger stays: civicbrain ledger verify {run_dir.path / LEDGER_FILE}")


def children(city: City, options: LiveOptions, run_dir: Path) -> list[Child]:
    """The processes of a live city, with what each is told; the twin first."""
    run, twin, api = options.configuration.run, options.configuration.twin, options.configuration.api
    place = ["--city", str(city.folder), "--run-dir", str(run_dir)]
    seed = ["--seed", str(run.seed)]
    warmup = ["--warmup", str(DEFAULT_WARMUP_S), "--warmup-wall", str(DEFAULT_WARMUP_WALL_S)]
    if options.warmup_s is not None:
        warmup = ["--warmup", str(options.warmup_s)]
    sensing = [
        "--sensing", twin.sensing, "--coverage", str(twin.coverage), "--latency", str(twin.latency_s),
        "--miss-rate", str(twin.miss_rate), "--range", str(twin.range_m),
        *(["--sees-inside"] if twin.sees_inside else []),
    ]  # fmt: skip
    config = ["--config", str(options.config)] if options.config else []
    playback = options.configuration.playback
    kept = ["--playback-hours", str(playback.hours), "--playback-gb", str(playback.most_gb)]
    place_of_api = ["--host", api.host, "--port", str(api.port)]
    tiles = ["--tile-url", api.tile_url] if api.tile_url else []
    if api.studies_dir:
        tiles += ["--studies-dir", str(Path(api.studies_dir).expanduser().absolute())]
    login = ["--login", str(options.configuration.login.path(options.run_dir))]
    return [
        Child(
            "twin", "civicbrain.twin.server", [*place, *seed, *warmup, "--speed", str(run.speed), *sensing]
        ),
        Child("brain", "civicbrain.runtime.server", [*place, *seed, "--control", run.control, *config]),
        Child("api", "civicbrain.api.server", [*place, *place_of_api, *tiles, *kept, *login, *config]),
        *_history(options.configuration, [*place, *config]),
        *_cases(options.configuration, [*place, *config]),
    ]


def check_cases(city: City, configuration: RunConfiguration) -> None:
    """Procedures, reporters and secrets, before anything starts. Raises ConfigurationError with file and
    line: the cases process could only die of it, again and again."""
    if configuration.cases.enabled:
        load_procedures(city.folder)
        load_reporters(configuration.cases.reporters_file, configuration.cases.reports_per_min)
        configuration.notices.hooks()
        configuration.notices.relay()


def check_login(configuration: RunConfiguration, run_dir: Path | None) -> None:
    """Users' file and the provider's secret, before anything starts. Raises ConfigurationError."""
    if configuration.login.provider is not None:
        configuration.login.provider.secret()
    path = configuration.login.path(run_dir)
    if path.exists():
        LoginStore(path).close()


def _cases(configuration: RunConfiguration, arguments: list[str]) -> list[Child]:
    """Signals are controlled whether or not anybody can work on cases."""
    if not configuration.cases.enabled:
        return []
    return [Child("cases", "civicbrain.runtime.cases.server", arguments, essential=False)]


def _history(configuration: RunConfiguration, arguments: list[str]) -> list[Child]:
    """A city is run without its past rather than not at all; and the past waits for the present."""
    if not configuration.history.enabled:
        return []
    module = "civicbrain.runtime.history.server"
    return [Child("history", module, arguments, essential=False, nice=HISTORY_NICE)]


def _watch(
    city: City, api: ApiTable, supervisor: Supervisor, terminal: Terminal, stop: threading.Event
) -> None:
    """Supervise until told to stop, and say once when each process works."""
    # lamps are published from the end of the warm-up on
    twin = open_subscriber(supervisor.run_dir, TWIN_PUB, [STATUS_TOPIC, SIGNALS_TOPIC])
    brain = open_subscriber(supervisor.run_dir, BRAIN_PUB, [STATE_TOPIC])
    history = open_subscriber(supervisor.run_dir, HISTORY_PUB, [HISTORY_TOPIC])
    cases = open_subscriber(supervisor.run_dir, CASES_PUB, [CASES_TOPIC])
    children = {child.name: child for child in supervisor.children}
    lamps = moving = announced = False
    heard = {name: time.monotonic() for name in ("twin", "brain", "history", "cases") if name in children}
    try:
        while not stop.wait(CHECK_EVERY_S):
            supervisor.check()
            for topic, body in receive(twin):
                heard["twin"] = time.monotonic()
                if not children["twin"].ready:
                    children["twin"].ready = True
                    terminal.say("twin", "SUMO runs; warming up at full speed")
                if topic == SIGNALS_TOPIC:
                    lamps = True
                elif lamps and not moving:
                    moving = True
                    status = decode(TwinStatus, body)
                    on_road = f"{status.running} vehicles on the road"
                    terminal.say("twin", f"{_clock(city, status.time_s)}, {on_road}")
            for frames in receive(brain):
                state = decode(CityState, frames[-1])
                heard["brain"] = time.monotonic()
                if not children["brain"].ready:
                    children["brain"].ready = True
                    terminal.say("brain", f"in the loop, control {state.control}")
            for _ in receive(history):
                heard["history"] = time.monotonic()
                children["history"].ready = True
            for _ in receive(cases):
                heard["cases"] = time.monotonic()
                children["cases"].ready = True
            for name, last in heard.items():
                _kill_if_hung(supervisor, children[name], last)
            if not children["api"].ready and _answers(api.host, api.port):
                children["api"].ready = True
                terminal.say("api", "answers")
            if not announced and all(c.ready or not c.essential for c in children.values()) and moving:
                announced = True
                terminal.say("run", f"control room: {api.url or _url(api)}   (Ctrl-C ends everything)")
                if is_stale():
                    said = f"its page was built from other sources: {HOW_TO_BUILD}"
                    terminal.say("run", said)
                if api.host not in ("127.0.0.1", "::1", "localhost"):
                    terminal.say("run", f"open to others: {_ways_in(supervisor.run_dir)}")
    finally:
        twin.close()
        brain.close()
        history.close()
        cases.close()


def _kill_if_hung(supervisor: Supervisor, child: Child, heard: float) -> None:
    """heard: reading of the monotonic clock when the child last spoke."""
    if child.process is None or not child.ready:
        return
    spoke = heard > child.started
    allowed_s = HUNG_AFTER_S if spoke else STARTING_AT_MOST_S
    if time.monotonic() - (heard if spoke else child.started) > allowed_s:
        supervisor.restart(child.name, f"silent for {allowed_s:g} s")


def _ways_in(run_dir: Path) -> str:
    token = run_dir / "api.token"
    if token.exists():
        return f"log in by name, or with the token in {token}"
    return "log in by name; `civicbrain user list` lists the users"


def _answers(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared
    try:
        with socket.create_connection((target, port), timeout=0.2):
            return True
    except OSError:
        return False


def _url(api: ApiTable) -> str:
    host, scheme = api.host, "https" if api.certificate else "http"
    if host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::"):  # noqa: S104 - compared
        host = "localhost"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{api.port}"


def _clock(city: City, time_s: float) -> str:
    return to_local(city.epoch, city.zone, time_s).strftime("%H:%M:%S")
