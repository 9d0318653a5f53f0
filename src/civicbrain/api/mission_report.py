"""One page about a mission, to print for the file and the debriefing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from civicbrain import __version__
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.contracts.missions import MissionView, Passage, PassageState
from civicbrain.core.time import to_local

KINDS = {"ambulance": "Ambulance", "fire": "Fire engine", "police": "Police", "other": "Other vehicle"}
URGENCIES = {3: "a life depends on it", 2: "urgent", 1: "may wait"}
STATES = {"expected": "no position yet", "tracked": "on its way", "lost": "lost", "ended": "over"}
_AROUND_M = 120.0  # of streets shown beside the way
_NEAR_M = 600.0  # a junction further away does not tell where a section is
_WIDTH = 440.0  # of the diagram of a row
_MARGIN_S = 15.0


@dataclass(frozen=True)
class Stop:
    """A junction in the sketch, in its coordinates (y down)."""

    x: float
    y: float
    passed: bool


@dataclass(frozen=True)
class Sketch:
    """SVG coordinates in metres. unit: a length that looks the same whatever the extent."""

    box: str
    unit: float
    streets: list[str]
    way: str
    stops: list[Stop]


@dataclass(frozen=True)
class Scale:
    """The seconds that the diagrams span."""

    start_s: float
    end_s: float

    def x(self, time_s: float | None) -> float | None:
        if time_s is None:
            return None
        return round(_WIDTH * (time_s - self.start_s) / (self.end_s - self.start_s), 1)


@dataclass(frozen=True)
class Row:
    """A junction in the table. bar: x and width of the time it was held."""

    p: Passage
    name: str
    note: str
    late_s: float | None
    held_s: float | None
    bar: tuple[float, float] | None
    first_x: float | None
    passed_x: float | None


def render_mission(city: City, mission: MissionView, now_s: float) -> bytes:
    """The page as HTML, everything that came from outside escaped. now_s: platform second of the report."""

    def clock(time_s: float | None) -> str:
        return "–" if time_s is None else to_local(city.epoch, city.zone, time_s).strftime("%H:%M:%S")

    names = {place.edge: place.name or place.id for place in reversed(city.places)}
    end_s = mission.ended_s if mission.ended_s is not None else now_s
    scale = _scale(mission, end_s)
    rows = [_row(city, passage, scale, end_s) for passage in mission.passages]
    errors = [abs(row.late_s) for row in rows if row.late_s is not None and row.p.passed_s is not None]
    arrived = mission.end == "arrived"
    took_s = mission.ended_s - mission.created_s if arrived and mission.ended_s is not None else None
    without_s = mission.eta_without_s - mission.created_s if mission.eta_without_s is not None else None
    won_share = mission.won_s / without_s if mission.won_s is not None and without_s else None
    page = _template().render(
        m=mission, city=city.name, version=__version__, kind=KINDS.get(mission.kind, mission.kind),
        urgency=URGENCIES.get(mission.urgency, str(mission.urgency)),
        state=mission.end or STATES[mission.state], took_s=took_s,
        pace=round(3.6 * mission.length_m / took_s) if took_s else None,
        without_s=without_s, share=round(100 * won_share) if won_share is not None else None,
        counts=mission.won_s is not None and (arrived or mission.state != "ended"),
        error_s=sum(errors) / len(errors) if errors else None,
        passed=sum(passage.passed_s is not None for passage in mission.passages),
        rows=rows, scale=scale, sketch=_sketch(city, mission), now_s=now_s,
        date=to_local(city.epoch, city.zone, now_s).date().isoformat(),
        clock=clock, duration=_duration, signed=_signed, distance=_distance,
        place=lambda edge: names.get(edge) or _near(city, edge),
    )  # fmt: skip
    return page.encode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("civicbrain.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("mission.html.j2")


def _scale(mission: MissionView, end_s: float) -> Scale:
    moments = [mission.created_s, end_s]
    for p in mission.passages:
        times = (p.opened_s, p.passed_s, p.released_s, p.first_predicted_s)
        moments += [time_s for time_s in times if time_s is not None]
    return Scale(min(moments), max(max(moments), min(moments) + _MARGIN_S))


def _row(city: City, passage: Passage, scale: Scale, end_s: float) -> Row:
    row = city.signals.row.get(passage.junction)
    name = city.junctions[row].name if row is not None else ""
    late_s = held_s = bar = None
    if passage.passed_s is not None and passage.first_predicted_s is not None:
        late_s = passage.passed_s - passage.first_predicted_s
    if passage.opened_s is not None:
        until_s = passage.released_s if passage.released_s is not None else end_s
        held_s = until_s - passage.opened_s
        start, stop = scale.x(passage.opened_s), scale.x(until_s)
        bar = (start or 0.0, max(2.0, (stop or 0.0) - (start or 0.0)))
    note = "another mission goes first" if passage.state is PassageState.WAITS else ""
    if passage.state is PassageState.HELD_BACK:
        note = "given back: late"
    return Row(
        passage, name or passage.junction, note, late_s, held_s, bar, scale.x(passage.first_predicted_s),
        scale.x(passage.passed_s),
    )  # fmt: skip


def _sketch(city: City, mission: MissionView) -> Sketch | None:
    """The way among the streets around it; None where it has none."""
    network = city.network
    rows = [network.edges.row[edge] for edge in mission.edges if edge in network.edges.row]
    if not rows:
        return None
    way = np.concatenate([_line(city, row) for row in rows])
    low, high = way.min(axis=0) - _AROUND_M, way.max(axis=0) + _AROUND_M
    size = np.maximum(high - low, 1.0)
    if size[0] < 1.3 * size[1]:  # a broad picture: tall ones would push the table off the page
        grow = (1.3 * size[1] - size[0]) / 2
        low[0], high[0] = low[0] - grow, high[0] + grow
        size = high - low
    streets = []
    for row in range(len(network.edges.ids)):
        line = _line(city, row)
        if (line.max(axis=0) >= low).all() and (line.min(axis=0) <= high).all():
            streets.append(_points(line, high))
    stops = [
        Stop(round(junction.x_m, 1), round(high[1] - junction.y_m, 1), passage.passed_s is not None)
        for passage in mission.passages
        if (number := city.signals.row.get(passage.junction)) is not None
        for junction in (city.junctions[number],)
    ]
    box = f"{low[0]:.1f} 0 {size[0]:.1f} {size[1]:.1f}"
    return Sketch(box, round(float(size[0]) / 300.0, 2), streets, _points(way, high), stops)


def _near(city: City, edge: str) -> str:
    """A section that no place names: its street or id, and the named junction nearest to its end."""
    row = city.network.edges.row.get(edge)
    named = [junction for junction in city.junctions if junction.name]
    if row is None or not named:
        return city.name_section(edge)
    end = _line(city, row)[-1]
    away_m = [float(np.hypot(junction.x_m - end[0], junction.y_m - end[1])) for junction in named]
    nearest = int(np.argmin(away_m))
    section = city.name_section(edge)
    return f"{section}, near {named[nearest].name}" if away_m[nearest] < _NEAR_M else section


def _line(city: City, edge: int) -> F64:
    """(n, 2) the shape of an edge's last lane, which lies nearest to the middle of the street."""
    line: F64 = city.network.lanes.shape(int(city.network.edges.lane_start[edge + 1]) - 1).astype(np.float64)
    return line


def _points(line: F64, high: Sequence[float] | F64) -> str:
    """SVG's y runs down."""
    return " ".join(f"{x:.1f},{high[1] - y:.1f}" for x, y in line)


def _duration(value_s: float | None) -> str:
    if value_s is None:
        return "–"
    whole, sign = round(abs(value_s)), "−" if value_s < -0.5 else ""
    return f"{sign}{whole} s" if whole < 60 else f"{sign}{whole // 60} min {whole % 60} s"


def _signed(value_s: float | None) -> str:
    if value_s is None:
        return "–"
    return "±0 s" if round(value_s) == 0 else f"{'+' if value_s > 0 else '−'}{round(abs(value_s))} s"


def _distance(value_m: float) -> str:
    return f"{value_m:.0f} m" if value_m < 995 else f"{value_m / 1000:.1f} km"
