"""Signal groups on their way: links of one kind and approach that a program always treats alike."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.city.network import RoadUse
from civicbrain.city.signals import GroupKind
from civicbrain.twin.importing.network import Controller
from civicbrain.twin.importing.programs import Program

GREEN = "Gg"


@dataclass(frozen=True, eq=False)
class Draft:
    """A group on its way: paths are rows of Controller.paths, column its lamp in each phase."""

    kind: GroupKind
    approach: str
    links: tuple[int, ...]
    paths: tuple[int, ...]
    column: str


def draft_groups(controller: Controller, program: Program) -> list[Draft]:
    """The groups of a controller, in the order of their first link."""
    by_link: dict[int, list[int]] = {}
    for row, path in enumerate(controller.paths):
        by_link.setdefault(path.link, []).append(row)
    members: dict[tuple[GroupKind, str, str], list[int]] = {}
    for link, rows in sorted(by_link.items()):
        use = RoadUse.NONE
        for row in rows:
            use |= controller.paths[row].use
        crossing = any(controller.paths[row].is_crossing for row in rows)
        edges = (
            sorted({controller.paths[row].to_lane.rpartition("_")[0] for row in rows})
            if crossing
            else sorted({controller.paths[row].from_edge for row in rows})
        )
        key = (_kind(use), " ".join(edges), program.column(link))
        members.setdefault(key, []).append(link)
    return [
        Draft(kind, approach, tuple(links), tuple(row for link in links for row in by_link[link]), column)
        for (kind, approach, column), links in members.items()
    ]


def _kind(use: RoadUse) -> GroupKind:
    if use & (RoadUse.MOTOR | RoadUse.OTHER):
        return GroupKind.VEHICLE
    if use & (RoadUse.BUS | RoadUse.TRAM):
        return GroupKind.TRANSIT
    if use & RoadUse.BICYCLE:
        return GroupKind.BICYCLE
    return GroupKind.PEDESTRIAN if use & RoadUse.PEDESTRIAN else GroupKind.VEHICLE
