"""The brain process: the loop over what the twin publishes, and the commands of the API.

    python -m civicbrain.runtime.server --city DIR --run-dir DIR [--seed N] [--control NAME]

Each status of the twin closes a frame; the loop ticks on it, and the twin is told that the frame is answered.
Without frames a heartbeat goes out each wall second, so that a paused twin knows of us. CityState is
published at most twice, at least once a wall second; alerts when they change. It waits for no other process:
a silent twin raises one alert, and the API is answered as ever.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import msgspec
import structlog
import zmq

from civicbrain import __version__
from civicbrain.actuators.twin import TwinActuator
from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.contracts.feed import Datum
from civicbrain.contracts.transport import (
    BRAIN_CMD,
    BRAIN_PUB,
    TWIN_CMD,
    Client,
    open_publisher,
    open_responder,
    publish,
    receive,
)
from civicbrain.contracts.wire import (
    ALERT_TOPIC,
    INCIDENT_TOPIC,
    STATE_TOPIC,
    CityState,
    TwinCommand,
    TwinStatus,
    pack_array,
)
from civicbrain.core.errors import LedgerError, ServiceError
from civicbrain.core.sentences import Sentence, say
from civicbrain.feeds.twin import TwinFeed
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.baseline import Baseline
from civicbrain.runtime.cases.entry import CasesEntry
from civicbrain.runtime.commands import Commands
from civicbrain.runtime.configuration import RunConfiguration, load_configuration
from civicbrain.runtime.control import Control
from civicbrain.runtime.field import open_field
from civicbrain.runtime.history.sampler import Sampler
from civicbrain.runtime.indicators import JunctionDelay, MinuteFigures, RunFigures, to_indicators
from civicbrain.runtime.junctions import JunctionDesk
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.missions import MissionDesk
from civicbrain.runtime.overrides_left import read_left, supervisor, told_of
from civicbrain.runtime.rundir import LEDGER_FILE
from civicbrain.runtime.serving import serve_until_stopped
from civicbrain.runtime.transit import TransitDesk

HEARTBEAT_EVERY_S = 1.0
STATE_EVERY_S = 0.5
SLOWEST_STATE_S = 1.0
BRAIN_WAIT_S = 0.2
"""Wall time that a frame's answer waits for the brains; one that takes longer is heard in a later tick."""

SILENT_ALERT = "twin-silent"

_log = structlog.get_logger("civicbrain.runtime")


