"""Guard: what stands between advice and the street.

Purpose   check every request against the safety envelope, decide who wins at a junction, keep the record
Reads     requests of brains and operators, the city's signals, the ledger
Returns   one verdict a request, with the rule that decided (slugs in `rules.py`)
Units     platform seconds
Cadence   whenever the loop has requests
Start     `rules.py` (one pure function a rule), `gate.py` (arbitration, ledger, actuator)

The guard is not the last authority: the controller at the junction is.
"""

from civicbrain.guard.gate import Guard
from civicbrain.guard.rules import GuardOptions

__all__ = ["Guard", "GuardOptions"]
