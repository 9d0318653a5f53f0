"""What `civicbrain new brain NAME` writes. `$name` and `$title` are filled in."""

from __future__ import annotations

import keyword
import tomllib
from pathlib import Path
from string import Template

from civicbrain.contracts.rooms import RESERVED, find_room
from civicbrain.core.errors import ConfigurationError
from civicbrain.core.ids import check_slug

CARD = '''"""$name: $title.

Purpose   Show the stage for which most vehicles queue. A start: replace it by what your brain is for.
Reads     Snapshot.lanes.queued (vehicles), Snapshot.signals (stage, stage_since_s)
Returns   One StageRequest a junction whose controller takes stages; it expires after 10 s
Units     seconds, vehicles
Cadence   1 s; budget 0.1 s
Start in  brain.py (`Brain.advise`)
"""

from ${package}.brain import Brain, create

__all__ = ["Brain", "create"]
'''

BRAIN = '''"""Longest queue first, with a shortest time a stage is shown."""

from __future__ import annotations

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import I32
from civicbrain.city.signals import Capability
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice, BrainContext, StageRequest

SHOWN_S = 15.0
"""A stage stays this long before another may be asked for: a switch costs an intergreen of about 6 s."""

LIFETIME_S = 10.0
"""When nothing newer comes, the controller takes its local plan after this time."""


class Brain:
    """Same snapshots, same advice: no clock, no files, no network in here."""

    name = "$name"
    cadence_s = 1.0
    budget_s = 0.1

    def __init__(self, city: City) -> None:
        self._city = city
        self._lanes = [
            [_lanes_of_stage(city, row, stage.lamps) for stage in junction.stages]
            for row, junction in enumerate(city.junctions)
        ]

    def advise(self, snapshot: Snapshot) -> Advice:
        requests = []
        for row, junction in enumerate(self._city.junctions):
            if junction.capability is not Capability.STAGE:
                continue  # this controller takes only plans
            shown = int(snapshot.signals.stage[row])
            if shown < 0:
                continue  # its controller has not spoken
            queues = [float(snapshot.lanes.queued[lanes].sum()) for lanes in self._lanes[row]]
            wanted = shown
            if snapshot.time_s - snapshot.signals.stage_since_s[row] >= SHOWN_S:
                best = int(np.argmax(queues))
                wanted = best if queues[best] > queues[shown] else shown
            requests.append(
                StageRequest(
                    junction=junction.id,
                    stage=junction.stages[wanted].id,
                    not_before_s=snapshot.time_s,
                    expires_s=snapshot.time_s + LIFETIME_S,
                    brain=self.name,
                    reason=f"{queues[wanted]:.0f} vehicles queue for it",
                )
            )
        return Advice(requests=tuple(requests))


def _lanes_of_stage(city: City, row: int, lamps: str) -> I32:
    """Rows of the lanes that get green when junction `row` shows these lamps."""
    movements = city.network.movements
    green = np.array([lamp in "Gg" for lamp in lamps])
    group = movements.group - city.signals.group_start[row]
    at_junction = (movements.junction == row) & (movements.group >= 0)
    served = at_junction & green[np.where(at_junction, group, 0)]
    return np.unique(movements.from_lane[served]).astype(np.int32)


def create(context: BrainContext) -> Brain:
    """Entry point of the room. context.options: its section of the configuration, [brains.$name]."""
    return Brain(context.city)
'''

