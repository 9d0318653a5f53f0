"""`Intake`: offer messages from any thread, take what is let in from the loop's.

Nothing here waits and nothing grows without bound: a message is decoded and authenticated when it is offered;
its rows are checked when they are taken, all together. Under overload the newest data of each source gets
in, the sources take turns, and what a queue cannot hold is shed, oldest first.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from civicbrain.city.intake.columns import Arrival, Frames, in_turn, join_frames, newest_that_fit, to_frames
from civicbrain.city.intake.counts import Counts, Reason
from civicbrain.city.intake.frames import MessageError, decode_message
from civicbrain.city.intake.keys import Keys
from civicbrain.city.intake.limits import Limits
from civicbrain.city.intake.meter import Meter
from civicbrain.city.intake.sources import Sources
from civicbrain.city.intake.views import Views
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.city.observations import Detections, LaneViews, VehicleClass
from civicbrain.city.store import MAX_DISTANCE_M, MAX_SPEED_MPS, MIN_DISTANCE_M

LONGEST_CREDIT_S = 0.25
"""Rows not taken may be made up for, this much at most: a loop that was held up must not be held up again."""

CALM_AFTER_S = 5.0
"""Shedding is over when nothing has been shed for so long."""

_log = logging.getLogger("civicbrain.city.intake")


class Receipt(msgspec.Struct, frozen=True):
    """What became of a message at the door. frames, rows: queued; what is in them is checked later and shows
    in the counters. unknown: frames of sources that the city does not have. error: "" or why nothing was
    taken, with `reason`, a `Reason`."""

    frames: int = 0
    rows: int = 0
    unknown: int = 0
    reason: str = ""
    error: str = ""


class IntakeSummary(msgspec.Struct, frozen=True):
    """How the entry does. Rates and latency (arrival until in a snapshot): over the last 10 s. Counters
    and `dropped` (by reason): since the start. speaking: sources with a frame younger than 10 s. shedding:
    within the last 5 s."""

    sources: int
    speaking: int
    never_heard: int
    frames: int
    rows: int
    frames_per_s: float
    rows_per_s: float
    shed_rows_per_s: float
    shed_rows: int
    shedding: bool
    queued_rows: int
    latency_ms_p50: float
    latency_ms_p99: float
    dropped: dict[str, int]
    consumer_failures: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FieldRows:
    """All that one take let in, for consumers such as history: k frames, n rows in the order of the frames.
    Not only the newest frame of each source. Arrays are the consumer's to read, not to change."""

    source: I32  # (k,) row in Intake.sources
    time_s: F64  # (k,) platform second at which the frame was taken
    rows: I32  # (k,) its rows
    frame: I32  # (n,) row in the arrays above
    junction: I32  # (n,)
    lane: I32  # (n,) row in Lanes
    distance_m: F32  # (n,) to the stop line
    speed_mps: F32  # (n,)
    vehicle_class: U8  # (n,)


