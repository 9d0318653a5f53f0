"""What the API says about buses."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AskKindName = Literal["none", "extension", "early-green", "insertion"]


class LineView(Struct, frozen=True):
    """A bus line. headway_s: median scheduled, null with fewer than two trips; frequent: judged by headway.
    most_behind_s: of its buses, by timetable or headway."""

    id: str
    name: str
    patterns: int
    trips: int
    frequent: bool
    buses: int
    asks: int
    asks_open: int
    headway_s: float | None = None
    mean_late_s: float | None = None
    most_behind_s: float | None = None


class LinesView(Struct, frozen=True):
    """All lines of the timetable. notes: what of it does not lie in this city."""

    time_s: float
    lines: list[LineView]
    notes: list[str] = []


class BusAskView(Struct, frozen=True):
    """A request under way: since when it is asked, and the latest second that bounds allow."""

    junction: str
    kind: AskKindName
    stage: str
    since_s: float
    until_s: float
    eta_s: float
    reason: str = ""


class BusView(Struct, frozen=True):
    """A bus under way. late_s: behind the timetable, below 0 early. behind_s: what priority is asked by, of
    the mode. reported_delay_s: the operator's own word. refused: its positions, by reason."""

    trip: str
    line: str
    vehicle: str
    brain: str
    time_s: float
    state: str
    x_m: float
    y_m: float
    progress_m: float
    length_m: float
    late_s: float
    mode: Literal["timetable", "headway"]
    behind_s: float
    start_s: float
    headway_s: float | None = None
    headway_due_s: float | None = None
    next_stop: str = ""
    ask: BusAskView | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    fix_s: float | None = None
    reported_delay_s: float | None = None
    refused: dict[str, int] = {}


class BusPage(Struct, frozen=True):
    """Buses, those farthest behind first. refused: positions of all, by reason, unknown trips included."""

    time_s: float
    items: list[BusView]
    count: int
    offset: int
    limit: int
    refused: dict[str, int] = {}


class TransitAskView(Struct, frozen=True):
    """A request for a bus, and what became of it. outcome, by, rule, why: the newest verdict. refusals: how
    often it was refused. ended_s null and end "" while it runs; end: passed, bound, lost, off-way, emergency,
    operator, on-time, too-late or gone."""

    trip: str
    line: str
    brain: str
    junction: str
    kind: AskKindName
    stage: str
    since_s: float
    until_s: float
    eta_s: float
    behind_s: float
    reason: str
    outcome: str = ""
    by: str = ""
    rule: str = ""
    why: str = ""
    refusals: int = 0
    ended_s: float | None = None
    end: str = ""


class TransitAskPage(Struct, frozen=True):
    """Requests, newest first; the last 2,000 are kept (all stand in the ledger)."""

    time_s: float
    items: list[TransitAskView]
    count: int
    offset: int
    limit: int
