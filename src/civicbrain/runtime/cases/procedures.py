"""Standard operating procedures: one readable YAML file for each kind of incident.

The package brings one for each kind (`procedures/`); a city may have its own in `CITY/procedures/KIND.yaml`,
which takes the place of the package's. An error names file, line, what is wrong and what to write.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from civicbrain.city.cases import CaseState, Urgency
from civicbrain.city.incidents import IncidentKind
from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.cases.conditions import Condition

PACKAGED = Path(__file__).parent / "procedures"
FOLDER = "procedures"
MAX_BYTES = 100_000
_UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?(s|min|h|d)\Z")
_SLUG = r"^[a-z][a-z0-9_-]{0,63}$"


def _seconds(value: object) -> object:
    if isinstance(value, float):
        return value  # checked before
    found = _DURATION.match(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is no duration; write 90 s, 5 min, 2 h or 1 d")
    return float(found[1]) * _UNITS_S[found[2]]


Duration = Annotated[float, BeforeValidator(_seconds), Field(ge=0.0, le=30 * 86_400.0)]
Slug = Annotated[str, Field(pattern=_SLUG)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Action(_Table):
    """What happens by itself: exactly one of these, and when.

    notify: recipients (`[notices.recipients.NAME]`). assign: who is to go. propose: what somebody should
    decide on, e.g. what_if. urgency: at least this. advance: move the case on to this state.
    """

    notify: tuple[Slug, ...] | None = None
    assign: Slug | None = None
    propose: Slug | None = None
    urgency: Urgency | None = None
    advance: CaseState | None = None
    when: Condition = Condition()

    @model_validator(mode="before")
    @classmethod
    def _one_recipient(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("notify"), str):
            return {**value, "notify": [value["notify"]]}
        return value

    @model_validator(mode="after")
    def _one(self) -> Action:
        given = [n for n in ("notify", "assign", "propose", "urgency", "advance") if getattr(self, n)]
        if len(given) != 1:
            raise ValueError(
                "must be exactly one of notify, assign, propose, urgency, advance"
                + (f", not {' and '.join(given)}" if given else "")
            )
        if self.advance is CaseState.CLOSED:
            raise ValueError("no procedure closes a case; see closes_when_cleared_in")
        return self


class Step(_Table):
    """One thing to do in a state. deadline: from the state's beginning. late: what happens when it has
    passed. required: the case cannot move forward while it is open."""

    id: Slug
    title: Annotated[str, Field(min_length=1, max_length=200)]
    role: Slug = "operator"
    deadline: Duration | None = None
    late: tuple[Action, ...] = ()
    required: bool = False
    when: Condition = Condition()


class Escalation(_Table):
    """after: how long after the state's deadline."""

    after: Duration
    do: Annotated[tuple[Action, ...], Field(min_length=1)]


class StateRules(_Table):
    """deadline: how long a case may stay in the state; escalation: what happens when it stays longer."""

    deadline: Duration | None = None
    escalation: tuple[Escalation, ...] = ()
    enter: tuple[Action, ...] = ()
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _sense(self) -> StateRules:
        if self.escalation and self.deadline is None:
            raise ValueError("there is an escalation but no deadline; add one, e.g. deadline: 5 min")
        names = [step.id for step in self.steps]
        if len(names) != len(set(names)):
            raise ValueError("two steps have the same id")
        return self


class UrgencyRule(_Table):
    set: Urgency
    when: Condition = Condition()


class Procedure(_Table):
    """One file. opens_from_confidence: incidents below it open no case. urgency: the first rule that fits.
    closes_when_cleared_in: states in which a case closes by itself when sensors say that all of it is
    over; one that rests on reports alone never does."""

    kind: IncidentKind
    title: Annotated[str, Field(min_length=1, max_length=120)]
    opens_from_confidence: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    closes_when_cleared_in: tuple[CaseState, ...] = ()
    urgency: tuple[UrgencyRule, ...] = ()
    states: dict[CaseState, StateRules] = Field(default_factory=dict)
    digest: str = ""

    @model_validator(mode="after")
    def _sense(self) -> Procedure:
        names = [step.id for rules in self.states.values() for step in rules.steps]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"the step {twice!r} stands in two states; give each its own id")
        return self

    def rules(self, state: CaseState) -> StateRules:
        """What holds in a state."""
        return self.states.get(state, StateRules())


