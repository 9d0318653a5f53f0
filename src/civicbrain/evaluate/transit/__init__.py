"""Studies of buses: `run.py` runs an arm, `timing.py` times lines, `summary.py` compares arms."""

from civicbrain.evaluate.transit.run import ARMS, BusRecord, TransitRun, TransitRunRecord, run_transit

__all__ = ["ARMS", "BusRecord", "TransitRun", "TransitRunRecord", "run_transit"]
