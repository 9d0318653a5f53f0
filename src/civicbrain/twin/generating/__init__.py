"""Generating: a plausible city of 10 to 5,000 signal junctions, the same bytes for the same seed.

Reads: nothing but its options. Returns: `City` and its folder: streets (`grid.py`, `streets.py`), their lanes
(`lanes.py`, `plain.py`), fixed plans (`timing.py`, `offsets.py`), a day of cars (`land.py`, `routing.py`,
`travel.py`), bus lines (`buses.py`), places (`landmarks.py`) and cameras (`equipment.py`). Units: m, s, m/s.
Start in `generator.py` (generate_city). Why it is made so: docs/decisions/generated-city.md.
"""

from civicbrain.twin.generating.generator import generate_city
from civicbrain.twin.generating.options import GenerateOptions

__all__ = ["GenerateOptions", "generate_city"]
