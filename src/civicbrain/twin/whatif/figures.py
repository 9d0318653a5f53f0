"""How one future went. No SUMO here: whoever reads an answer need not load it."""

from __future__ import annotations

import msgspec


class FutureFigures(msgspec.Struct, frozen=True):
    """How one future went; all from the branch to its end.

    vehicles: on the street at the branch, waiting, or due later. delay_veh_s: time loss and waiting to be let
    in, of all. time_spent_veh_s: on the street or waiting to be let in, of all (what a detour costs is in
    here, not in the delay). queue_veh, running: at series_time_s, each minute; a queue is counted in vehicles
    that stand for the time they lose (sum of vehicles × (1 - speed / limit)); lost_veh_h: that, summed up
    from the branch on, at the same times. junction_delay_veh_s,
    edge_delay_veh_s: one a junction of the city (on its approaches as far as its camera looks), one an edge.
    cpu_s: processor time that it took.
    """

    seed: int
    vehicles: int
    arrived: int
    departed: int
    undeparted: int
    delay_veh_s: float
    time_spent_veh_s: float
    diverted: int
    series_time_s: tuple[float, ...]
    queue_veh: tuple[float, ...]
    running: tuple[int, ...]
    arrivals: tuple[int, ...]
    junction_delay_veh_s: tuple[float, ...]
    edge_delay_veh_s: tuple[float, ...]
    cpu_s: float = 0.0
    lost_veh_h: tuple[float, ...] = ()
