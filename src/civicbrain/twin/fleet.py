"""The vehicles of a run: who is under way, with number and class, in the order in which SUMO answers fastest.

Everything that looks at all vehicles each second (cameras, the live map, the live delay) asks through it.
SUMO's answers come in a third of the time when it is asked in the order of its own table of vehicles (by id),
by the compiled functions under libsumo's Python wrappers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import libsumo

from civicbrain.city.observations import VehicleClass
from civicbrain.twin.incidents import OBSTACLE

CLASS_OF = {
    "truck": VehicleClass.TRUCK,
    "trailer": VehicleClass.TRUCK,
    "delivery": VehicleClass.TRUCK,
    "bus": VehicleClass.BUS,
    "coach": VehicleClass.BUS,
    "tram": VehicleClass.TRAM,
    "rail": VehicleClass.TRAM,
    "rail_urban": VehicleClass.TRAM,
    "rail_electric": VehicleClass.TRAM,
    "rail_fast": VehicleClass.TRAM,
    "subway": VehicleClass.TRAM,
    "cable_car": VehicleClass.TRAM,
    "motorcycle": VehicleClass.MOTORCYCLE,
    "moped": VehicleClass.MOTORCYCLE,
    "bicycle": VehicleClass.BICYCLE,
    "scooter": VehicleClass.BICYCLE,
    "pedestrian": VehicleClass.PEDESTRIAN,
    "wheelchair": VehicleClass.PEDESTRIAN,
    "emergency": VehicleClass.EMERGENCY,
    "authority": VehicleClass.EMERGENCY,
    "army": VehicleClass.OTHER,
    "ship": VehicleClass.OTHER,
    "container": VehicleClass.OTHER,
    "aircraft": VehicleClass.OTHER,
    "drone": VehicleClass.OTHER,
    "custom1": VehicleClass.OTHER,
    "custom2": VehicleClass.OTHER,
}
"""SUMO's vehicle classes as a camera tells them apart; the others are cars."""


def compiled(domain: str, name: str) -> Callable[..., Any]:
    """libsumo.DOMAIN.NAME without its Python wrapper, which costs as much as the call itself."""
    binding = getattr(getattr(libsumo, "libsumo", None), "_libsumo", None)
    plain = getattr(binding, f"{domain}_{name}", None)
    return plain or getattr(getattr(libsumo, domain), name)  # type: ignore[no-any-return]


_get_ids = compiled("vehicle", "getIDList")

RECOUNT_STEPS = 60
"""Steps after which the list is taken from SUMO's own, should it ever lose a vehicle unsaid."""


class Fleet:
    """The vehicles of this run: which are under way, and the running number and class of each, looked up
    once a vehicle.

    under_way: ids in ascending order, as SUMO lists them. Kept from departures and arrivals, because asking
    SUMO for the list each second costs as much as asking every vehicle for its lane. It may hold vehicles
    that are off the road for a moment (teleporting, parked); these have no lane, and no position or speed
    (`OFF_ROAD` or below). classes, numbers: of those under way.
    """

    OFF_ROAD = -1e6
    """SUMO's "no value" is below it, every real coordinate, position and speed above."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}
        self._recount_in = 0  # steps
        self.under_way: list[str] = []
        self.classes = bytearray()
        self.numbers = array("I")

    def ask(self, *questions: Callable[[str], Any]) -> list[list[Any]]:
        """The answers of compiled functions of one vehicle, each for all under way, in their order."""
        try:
            return [list(map(question, self.under_way)) for question in questions]
        except libsumo.TraCIException:  # SUMO removed one without counting it as arrived
            self.recount()
            return [list(map(question, self.under_way)) for question in questions]

    def recount(self) -> None:
        """Take the list from SUMO."""
        self._recount_in = RECOUNT_STEPS
        self.under_way = sorted(name for name in _get_ids() if not name.startswith(OBSTACLE))
        known = [self.get(name) for name in self.under_way]
        self.numbers = array("I", (number for number, _ in known))
        self.classes = bytearray(kind for _, kind in known)

    def moved(self, departed: Sequence[str], arrived: Sequence[str]) -> None:
        """Take in who entered and who left in a step."""
        self._recount_in -= 1
        if self._recount_in < 0:
            self.recount()
            return
        names = self.under_way
        for name in departed:
            if name in arrived or name.startswith(OBSTACLE):
                continue  # gone again in the same step, or nothing that a camera takes for a vehicle
            place = bisect_left(names, name)
            number, kind = self.get(name)
            names.insert(place, name)
            self.classes.insert(place, kind)
            self.numbers.insert(place, number)
        for name in arrived:
            place = bisect_left(names, name)
            if place < len(names) and names[place] == name:
                del names[place], self.classes[place], self.numbers[place]

    def get(self, vehicle_id: str) -> tuple[int, int]:
        """(number from 0 on, VehicleClass value)."""
        known = self._known.get(vehicle_id)
        if known is None:
            kind = CLASS_OF.get(libsumo.vehicle.getVehicleClass(vehicle_id), VehicleClass.CAR)
            known = self._known[vehicle_id] = (len(self._known), int(kind))
        return known
