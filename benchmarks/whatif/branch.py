"""A process of its own: simulate a city for some seconds under its local plans and write its state."""

from __future__ import annotations

import sys
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin
from civicbrain.twin.whatif.branch import write_branch

SECONDS = 120

if __name__ == "__main__":
    twin = Twin(load_city(Path(sys.argv[1])), TwinOptions(emissions=False, sample=False))
    for _ in range(SECONDS):
        twin.step()
    write_branch(twin, Path(sys.argv[2]))
    twin.close()
