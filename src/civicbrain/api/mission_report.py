"""One page about a mission, for the file and the debriefing."""

from __future__ import annotations

from jinja2 import Environment

from civicbrain.city.model import City
from civicbrain.contracts.missions import MissionView
from civicbrain.core.time import to_datetime

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Mission {{ m.id }}</title>
<style>
body { font: 11pt/1.4 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ccc; padding: .2rem .4rem }
td.n, th.n { text-align: right } dd { margin-left: 14rem }
dt { float: left; clear: left; width: 14rem; color: #555 }
</style>
<h1>Mission {{ m.id }}</h1>
<dl>
<dt>vehicle</dt><dd>{{ m.vehicle }} ({{ m.kind }}, urgency {{ m.urgency }})</dd>
<dt>from, to</dt><dd>{{ m.from_edge }}, {{ m.to_edge }} ({{ "%.0f"|format(m.length_m) }} m)</dd>
<dt>ordered</dt><dd>{{ clock(m.created_s) }}</dd>
<dt>state</dt><dd>{{ m.state }}{% if m.end %}: {{ m.end }} at {{ clock(m.ended_s) }}{% endif %}</dd>
<dt>took</dt><dd>{{ seconds(m.ended_s - m.created_s if m.end == "arrived" else None) }}</dd>
<dt>won against no priority</dt>
<dd>{{ seconds(m.won_s) }} (estimate: driving time and mean red of the plans)</dd>
<dt>cost to cross streets</dt>
<dd>{{ "%.0f"|format(m.cross_wait_veh_s) }} vehicle seconds stood at red meanwhile</dd>
<dt>positions refused</dt><dd>{% for rule, count in m.refused.items() %}{{ rule }} {{ count }}
{% else %}none{% endfor %}</dd>
</dl>
<table><tr><th>junction<th class=n>at, m<th>first expected<th>passed<th class=n>error, s<th class=n>held, s
<th class=n>cross wait, veh s<th>state</tr>
{% for p in m.passages %}<tr><td>{{ p.junction }}<td class=n>{{ "%.0f"|format(p.distance_m) }}
<td>{{ clock(p.first_predicted_s) }}<td>{{ clock(p.passed_s) }}
<td class=n>{{ difference(p.first_predicted_s, p.passed_s) }}
<td class=n>{{ difference(p.released_s, p.opened_s) }}
<td class=n>{{ "%.0f"|format(p.cross_wait_veh_s) }}<td>{{ p.state }}</tr>
{% endfor %}</table>
</html>
"""


def render_mission(city: City, mission: MissionView) -> bytes:
    """The page as HTML, everything that came from outside escaped."""

    def clock(time_s: float | None) -> str:
        return "–" if time_s is None else to_datetime(city.epoch, time_s).strftime("%H:%M:%S")

    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.0f} s"

    def difference(first: float | None, other: float | None) -> str:
        return "–" if first is None or other is None else f"{first - other:.0f}"

    template = Environment(autoescape=True).from_string(_PAGE)
    page = template.render(m=mission, clock=clock, seconds=seconds, difference=difference)
    return page.encode()
