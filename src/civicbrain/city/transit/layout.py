"""Where a timetable lies on the network: `transit.json` in the city folder, beside `gtfs.zip`.

The timetable's truth is the GTFS archive; this file says on which edge each stop is and which edges each
sequence of stops drives. Whoever writes both (generator, importer) knows; for a timetable from elsewhere
`matching.py` finds out.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from civicbrain.core.errors import CityError

LAYOUT = "transit.json"
GTFS = "gtfs.zip"
FORMAT = 1


class StopPlace(msgspec.Struct, frozen=True):
    """A stop: edge id, metres along it."""

    id: str
    edge: str
    position_m: float


class PatternPlace(msgspec.Struct, frozen=True):
    """A line's sequence of stops and its edges; places: which of the edges each stop is on."""

    line: str
    stops: tuple[str, ...]
    edges: tuple[str, ...]
    places: tuple[int, ...]


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    format: int = FORMAT
    stops: tuple[StopPlace, ...] = ()
    patterns: tuple[PatternPlace, ...] = ()


def encode_layout(layout: Layout) -> bytes:
    """The file's content, the same bytes each time."""
    return msgspec.json.format(msgspec.json.encode(layout), indent=1) + b"\n"


def read_layout(folder: Path) -> Layout | None:
    """That of a city folder, None where it has no such file. Raises CityError with the fault's place."""
    file = folder / LAYOUT
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Layout)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, OSError) as error:
        raise CityError(
            f"this cannot be read: {error}", place=str(file), remedy="import the timetable again"
        ) from error
    if found.format != FORMAT:
        raise CityError(
            f"format {found.format} is not known", place=str(file), remedy="import the timetable again"
        )
    return found
