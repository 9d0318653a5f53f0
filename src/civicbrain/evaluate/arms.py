"""Arms of studies that compare priority with none: what is in the loop, and nothing else, differs."""

from __future__ import annotations

from dataclasses import dataclass, field

from civicbrain.city.model import City
from civicbrain.city.store import Store
from civicbrain.core.errors import BrainError
from civicbrain.evaluate.run import TwinDoor
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop


@dataclass(frozen=True, slots=True)
class Arm:
    """brains: rooms in the loop; () leaves the city's own plan alone. options: room -> its options."""

    name: str
    brains: tuple[str, ...] = ()
    options: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """Who runs the controllers."""
        return "central" if self.brains else "fixed"


ARMS = {
    arm.name: arm
    for arm in (
        Arm("plan"),
        Arm("plan+priority", ("priority",)),
        Arm("signals", ("signals",)),
        Arm("signals+priority", ("signals", "priority")),
    )
}


@dataclass(slots=True)
class ArmLoop:
    """The loop of one arm. door: to be given the twin before the first tick."""

    arm: Arm
    guard: Guard
    loop: Loop
    door: TwinDoor

    def check(self, now_s: float) -> None:
        """Raises BrainError when a brain has failed."""
        for health in self.loop.health(now_s):
            if health.failures:
                raise BrainError(
                    f"failed {health.failures} times; last: {health.last_error}", place=health.name
                )


def open_loop(city: City, arm: Arm, seed: int) -> ArmLoop:
    """Store, guard, a ledger in memory, and the arm's brains in this process."""
    door = TwinDoor()
    guard = Guard(city, Ledger(None), door)
    hosts = [
        InlineHost.from_room(name, city, seed=seed, options=arm.options.get(name, {})) for name in arm.brains
    ]
    return ArmLoop(arm, guard, Loop(city, Store(city), guard, hosts), door)
