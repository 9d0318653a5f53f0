"""A desk on disk with a clock that tests turn, and incidents to give it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from civicbrain.city.incidents import Incident, IncidentKind, Place
from civicbrain.runtime.cases.conduct import Conduct
from civicbrain.runtime.cases.desk import CaseDesk
from civicbrain.runtime.cases.procedures import load_procedures
from civicbrain.runtime.cases.store import CaseStore

START_S = 1_800_000_000.0
RECIPIENTS = ("police", "ambulance", "tow", "road_crew", "supervisor", "duty_officer")


procedures = cache(load_procedures)


class Clock:
    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        return self.now_s


class OnTrial:
    """A desk and what it stands on. `again` opens the same file anew, as after a restart."""

    def __init__(self, folder: Path, city_folder: Path | None = None, clock: Clock | None = None) -> None:
        self.folder, self.city_folder, self.clock = folder, city_folder, clock or Clock()
        self.store = CaseStore(folder, clock=self.clock)
        self.desk = CaseDesk(self.store, Conduct(procedures(city_folder), RECIPIENTS))

    def again(self) -> OnTrial:
        self.store.close()
        return OnTrial(self.folder, self.city_folder, self.clock)

    def wait(self, seconds: float) -> int:
        self.clock.now_s += seconds
        return self.desk.due()

    def rows(self, sql: str, *values: object) -> list[dict[str, object]]:
        return [dict(row) for row in self.store.db.execute(sql, values).fetchall()]

    def events(self, name: str) -> list[str]:
        number = int(name.removeprefix("case-"))
        return [
            str(r["what"])
            for r in self.rows("SELECT what FROM event WHERE case_number = ? ORDER BY number", number)
        ]


def place(x_m: float = 0.0, y_m: float = 0.0, edge: str = "e1", lanes: tuple[int, ...] = (0,)) -> Place:
    return Place(x_m, y_m, edge=edge, lanes=lanes, position_m=50.0)


def incident(
    name: str = "incidents-1", kind: IncidentKind = IncidentKind.CRASH, at: Place | None = None, *,
    confidence: float = 0.8, onset_s: float = 100.0, detected_s: float = 140.0, capacity_left: float = 0.5,
    cleared_s: float = -1.0,
) -> Incident:  # fmt: skip
    return Incident(
        name, kind, at or place(), confidence, onset_s, detected_s, max(detected_s, cleared_s),
        evidence=("two vehicles stand",), capacity_left=capacity_left, cleared_s=cleared_s, sensors=("J1",),
    )  # fmt: skip
