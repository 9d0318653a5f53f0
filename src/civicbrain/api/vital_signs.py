"""The vital signs: now, in the fixed plan, and on the usual day, each honest about what it does not know."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta
from math import isfinite
from typing import Any, Literal

from civicbrain.api.link import Link
from civicbrain.api.models.junctions import VitalSign, VitalSigns
from civicbrain.api.problems import ProblemError
from civicbrain.api.views import told
from civicbrain.city.model import City
from civicbrain.city.signals import OWN_PLAN
from civicbrain.contracts import wire
from civicbrain.runtime.history.wire import Ask, Usual
from civicbrain.runtime.indicators import THROUGHPUT_WINDOW_S

ASKED_EVERY_S = 60.0
"""Wall seconds between two questions to the history: what is usual does not change faster."""

_SERIES = {
    "delay": "mean_delay_s", "throughput": "throughput_veh_per_h", "vehicles": "vehicles",
    "spill-backs": "spill_backs", "incidents": "incidents_open", "silent-cameras": "cameras_silent",
    "local-controllers": "local_junctions", "brains": "brains_running",
}  # fmt: skip
State = Literal["ok", "watch", "bad", "unknown"]


@dataclass
class UsualDay:
    """What the history last said is usual. Asked at most once a minute, and again when the clock jumps."""

    city: City
    link: Link
    usual: Usual | None = None
    note: str = "asking"
    _asked: tuple[float, int] = field(default=(-1e9, -1))
    _task: asyncio.Task[None] | None = None

    def refresh(self, time_s: float) -> None:
        """Ask again where it is time to; nobody waits for the answer."""
        quarter = int(time_s // 900)
        if time.monotonic() - self._asked[0] < ASKED_EVERY_S and quarter == self._asked[1]:
            return
        self._asked = (time.monotonic(), quarter)
        self._task = asyncio.create_task(self._ask(time_s))

    async def _ask(self, time_s: float) -> None:
        """Never raises: without history there is a note."""
        at = self.city.epoch + timedelta(seconds=time_s)
        ask = Ask(action="usual", start=at, properties=tuple(_SERIES.values()))
        try:
            self.usual, self.note = told(await self.link.ask_history(ask), Usual), "no-days"
        except ProblemError:
            self.usual, self.note = None, "no-history"

    def of(self, sign: str) -> tuple[float | None, int, str]:
        """(value, days, why it is not known)."""
        series = _SERIES.get(sign)
        if series is None:
            return None, 0, "not-measured"
        found = self.usual.figures.get(series) if self.usual is not None else None
        return (None, 0, self.note) if found is None else (found.value, found.days, "")


def vital_signs(state: wire.CityState, usual: UsualDay, age_s: float, stale: bool) -> VitalSigns:
    """The strip for a state of the city."""
    now, modes = state.indicators, wire.unpack_array(state.junction_mode)
    local = sum(int((modes == mode).sum()) for mode in OWN_PLAN)
    running = sum(brain.state == "running" for brain in state.brains)
    wanted = sum(brain.state != "off" for brain in state.brains)
    ready = state.baseline_progress is not None and state.baseline_progress >= 1.0
    computing = "no-minute" if ready else "computing"
    signs = [
        ("delay", "s/veh", "lower", now.mean_delay_s, None, now.fixed_mean_delay_s, computing),
        ("throughput", "veh/h", "higher", now.throughput_veh_per_h, None, now.fixed_throughput_veh_per_h,
         computing),
        ("vehicles", "veh", "lower", float(now.vehicles), None, now.fixed_vehicles, computing),
        ("spill-backs", "1", "lower", state.spill_backs, None, None, "no-meaning"),
        ("incidents", "1", "lower", state.incidents_open, None, None, "no-meaning"),
        ("silent-cameras", "1", "lower", state.cameras_silent, float(len(modes)), None, "no-meaning"),
        ("local-controllers", "1", "lower", float(local), float(len(modes)), None, "no-meaning"),
        ("brains", "1", "higher", float(running), float(len(state.brains)), None, "no-meaning"),
    ]  # fmt: skip
    span_s = now.throughput_span_s
    filling = {"throughput": round(span_s, 1)} if span_s < THROUGHPUT_WINDOW_S else {}
    return VitalSigns(
        state.time_s, round(age_s, 3), stale,
        [_sign(usual, wanted, filling.get(sign[0]), *sign) for sign in signs],
    )  # fmt: skip


def _sign(
    usual: UsualDay, wanted: int, span_s: float | None, name: Any, unit: str, good_when: Any,
    value: float | None, of: float | None, fixed: float | None, note: str,
) -> VitalSign:  # fmt: skip
    known = None if value is None or not isfinite(value) else round(float(value), 3)
    fixed = None if fixed is None or not isfinite(fixed) else round(float(fixed), 3)
    on_usual_day, days, usual_note = usual.of(name)
    return VitalSign(
        id=name, unit=unit, good_when=good_when, value=known, of=of, fixed=fixed,
        fixed_note="" if fixed is not None else note, usual=on_usual_day, usual_days=days,
        usual_note=usual_note, state=_state(name, known, of, on_usual_day or fixed, good_when, wanted),
        span_s=span_s,
    )  # fmt: skip


def _state(
    name: str, value: float | None, of: float | None, against: float | None, good_when: str, wanted: int
) -> State:
    """ok, or what calls for a look. Figures that have something to be measured against may be a tenth worse
    (watch), or a third (bad); what should be nobody's is watched from the first on."""
    if value is None:
        return "unknown"
    if name == "brains":
        return "ok" if value >= wanted and wanted else "bad" if wanted else "watch"
    if name in ("incidents", "spill-backs", "silent-cameras", "local-controllers"):
        share = value / of if of else 0.0
        return "ok" if value == 0 else "bad" if share > 0.2 or (not of and value >= 5) else "watch"
    if not against:
        return "ok"
    worse = value / against - 1.0 if good_when == "lower" else 1.0 - value / against
    return "bad" if worse > 1 / 3 else "watch" if worse > 0.1 else "ok"
