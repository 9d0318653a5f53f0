"""Discovery: which rooms (brains, feeds, actuators) and which controls are installed.

Built-in rooms are the packages under civicbrain.brains, .feeds and .actuators. Others come from installed
distributions by entry points of the same group names; the entry's name is the room's slug, its value the
room's module ("mycity.ramp_metering") or its factory ("mycity.ramp_metering:create"). A built-in name cannot
be taken over. Listing imports nothing; a room that cannot be imported fails when it is asked for.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import logging
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from civicbrain.contracts.brain import Brain, BrainContext, ControlSpec
from civicbrain.core.errors import BrainError, CivicBrainError, ConfigurationError, NotFoundError
from civicbrain.core.ids import check_slug

KINDS = ("brains", "feeds", "actuators")

RESERVED = frozenset({"operator", "runtime", "guard", "controller", "store"})
"""Names that stand for people or for parts of the platform in the record; no room may bear them."""

PROGRAM_CONTROLS = (
    ControlSpec(
        "fixed", "fixed", summary="the city's own plan, run by SUMO as it came with the network",
        source="the city's network or additional files",
    ),
    ControlSpec(
        "actuated", "actuated",
        summary="the city's phases, green prolonged while vehicles keep coming (5 to 50 s)",
        source="SUMO, tlLogic type 'actuated' (time gaps)",
    ),
    ControlSpec(
        "delay-based", "delay-based",
        summary="the city's phases, green prolonged while vehicles with time loss approach (5 to 50 s)",
        source="SUMO, tlLogic type 'delay_based'; Oertel & Wagner 2011, Delay-time actuated traffic signal "
        "control for an isolated intersection, TRB 90th annual meeting",
    ),
)  # fmt: skip

_log = logging.getLogger("civicbrain.rooms")


@dataclass(frozen=True, slots=True)
class Room:
    """One installed room. module: where it stands. source: "built-in" or the distribution's name."""

    name: str
    kind: str
    module: str
    source: str
    attribute: str = ""

    def load(self) -> ModuleType:
        """Import the room. Raises BrainError when that fails, whatever the room does at import."""
        try:
            return importlib.import_module(self.module)
        except Exception as error:
            raise BrainError(
                f"{self.kind[:-1]} {self.name!r} cannot be imported: {type(error).__name__}: {error}",
                place=self.module,
                remedy="mend or uninstall it"
                if self.source == "built-in"
                else f"mend or uninstall {self.source}",
            ) from error

    def factory(self) -> Callable[..., Any]:
        """The room's `create`. Raises BrainError."""
        name = self.attribute or "create"
        found: object = self.load()
        for part in name.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            raise BrainError(
                f"{self.kind[:-1]} {self.name!r} has no `{name}`", place=self.module,
                remedy="define create(context) in the room's module",
            )  # fmt: skip
        return found

    def create_brain(self, context: BrainContext) -> Brain:
        """A new brain of this room. Raises BrainError, whatever the room raises."""
        factory = self.factory()
        try:
            brain = factory(context)
        except CivicBrainError:  # it names its place and remedy itself
            raise
        except Exception as error:
            raise BrainError(
                f"brain {self.name!r} could not be made: {type(error).__name__}: {error}",
                place=self.module, remedy="look at its section of the configuration",
            ) from error  # fmt: skip
        if not isinstance(brain, Brain):
            raise BrainError(
                f"{self.name!r} made a {type(brain).__name__}, which is no brain",
                place=self.module,
                remedy="it needs name, cadence_s, budget_s and advise(snapshot)",
            )
        if brain.name != self.name:
            raise BrainError(
                f"the brain of room {self.name!r} calls itself {str(brain.name)[:80]!r}",
                place=self.module,
                remedy="one name everywhere: give the brain its room's name",
            )
        return brain

    @property
    def controls(self) -> tuple[ControlSpec, ...]:
        """The controls this room names (CONTROLS), else one of its own name. Raises BrainError."""
        if self.kind != "brains":
            return ()
        named = tuple(getattr(self.load(), "CONTROLS", ()))
        if not all(isinstance(control, ControlSpec) for control in named):
            raise BrainError("CONTROLS holds something that is no ControlSpec", place=self.module)
        if named:
            return named
        return (ControlSpec(self.name, "central", brain=self.name, summary=self.card.split("\n")[0]),)

    @property
    def card(self) -> str:
        """The room's docstring, read without importing it; "" when there is none."""
        path = self.path
        if path is None:
            return ""
        try:
            return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        except (OSError, SyntaxError, ValueError):
            return ""

    @property
    def path(self) -> Path | None:
        """The room's file (its package's __init__.py), found without importing the room itself."""
        try:
            spec = importlib.util.find_spec(self.module)
        except (ImportError, ValueError, AttributeError):
            return None
        return Path(spec.origin) if spec is not None and spec.origin else None


