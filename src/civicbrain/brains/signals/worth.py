"""What each stage is worth now: a compiled loop over all entries. See `max_pressure`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import boolean, float32, float64, int32, types, uint8

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.demand import HORIZON_S, SOON, Demand
from civicbrain.brains.signals.stages import StageTable
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.city.observations import SignalStates
from civicbrain.science.compiled import array_in, compiled
from civicbrain.science.queues import SATURATION_FLOW_VEH_PER_S, run_before_blocking

HARM = 0.05
"""What a stage is worth beside others while it lets traffic into a short link that takes no more."""

SHOWN_S, BLOCKED_S, BLOCKED = 5.0, 6.0, 0.1
"""A head that stands though its lamp has been green for SHOWN_S cannot leave, whatever the reason: its lane
passes this share of its flow for BLOCKED_S."""

GAP_FREE_VEH, LEAST_PERMITTED = 5.0, 0.15
"""See `science.pressure.permitted_factor`."""

_G, _YIELDS = ord("G"), ord("g")


class Worth:
    """Weighs all stages of a city. Remembers which streams could not leave lately.

    queue_exponent: see `science.pressure.queue_weight`. age_s: see `age_weight`.
    """

    def __init__(self, streams: Streams, stages: StageTable, queue_exponent: float, age_s: float) -> None:
        self._options = (queue_exponent, age_s)
        self._blocked_until = np.zeros(streams.count + 1)
        share = np.append(streams.share, 0.0)[stages.stream]
        share /= np.maximum(stages.green_share, 1e-9)  # of the lane's outflow while this stage is shown
        run = np.where(stages.whole_lane, 1e9, share * run_before_blocking(stages.green_share))
        self._table: tuple[Any, ...] = (
            np.append(streams.group, 0).astype(np.int32),
            stages.stage_of,
            stages.junction,
            stages.entry_of,
            stages.stream,
            stages.permitted,
            stages.whole_lane,
            np.ascontiguousarray(stages.start_s),
            np.ascontiguousarray(stages.shortest_s),
            stages.opposing_entry.copy(),
            stages.opposing_stream.copy(),
            stages.opposing_lanes,
            SATURATION_FLOW_VEH_PER_S * share,
            run,
        )

    def weigh(
        self, now_s: float, demand: Demand, credit_s: F64, signals: SignalStates, current: I32
    ) -> tuple[F64, F64]:
        """(worth in weighted veh/s, the span in s that gives it), each (s,). credit_s: (k + 1,) how long the
        queue of each stream has waited. current: (j,) stage row shown, -1 none."""
        worth, span_s = np.zeros(len(self._table[2])), np.zeros(len(self._table[2]))
        _weigh(  # type: ignore[call-arg]
            now_s, demand.vehicles, demand.standing_head, demand.outlet, demand.run_veh, credit_s,
            signals.lamps, signals.lamps_since_s, current, HORIZON_S, *self._options, *self._table,
            self._blocked_until, worth, span_s,
        )  # fmt: skip
        return worth, span_s


_I32_IN, _F64_IN, _BOOL_IN = array_in(int32), array_in(float64), array_in(boolean)


@compiled(
    types.void(
        float64, array_in(float64, 2), _BOOL_IN, _F64_IN, _F64_IN, _F64_IN,
        array_in(uint8), array_in(float32), _I32_IN, _F64_IN, float64, float64,
        _I32_IN, _I32_IN, _I32_IN, _I32_IN, _I32_IN, _BOOL_IN, _BOOL_IN,
        array_in(float64, 2), array_in(float64, 2), _I32_IN, _I32_IN, _F64_IN, _F64_IN, _F64_IN,
        float64[::1], float64[::1], float64[::1],
    )
)  # fmt: skip
def _weigh(
    now_s: float, vehicles: F64, standing_head: Bool, outlet: F64, run_veh: F64, credit_s: F64,
    lamps: U8, since_s: F32, current: I32, horizon_s: F64, queue_exponent: float, age_s: float,
    group: I32, stage_of: I32, junction: I32, entry_of: I32, stream: I32, permitted: Bool, whole_lane: Bool,
    start_s: F64, shortest_s: F64, opposing_entry: I32, opposing_stream: I32, opposing_lanes: F64,
    full_flow: F64, run: F64,
    blocked_until: F64, worth: F64, span_s: F64,
) -> None:  # fmt: skip
    """Fill worth and span_s; blocked_until (k + 1,) is kept from call to call."""
    streams, stages, entries, horizons = len(outlet), len(junction), len(stream), len(horizon_s)
    now = np.float32(now_s)
    weight = np.empty(streams)
    shows_full = np.zeros(streams, dtype=np.bool_)
    stands_on_green = np.zeros(streams, dtype=np.bool_)
    for k in range(streams):
        lamp = lamps[group[k]]
        shown = now - since_s[group[k]] >= SHOWN_S
        shows_full[k] = shown and lamp == _G
        stands_on_green[k] = standing_head[k] and shown and lamp in (_G, _YIELDS)
        if shows_full[k] and standing_head[k]:
            blocked_until[k] = now_s + BLOCKED_S
        if k == streams - 1 or blocked_until[k] > now_s + BLOCKED_S:  # the window began again
            blocked_until[k] = 0.0
        old = credit_s[k] / age_s
        weight[k] = max(vehicles[k, SOON], 0.0) ** queue_exponent * ((1.0 + old * old) * outlet[k])
    against = np.zeros(entries)
    for pair in range(len(opposing_entry)):
        against[opposing_entry[pair]] += vehicles[opposing_stream[pair], SOON]

    served = np.empty(horizons)
    for s in range(stages):
        j = junction[s]
        came_from = current[j] - stage_of[j] + 1 if current[j] >= 0 else 0
        last = entry_of[s + 1] if s + 1 < stages else entries
        served[:] = 0.0
        harmful = False
        for e in range(entry_of[s], last):
            k = stream[e]
            harmful |= run_veh[k] < 1.0
            rate = 1.0
            if permitted[e]:
                rate = min(max(1.0 - against[e] / opposing_lanes[e] / GAP_FREE_VEH, LEAST_PERMITTED), 1.0)
            # who cannot leave on the lamp shown cannot on the same lamp in another stage either
            same_lamp = s == current[j] or (permitted[e] and not shows_full[k])
            stuck = stands_on_green[k] and same_lamp
            if stuck or (whole_lane[e] and blocked_until[k] > now_s):
                rate *= BLOCKED
            flow, most, start = full_flow[e] * rate, min(run[e], run_veh[k]), start_s[came_from, e]
            for h in range(horizons):
                green_s = max(horizon_s[h] - start, 0.0)
                served[h] += min(min(vehicles[k, h], flow * green_s), most) * weight[k]
        best, best_h = -np.inf, 0
        for h in range(horizons):
            allowed = h == horizons - 1 or horizon_s[h] >= shortest_s[came_from, s]
            rate = served[h] / horizon_s[h] if allowed else -1.0
            if rate > best:
                best, best_h = rate, h
        # green towards a full short link does harm: who is let in blocks the box for those who must get out
        worth[s] = best * HARM if harmful else best
        span_s[s] = horizon_s[best_h]
