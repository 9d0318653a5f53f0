"""The city's own clocks."""

from datetime import UTC, datetime, timedelta, timezone

from civicbrain.core.time import to_local


def test_the_city_changes_its_clocks_with_its_zone() -> None:
    epoch = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Berlin; at 02:00 its clocks go to 03:00
    shown = [to_local(epoch, "Europe/Berlin", time_s).strftime("%H:%M") for time_s in (0.0, 7199.0, 7200.0)]
    assert shown == ["00:00", "01:59", "03:00"]


def test_without_a_zone_the_offset_of_the_epoch_holds() -> None:
    epoch = datetime(2026, 3, 28, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert to_local(epoch, "", 90_061.0).isoformat() == "2026-03-29T01:01:01+05:30"
