"""Which sources a city has, and what each of them sees.

Every camera of `City.places` is a source that sees its approach: the lanes of the edge it watches, and those
upstream that lead to it. A city that names no cameras has one source a junction, with the junction's id, that
sees all its approaches. Sources that watch the same approach share a *view*: the newest frame of any holds.
"""

from __future__ import annotations

import numpy as np

from civicbrain.city.intake.frames import NO_LANE
from civicbrain.city.model import City
from civicbrain.city.network import I32, index_of
from civicbrain.city.places import PlaceKind
from civicbrain.core.errors import CityError, NotFoundError

MOST_LANES = NO_LANE  # a lane's place is one byte, and one value of it says "none"


class Sources:
    """s sources, v views, ordered by junction, l lanes that are in a view.

    ids: (s). view: (s) row of each source's view. junction: (v) junction row of each view.
    lane: (l) lane rows, those of view i are lane_start[i]:lane_start[i + 1], in the order in which its
    sources name them: ascending rows, so by edge and there from right to left.
    """

    def __init__(self, city: City) -> None:
        """Raises CityError where a camera stands at no junction of the city, or sees too many lanes."""
        self.city = city
        named = city.list_places(PlaceKind.CAMERA)
        seen: dict[tuple[int, int], list[int]] = {}
        watchers: list[tuple[str, tuple[int, int]]]
        if named:
            for junction, edge, lane in _lanes_by_approach(city):
                seen.setdefault((junction, edge), []).append(lane)
            junction_row, edge_row = city.signals.row, city.network.edges.row
            stray = [c.id for c in named if c.junction not in junction_row or c.edge not in edge_row]
            if stray:
                raise CityError(
                    f"camera {stray[0]!r} stands at no junction of this city",
                    place=str(city.folder / "places.json"),
                    remedy="correct its `junction` and `edge`, or take it out",
                )
            watchers = [(c.id, (junction_row[c.junction], edge_row[c.edge])) for c in named]
        else:
            for junction, lane in zip(
                city.cameras.junction.tolist(), city.cameras.lane.tolist(), strict=True
            ):
                seen.setdefault((junction, -1), []).append(lane)
            watchers = [(city.junctions[junction].id, (junction, edge)) for junction, edge in sorted(seen)]
        views = sorted({view for _, view in watchers})
        lanes = [sorted(set(seen.get(view, ()))) for view in views]
        if any(len(own) > MOST_LANES for own in lanes):
            raise CityError(
                f"a camera sees more than {MOST_LANES} lanes",
                place=str(city.folder),
                remedy="name several cameras for that junction in places.json",
            )
        row_of_view = {view: row for row, view in enumerate(views)}
        self.ids = tuple(name for name, _ in watchers)
        self.row = index_of(self.ids)
        if len(self.row) != len(self.ids):
            raise CityError(
                "two cameras have the same id",
                place=str(city.folder / "places.json"),
                remedy="give each its own",
            )
        self.view: I32 = np.array([row_of_view[view] for _, view in watchers], np.int32)
        self.junction: I32 = np.array([junction for junction, _ in views], np.int32)
        self.lane_start: I32 = np.concatenate([[0], np.cumsum([len(own) for own in lanes])]).astype(np.int32)
        self.lane: I32 = np.array([lane for own in lanes for lane in own], np.int32)
        self._places: dict[int, dict[str, int]] = {}

    def lanes_of(self, source: int) -> I32:
        """Lane rows that source row `source` sees, in the order in which it names them."""
        view = int(self.view[source])
        return self.lane[self.lane_start[view] : self.lane_start[view + 1]]

    def lane_ids(self, source: int) -> list[str]:
        """The same as ids."""
        return [self.city.network.lanes.ids[row] for row in self.lanes_of(source).tolist()]

    def lane_place(self, source: str, lane: str) -> int:
        """Place of a lane in the list of a source; NO_LANE where it does not see it or is not known."""
        row = self.row.get(source)
        if row is None:
            return NO_LANE
        places = self._places.get(row)
        if places is None:
            places = self._places[row] = index_of(tuple(self.lane_ids(row)))
        return places.get(lane, NO_LANE)

    def get_source(self, name: str) -> int:
        """Row of a source; raises NotFoundError."""
        row = self.row.get(name)
        if row is None:
            raise NotFoundError(f"no source {name[:80]!r}", remedy="GET /v1/sources lists them")
        return row


def _lanes_by_approach(city: City) -> list[tuple[int, int, int]]:
    """(junction row, row of the approach edge, lane row) of each lane in some camera's reach.

    A lane upstream belongs to the approach that its edge leads to, nearest first, as the queue stands there.
    """
    lanes, movements, table = city.network.lanes, city.network.movements, city.cameras
    edge_of = lanes.edge[table.lane].tolist()
    junction_of = dict(zip(edge_of, table.junction.tolist(), strict=True))
    onward: dict[int, list[int]] = {}
    for a, b in zip(
        lanes.edge[movements.from_lane].tolist(), lanes.edge[movements.to_lane].tolist(), strict=True
    ):
        if junction_of.get(a) == junction_of.get(b, -1):
            onward.setdefault(a, []).append(b)
    approach: dict[int, int] = {}
    for row in np.argsort(table.beyond_m, kind="stable").tolist():
        edge = edge_of[row]
        if edge not in approach:
            known = [approach[b] for b in onward.get(edge, ()) if b in approach]
            approach[edge] = edge if table.beyond_m[row] == 0.0 or not known else known[0]
    return [
        (junction, approach[edge], lane)
        for junction, edge, lane in zip(table.junction.tolist(), edge_of, table.lane.tolist(), strict=True)
    ]