def load_procedures(city_folder: Path | None = None) -> dict[IncidentKind, Procedure]:
    """The procedure of each kind: the city's own where there is one. Raises ConfigurationError for the first
    file that does not fit, also for one whose name is no kind."""
    found = {kind: read_procedure(PACKAGED / f"{kind}.yaml") for kind in IncidentKind}
    own = city_folder / FOLDER if city_folder is not None else None
    if own is not None and own.is_dir():
        for path in sorted([*own.glob("*.yaml"), *own.glob("*.yml")]):
            procedure = read_procedure(path)
            if path.stem != procedure.kind:
                raise ConfigurationError(
                    f"the file says kind {str(procedure.kind)!r}", place=str(path),
                    remedy=f"name it {procedure.kind}.yaml, or correct the kind",
                )  # fmt: skip
            found[procedure.kind] = procedure
    return found


def read_procedure(path: Path) -> Procedure:
    """One file, checked. Raises ConfigurationError naming the file, the line and the remedy."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigurationError(
                f"is longer than {MAX_BYTES} bytes", place=str(path), remedy="write one procedure a file"
            )
        raw = path.read_bytes()
        text = raw.decode("utf-8")
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):  # a short file could stand for a very long one
                raise ConfigurationError(
                    f"refers to &{event.anchor}", place=f"{path}:{_mark(event.start_mark)}",
                    remedy="write it out; references are not read",
                )  # fmt: skip
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", place=str(path), remedy="check the file"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("is no UTF-8 text", place=str(path), remedy="save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(
            f"is no YAML: {getattr(error, 'problem', None) or 'cannot be read'}",
            place=f"{path}:{mark.line + 1}" if mark else str(path),
            remedy="look at the colons, the hyphens and how far that line is indented",
        ) from error
    if tree is None:
        raise ConfigurationError("is empty", place=str(path), remedy=f"copy one of {PACKAGED}")
    if not isinstance(tree, yaml.MappingNode):
        raise ConfigurationError(
            "is no procedure",
            place=f"{path}:{_mark(tree.start_mark)}",
            remedy="write kind: …, title: … first",
        )
    try:
        return Procedure.model_validate(
            {**_plain(tree, path), "digest": hashlib.sha256(raw).hexdigest()[:16]}
        )
    except ValidationError as error:
        # a misspelt key is also a missing one: the misspelling is what helps
        errors = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        first = errors[0]
        location = [part for part in first["loc"] if part != "fields"]
        said, remedy = _said(first, location)
        raise ConfigurationError(said, place=f"{path}:{_line(tree, location)}", remedy=remedy) from error


def _mark(mark: Any) -> int:
    """The line that a mark of the reader stands for."""
    return int(mark.line) + 1 if mark is not None else 1


def _plain(node: yaml.Node, path: Path, depth: int = 0) -> Any:
    """The tree as dicts, lists and scalars."""
    if depth > 12:
        raise ConfigurationError(
            "is nested too deep", place=f"{path}:{node.start_mark.line + 1}", remedy="see the package's files"
        )
    if isinstance(node, yaml.MappingNode):
        table: dict[str, Any] = {}
        for key, value in node.value:
            place = f"{path}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigurationError("a key must be a word", place=place, remedy="write name: value")
            if key.value in table:
                raise ConfigurationError(
                    f"{key.value!r} stands there twice", place=place, remedy="remove one of them"
                )
            table[key.value] = _plain(value, path, depth + 1)
        return table
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, path, depth + 1) for item in node.value]
    if node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool"):
        return yaml.safe_load(node.value)
    return node.value


def _line(node: yaml.Node, location: list[Any]) -> int:
    """The line at which an error's place stands, as near as the tree has it."""
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is None:
                break
            node = found[1] if isinstance(found[1], (yaml.MappingNode, yaml.SequenceNode)) else found[0]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
    return int(node.start_mark.line) + 1


def _said(error: Mapping[str, Any], location: list[Any]) -> tuple[str, str]:
    key = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}", "see docs/how-to/work-a-case.md for the keys there are"
    if error["type"] == "missing":
        return f"key {key!r} is missing", "add it"
    said = str(error["msg"]).removeprefix("Value error, ")
    return (f"{key}: {said}" if key else said), "correct that line"
