"""The handover note as a page to read: sentences and tables, by the city's clock.

It is what is kept when a shift is signed over, so it is plain text that a person reads without any program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from civicbrain.city.cases import CaseSummary
from civicbrain.city.incidents import Place
from civicbrain.city.model import City
from civicbrain.city.shifts import Handover, Override, ShiftEvent
from civicbrain.core.time import to_local

_Words = Mapping[str, str]
_STATES = {"expected": "no position yet", "tracked": "on its way", "lost": "no position any more"}
_ACTORS = {
    "tracking": "Tracking",
    "runtime": "Civic Brain", "cases": "The procedure", "guard": "The guard", "signals": "The signals brain",
    "priority": "The priority brain", "incidents": "The incidents brain",
}  # fmt: skip
_SENTENCES: Mapping[str, Callable[[_Words], str]] = {
    "opened": lambda d: f"was opened: {d['kind']}, {d['urgency']}{_as(d['why'], '. ')}",
    "moved": lambda d: f"went from {d['from']} to {d['to']}" + _as(d["outcome"]) + _why(d),
    "reopened": lambda d: "was opened again" + _why(d),
    "merged": lambda d: f"took in {d['from']}",
    "handed-over": lambda d: f"was handed over to {d['to']}" + _why(d),
    "assigned": lambda d: f"was assigned to {d['to']}" + _why(d),
    "urgency": lambda d: f"became {d['to']}" + _why(d),
    "kind": lambda d: f"is a {d['to']}, not a {d['from']}" + _why(d),
    "late": lambda d: f"is overdue in {d['state']}",
    "escalated": lambda d: f"was escalated to level {d['level']}",
    "notice-dead": lambda d: f"a notice to {d['to']} was given up" + _as(d["error"], ": "),
    "step-done": lambda d: f"step done: {_step(d)}" + _as(d["reason"], ": "),
    "step-skipped": lambda d: f"step left out: {_step(d)}" + _why(d),
    "step-late": lambda d: f"step overdue: {_step(d)}",
    "not-confirmed": lambda d: _not_confirmed(d),
    "out-of-sight": lambda _: "no sensor sees it any more",
}
"""What became of a case, after its name."""


def _not_confirmed(d: _Words) -> str:
    minutes = f"{float(d['after_s']) / 60:.0f} min (city time)"
    return (
        f"is not confirmed: nobody reported it again for {minutes} and no camera has seen it; somebody has"
        " to look, or to close it"
    )


def _step(d: _Words) -> str:
    """By its title; steps of before it was kept by their id."""
    return d["title"] or d["step"]


_OVERRIDE: Mapping[str, str] = {
    "begin": "took control", "shown": "an override's stage is shown", "give back": "gave control back",
    "expired": "an override ended on time", "refused": "an override was refused",
    "resumed": "an override goes on after a restart", "not resumed": "an override ended with a restart",
    "time went back": "an override ended: the city's clock went back",
}  # fmt: skip

_MISSION: Mapping[str, str] = {
    "order": "ordered a mission of {}", "cancel": "cancelled the mission of {}",
    "ended": "the mission of {} ended", "lost": "no position of {} any more",
}  # fmt: skip

_OF_THE_PLATFORM: Mapping[str, Callable[[_Words], str]] = {
    "brain-failed": lambda d: f"the brain {d['brain']} failed" + _as(d["error"], ": "),
    "brain-recovered": lambda d: f"the brain {d['brain']} works again",
    "brain-switch": lambda d: f"switched the brain {d['brain']} {'on' if d['enabled'] else 'off'}" + _why(d),
    "control": lambda d: f"changed the control from {d['from']} to {d['to']}" + _why(d),
    "decision": lambda d: (
        f"{'accepted' if d['accepted'] else 'declined'} a measure proposed for {d['closure']}" + _why(d)
    ),
    "ledger-recovered": lambda d: f"the ledger can be written again; {d['entries_lost']} entries were lost",
    "start": lambda d: f"the platform started under the control {d['control']}",
    "twin": lambda d: f"twin: {d['action']}{_as(d['value'], ' ')}" + _why(d),
    "what-if": lambda d: "asked a what-if" + _as(d["title"], ": "),
    "mission": lambda d: (
        _MISSION.get(d["what"], f"mission: {d['what']}").format(d["vehicle"] or d["mission"]) + _ended(d)
    ),
    "alarms-acknowledged": lambda d: f"acknowledged {d['alarms']}" + _why(d),
    "alarms-shelved": lambda d: f"put aside {d['alarms']}" + _why(d),
    "alarms-unshelved": lambda d: f"took back {d['alarms']}" + _why(d),
    "alarms-cleared": lambda d: f"cleared {d['alarms']} by hand" + _why(d),
    "override": lambda d: _OVERRIDE.get(d["what"], f"override: {d['what']}") + _at(d) + _why(d),
}

NO_ADDRESS = "no address is set up for them"


def as_text(note: Handover, city: City, given: str = "") -> str:
    """The note for a person. given: a sentence about who hands over to whom, "" while nobody does."""
    clock = _Clock(city)
    names = {junction.id: junction.name or junction.id for junction in city.junctions}
    parts = [
        _title(note, city, clock), [given] if given else [], [_summary(note)],
        _part("Open cases", _table(_cases(note.open_cases, city, names, clock))),
        _part(
            "Missions under way",
            [
                f"- {one.vehicle or one.id} to {city.name_section(one.to_edge)}, {_STATES[one.state]}"
                + (f", expected at {clock.city_time(one.eta_s):%H:%M:%S}" if one.eta_s is not None else "")
                for one in note.missions
            ],
        ),
        _part("In force by hand", [f"- {_held(one, names)}" for one in note.overrides]),
        _part(
            "Alarms that stand",
            [
                f"- {group.matter}: {group.alarms}, {group.urgency}, {group.unacknowledged} not acknowledged"
                for group in note.groups
            ],
        ),
        _part(
            "Alarms put aside",
            [
                f"- {one.title}, by {_person(one.shelved_by)}"
                + (f" until {clock.real(one.shelved_until)}" if one.shelved_until else "")
                + _as(one.shelved_why, ": ")
                for one in note.shelved
            ],
        ),
        _part("Silent sources", [f"- {name}" for name in note.silent_sources]),
        _part(
            "Notices that reached nobody",
            [
                f"- to {one.recipient}{_as(one.case, ' about ')}: {one.error or NO_ADDRESS}"
                for one in note.lost_notices
            ],
        ),
        _part(
            "What changed in the shift",
            [f"The newest {len(note.changed)} of {note.changes}."] * (note.changes > len(note.changed))
            + _table([[clock.when(event), _sentence(event, names)] for event in note.changed]),
        ),
    ]  # fmt: skip
    text = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)


class _Clock:
    """Times as the city's people have them."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.zone = city.zone or str(city.epoch.tzinfo)

    def city_time(self, time_s: float) -> datetime:
        return to_local(self._city.epoch, self._city.zone, time_s)

    def real(self, moment: datetime) -> str:
        """An instant of the wall clock."""
        local = moment.astimezone(ZoneInfo(self._city.zone) if self._city.zone else self._city.epoch.tzinfo)
        return f"{local:%H:%M}"

    def when(self, event: ShiftEvent) -> str:
        if event.time_s is None:
            return f"{self.real(event.at)} (real)"
        return f"{self.city_time(event.time_s):%H:%M:%S}"


