"""Open incidents as a DATEX II situation publication (CEN EN 16157-2 and -3; version 3, https://docs.datex2.eu).

One situation an incident. Its first record says what it is (Accident, VehicleObstruction, GeneralObstruction,
AbnormalTraffic, EquipmentOrSystemFault); where lanes or the road are closed, a second one
(RoadOrCarriagewayOrLaneManagement) says so, with the first's kind as its cause (by kind: how records refer to
each other differs between the minor versions). Locations are WGS 84: a point, or the line of the street
section. A city without geography (`Projection.proj` empty) has nothing to tell the world: ConfigurationError.

Faults of cameras are left out: they are no matter for other systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from lxml import etree
from pyproj import CRS, Transformer

from civicbrain.city.incidents import Incident, IncidentKind
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.sign_texts import sign_texts, street_name
from civicbrain.core.errors import ConfigurationError
from civicbrain.core.time import to_datetime

_BASE = "http://datex2.eu/schema/3/"
_NAMES = {
    "d2": _BASE + "d2Payload", "sit": _BASE + "situation", "com": _BASE + "common",
    "loc": _BASE + "locationReferencing", "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}  # fmt: skip

_CERTAIN, _PROBABLE = 0.9, 0.5
"""Confidence from which an incident counts as certain, as probable; below it is a risk."""

_RECORD: dict[IncidentKind, tuple[str, tuple[tuple[str, str], ...], str]] = {
    IncidentKind.CRASH: ("Accident", (("accidentType", "accident"),), "accident"),
    IncidentKind.STOPPED_VEHICLE: (
        "VehicleObstruction", (("vehicleObstructionType", "brokenDownVehicle"),), "vehicleObstruction",
    ),
    IncidentKind.WRONG_WAY: (
        "VehicleObstruction",
        (("vehicleObstructionType", "vehicleOnWrongCarriageway"),),
        "vehicleObstruction",
    ),
    IncidentKind.BLOCKED_JUNCTION: (
        "GeneralObstruction", (("obstructionType", "obstructionOnTheRoad"),), "obstruction",
    ),
    IncidentKind.CLOSED_LANE: (
        "GeneralObstruction", (("obstructionType", "objectOnTheRoad"),), "obstruction",
    ),
    IncidentKind.CONGESTION: (
        "AbnormalTraffic", (("abnormalTrafficType", "queuingTraffic"),), "abnormalTraffic",
    ),
    IncidentKind.SIGNAL_FAULT: (
        "EquipmentOrSystemFault",
        (
            ("equipmentOrSystemFaultType", "workingIncorrectly"),
            ("faultyEquipmentOrSystemType", "trafficSignals"),
        ),
        "equipmentOrSystemFault",
    ),
}  # fmt: skip
"""Kind -> type of the record, its own elements in the schema's order, and what it is as a cause."""

_CLOSING = (IncidentKind.CRASH, IncidentKind.STOPPED_VEHICLE, IncidentKind.CLOSED_LANE)


def severity_of(incident: Incident) -> str:
    """DATEX's SeverityEnum, from the capacity that is left; wrong-way drivers are always the highest."""
    if incident.kind is IncidentKind.WRONG_WAY or incident.capacity_left <= 0.0:
        return "highest"
    steps = ((0.34, "high"), (0.67, "medium"), (0.95, "low"))
    return next((name for most, name in steps if incident.capacity_left <= most), "lowest")


def render_situations(city: City, incidents: Sequence[Incident], now: datetime, country: str = "kr") -> bytes:
    """The publication at `now` (aware). country: ISO 3166 code of the publisher; ConfigurationError."""
    earth = Earth(city)
    root = etree.Element(_tag("d2:payload"), nsmap=_NAMES)
    root.set(_tag("xsi:type"), "sit:SituationPublication")
    root.set("lang", "en")
    root.set("modelBaseVersion", "3")
    _text(root, "com:publicationTime", now.isoformat(timespec="seconds"))
    creator = etree.SubElement(root, _tag("com:publicationCreator"))
    _text(creator, "com:country", country)
    _text(creator, "com:nationalIdentifier", f"civicbrain-{city.name}")
    for incident in incidents:
        if incident.kind in _RECORD:
            _situation(root, city, earth, incident)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


class Earth:
    """From the city's plane to WGS 84 and back. Raises ConfigurationError where it has no geography."""

    def __init__(self, city: City) -> None:
        projection = city.network.projection
        if not projection.proj or projection.proj == "!":
            raise ConfigurationError(
                "the city has no geography, so its incidents have no place on earth",
                place=city.name, remedy="import it from a network with a projection",
            )  # fmt: skip
        self._offset = (projection.offset_x_m, projection.offset_y_m)
        plane = CRS.from_user_input(projection.proj)
        self._out = Transformer.from_crs(plane, "EPSG:4326", always_xy=True)

    def lonlat(self, xy: Any) -> F64:
        """(n, 2) longitude and latitude of points (n, 2) in metres."""
        points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        lon, lat = self._out.transform(points[:, 0] - self._offset[0], points[:, 1] - self._offset[1])
        return np.column_stack([lon, lat])


