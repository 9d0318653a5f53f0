"""The zone of a city: told, known of the source, or where it lies; its seconds count from midnight there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from civicbrain.city.folder import load_city
from civicbrain.city.network import Projection
from civicbrain.core.errors import ConfigurationError
from civicbrain.core.time import to_local
from civicbrain.twin.importing import ImportOptions, import_city, resolve_scenario
from civicbrain.twin.importing.builtin import BUILTIN_NAMES, BUILTIN_ZONES
from civicbrain.twin.importing.zone import cityflow_zone, midnight, zone_at

UTM32 = "+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"


def test_the_built_in_cities_show_the_hour_of_their_own_clocks() -> None:
    city = resolve_scenario("cologne1")
    assert city.zone == "Europe/Berlin"
    assert f"{to_local(city.epoch, city.zone, city.demand.begin_s):%H:%M %Z}" == "07:00 CET"
    assert set(BUILTIN_NAMES) - set(BUILTIN_ZONES) == {"grid4x4", "arterial4x4"}


def test_an_imported_city_has_the_zone_of_its_place(cross_net: Path) -> None:
    network = resolve_scenario("cologne1").network
    assert zone_at(network) == "Europe/Berlin"
    assert zone_at(replace(network, projection=Projection())) == ""
    ocean = Projection("+proj=utm +zone=24 +ellps=WGS84 +datum=WGS84 +units=m +no_defs", 0.0, 0.0)
    assert zone_at(replace(network, projection=ocean)) == ""
    bologna = Projection(UTM32, -685_000.0, -4_928_000.0)
    assert zone_at(replace(network, projection=bologna)) == "Europe/Rome"


def test_a_zone_that_is_told_goes_before_all_others(cross: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Asia/Soul"):
        import_city(cross, tmp_path / "city", options=ImportOptions(zone="Asia/Soul"))
    assert not (tmp_path / "city").exists()
    assert import_city(cross, tmp_path / "plane").zone == ""
    import_city(cross, tmp_path / "city", options=ImportOptions(zone="Asia/Seoul"))
    city = load_city(tmp_path / "city")
    assert (city.zone, city.epoch) == ("Asia/Seoul", datetime(2026, 1, 4, 15, tzinfo=UTC))


def test_published_sets_without_coordinates_are_known_by_name() -> None:
    assert cityflow_zone("hangzhou-gudang") == "Asia/Shanghai"
    assert cityflow_zone("somewhere") == ""
    assert midnight("").isoformat() == "2026-01-05T00:00:00+00:00"
