"""Studies on a city made by hand, with runs that need no SUMO."""

from __future__ import annotations

import sys
from pathlib import Path

# the runs' processes are started afresh and import `fake_runs` by this path
sys.path.insert(0, str(Path(__file__).parent))
