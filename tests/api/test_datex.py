"""DATEX II: against the official schemas where they are at hand, and what a reader relies on."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from grid_city import grid_city
from lxml import etree

from civicbrain.api.datex import Earth, render_situations, severity_of
from civicbrain.city.incidents import Incident, IncidentKind, Place
from civicbrain.city.network import Projection
from civicbrain.city.sign_texts import LANGUAGES, sign_texts
from civicbrain.core.errors import ConfigurationError

SCHEMAS = os.environ.get("CIVICBRAIN_DATEX_SCHEMAS", "")
"""Folder of the DATEX II v3.1 XSDs (docs.datex2.eu); they may not be given on, so they are not here."""

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SIT = "{http://datex2.eu/schema/3/situation}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.fixture(scope="module")
def city():
    made = grid_city(2)
    # Seoul, UTM zone 52 north, about the City Hall
    projection = Projection("+proj=utm +zone=52 +datum=WGS84 +units=m", -322_000.0, -4_159_000.0)
    return replace(made, network=replace(made.network, projection=projection))


def incident(city, kind: IncidentKind, *, left: float = 0.5, edge: bool = True, **more) -> Incident:
    name = city.network.edges.ids[0] if edge else ""
    place = Place(100.0, 200.0, edge=name, lanes=(0,) if edge else (), junction=city.junctions[0].id)
    return Incident(f"i-{kind}", kind, place, 0.95, 100.0, 140.0, 150.0, ("seen",), left, **more)


def replace_id(one: Incident, name: str) -> Incident:
    return msgspec.structs.replace(one, id=name)


def records(xml: bytes) -> list:
    return list(etree.fromstring(xml).iter(f"{SIT}situationRecord"))


def test_a_crash_says_what_it_is_and_which_lanes_it_closes(city):
    accident, closing = records(render_situations(city, [incident(city, IncidentKind.CRASH)], NOW))
    assert accident.get(TYPE) == "sit:Accident"
    assert closing.get(TYPE) == "sit:RoadOrCarriagewayOrLaneManagement"
    assert closing.findtext(f"{SIT}cause/{SIT}causeType") == "accident"
    assert closing.findtext(f"{SIT}roadOrCarriagewayOrLaneManagementType") == "laneClosures"
    assert accident.findtext(f"{SIT}impact/{SIT}capacityRemaining") == "50"
    start = accident.findtext(".//{http://datex2.eu/schema/3/common}overallStartTime")
    assert datetime.fromisoformat(start) == datetime(2026, 1, 5, 0, 1, 40, tzinfo=UTC)


def test_a_blocked_road_is_closed_and_of_the_highest_severity(city):
    closed = incident(city, IncidentKind.CRASH, left=0.0)
    assert (
        records(render_situations(city, [closed], NOW))[1].findtext(
            f"{SIT}roadOrCarriagewayOrLaneManagementType"
        )
        == "roadClosed"
    )
    assert severity_of(closed) == "highest"
    assert severity_of(incident(city, IncidentKind.CONGESTION, left=0.5)) == "medium"


def test_places_are_where_they_are_on_earth(city):
    (lon, lat), = Earth(city).lonlat([(0.0, 0.0)])  # fmt: skip
    assert (lon, lat) == pytest.approx((126.98, 37.56), abs=0.02)


def test_cameras_are_nobody_elses_business(city):
    fault = incident(city, IncidentKind.SENSOR_FAULT)
    assert records(render_situations(city, [fault], NOW)) == []
    assert sign_texts(city, fault) == {}


def test_every_kind_has_a_text_in_every_language(city):
    for kind in set(IncidentKind) - {IncidentKind.SENSOR_FAULT}:
        texts = sign_texts(city, incident(city, kind))
        assert tuple(texts) == LANGUAGES
        assert all(1 <= text.count("\n") <= 1 and "{" not in text for text in texts.values())


def test_a_city_without_geography_says_so(city):
    nowhere = replace(city, network=replace(city.network, projection=Projection()))
    with pytest.raises(ConfigurationError, match="geography"):
        render_situations(nowhere, [], NOW)


def test_it_fits_the_official_schemas(city):
    if not SCHEMAS:
        pytest.skip("CIVICBRAIN_DATEX_SCHEMAS names no folder with the DATEX II v3.1 XSDs")
    schema = etree.XMLSchema(etree.parse(str(Path(SCHEMAS) / "DATEXII_3_D2Payload.xsd")))
    every = [
        replace_id(incident(city, kind, left=left, edge=edge, clears_s=clears_s), f"{kind}-{left}")
        for kind in IncidentKind
        for left, edge, clears_s in ((0.0, True, 900.0), (0.5, True, -1.0), (1.0, False, -1.0))
    ]
    every.append(incident(city, IncidentKind.CRASH, cleared_s=700.0))
    found = etree.fromstring(render_situations(city, every, NOW))
    assert schema.validate(found), schema.error_log
