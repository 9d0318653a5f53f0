"""From wire records to what the API says. NaN and infinity become null; rows that do not fit are left out."""

from __future__ import annotations

from math import isfinite
from typing import Any, TypeVar

import msgspec
import numpy as np

from civicbrain.api.cases_health import CasesHealth
from civicbrain.api.models import city as models
from civicbrain.api.models.history import HistoryHealth
from civicbrain.api.problems import ProblemError
from civicbrain.city.signals import SignalJunction, mode_name
from civicbrain.contracts import wire
from civicbrain.runtime.cases.wire import CasesStatus
from civicbrain.runtime.history.wire import HistoryStatus

T = TypeVar("T")


def known(value: float | None, digits: int = 3) -> float | None:
    """The value, or None where it is NaN or infinite."""
    return round(float(value), digits) if value is not None and isfinite(value) else None


def column(packed: wire.Array) -> list[Any]:
    """An array as a list; NaN and infinity as None."""
    values = wire.unpack_array(packed)
    if values.dtype.kind == "f":
        return [round(value, 3) if isfinite(value) else None for value in values.astype(np.float64).tolist()]
    return list(values.tolist())


def brain_view(health: wire.BrainHealth) -> models.BrainView:
    return models.BrainView(
        name=health.name, state=health.state, cadence_s=known(health.cadence_s),
        budget_s=known(health.budget_s),
        last_run_s=known(health.last_run_s), last_ms=known(health.last_ms), p99_ms=known(health.p99_ms),
        runs=health.runs, failures=health.failures, last_error=health.last_error,
        retry_in_s=known(health.retry_in_s),
    )  # fmt: skip


def twin_view(status: wire.TwinStatus) -> models.TwinView:
    return msgspec.convert(_without_nan(status), models.TwinView)


def indicators_view(indicators: wire.Indicators) -> models.IndicatorsView:
    return msgspec.convert(_without_nan(indicators), models.IndicatorsView)


def _without_nan(record: msgspec.Struct) -> dict[str, Any]:
    return {
        name: known(value) if isinstance(value, float) else value
        for name, value in msgspec.structs.asdict(record).items()
    }


def snapshot_view(state: wire.CityState, age_s: float, stale: bool) -> models.SnapshotView:
    return models.SnapshotView(
        time_s=state.time_s, sequence=state.sequence, age_s=round(age_s, 3), stale=stale,
        control=state.control, brain_on=state.brain_on, indicators=indicators_view(state.indicators),
        brains=[brain_view(health) for health in state.brains],
        staleness_s={name: known(value) for name, value in state.staleness_s.items()},
        junction_delay_s=column(state.junction_delay_s), junction_queue_veh=column(state.junction_queue_veh),
        junction_mode=column(state.junction_mode), junction_stage=column(state.junction_stage),
        group_lamp=column(state.group_lamp),
        twin=twin_view(state.twin) if state.twin else None, alerts_open=state.alerts_open,
        ledger_entries=state.ledger_entries, baseline_progress=known(state.baseline_progress),
        intake=state.intake, missions=state.missions, overrides=state.overrides,
        junction_standing_veh=column(state.junction_standing_veh) if state.junction_standing_veh else [],
    )  # fmt: skip


def history_health(status: HistoryStatus | None, age_s: float, away: bool) -> HistoryHealth:
    if status is None:
        return HistoryHealth(answering=False, age_s=None)
    return HistoryHealth(
        answering=not away, age_s=known(age_s), run=status.run, time_s=known(status.time_s),
        minutes=status.minutes, rows=status.rows, disk_bytes=status.disk_bytes,
        observations=status.observations, late=status.late, failed=status.failed,
        last_error=status.last_error, shed=status.shed,
    )  # fmt: skip


def cases_health(status: CasesStatus | None, age_s: float, away: bool) -> CasesHealth:
    if status is None:
        return CasesHealth(answering=False, age_s=None)
    told_of = {name: getattr(status, name) for name in CasesHealth.__struct_fields__ if hasattr(status, name)}
    return CasesHealth(answering=not away, age_s=known(age_s), **told_of)


def junction_now(
    junction: SignalJunction, row: int, group_start: int, columns: tuple[list[Any], ...] | None
) -> dict[str, Any]:
    """delay_s, queue_veh, mode, stage and lamps of one junction; nothing known: None and dark lamps."""
    dark = "o" * len(junction.groups)
    nothing: dict[str, Any] = dict.fromkeys(("delay_s", "queue_veh", "mode", "stage")) | {"lamps": dark}
    if columns is None:
        return nothing
    delay, queue, mode, stage, lamps = columns
    if not all(row < len(values) for values in (delay, queue, mode, stage)):
        return nothing
    shown = "".join(map(chr, lamps[group_start : group_start + len(junction.groups)]))
    return {
        "delay_s": delay[row],
        "queue_veh": queue[row],
        "mode": mode_name(mode[row]) or None,
        "stage": junction.stages[stage[row]].id if 0 <= stage[row] < len(junction.stages) else None,
        "lamps": shown or dark,
    }


def state_columns(state: wire.CityState | None) -> tuple[list[Any], ...] | None:
    """delay, queue, mode, stage, lamps as lists; None without a state."""
    if state is None:
        return None
    return (
        column(state.junction_delay_s), column(state.junction_queue_veh), column(state.junction_mode),
        column(state.junction_stage), column(state.group_lamp),
    )  # fmt: skip


def told(body: Any, kind: type[T]) -> T:
    """A reply's body as the type it should have; raises ProblemError (503) when it has not."""
    try:
        return msgspec.convert(body, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(503, f"the brain process gave an answer that does not fit: {error}") from None
