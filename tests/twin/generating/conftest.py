"""The twin's processes are started afresh and import `generated_runs` by this path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
