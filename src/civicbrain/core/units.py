"""Unit factors. Units otherwise stand in the names: speed_mps, length_m, min_green_s."""

KMH_TO_MPS = 1.0 / 3.6
MPS_TO_KMH = 3.6
MG_TO_KG = 1e-6
SECONDS_PER_HOUR = 3600.0

HALTING_SPEED_MPS = 0.1
"""Below this a vehicle counts as standing (SUMO's definition of waiting and halting)."""
