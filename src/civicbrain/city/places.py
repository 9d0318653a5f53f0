"""Places of interest and field equipment of a city: `places.json` in the city folder, readable and editable.

{"format": 1, "places": [{"id": "hospital-1", "kind": "hospital", "edge": "J3-J4", …}, …]}
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from civicbrain.core.errors import CityError

PLACES = "places.json"
FORMAT = 1


class PlaceKind(StrEnum):
    """What stands there."""

    HOSPITAL = "hospital"
    AMBULANCE_STATION = "ambulance-station"
    FIRE_STATION = "fire-station"
    POLICE_STATION = "police-station"
    RAILWAY_STATION = "railway-station"
    CAR_PARK = "car-park"
    BUS_STOP = "bus-stop"
    CAMERA = "camera"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place, reached from a street section.

    edge: id of the section. lane: id of the lane, "" where any will do. position_m: along the section.
    x_m, y_m: in the city's plane. capacity: parking spaces (car park), 0 elsewhere.
    junction: of a camera, the signal junction whose approach `edge` it watches.
    """

    id: str
    kind: PlaceKind
    edge: str
    x_m: float
    y_m: float
    position_m: float
    name: str = ""
    lane: str = ""
    capacity: int = 0
    junction: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    places: tuple[Place, ...]


def encode_places(places: tuple[Place, ...]) -> bytes:
    """The file's content, one place a line."""
    rows = [msgspec.json.encode(place) for place in places]
    return b'{"format": %d, "places": [\n' % FORMAT + b",\n".join(rows) + b"\n]}\n"


def read_places(folder: Path) -> tuple[Place, ...]:
    """The places of a city folder, () where it has no such file. Raises CityError with the fault's place."""
    file = folder / PLACES
    try:
        found = msgspec.json.decode(file.read_bytes(), type=_File)
    except FileNotFoundError:
        return ()
    except msgspec.DecodeError as error:
        raise CityError(
            f"this cannot be read: {error}", place=str(file), remedy="correct it, or take the file away"
        ) from error
    if found.format != FORMAT:
        raise CityError(f"format {found.format} is not known", place=str(file), remedy="make the city again")
    return found.places
