"""Importing: a city from SUMO, OpenStreetMap, CityFlow or the City Brain Challenge.

Reads: .sumocfg with its files, .net.xml, .osm(.gz), folders of CityFlow or that contest, built-in names.
Returns: `City` and its folder: network arrays (`network.py`), signal groups, conflicts, stages and
intergreens (`signals.py`), cameras (`cameras.py`), the twin's files. Units: m, s, m/s.
Start in `importer.py` (import_city) and `scenarios.py` (resolve_scenario).
"""

from civicbrain.twin.importing.builtin import BUILTIN_NAMES
from civicbrain.twin.importing.importer import import_city
from civicbrain.twin.importing.options import ImportOptions
from civicbrain.twin.importing.scenarios import resolve_scenario

__all__ = ["BUILTIN_NAMES", "ImportOptions", "import_city", "resolve_scenario"]