class BrainServer:
    """One live centre. `serve` runs until `stop`."""

    def __init__(
        self, city: City, run_dir: Path, seed: int, control: str, configuration: RunConfiguration
    ) -> None:
        self.city = city
        self.ledger = Ledger(run_dir / LEDGER_FILE)
        self.feed = TwinFeed(run_dir)
        self.actuator = TwinActuator(run_dir, dry_run=False)
        self.twin = Client(run_dir, TWIN_CMD)
        self.publisher = open_publisher(run_dir, BRAIN_PUB)
        self.responder = open_responder(run_dir, BRAIN_CMD)
        guard = Guard(city, self.ledger, self.actuator, configuration.guard.options())
        self.loop = Loop(city, Store(city), guard, [])
        self.control = Control(city, self.loop, self.tell_program, seed, control, configuration)
        self.missions = MissionDesk(city, self.loop, self.ledger, self.twin)
        self.transit = TransitDesk(city, self.loop)
        self.junctions = JunctionDesk(self)
        self.commands = Commands(self)
        self.baseline = Baseline(city, seed, run_dir)
        self.history = Sampler(city, run_dir if configuration.history.enabled else None)
        self.cases = CasesEntry(run_dir if configuration.cases.enabled else None)
        self.field = open_field(
            city, run_dir, configuration, self.loop, self.history.entry, self._alert_of_feed
        )
        self.figures, self.delay = RunFigures(), JunctionDelay(city)
        self.now_figures: MinuteFigures | None = None
        self.stopping = False
        self.time_s = city.demand.begin_s
        self.sequence = 0
        self.alerts: list[Alert] = []  # newest last, for late comers
        self._pending: list[Datum] = []
        self._answered: tuple[int, float] | None = None
        self._seen: TwinStatus | None = None
        self._heartbeat_at = self._state_at = self._program_at = self._ticked_at = 0.0
        self._twin_silent = False
        body: dict[str, object] = {
            "version": __version__,
            "city": city.name,
            "seed": seed,
            "control": control,
            "supervisor": supervisor(),
        }
        self._left, self._same_start = read_left(self.ledger, supervisor())
        self.ledger.append("start", "runtime", body, self.time_s)
        _log.info("started", control=control, ledger_entries=self.ledger.count)

    def serve(self) -> None:
        """Tick, publish and answer until told to stop."""
        poller = zmq.Poller()
        poller.register(self.feed.socket, zmq.POLLIN)
        poller.register(self.responder, zmq.POLLIN)
        while not self.stopping:
            wait_s = min(STATE_EVERY_S / 2, self.field.due_in_s())
            ready = dict(poller.poll(math.ceil(wait_s * 1000)))
            self._take_frames()
            self.field.step(self.platform_s())
            if self.responder in ready:
                self._answer_commands()
            self.commands.deliver()
            self.cases.flush()
            now = time.monotonic()
            if now - self._heartbeat_at >= HEARTBEAT_EVERY_S:
                self._heartbeat_at = now
                self.actuator.heartbeat(self.time_s)
            if now - self._state_at >= SLOWEST_STATE_S:
                self._publish_state(now)
            self.baseline.poll()

    def stop(self) -> None:
        self.stopping = True

    # -- the loop

    def _take_frames(self) -> None:
        """Tick once on everything that has come up to the newest status."""
        try:
            self._pending += self.feed.poll(self.time_s)
        except ServiceError as error:
            if not self._twin_silent:
                self._twin_silent = True
                self._raise(Severity.CRITICAL, say("twin-silent", "The twin does not answer"), error.message)
            return
        status = self.feed.status
        if status is None:
            return
        speaks = time.monotonic() - self.feed.last_message < self.feed.stale_after_s
        seen, self._seen = self._seen, status
        went_back = seen is not None and (status.run, status.time_s) < (seen.run, seen.time_s)
        if seen is not None and went_back:
            self._twin_silent = False
            text = f"its time went from {seen.time_s:g} s back to {status.time_s:g} s, its last checkpoint"
            detail = say("time-went-back", text, from_s=seen.time_s, to_s=status.time_s)
            self._raise(Severity.WARNING, say("twin-restarted", "The twin was started again"), detail)
            self._publish_alert(msgspec.structs.replace(self.alerts[-1], ended_s=self.time_s))  # it speaks
            self.cases.over("", SILENT_ALERT)
        elif self._twin_silent and speaks:
            self._twin_silent = False
            self._raise(Severity.INFO, say("twin-speaks", "The twin answers again"))
        self._keep_program(status)
        if self._answered == (status.run, status.time_s):
            return  # nothing new, or paused
        # the status closes a frame: what is later belongs to the next one (or to a run that is no more)
        frame = [datum for datum in self._pending if _time_s(datum) <= status.time_s]
        later = [datum for datum in self._pending if _time_s(datum) > status.time_s]
        self.now_figures = self.figures.update(status)
        if not frame:
            return  # the twin is warming up
        if self._answered is None:
            self.baseline.start()  # only now: it would slow down the start of the others
        elif (status.run, status.time_s) < self._answered or status.run != self._answered[0]:
            self.delay.reset()
            self.field.reset()
            later = []
            if status.time_s > self._answered[1]:
                # another run that is already further on: show the loop its beginning, so that it starts over
                self.loop.tick([], status.begin_s)
        self._pending = later
        self.loop.overrides.run = status.run
        self._take_up_overrides(status.time_s)
        self._tick(frame, status.time_s)
        self._answered = (status.run, status.time_s)
        self.twin.send(TwinCommand(action="answered", value=status.time_s))
        now = time.monotonic()
        self._heartbeat_at = now
        if now - self._state_at >= STATE_EVERY_S:
            self._publish_state(now)

    def _tick(self, frame: list[Datum], time_s: float) -> None:
        self.time_s, self._ticked_at = time_s, time.monotonic()
        frame = [self.field.without_spoken(one) if isinstance(one, Detections) else one for one in frame]
        if not self.field.speaks:
            for datum in frame:
                if isinstance(datum, Detections):
                    self.delay.fold(datum)
        news = [*self.missions.drain(), *self.cases.reports(time_s)]
        advices = [self.loop.tick([*frame, *news], time_s)]
        # a brain in its own process answers meanwhile: act on it now, not a second later (twice, because one
        # that was made afresh says so first)
        for _ in range(2):
            if not self.control.wait(BRAIN_WAIT_S, self._meanwhile):
                break
            advices.append(self.loop.tick([], time_s))
        for advice in advices:
            for alert in advice.alerts:
                self._publish_alert(alert)
            for incident in advice.incidents:
                publish(self.publisher, INCIDENT_TOPIC, incident)
                self.cases.incident(incident, time_s)
        self.cases.tick(self.loop.open_alerts, time_s, self.loop.alerts_lost)
        if self.field.speaks:
            self.delay.fold(self.snapshot().detections)
        self._hand_to_history(frame)

    def _take_up_overrides(self, now_s: float) -> None:
        """Once, as soon as the time is known: what the process before this one left open, for all to see."""
        left, self._left = self._left, []
        for override, why in self.loop.overrides.take_up(left, self._same_start, now_s):
            title, detail = told_of(override, why)
            key = f"override-{override.junction}"
            self._raise(Severity.WARNING, title, detail, key, override.junction)

    def platform_s(self) -> float:
        """Now: the twin's clock, carried on from its last tick at its own pace, for a second at most."""
        status = self.feed.status
        if status is None or status.paused or not self._ticked_at:
            return self.time_s
        return self.time_s + min((time.monotonic() - self._ticked_at) * status.measured_speed, 1.0)

    def _meanwhile(self) -> None:
        """While a brain thinks, cameras go on speaking."""
        self.field.step(self.platform_s())

    def _alert_of_feed(self, key: str, severity: Severity, title: Sentence, detail: Sentence | str) -> None:
        self._raise(severity, title, detail, key)

    def _hand_to_history(self, frame: list[Datum]) -> None:
        decisions, snapshot = self.loop.decision_ms, self.snapshot()
        if snapshot.time_s < self.time_s:  # no brain asked for one in this tick; people look all the same
            snapshot = self.loop.observe([], self.time_s)
        self.junctions.take(snapshot)
        self.history.fold(frame)
        self.history.take(
            snapshot,
            self.control.name,
            self.feed.status,
            self.now_figures,
            alerts_open=len(self.loop.open_alerts) + self._twin_silent,
            decision_ms=decisions[-1] if decisions else None,
            vitals={**self.junctions.counts(snapshot), "brains_running": self.junctions.brains_running()},
        )

    def _keep_program(self, status: TwinStatus) -> None:
        """A twin that has started again must be told when our controllers are to stay local."""
        now = time.monotonic()
        if status.program != self.control.twin_program and now - self._program_at >= 1.0:
            self.tell_program()

    def tell_program(self) -> None:
        """Have the twin's controllers follow the centre, or stay in their local plans."""
        self._program_at = time.monotonic()
        wanted = "central" if self.control.twin_program == "central" else "local"
        self.twin.send(TwinCommand(action="program", text=wanted))

    # -- what is told

    def state(self) -> CityState:
        """What the API and the map show."""
        snapshot = self.snapshot()
        status = self.feed.status
        junctions = self.delay.figures()
        now = self.now_figures or MinuteFigures(self.time_s, 0, 0.0, 0.0)
        staleness = dict(snapshot.staleness_s)
        staleness["twin"] = time.monotonic() - self.feed.last_message
        return CityState(
            time_s=self.time_s,
            sequence=self.sequence,
            control=self.control.name,
            brain_on=self.control.brain_on,
            indicators=to_indicators(now, status.stopped if status else 0, self.baseline.find(now.time_s)),
            brains=self.loop.health(self.time_s),
            staleness_s=staleness,
            junction_delay_s=pack_array(junctions.delay_s),
            junction_queue_veh=pack_array(junctions.queue_veh),
            junction_mode=pack_array(snapshot.signals.mode),
            junction_stage=pack_array(snapshot.signals.steady_stage),
            group_lamp=pack_array(snapshot.signals.lamps),
            twin=status,
            alerts_open=len(self.loop.open_alerts) + self._twin_silent,
            ledger_entries=self.ledger.count,
            baseline_progress=self.baseline.progress,
            intake=self.field.summary(self.platform_s()),
            missions=self.missions.list_under_way(),
            **self.junctions.vitals(snapshot),
        )

    def snapshot(self) -> Snapshot:
        """What the last tick knew."""
        return self.loop.last_snapshot or self.loop.snapshot(self.time_s)

    def _publish_state(self, now: float) -> None:
        self._state_at = now
        self.sequence += 1
        publish(self.publisher, STATE_TOPIC, self.state())

    def _raise(
        self, severity: Severity, title: Sentence, detail: Sentence | str = "", key: str = SILENT_ALERT,
        junction: str = "",
    ) -> None:  # fmt: skip
        """An alert of this process itself; it goes to the ledger, too."""
        self._publish_alert(Alert.of(key, severity, title, detail, self.time_s, "", junction))
        try:
            self.ledger.append("alert", "runtime", {"title": str(title), "detail": str(detail)}, self.time_s)
        except LedgerError as error:
            _log.error("not recorded", title=title.text, reason=error.message)

    def _publish_alert(self, alert: Alert) -> None:
        self.alerts = [*self.alerts[-999:], alert]
        publish(self.publisher, ALERT_TOPIC, alert)
        if alert.ended_s is not None:
            return  # the cases hear so of the alerts that stand
        _log.warning(
            "alert", key=alert.key, severity=str(alert.severity), title=alert.title, detail=alert.detail
        )
        self.cases.alert(alert)

    def publish_soon(self) -> None:
        """Something was changed by hand: whoever looks is to see it at once."""
        self._state_at = 0.0

    def _answer_commands(self) -> None:
        for frames in receive(self.responder):
            self.commands.take(frames)

    def close(self) -> None:
        self.commands.close()
        self.baseline.close()
        self.field.close()
        self.history.close()
        self.cases.close()
        self.loop.close()
        self.feed.close()
        self.actuator.close()
        self.twin.close()
        self.publisher.close()
        self.responder.close()
        self.ledger.close()


def _time_s(datum: Datum) -> float:
    """The frame a datum of the twin belongs to."""
    if isinstance(datum, Detections):
        return datum.end_s
    return datum.time_s if isinstance(datum, SignalStates) else -math.inf


def main() -> None:
    parser = argparse.ArgumentParser(description="run a city's brain as a process")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--control", default="brain")
    parser.add_argument("--config", type=Path)
    options = parser.parse_args()
    configuration = load_configuration(options.config) if options.config else RunConfiguration()
    server = BrainServer(
        load_city(options.city), options.run_dir, options.seed, options.control, configuration
    )
    serve_until_stopped(server)


if __name__ == "__main__":
    main()
