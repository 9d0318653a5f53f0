"""`City`: the static whole that everything else is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from civicbrain.city.network import F32, I32, Network
from civicbrain.city.places import Place, PlaceKind
from civicbrain.city.signals import SignalIndex, SignalJunction
from civicbrain.city.transit.timetable import Timetable


@dataclass(frozen=True, eq=False)
class Cameras:
    """What each camera can see: rows (camera, lane) with the road distance still to go from the lane's
    END to the stop line of the camera's junction (0 for the approach lanes themselves), in metres.

    One camera a signal junction, row = junction row. A lane is seen by one camera only.
    Where a junction's cameras leave out an approach, its lanes have no row (`City.places` says which approach
    has a camera). Rows are sorted by junction. A camera sees positions whose distance to the stop line is at
    most range_m.
    """

    range_m: float
    junction: I32  # (c,)
    lane: I32  # (c,) row in Lanes
    beyond_m: F32  # (c,) road distance from the end of that lane to the stop line


@dataclass(frozen=True)
class DemandFiles:
    """What the twin needs to run the city; paths relative to the city folder."""

    net_file: str
    route_files: tuple[str, ...] = ()
    additional_files: tuple[str, ...] = ()
    begin_s: float = 0.0
    end_s: float = 3600.0
    step_s: float = 1.0
    sumo_options: tuple[tuple[str, str], ...] = ()  # options of the source .sumocfg that change behaviour


@dataclass(frozen=True, eq=False)
class City:
    """A city. `folder` is where its files stand; `epoch` is the aware instant of platform second 0."""

    name: str
    network: Network
    junctions: tuple[SignalJunction, ...]
    cameras: Cameras
    demand: DemandFiles
    folder: Path
    source: str = ""
    epoch: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    zone: str = ""  # IANA name of its time zone, "" where it is not known
    tile_url: str = ""  # optional base map address for the control room
    warnings: tuple[str, ...] = ()
    extra: dict[str, object] = field(default_factory=dict)
    given_timetable: Timetable | None = None  # in place of the folder's: a study that times its buses itself
    places: tuple[Place, ...] = ()  # hospitals, stations, car parks, field cameras …; () where none are known

    @cached_property
    def signals(self) -> SignalIndex:
        return SignalIndex(self.junctions)

    @cached_property
    def timetable(self) -> Timetable | None:
        """The buses' timetable, read when first asked for; None where there is none. Raises CityError."""
        from civicbrain.city.transit.assembly import read_timetable

        return self.given_timetable if self.given_timetable is not None else read_timetable(self)

    @cached_property
    def signalled_movements(self) -> I32:
        """Rows of Movements under signal control."""
        return np.flatnonzero(self.network.movements.junction >= 0).astype(np.int32)

    def name_section(self, edge: str) -> str:
        """A street section for people: its street with its id, or its id alone."""
        row = self.network.edges.row.get(edge)
        name = self.network.edges.names[row] if row is not None else ""
        return f"{name} ({edge})" if name else edge

    def list_places(self, *kinds: PlaceKind) -> tuple[Place, ...]:
        """Places of these kinds (of all without any), in the order of the file."""
        return tuple(place for place in self.places if not kinds or place.kind in kinds)