class Intake:
    """One a city. `offer` from any thread; `take`, `in_snapshot`, `summary` and `reset` from the loop's.

    consumers: called in `take` with everything that was let in; one that raises is counted and logged once.
    clock: monotonic wall seconds.
    """

    def __init__(
        self,
        sources: Sources,
        keys: Keys,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sources = sources
        self.limits = (limits or Limits()).check()
        self.counts = Counts(sources.ids)
        self.consumers: list[Callable[[FieldRows], None]] = []
        self.consumer_failures = 0
        self._keys = keys
        self._clock = clock
        self._meter = Meter()
        self._views = Views(sources)
        self._epoch_unix_s = sources.city.epoch.timestamp()
        self._lane_count: I32 = np.diff(sources.lane_start)[sources.view].astype(np.int32)
        self._first_lane: I32 = sources.lane_start[sources.view]
        self._most_pending = 2 * len(sources.ids) * self.limits.queue_rows + self.limits.message_frames
        self._lock = threading.Lock()  # of what follows, held for a moment
        self._arrivals: list[Arrival] = []
        self._pending = 0  # rows and frames in `_arrivals`
        self._working = threading.Lock()  # of all else: held by a take, and by an offer that must make room
        self._squeezed = Frames.empty()
        self._waiting = Frames.empty()  # whose turn has not come
        self._turn = 0
        self._credit = LONGEST_CREDIT_S * self.limits.rows_per_s  # rows that may be taken now
        self._credited_at = clock()
        self._not_in_snapshot: list[F64] = []
        self._shed_rows = self._shed_told = 0  # in all; those of which a take has told
        self._shed_at = -np.inf

    # -- the door

    def offer(
        self, body: bytes, now_s: float, *, key: str | None = None, speaks_for: str | None = None
    ) -> Receipt:
        """Take in a message that arrived at platform second now_s. Never raises for what it holds.

        key: the credential that came with it; None: the one inside. speaks_for: the carrier vouches for this
        source (a broker whose access list binds topics to clients); then no key is asked, and no other
        source may be in the message.
        """
        now_unix_s = now_s + self._epoch_unix_s
        try:
            message = decode_message(body, self.limits, now_unix_s, self.sources.lane_place)
            if speaks_for is not None:
                if any(source != speaks_for for source in message.sources):
                    raise MessageError(Reason.UNAUTHENTICATED, "it speaks for a source that is not its own")
            elif not self._keys.allow(message.key if key is None else key, message.sources):
                raise MessageError(Reason.UNAUTHENTICATED, "the key does not fit every source it speaks for")
        except MessageError as error:
            with self._lock:
                self.counts.stranger(error.reason, speaks_for or "unknown", str(error))
            return Receipt(reason=str(error.reason), error=str(error))
        row = self.sources.row
        rows = [row.get(source, -1) for source in message.sources]
        unknown = rows.count(-1)
        arrival = Arrival(message, rows, now_s, self._clock())
        with self._lock:
            if unknown:
                name = next(s for s, r in zip(message.sources, rows, strict=True) if r < 0)
                self.counts.stranger(Reason.UNKNOWN_SOURCE, name, count=unknown)
            self._arrivals.append(arrival)
            self._pending += message.row_count + len(rows)
            full = self._pending > self._most_pending
        if full:
            with self._working:
                self._squeeze()
        return Receipt(len(rows) - unknown, message.row_count, unknown)

    def _squeeze(self) -> None:
        """Nobody has taken for long: apply the bound of each queue now."""
        frames = join_frames([self._squeezed, self._admit(self._swap())])
        self._squeezed = self._bound(frames)

    def _swap(self) -> list[Arrival]:
        """What has arrived since the last time."""
        with self._lock:
            arrivals, self._arrivals, self._pending = self._arrivals, [], 0
        return arrivals

    # -- the loop's side

    def take(self, now_s: float) -> list[Detections | LaneViews]:
        """What the store should fold in at platform second now_s, after the consumers have had all of it."""
        wall_s = self._clock()
        with self._working:
            squeezed, self._squeezed = self._squeezed, Frames.empty()
            frames = join_frames([self._waiting, squeezed, self._admit(self._swap())])
            credit = self._credit + (wall_s - self._credited_at) * self.limits.rows_per_s
            self._credit = min(credit, LONGEST_CREDIT_S * self.limits.rows_per_s)
            self._credited_at = wall_s
            if not len(frames.source):
                return []
            frames = self._bound(frames)
            mine, self._turn = in_turn(frames, int(self._credit), self._turn, len(self.sources.ids))
            self._waiting = frames.choose(~mine)
            frames = frames.choose(mine)
            self._credit = max(0.0, self._credit - len(frames.place))  # debts would outlast the load
            frames = self._in_order(frames)
            frames, lane, frame = self._sound_rows(frames)
            self.counts.take(frames.source, frames.rows, frames.time_s)
            shed, self._shed_told = self._shed_rows - self._shed_told, self._shed_rows
        self._meter.let_in(wall_s, len(frames.source), len(lane), shed)
        self._tell_shedding(wall_s, shed)
        if not len(frames.source):
            return []
        self._not_in_snapshot.append(frames.arrived)
        self._feed_consumers(frames, lane, frame)
        return list(self._views.update(frames, lane, now_s))

    @property
    def spoken(self) -> Bool:
        """(j,) junctions of which some camera has delivered since the start or the last reset."""
        return self._views.spoken

    def in_snapshot(self) -> None:
        """Say that a snapshot holds everything taken so far: what the latency figures are made of."""
        wall_s = self._clock()
        for arrived in self._not_in_snapshot:
            self._meter.in_snapshot(wall_s, wall_s - arrived)
        self._not_in_snapshot.clear()

    def reset(self) -> None:
        """Forget what was seen, as when platform time goes back; the counters stay."""
        with self._working:
            self._swap()
            self._squeezed = self._waiting = Frames.empty()
            self._views.clear()
            self.counts.heard_s[:] = -np.inf
            self._not_in_snapshot.clear()

    def summary(self, now_s: float) -> IntakeSummary:
        wall_s, counts = self._clock(), self.counts
        frames_hz, rows_hz, shed_hz = self._meter.rates(wall_s)
        p50, p99 = self._meter.latency_ms(wall_s, 0.5, 0.99)
        with self._working:
            return IntakeSummary(
                sources=len(self.sources.ids),
                speaking=int((counts.heard_s >= now_s - self.limits.max_age_s).sum()),
                never_heard=int((counts.frames == 0).sum()),
                frames=int(counts.frames.sum()),
                rows=int(counts.rows.sum()),
                frames_per_s=round(frames_hz, 1),
                rows_per_s=round(rows_hz, 1),
                shed_rows_per_s=round(shed_hz, 1),
                shed_rows=self._shed_rows,
                shedding=wall_s - self._shed_at < CALM_AFTER_S,
                queued_rows=self._pending + len(self._waiting.place) + len(self._squeezed.place),
                latency_ms_p50=round(p50, 1),
                latency_ms_p99=round(p99, 1),
                dropped=counts.totals(),
                consumer_failures=self.consumer_failures,
            )

    # -- steps; held: the lock of those who work

    def _admit(self, arrivals: list[Arrival]) -> Frames:
        """Messages as columns, without frames of strangers or of another time."""
        frames = to_frames(arrivals, self._epoch_unix_s)
        if not self.limits.trust_clocks:
            frames = replace(frames, time_s=frames.received_s)
        keep = frames.source >= 0
        not_future = frames.time_s <= frames.received_s + self.limits.future_s  # False for NaN
        fresh = ~not_future | (frames.time_s >= frames.received_s - self.limits.max_age_s)
        self._drop(frames, keep & ~not_future, Reason.FUTURE)
        self._drop(frames, keep & ~fresh, Reason.TOO_OLD)
        return frames.choose(keep & not_future & fresh)

    def _bound(self, frames: Frames) -> Frames:
        keep = newest_that_fit(frames, self.limits.queue_rows)
        if keep.all():
            return frames
        shed = ~keep
        self._drop(frames, shed, Reason.SHED)
        rows = frames.rows[shed]
        self._shed_rows += int(rows.sum())
        size = len(self.sources.ids)
        self.counts.shed_rows += np.bincount(frames.source[shed], rows, size).astype(np.int64)
        return frames.choose(keep)

    def _in_order(self, frames: Frames) -> Frames:
        """Only frames newer than what their source has said before."""
        order = np.lexsort((frames.time_s, frames.source))
        source, time_s = frames.source[order], frames.time_s[order]
        before_s = self.counts.heard_s[source]
        same = source[1:] == source[:-1]
        before_s[1:][same] = np.maximum(before_s[1:][same], time_s[:-1][same])
        newer: Bool = np.empty(len(order), np.bool_)
        newer[order] = time_s > before_s
        self._drop(frames, ~newer, Reason.OUT_OF_ORDER)
        return frames.choose(newer)

    def _sound_rows(self, frames: Frames) -> tuple[Frames, I32, I32]:
        """Frames without rows that no street could have; lane row and frame of each that is left."""
        frame = np.repeat(np.arange(len(frames.source), dtype=np.int32), frames.rows)
        source = frames.source[frame]
        on_lane = frames.place < self._lane_count[source]
        good = (
            (frames.speed_mps >= 0.0)  # False for NaN, as are the others
            & (frames.speed_mps <= MAX_SPEED_MPS)
            & (frames.distance_m >= MIN_DISTANCE_M)
            & (frames.distance_m <= MAX_DISTANCE_M)
            & (frames.vehicle_class <= max(VehicleClass))
        )
        if not (on_lane.all() and good.all()):
            self.counts.drop(Reason.UNKNOWN_LANE, source[~on_lane])
            self.counts.drop(Reason.BAD_ROW, source[on_lane & ~good])
            good &= on_lane
            frame, source = frame[good], source[good]
            frames = Frames(
                frames.source, frames.time_s, frames.received_s, frames.arrived,
                np.bincount(frame, minlength=len(frames.source)).astype(np.int32),
                frames.place[good], frames.distance_m[good], frames.speed_mps[good],
                frames.vehicle_class[good],
            )  # fmt: skip
        return frames, self.sources.lane[self._first_lane[source] + frames.place], frame

    def _drop(self, frames: Frames, which: Bool, reason: Reason) -> None:
        if which.any():
            self.counts.drop(reason, frames.source[which])

    # -- telling

    def _feed_consumers(self, frames: Frames, lane: I32, frame: I32) -> None:
        if not self.consumers:
            return
        junction = self.sources.junction[self.sources.view[frames.source]]
        rows = FieldRows(
            frames.source, frames.time_s, frames.rows, frame, junction[frame], lane, frames.distance_m,
            frames.speed_mps, frames.vehicle_class,
        )  # fmt: skip
        for consumer in self.consumers:
            try:
                consumer(rows)
            except Exception:
                self.consumer_failures += 1
                if self.consumer_failures == 1:
                    _log.exception("a consumer of field data failed; counted from here on, logged once")

    def _tell_shedding(self, wall_s: float, shed_rows: int) -> None:
        was = self._shed_at > -np.inf
        if shed_rows:
            if not was:
                _log.warning("more arrives than is let in: oldest frames of each source are shed")
            self._shed_at = wall_s
        elif was and wall_s - self._shed_at >= CALM_AFTER_S:
            self._shed_at = -np.inf
            _log.warning("nothing has been shed for %g s; %d rows in all", CALM_AFTER_S, self._shed_rows)