def _title(note: Handover, city: City, clock: _Clock) -> list[str]:
    heading = f"Handover note: {city.name}"
    lines = [heading, "=" * len(heading)]
    if note.until_s is not None:
        since = f"{clock.city_time(note.since_s):%a %d %b %Y, %H:%M}" if note.since_s is not None else ""
        lines.append(
            f"{since or 'Before the city started'} to {clock.city_time(note.until_s):%a %d %b %Y, %H:%M}"
            f" by the city's clock ({clock.zone})."
        )
    lines.append(f"In real time: {note.since:%Y-%m-%d %H:%M} to {note.until:%Y-%m-%d %H:%M} UTC.")
    return lines


def _summary(note: Handover) -> str:
    late = sum(case.late for case in note.open_cases)
    standing = sum(group.alarms for group in note.groups)
    cases = f"{_count(len(note.open_cases), 'open case')}, {late} overdue"
    said = [
        f"{cases}; {note.closed_cases} closed in this shift.",
        f"{_count(standing, 'alarm')} standing, {len(note.shelved)} put aside.",
    ]
    if note.live:
        held, silent = len(note.overrides), _count(len(note.silent_sources), "silent source")
        said.append(f"{held} in force by hand, {silent}.")
    else:
        said.append(
            "Not known, as the city does not run: what is in force by hand, the missions, what is silent."
        )
    return "\n".join(said)


