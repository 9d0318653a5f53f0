"""Brains that do what brains must not. Written to a folder with an entry point each, as an installed
distribution would have them."""

from __future__ import annotations

import textwrap
from pathlib import Path

SOURCE = '''
"""good: asks for the side stage everywhere."""
import os, sys, time
import numpy as np
from civicbrain.contracts.brain import Advice, Alert, Severity, StageRequest

class Brain:
    cadence_s, budget_s = 1.0, 0.2
    def __init__(self, name, city, does):
        self.name, self.city, self.does, self.calls = name, city, does, 0
    def advise(self, snapshot):
        self.calls += 1
        self.does(self, snapshot)
        asks = tuple(StageRequest(j.id, "side", snapshot.time_s, snapshot.time_s + 10, self.name)
                     for j in self.city.junctions)
        seen = np.int64(len(snapshot.detections.lane))
        said = {"calls": self.calls, "seen": seen, "options": dict(self.options)}
        return Advice(asks, explanations={"A": said})

def room(name, does):
    def create(context):
        brain = Brain(name, context.city, does)
        brain.options = context.options
        if name == "good":
            brain.budget_s = 1.0  # it must not fail on a machine that is busy with the others
        return brain
    return create

def live(snapshot):
    """True outside the warm-up, which shows made-up snapshots."""
    return snapshot.time_s >= 50

def raises(brain, snapshot):
    if live(snapshot):
        raise ZeroDivisionError("by hand")
def hangs(brain, snapshot):
    while live(snapshot):
        pass
def sleeps(brain, snapshot):
    if live(snapshot):
        time.sleep(0.35)
def exits(brain, snapshot):
    if live(snapshot):
        os._exit(7)
def leaves(brain, snapshot):
    if live(snapshot):
        sys.exit(3)
def allocates(brain, snapshot):
    if live(snapshot):
        brain.hoard = [bytearray(50_000_000) for _ in range(10_000)]
def writes(brain, snapshot):
    snapshot.lanes.vehicles[0] = 7

good = room("good", lambda brain, snapshot: None)
raiser, hanger, sleeper = room("raiser", raises), room("hanger", hangs), room("sleeper", sleeps)
exiter, leaver, hoarder = room("exiter", exits), room("leaver", leaves), room("hoarder", allocates)
writer = room("writer", writes)

class Garbage(Brain):
    def advise(self, snapshot):
        return {"requests": "none"} if live(snapshot) else Advice()
class Secret(Brain):
    def advise(self, snapshot):
        return Advice(explanations={"A": {"object": object()}})
class Thief(Brain):
    def advise(self, snapshot):
        return Advice((StageRequest("A", "side", 0.0, snapshot.time_s + 10, "operator", 40),))
def garbage(context):
    return Garbage("garbage", context.city, None)
def secret(context):
    return Secret("secret", context.city, None)
def thief(context):
    return Thief("thief", context.city, None)
def misnomer(context):
    return Brain("somebody-else", context.city, None)
def unmade(context):
    raise RuntimeError("no model file")
'''

NAMES = (
    "good", "raiser", "hanger", "sleeper", "exiter", "leaver", "hoarder", "writer", "garbage", "secret",
    "thief", "misnomer", "unmade",
)  # fmt: skip


def install(folder: Path, source: str = SOURCE, names: tuple[str, ...] = NAMES) -> Path:
    """Lay out module and metadata as an installer would; put the folder on sys.path to use it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "brains_on_trial.py").write_text(textwrap.dedent(source))
    info = folder / "brains_on_trial-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brains-on-trial\nVersion: 1.0\n")
    lines = [f"{name} = brains_on_trial:{name}" for name in names]
    (info / "entry_points.txt").write_text("[civicbrain.brains]\n" + "\n".join(lines) + "\n")
    return folder
