"""Options of the room, with their defaults and where these come from."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class PriorityOptions:
    """Times in seconds.

    headway_s: of a queue that discharges, per lane (saturation flow 1,800 veh/h; HCM 7th ed., ch. 19).
    start_s: from the start of green until the last of a short queue drives as fast as the others.
    margin_s: by which the queue is to be gone before the vehicle comes: it drives on slower than the vehicle
    could (with 4, 10 and 16 s median travel times were 0.86, 0.77 and 0.73 of those without a corridor on
    ingolstadt7, others lost 3.0, 3.7 and 7.3 % more; two hours of eight missions).
    free_margin_s, margin_s_per_veh: the same where nobody stands before the vehicle, and what each that does
    adds (a lane; up to margin_s): a short queue is soon as fast as the vehicle (blue-light.md).
    reserve_s: a stage that shows already is kept when the vehicle is nearer than this, because going away and
    coming back takes as long.
    max_lead_s: longest time before the expected arrival that a junction is asked for. max_hold_s: a junction
    held longer than that without being passed is given back for pause_s (the vehicle is late), twice as long
    each further time.
    max_recovery_s: longest service of who waited, where no other brain decides. valid_s: how long a request
    holds; short, so that a corridor ends soon after its brain. replan_s: how often other ways are looked at;
    replan_gain_s, replan_gain: saving in seconds and as a share that is worth a change.
    speed_share: expected speed in a corridor over the vehicle's own limit, until it has shown its pace.
    carry: share of a discharged queue that drives on along the corridor.

    Buses: bus_late_s: priority is asked from so far behind the timetable, or behind the headway due.
    bus_extension_s: longest extension of a green (10 s to 20 s are usual; NCHRP synthesis 149, 2020).
    bus_hold_s: longest early green or insertion, switch-over included. bus_cool_down_s: rest of a junction
    after a request (about a cycle). bus_least_green_s: how long a stage must have stood before it is cut.
    bus_weight_veh: what a second of the bus is worth against one of a vehicle: its passengers over theirs.
    """

    headway_s: float = 2.0
    start_s: float = 4.0
    margin_s: float = 10.0
    free_margin_s: float = 4.0
    margin_s_per_veh: float = 2.0
    reserve_s: float = 15.0
    max_lead_s: float = 60.0
    max_hold_s: float = 90.0
    pause_s: float = 20.0
    max_recovery_s: float = 25.0
    valid_s: float = 3.0
    replan_s: float = 10.0
    replan_gain_s: float = 15.0
    replan_gain: float = 0.15
    speed_share: float = 0.9
    carry: float = 0.5
    corridors: bool = True
    buses: bool = True
    bus_late_s: float = 15.0
    bus_extension_s: float = 15.0
    bus_hold_s: float = 45.0
    bus_cool_down_s: float = 60.0
    bus_least_green_s: float = 8.0
    bus_weight_veh: float = 20.0
    bus_insertion: bool = True
    explain: bool = False

    def __post_init__(self) -> None:
        for name in ("headway_s", "max_lead_s", "max_hold_s", "valid_s", "replan_s", "speed_share",
                     "bus_extension_s", "bus_hold_s"):  # fmt: skip
            if not getattr(self, name) > 0:
                raise ConfigurationError(
                    f"{getattr(self, name)} is not above 0", place=f"brains.priority option {name!r}",
                    remedy="leave it out, or give a number above 0",
                )  # fmt: skip