def _cases(
    cases: Sequence[CaseSummary], city: City, names: Mapping[str, str], clock: _Clock
) -> list[list[str]]:
    if not cases:
        return []
    rows = [["Case", "Urgency", "What, where", "State", "Who", "Due (real time)"]]
    for one in cases:
        due = clock.real(one.deadline) if one.deadline else "–"
        who = " / ".join(filter(None, (one.assigned_to, one.holder and _person(one.holder)))) or "–"
        what, state = f"{one.title}, {_where(one.place, city, names)}", str(one.state).replace("_", " ")
        rows.append([one.id, str(one.urgency), what, state, who, "OVERDUE" if one.late else due])
    return rows


def _where(place: Place, city: City, names: Mapping[str, str]) -> str:
    if place.junction:
        return names.get(place.junction, place.junction)
    if place.edge:
        named = city.name_section(place.edge)
        return named if named != place.edge else f"section {place.edge}"
    return place.sensor or f"{place.x_m:.0f} m, {place.y_m:.0f} m"


def _held(one: Override, names: Mapping[str, str]) -> str:
    return f"{one.what} {names.get(one.which, one.which)}{_as(one.detail, ': ')}"


def _sentence(event: ShiftEvent, names: Mapping[str, str]) -> str:
    who = _person(event.actor)
    words = _Known({key: _word(key, value, names) for key, value in event.detail.items()})
    if "alarms" in event.detail:
        words["alarms"] = _alarms(event.detail)
    say = (_SENTENCES if event.case else _OF_THE_PLATFORM).get(event.what)
    told = say(words) if say else event.what.replace("-", " ")
    return f"{event.case} {told} ({who})." if event.case else f"{who}: {told}."


def _alarms(detail: Mapping[str, Any]) -> str:
    titles = [f"“{one['title']}”" for one in detail["alarms"]]
    more = int(detail["count"]) - len(titles)
    return ", ".join([*dict.fromkeys(titles), *([f"{_count(more, 'more alarm')}"] if more > 0 else [])])


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _word(key: str, value: Any, names: Mapping[str, str]) -> str:
    if value is None or value is False:
        return ""
    if key == "junction":
        return names.get(str(value), str(value))
    return str(value).replace("_", " ") if key in ("kind", "from", "to", "state", "outcome") else str(value)


def _person(actor: str) -> str:
    """Who it was: a log-in without its role, or a part of the platform."""
    role, colon, name = actor.partition(":")
    return _ACTORS.get(actor, name if colon and role.isidentifier() else actor)


def _as(word: str, before: str = ", ") -> str:
    return f"{before}{word}" if word else ""


def _why(words: _Words) -> str:
    return _as(words["why"] or words["reason"], ": ")


def _ended(words: _Words) -> str:
    return _as(words["rule"], ": ") if words["what"] == "ended" else _why(words)


def _at(words: _Words) -> str:
    stage = f", stage {words['stage']}" if words["stage"] and words["what"] == "begin" else ""
    return _as(words["junction"], " at ") + stage


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _part(title: str, lines: Sequence[str]) -> list[str]:
    return [title, "-" * len(title), *(lines or ["None."])]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns in line; the last one is as wide as it is."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)] if rows else []
    return [
        "  ".join([*(f"{word:<{width}}" for word, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
