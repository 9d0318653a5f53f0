"""Actuator: the twin's simulated controllers.

Purpose: the only door from the guard to the controllers of the simulated street.
Reads: requests that the guard has accepted (contracts/brain.py).
Writes: `twin.cmd` of the run folder (ZeroMQ, contracts/wire.py).
Returns: one verdict a request, in order: the controller's; `accepted` by rule "sent" when it takes longer
than a tenth of a second, its word then follows (`answers`); `refused` by rule "unreachable" when none comes
within timeout_s (0.5 s of wall time); or `accepted` by rule "dry-run".
Cadence: with every tick of the loop; a heartbeat with each.
dry_run is True until configured otherwise; then nothing leaves, heartbeats neither.
Start in: actuator.py. Options: run_dir (path), dry_run (bool), timeout_s (s).
"""

from civicbrain.actuators.twin.actuator import TwinActuator, create

__all__ = ["TwinActuator", "create"]