TEST = '''"""$name: the contract, and what it is for."""

from __future__ import annotations

import dataclasses

import numpy as np

from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.conformance import check_brain, require
from civicbrain.contracts.sandbox import sandbox_city, sandbox_detections, sandbox_signals
from ${package} import create

CITY = sandbox_city()


def advice_for(queue_lane: str, *, shown: int, shown_for_s: float):
    """What the brain says when ten vehicles stand on one lane."""
    lane = CITY.network.get_lane(queue_lane)
    seen = sandbox_detections(CITY, 100.0, vehicles=10)
    camera = CITY.cameras.junction[CITY.cameras.lane == lane]
    queue = dataclasses.replace(
        seen,
        lane=np.full(10, lane, np.int32),
        camera=np.repeat(camera, 10),
        speed_mps=np.zeros(10, np.float32),
    )
    store = Store(CITY)
    store.fold([queue, sandbox_signals(CITY, 100.0, shown, 100.0 - shown_for_s)], 100.0)
    advice = create(BrainContext(CITY)).advise(store.snapshot(100.0))
    return {request.junction: request.stage for request in advice.requests}


def test_it_keeps_the_contract():
    require(check_brain(create))


def test_the_longest_queue_gets_green():
    assert advice_for("NAA_0", shown=0, shown_for_s=20.0) == {"A": "side", "B": "main"}
    assert advice_for("WA_0", shown=1, shown_for_s=20.0) == {"A": "main", "B": "side"}


def test_a_stage_is_shown_for_a_while():
    assert advice_for("NAA_0", shown=0, shown_for_s=5.0) == {"A": "main", "B": "main"}
'''

DOCUMENT = """# $name

$title.

| | |
|---|---|
| reads | queued vehicles of each lane, the stage shown |
| returns | one stage request a junction, valid for 10 s |
| cadence, budget | 1 s, 0.1 s |
| configuration | `[brains.$name]` in `civicbrain.toml` |
| API | `/v1/brains/$name` |

Longest queue first, with a shortest time a stage is shown. Compare it with the others:

    civicbrain evaluate cologne1 --control fixed --control $name --seeds 5
"""

PYPROJECT = """[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "$distribution"
version = "0.1.0"
description = "$title, for Civic Brain"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["civicbrain>=0.1"]

[project.entry-points."civicbrain.brains"]
$name = "$package"

[tool.hatch.build.targets.wheel]
packages = ["src/$package"]
"""


def find_checkout(start: Path) -> Path | None:
    """The source tree of Civic Brain that `start` stands in, or None."""
    for folder in (start, *start.parents):
        project = folder / "pyproject.toml"
        if project.is_file() and (folder / "src/civicbrain/brains").is_dir():
            try:
                table = tomllib.loads(project.read_text("utf-8"))
            except (OSError, ValueError):
                continue
            if table.get("project", {}).get("name") == "civicbrain":
                return folder
    return None


def room_name(text: str) -> str:
    """The room's name as a module: hyphens become underscores. Raises ConfigurationError."""
    name = check_slug(text, "room").replace("-", "_")
    if name in RESERVED or keyword.iskeyword(name):
        raise ConfigurationError(f"the name {name!r} is reserved", remedy="choose another name")
    if find_room("brains", name) is not None:
        raise ConfigurationError(
            f"there is already a brain {name!r}",
            remedy=f"see `civicbrain where {name}`, or choose another name",
        )
    return name


def plan_brain(name: str, folder: Path, *, checkout: bool) -> dict[Path, str]:
    """Files of a new brain: path -> content. folder: the checkout, or the place of the new package."""
    package = f"civicbrain.brains.{name}" if checkout else f"civicbrain_{name}"
    words = {
        "name": name,
        "title": f"the {name.replace('_', ' ')} brain",
        "package": package,
        "distribution": f"civicbrain-{name.replace('_', '-')}",
    }
    if checkout:
        source, tests = folder / "src/civicbrain/brains" / name, folder / "tests/brains" / name
        files = {folder / f"docs/rooms/{name}.md": DOCUMENT}
    else:
        source, tests = folder / "src" / package, folder / "tests"
        files = {folder / "README.md": DOCUMENT, folder / "pyproject.toml": PYPROJECT}
    files |= {source / "__init__.py": CARD, source / "brain.py": BRAIN, tests / f"test_{name}.py": TEST}
    return {path: Template(text).substitute(words) for path, text in files.items()}


def write_all(files: dict[Path, str]) -> None:
    """Write the files, or none: what stands in the way is named first, what was begun is taken back."""
    for path in files:
        if path.exists():
            raise ConfigurationError("is already there", place=str(path), remedy="choose another name")
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(path)
            path.write_text(text, "utf-8")
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
