"""Where the tests of this folder find what they share."""

from __future__ import annotations

import sys
from pathlib import Path

# by this path the twins' processes, started afresh, import it too
sys.path.insert(0, str(Path(__file__).parent))
