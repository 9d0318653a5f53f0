"""Intergreen, yellow and minimum green times.

Source: FGSV, Richtlinien für Lichtsignalanlagen (RiLSA), edition 2015 (321), "Zwischenzeiten"
(t_z = t_ü + t_r - t_e), "Übergangszeiten" and "Mindestfreigabezeiten". Valid for
urban junctions at grade, limits up to 70 km/h. An intergreen counts from the end of one group's green to
the start of the other's, so it includes the yellow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from civicbrain.core.units import KMH_TO_MPS

MIN_GREEN_S = 5.0
"""RiLSA 2015: no green is shorter than 5 s."""
LONGEST_MIN_GREEN_S = 10.0
"""A declared minimum above this is a guaranteed split of the plan, not a safety minimum: RiLSA 2015:
asks for 5 s, and for 10 s on main streams."""
PEDESTRIAN_SPEED_MPS = 1.2
"""RiLSA 2015: clearing speed of pedestrians (1.0 m/s where many are slow)."""
ENTERING_SPEED_MPS = 40.0 * KMH_TO_MPS
"""RiLSA 2015: a first vehicle arrives at the changing signal with 40 km/h."""
BOX_REACTION_S = 1.0
BOX_ACCELERATION_MPS2 = 2.0
"""A vehicle waiting inside the junction starts after 1 s with 2 m/s² (comfortable start-up of a car,
Treiber & Kesting, Traffic Flow Dynamics, 2013, table 11.2: 1 to 2 m/s²)."""


@dataclass(frozen=True)
class Clearing:
    """How a kind of road user clears (RiLSA 2015, clearing cases 1 to 6)."""

    overrun_s: float  # t_ü: how long after the end of green the last one may still enter
    speed_mps: float  # v_r
    length_m: float  # l_Fz, added to the clearing distance


STRAIGHT = Clearing(3.0, 10.0, 6.0)  # case 1
TURNING = Clearing(2.0, 7.0, 6.0)  # case 2
TIGHT_TURN = Clearing(2.0, 5.0, 6.0)  # case 2, radius below 10 m
TRANSIT = Clearing(3.0, 7.0, 18.0)  # cases 3 and 4: an articulated bus; trams by their own braking
BICYCLE = Clearing(1.0, 4.0, 0.0)  # case 5
PEDESTRIAN = Clearing(0.0, PEDESTRIAN_SPEED_MPS, 0.0)  # case 6


def yellow_s(speed_limit_mps: float) -> float:
    """Yellow (s) by speed limit: 3 s up to 50 km/h, 4 s up to 60, 5 s up to 70 and beyond (RiLSA 2015)."""
    if speed_limit_mps <= 50.5 * KMH_TO_MPS:
        return 3.0
    return 4.0 if speed_limit_mps <= 60.5 * KMH_TO_MPS else 5.0


def pedestrian_min_green_s(crossing_m: float) -> float:
    """Minimum green (s) of a crossing: 5 s, and time to walk half of it (RiLSA 2015)."""
    return max(MIN_GREEN_S, crossing_m / 2.0 / PEDESTRIAN_SPEED_MPS)


def intergreen_s(clearing: Clearing, clearing_m: float, entering_m: float) -> float:
    """t_z = t_ü + (s_0 + l_Fz) / v_r - s_e / v_e, in seconds, not rounded, never negative.

    clearing_m: s_0, from the stop line of the clearing road user to the far end of the conflict area.
    entering_m: s_e, from the stop line of the entering one to the conflict area; 0 for pedestrians.
    """
    return max(
        0.0,
        clearing.overrun_s
        + (clearing_m + clearing.length_m) / clearing.speed_mps
        - entering_m / ENTERING_SPEED_MPS,
    )


def box_clearing_s(clearing_m: float, length_m: float = STRAIGHT.length_m) -> float:
    """Time (s) for a turner that waited inside the junction to leave the conflict area from standstill.

    t = t_reaction + sqrt(2 s / a), uniform acceleration over the whole way (clearing_m plus its length).
    """
    return BOX_REACTION_S + math.sqrt(2.0 * (clearing_m + length_m) / BOX_ACCELERATION_MPS2)