def list_rooms(kind: str | None = None) -> list[Room]:
    """All installed rooms of a kind ("brains", "feeds", "actuators"), or of all kinds, sorted by name."""
    rooms: dict[tuple[str, str], Room] = {}
    for each in KINDS if kind is None else (_kind(kind),):
        package = importlib.import_module(f"civicbrain.{each}")
        for found in pkgutil.iter_modules(package.__path__):
            if not found.name.startswith("_"):
                rooms[each, found.name] = Room(
                    found.name, each, f"civicbrain.{each}.{found.name}", "built-in"
                )
        for entry in entry_points(group=f"civicbrain.{each}"):
            room = _third_party(each, entry)
            if room is not None:
                taken = rooms.setdefault((each, room.name), room)
                if taken != room:
                    _log.warning("%s: name %r is already taken by %s", room.source, room.name, taken.source)
    return [rooms[key] for key in sorted(rooms)]


def find_room(kind: str, name: str) -> Room | None:
    """The room of that name, or None."""
    return next((room for room in list_rooms(kind) if room.name == name), None)


def get_room(kind: str, name: str) -> Room:
    """The room of that name; raises NotFoundError."""
    room = find_room(kind, name)
    if room is None:
        names = ", ".join(r.name for r in list_rooms(kind)) or "none"
        raise NotFoundError(f"no {kind[:-1]} {name!r}", remedy=f"installed {kind}: {names}")
    return room


def list_controls() -> list[ControlSpec]:
    """All ways of controlling signals that a study can compare: SUMO's three, then those of the brains.
    A brain that cannot be imported is left out (`civicbrain check` says why)."""
    controls = {control.name: control for control in PROGRAM_CONTROLS}
    for room in list_rooms("brains"):
        try:
            for control in room.controls:
                controls.setdefault(control.name, control)
        except BrainError as error:
            _log.warning("%s", error)
    return list(controls.values())


def get_control(name: str) -> ControlSpec:
    """The control of that name; raises NotFoundError."""
    controls = PROGRAM_CONTROLS if any(c.name == name for c in PROGRAM_CONTROLS) else list_controls()
    for control in controls:
        if control.name == name:
            return control
    raise NotFoundError(
        f"no control {name!r}", remedy="installed controls: " + ", ".join(c.name for c in list_controls())
    )


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise NotFoundError(f"no kind of room {kind!r}", remedy="kinds: " + ", ".join(KINDS))
    return kind


def _third_party(kind: str, entry: EntryPoint) -> Room | None:
    source = entry.dist.name if entry.dist is not None else "unknown distribution"
    try:
        check_slug(entry.name, "entry point")
    except ConfigurationError as error:
        _log.warning("%s: %s", source, error)
        return None
    if entry.name in RESERVED:
        _log.warning("%s: the name %r is reserved", source, entry.name)
        return None
    return Room(entry.name, kind, entry.module, source, entry.attr or "")
