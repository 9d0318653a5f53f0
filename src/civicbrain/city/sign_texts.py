"""Short texts for signs and in-car systems: what is wrong, where, what is left; in English, Korean, Chinese.

A sign is read in a glance: two lines of about 15 to 20 signs each (a full-matrix sign on a city street). What
and where come first; nothing is said that is not known.
"""

from __future__ import annotations

from civicbrain.city.incidents import Incident, IncidentKind
from civicbrain.city.model import City

LANGUAGES = ("en", "ko", "zh")

_WHAT: dict[IncidentKind, tuple[str, str, str]] = {
    IncidentKind.STOPPED_VEHICLE: ("Broken-down vehicle", "고장 차량", "故障车辆"),
    IncidentKind.CRASH: ("Crash", "교통사고", "交通事故"),
    IncidentKind.BLOCKED_JUNCTION: ("Junction blocked", "교차로 막힘", "路口堵塞"),
    IncidentKind.WRONG_WAY: ("Wrong-way driver", "역주행 차량", "逆行车辆"),
    IncidentKind.CLOSED_LANE: ("Lane obstructed", "차로 장애물", "车道受阻"),
    IncidentKind.CONGESTION: ("Congestion", "정체", "拥堵"),
    IncidentKind.SIGNAL_FAULT: ("Signals out of order", "신호등 고장", "信号灯故障"),
    IncidentKind.SENSOR_FAULT: ("", "", ""),
}

_DO: dict[str, tuple[str, str, str]] = {
    "closed": ("Road closed", "통행 불가", "道路封闭"),
    "lanes": ("{n} lane(s) closed", "{n}개 차로 통제", "{n}条车道封闭"),
    "danger": ("Danger: keep right", "위험: 우측 서행", "危险：靠右慢行"),
    "slow": ("Expect delay", "서행", "请缓行"),
}


def street_name(city: City, incident: Incident) -> str:
    """The street of an incident, else its junction, "" where neither has a name."""
    edge = city.network.edges.row.get(incident.place.edge)
    if edge is not None and city.network.edges.names[edge]:
        return city.network.edges.names[edge]
    return incident.place.junction


def sign_texts(city: City, incident: Incident) -> dict[str, str]:
    """Language -> text, lines parted by a line feed; {} for what is no business of drivers (a camera)."""
    if incident.kind is IncidentKind.SENSOR_FAULT:
        return {}
    where = street_name(city, incident)
    if incident.capacity_left <= 0.0:
        do = "closed"
    elif incident.kind is IncidentKind.WRONG_WAY:
        do = "danger"
    elif incident.place.lanes and incident.kind is not IncidentKind.CONGESTION:
        do = "lanes"
    else:
        do = "slow"
    texts = {}
    for row, language in enumerate(LANGUAGES):
        what = _WHAT[incident.kind][row]
        first = f"{where} {what}".strip() if language != "en" else f"{what} {where}".strip()
        texts[language] = f"{first}\n{_DO[do][row].format(n=len(incident.place.lanes))}"
    return texts
