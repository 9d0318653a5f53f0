"""The keys of `city.toml`, checked so that a wrong one is named."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from civicbrain.core.errors import ConfigurationError


class TwinTable(BaseModel):
    """[twin]: paths relative to the city folder, and options that SUMO is started with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    net_file: str
    route_files: tuple[str, ...] = ()
    additional_files: tuple[str, ...] = ()
    step_s: float = Field(default=1.0, gt=0.0, le=10.0)
    sumo_options: dict[str, str] = Field(default_factory=dict)


class CityTable(BaseModel):
    """The whole file. begin_s and end_s are the window of the scenario in seconds since `epoch`.

    zone: IANA name of the city's time zone ("Europe/Berlin"), by which people read its times; "" where it is
    not known: they are read in the offset that `epoch` is written in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(default=1, ge=1, le=1)
    name: str = Field(min_length=1, max_length=64)
    source: str = ""
    epoch: AwareDatetime = datetime.fromisoformat("2026-01-05T00:00:00+00:00")
    begin_s: float = Field(default=0.0, ge=0.0)
    end_s: float = Field(default=3600.0, gt=0.0)
    zone: str = ""
    tile_url: str = ""
    warnings: tuple[str, ...] = ()
    twin: TwinTable

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone and zone not in available_timezones():
            raise ValueError(f"{zone[:40]!r} is no time zone of the IANA data base, such as Europe/Berlin")
        return zone

    @model_validator(mode="after")
    def _window(self) -> CityTable:
        if self.end_s <= self.begin_s:
            raise ValueError(f"end_s ({self.end_s:g}) must be later than begin_s ({self.begin_s:g})")
        return self


def parse_configuration(table: dict[str, Any], place: str) -> CityTable:
    """The checked table; raises ConfigurationError naming the file and the key."""
    try:
        return CityTable.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            model = TwinTable if first["loc"][0] == "twin" else CityTable
            known = ", ".join(sorted(model.model_fields))
            message, remedy = f"unknown key {key!r}", f"the keys here are {known}"
        elif first["type"] == "missing":
            message, remedy = f"key {key!r} is missing", "add it, or import the city again"
        elif key == "format":
            message = f"the folder has format {str(first['input'])[:20]}, this Civic Brain reads format 1"
            remedy = "import the city again with this version, or use the version that made it"
        else:
            message = f"key {key!r}: {first['msg']}" if key else first["msg"]
            remedy = "correct the value"
        raise ConfigurationError(message, place=place, remedy=remedy) from error
