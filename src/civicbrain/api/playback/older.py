"""What is older than the recorded picture, from the history: what cameras saw, then only the junctions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import numpy as np

from civicbrain.api.frames import FrameEncoder
from civicbrain.api.link import Link
from civicbrain.api.playback.reading import SERIES
from civicbrain.api.problems import ProblemError
from civicbrain.api.replay import Replay
from civicbrain.city.model import City
from civicbrain.city.network import F32
from civicbrain.contracts import wire
from civicbrain.core.time import to_seconds
from civicbrain.runtime.history.question import Answer, Question
from civicbrain.runtime.history.wire import Ask, Moments

_LENGTH = struct.Struct("<I")
_MOST_SECONDS = 60  # of one question to the history
_MINUTE = timedelta(minutes=1)
_MOST_MINUTES = 120
_HISTORY_NAMES = {"delay_s": "mean_delay_s"}


class Older:
    """Asks the history. Raises ProblemError where that is away or refuses; no frames where it has none."""

    def __init__(self, city: City, link: Link) -> None:
        self._city, self._link = city, link
        self._replay, self._encoder = Replay(city), FrameEncoder(city)

    async def frames(self, start: datetime, end: datetime) -> bytes:
        """Frames of a second each with what the cameras saw; older, one a minute without vehicles."""
        seconds = max(1, min(_MOST_SECONDS, int((end - start).total_seconds())))
        try:
            answer = await self._link.ask_history(Ask(action="moments", start=start, seconds=seconds))
            moments = msgspec.convert(answer, Moments).moments
            if moments:
                return self._replay.encode(moments)
            return await self._minutes(start, min(end, start + _MOST_MINUTES * _MINUTE))
        except ProblemError as error:
            if error.problem.status == 503:
                raise
            return b""  # a time or a run of which it knows nothing

    async def _minutes(self, start: datetime, end: datetime) -> bytes:
        """Delay and queue of each junction, a frame a minute: all that is kept for months."""
        start = start.replace(second=0, microsecond=0)
        end = max(end, start + _MINUTE)
        queue, delay = [
            await self._ask(Question(indicator=name, start=start, end=end, each=True, resolution="1min"))
            for name in ("queue_veh", "delay_s")
        ]
        row_of = self._city.signals.row
        parts: list[bytes] = []
        for step in range(len(queue.mean[0]) if queue.mean else 0):
            columns = [np.full(len(self._city.junctions), np.nan, np.float32) for _ in range(2)]
            for answer, column in ((queue, columns[0]), (delay, columns[1])):
                for name, values in zip(answer.ids, answer.mean, strict=True):
                    value = values[step] if step < len(values) else None
                    if value is not None and name in row_of:
                        column[row_of[name]] = value
            if not np.isfinite(columns[0]).any():
                continue  # a gap is not a minute without queues
            time_s = to_seconds(self._city.epoch, queue.start) + step * queue.step_s
            frame = self._encoder.encode(step, None, _state(time_s, *columns), 0.0)
            parts += (_LENGTH.pack(len(frame)), frame)
        return b"".join(parts)

    async def strip(self, start: datetime, end: datetime, fill: Callable[[str, float, float], None]) -> bool:
        """Hands (series, time_s, value) of every step known to `fill`; whether there was any."""
        found = False
        for name in SERIES:
            place = {} if name == "queue_veh" else {"entity": "city"}
            asked = Question(indicator=_HISTORY_NAMES.get(name, name), start=start, end=end, **place)  # type: ignore[arg-type]
            try:
                answer = await self._ask(asked)
            except ProblemError as error:
                if error.problem.status == 503:
                    raise
                continue  # a figure that was never kept
            first_s = to_seconds(self._city.epoch, answer.start)
            for step, value in enumerate(answer.mean[0] if answer.mean else []):
                if value is not None:
                    found = True
                    fill(name, first_s + step * answer.step_s, value)
        return found

    async def _ask(self, question: Question) -> Answer:
        answer: Answer = msgspec.convert(
            await self._link.ask_history(Ask(action="ask", question=question)), Answer
        )
        return answer


def _state(time_s: float, queue_veh: F32, delay_s: F32) -> wire.CityState:
    empty = wire.pack_array(np.zeros(0, np.uint8))  # not the city's count: shown as unknown
    return wire.CityState(
        time_s=time_s, sequence=0, control="", brain_on=False, indicators=wire.Indicators(0, 0.0, 0.0, 0),
        brains=(), staleness_s={}, junction_delay_s=wire.pack_array(delay_s),
        junction_queue_veh=wire.pack_array(queue_veh), junction_mode=empty, junction_stage=empty,
        group_lamp=empty, twin=None, alerts_open=0, ledger_entries=0,
    )  # fmt: skip