def _situation(root: Any, city: City, earth: Earth, incident: Incident) -> None:
    situation = etree.SubElement(root, _tag("sit:situation"), id=f"{city.name}-{incident.id}")
    _text(situation, "sit:overallSeverity", severity_of(incident))
    _text(situation, "sit:situationVersionTime", _time(city, incident.updated_s))
    header = etree.SubElement(situation, _tag("sit:headerInformation"))
    _text(header, "com:confidentiality", "noRestriction")
    _text(header, "com:informationStatus", "real")
    kind, own, cause = _RECORD[incident.kind]
    record = _record(situation, city, earth, incident, kind, suffix="1")
    for name, value in own:
        _text(record, f"sit:{name}", value)
    if incident.kind in _CLOSING and incident.place.edge and incident.capacity_left < 1.0:
        closing = _record(
            situation, city, earth, incident, "RoadOrCarriagewayOrLaneManagement", suffix="2", cause=cause
        )
        _text(closing, "sit:complianceOption", "mandatory")
        closed = incident.capacity_left <= 0.0
        _text(
            closing, "sit:roadOrCarriagewayOrLaneManagementType", "roadClosed" if closed else "laneClosures"
        )


def _record(
    situation: Any, city: City, earth: Earth, incident: Incident, kind: str, *, suffix: str, cause: str = ""
) -> Any:
    record = etree.SubElement(
        situation, _tag("sit:situationRecord"), id=f"{city.name}-{incident.id}-{suffix}",
        version=str(max(1, round(incident.updated_s - incident.detected_s) + 1)),
    )  # fmt: skip
    record.set(_tag("xsi:type"), f"sit:{kind}")
    _text(record, "sit:situationRecordCreationTime", _time(city, incident.detected_s))
    _text(record, "sit:situationRecordObservationTime", _time(city, incident.onset_s))
    _text(record, "sit:situationRecordVersionTime", _time(city, incident.updated_s))
    sure = incident.confidence
    chance = "certain" if sure >= _CERTAIN else "probable" if sure >= _PROBABLE else "riskOf"
    _text(record, "sit:probabilityOfOccurrence", chance)
    _text(record, "sit:severity", severity_of(incident))
    _text(record, "sit:safetyRelatedMessage", str(incident.kind is not IncidentKind.CONGESTION).lower())
    validity = etree.SubElement(record, _tag("sit:validity"))
    _text(validity, "com:validityStatus", "active" if incident.is_open else "definedByValidityTimeSpec")
    period = etree.SubElement(validity, _tag("com:validityTimeSpecification"))
    _text(period, "com:overallStartTime", _time(city, incident.onset_s))
    end_s = incident.cleared_s if not incident.is_open else incident.clears_s
    if end_s >= 0.0:
        _text(period, "com:overallEndTime", _time(city, max(end_s, incident.onset_s)))
    _impact(record, city, incident)
    if cause:
        element = etree.SubElement(record, _tag("sit:cause"))
        _text(element, "sit:causeType", cause)
    texts = sign_texts(city, incident)
    comment = etree.SubElement(record, _tag("sit:generalPublicComment"))
    _values(etree.SubElement(comment, _tag("sit:comment")), texts)
    _location(record, city, earth, incident)
    return record


def _impact(record: Any, city: City, incident: Incident) -> None:
    if incident.capacity_left >= 1.0:
        return
    impact = etree.SubElement(record, _tag("sit:impact"))
    _text(impact, "sit:capacityRemaining", f"{100.0 * max(incident.capacity_left, 0.0):.0f}")
    edge = city.network.edges.row.get(incident.place.edge)
    if edge is not None and incident.place.lanes:
        start = city.network.edges.lane_start
        count = int(start[edge + 1] - start[edge])
        _text(impact, "sit:numberOfLanesRestricted", str(len(incident.place.lanes)))
        _text(impact, "sit:numberOfOperationalLanes", str(max(0, count - len(incident.place.lanes))))


def _location(record: Any, city: City, earth: Earth, incident: Incident) -> None:
    place = incident.place
    edge = city.network.edges.row.get(place.edge)
    location = etree.SubElement(record, _tag("sit:locationReference"))
    (lon, lat), = earth.lonlat([(place.x_m, place.y_m)]).tolist()  # fmt: skip
    if edge is None:
        location.set(_tag("xsi:type"), "loc:PointLocation")
    else:
        location.set(_tag("xsi:type"), "loc:LinearLocation")
        _coordinates(etree.SubElement(location, _tag("loc:coordinatesForDisplay")), lat, lon)
    if name := street_name(city, incident):
        described = etree.SubElement(location, _tag("loc:supplementaryPositionalDescription"))
        _values(etree.SubElement(described, _tag("loc:locationDescription")), {"en": name})
    if edge is None:
        point = etree.SubElement(location, _tag("loc:pointByCoordinates"))
        _coordinates(etree.SubElement(point, _tag("loc:pointCoordinates")), lat, lon)
        return
    line = etree.SubElement(location, _tag("loc:gmlLineString"))
    line.set("srsName", "http://www.opengis.net/def/crs/EPSG/0/4326")  # latitude first
    shape = earth.lonlat(city.network.lanes.shape(int(city.network.edges.lane_start[edge])))
    _text(line, "loc:posList", " ".join(f"{y:.7f} {x:.7f}" for x, y in shape.tolist()))


def _coordinates(element: Any, lat: float, lon: float) -> None:
    _text(element, "loc:latitude", f"{lat:.7f}")
    _text(element, "loc:longitude", f"{lon:.7f}")


def _values(element: Any, texts: dict[str, str]) -> None:
    values = etree.SubElement(element, _tag("com:values"))
    for language, text in texts.items():
        value = etree.SubElement(values, _tag("com:value"), lang=language)
        value.text = text.replace("\n", "; ")


def _text(parent: Any, name: str, value: str) -> Any:
    element = etree.SubElement(parent, _tag(name))
    element.text = value
    return element


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def _time(city: City, time_s: float) -> str:
    return to_datetime(city.epoch, time_s).isoformat(timespec="seconds")
