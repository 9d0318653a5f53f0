"""What the API says about buses."""

from __future__ import annotations

from msgspec import Struct, field

from civicbrain.contracts.transit import AskKind, BusPlan


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


class BusView(BusPlan, frozen=True, kw_only=True):
    """A bus under way. late_s: behind the timetable, below 0 early. behind_s: what priority is asked by, of
    the mode. reported_delay_s: the operator's own word. refused: its positions, by reason."""

    start_s: float
    speed_mps: float | None = None
    heading_deg: float | None = None
    fix_s: float | None = None
    reported_delay_s: float | None = None
    refused: dict[str, int] = field(default_factory=dict)


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
    kind: AskKind
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
