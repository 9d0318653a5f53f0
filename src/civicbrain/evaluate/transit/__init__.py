"""Studies of buses: `run.py` runs an arm, `timing.py` times lines, `summary.py` compares arms."""

from civicbrain.evaluate.transit.run import BusRecord, TransitRun, TransitRunRecord, run_transit

__all__ = ["BusRecord", "TransitRun", "TransitRunRecord", "run_transit"]
