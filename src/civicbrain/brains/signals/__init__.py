"""signals: which stage each signal junction shows.

Purpose   Serve what the cameras see with the least delay, nobody waiting longer than the maximum red.
Reads     Snapshot.detections (lane, distance m, speed m/s), lanes.queued (spill-back), signals.
Returns   One StageRequest a junction (valid 10 s, renewed each second), a PlanRequest where no camera
          looks (unseen.py); in a live city also explanations: worth of each stage, demand by group, why.
Cadence   1 s. Cost: max-pressure 0.05 ms for 21 junctions, brain 5 to 23 ms (p99) for 1 to 16;
          compiled before they are asked (seconds, once a machine).
Controls  brain, max-pressure, plan-change, plain-pressure (options: the …Options class of each).
Silent    for junctions in manual, forced, flashing or start-up mode, that take only plans, or whose
          camera has been silent for 10 s or lies (trust.py): their controllers then run the local plan.
          In a live city it tells of those in manual mode what it would show.
Start in  lookahead.py or max_pressure.py (`decide` is the whole tick); approach.py and stages.py hold what is
          worked out once; the formulas are in civicbrain.science.pressure and .queues.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from civicbrain.contracts.brain import Brain, BrainContext, ControlSpec
from civicbrain.core.errors import ConfigurationError

CONTROLS: tuple[ControlSpec, ...] = (
    ControlSpec(
        name="brain",
        program="central",
        brain="signals",
        options={"control": "brain"},
        summary="Searches the best schedule of stages each second: what is seen, reckoned, planned next door",
        source="Henry, Farges and Tuffal 1983; Sen and Head 1997; Xie et al. 2012",
    ),
    ControlSpec(
        name="max-pressure",
        program="central",
        brain="signals",
        options={"control": "max-pressure"},
        summary="Max pressure from cameras: weighs switching time, waits and spill-back each second",
        source="Varaiya 2013; Gregoire et al. 2014; Lämmer and Helbing 2008",
    ),
    ControlSpec(
        name="plan-change",
        program="central",
        brain="signals",
        options={"control": "plan-change"},
        summary="A new fixed plan (cycle, splits, offsets) each 5 min, where nothing finer is taken",
        source="Robertson 1969 (TRANSYT); Vincent, Mitchell and Robertson 1980; Webster 1958",
    ),
    ControlSpec(
        name="plain-pressure",
        program="central",
        brain="signals",
        options={"control": "plain-pressure"},
        summary="Max pressure as it stands in the textbook, each 10 s: a yardstick, no wait is bounded",
        source="Varaiya 2013; City Brain Challenge 2021",
    ),
)
"""The first is the room's default."""


# Imported here, because these compile: who only lists the controls does not wait for that.


def _max_pressure() -> tuple[type[Any], type[Any]]:
    from civicbrain.brains.signals.max_pressure import MaxPressureBrain, MaxPressureOptions

    return MaxPressureBrain, MaxPressureOptions


def _look_ahead() -> tuple[type[Any], type[Any]]:
    from civicbrain.brains.signals.lookahead import LookAheadBrain, LookAheadOptions

    return LookAheadBrain, LookAheadOptions


def _plan_change() -> tuple[type[Any], type[Any]]:
    from civicbrain.brains.signals.plan_change import PlanChangeBrain, PlanChangeOptions

    return PlanChangeBrain, PlanChangeOptions


def _plain_pressure() -> tuple[type[Any], type[Any]]:
    from civicbrain.brains.signals.plain_pressure import PlainPressureBrain, PlainPressureOptions

    return PlainPressureBrain, PlainPressureOptions


def _check_options(kind: type[Any], options: dict[str, object]) -> None:
    known = {field.name: field.default for field in fields(kind)}
    for key, value in options.items():
        place = f"brains.signals option {key!r}"
        if key not in known:
            raise ConfigurationError("no such option", place=place, remedy="use one of " + ", ".join(known))
        want: type[Any] = type(known[key])
        fits = isinstance(value, (int, float) if want is float else want)
        if not fits or (isinstance(value, bool) and want is not bool):
            raise ConfigurationError(f"{value!r} is not a {want.__name__}", place=place, remedy="correct it")


_KINDS: dict[str, Callable[[], tuple[type[Any], type[Any]]]] = {
    "brain": _look_ahead,
    "max-pressure": _max_pressure,
    "plan-change": _plan_change,
    "plain-pressure": _plain_pressure,
}
"""Brain and options of each control."""


def create(context: BrainContext) -> Brain:
    """The control named by options["control"]; raises ConfigurationError on options that do not fit."""
    options = {"explain": context.explain, **context.options}
    control = options.pop("control", CONTROLS[0].name)
    find_kind = _KINDS.get(str(control))
    if find_kind is None:
        raise ConfigurationError(
            f"no control {control!r}",
            place="brains.signals option 'control'",
            remedy="use one of " + ", ".join(_KINDS),
        )
    kind, kind_options = find_kind()
    _check_options(kind_options, options)
    brain: Brain = kind(context.city, kind_options(**options))
    return brain
