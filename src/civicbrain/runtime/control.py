"""Which control runs in a live city, and the switching of it.

A live twin runs our controllers. `fixed` leaves them in their local plans, which is the city's own plan, and
asks no brain; a control of program "central" has its brain asked. SUMO's own `actuated` and `delay-based`
would need another twin, started with that program: they are compared in studies, and refused here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from civicbrain.city.model import City
from civicbrain.contracts.brain import ControlSpec
from civicbrain.contracts.rooms import find_room, get_control, list_controls
from civicbrain.core.errors import LedgerError, NotFoundError, RequestRefusedError
from civicbrain.runtime.configuration import RunConfiguration
from civicbrain.runtime.hosts import ProcessHost
from civicbrain.runtime.loop import Loop

FIXED = "fixed"
BESIDE = ("priority", "incidents")
"""Brains that stand beside every control but the fixed plan: one does nothing until it is needed, the other
watches."""

_LOOK_EVERY_S = 0.002


def require_live(name: str) -> ControlSpec:
    """The control of that name; raises NotFoundError, or RequestRefusedError when no live twin can run it."""
    spec = get_control(name)
    if spec.program in ("actuated", "delay-based"):
        raise RequestRefusedError(
            f"control {name!r} is SUMO's own program and cannot be switched to in a running city",
            remedy=f"compare it in a study: civicbrain evaluate SCENARIO --control {name}",
        )
    return spec


class Control:
    """name: the control that is chosen. changed() is called after each switch."""

    def __init__(
        self,
        city: City,
        loop: Loop,
        changed: Callable[[], None],
        seed: int,
        name: str,
        configuration: RunConfiguration,
    ) -> None:
        """Raises NotFoundError, RequestRefusedError, LedgerError."""
        self._configuration = configuration
        self.name = name
        self._city, self._loop, self._changed, self._seed = city, loop, changed, seed
        spec = require_live(name)
        # under the fixed plan the first brain stands by, so that it can be switched on
        self._central = spec if spec.program == "central" else next(
            (each for each in list_controls() if each.program == "central"), None
        )  # fmt: skip
        if self._central is not None:
            self._host(self._central)
        if spec.program != "central":
            self._switch_all(False, "runtime", f"started under control {name}", city.demand.begin_s)
        for brain, table in configuration.brains.items():
            if not table.enabled and brain in loop.hosts:
                why = "not enabled in the configuration"
                loop.switch_brain(brain, False, actor="runtime", reason=why, now_s=city.demand.begin_s)

    @property
    def brain(self) -> str:
        """Room of the control's own brain, "" where there is none."""
        return self._central.brain if self._central is not None else ""

    @property
    def brain_on(self) -> bool:
        """Whether the control's own brain is asked; those beside it do not count."""
        return any(host.enabled for name, host in self._loop.hosts.items() if name == self.brain)

    @property
    def brain_state(self) -> str:
        """Of the control's own brain, as `BrainHealth` names it; "off" where there is none."""
        own = self._loop.hosts.get(self.brain)
        return own.health(0.0).state if own is not None else "off"

    @property
    def twin_program(self) -> str:
        """What TwinStatus.program says when the twin does as we wish. Under the fixed plan nobody is heard
        but an operator; with its brain switched off the others still are."""
        heard = bool(self._loop.overrides) or any(host.enabled for host in self._loop.hosts.values())
        return "central" if heard else FIXED

    def available(self) -> dict[str, object]:
        """The body of the reply to "controls": those that can be switched to."""
        controls = [
            {
                "name": spec.name, "summary": spec.summary, "source": spec.source, "program": spec.program,
                "brain": spec.brain,
            }
            for spec in list_controls()
            if spec.program in (FIXED, "central")
        ]  # fmt: skip
        return {"current": self.name, "available": controls}

    def select(self, name: str, actor: str, reason: str, now_s: float) -> None:
        """Switch to a control. Raises NotFoundError, RequestRefusedError, LedgerError (nothing changed then,
        except that the fixed plan is taken whether or not it can be recorded)."""
        spec = require_live(name)
        body: dict[str, object] = {"from": self.name, "to": name, "reason": reason}
        if spec.program != "central":
            self._switch_all(False, actor, f"control {name}: {reason}", now_s)
            self.name = name
            self._changed()
            self._loop.guard.ledger.append("control", actor, body, now_s)
            return
        self._loop.guard.ledger.append("control", actor, body, now_s)
        if self._central is None or spec.name != self._central.name or spec.brain not in self._loop.hosts:
            self._host(spec)
        self._switch_all(True, actor, f"control {name}: {reason}", now_s)
        self.name, self._central = name, spec
        self._changed()

    def switch_brain(self, name: str, enabled: bool, actor: str, reason: str, now_s: float) -> None:
        """Have a brain asked, or no longer. Raises NotFoundError, LedgerError."""
        if name not in self._loop.hosts:
            running = ", ".join(self._loop.hosts) or "none"
            raise NotFoundError(f"no brain {name!r} is in the loop", remedy=f"in the loop: {running}")
        self._loop.switch_brain(name, enabled, actor=actor, reason=reason, now_s=now_s)
        if enabled and self.name == FIXED and self._central is not None:
            self.name = self._central.name
        self._changed()

    def wait(self, timeout_s: float, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Wait until every brain that was asked has answered, at most timeout_s of wall time; True when
        there is an answer to collect. meanwhile: called each 2 ms."""
        asked = [
            host for host in self._loop.hosts.values() if isinstance(host, ProcessHost) and host.is_asked
        ]
        end = time.monotonic() + timeout_s
        while any(not host.has_news for host in asked) and time.monotonic() < end:
            time.sleep(_LOOK_EVERY_S)
            meanwhile()
        return any(host.has_news for host in asked)

    def _host(self, spec: ControlSpec) -> None:
        """Put the brain of a control, and those that stand beside every control, in the place of the present
        ones."""
        self._loop.close()
        self._loop.hosts.clear()
        for name in dict.fromkeys((spec.brain, *BESIDE)):
            if name != spec.brain and not find_room("brains", name):
                continue
            own = spec.options if name == spec.brain else {}
            options = {**own, **self._configuration.brain_options(name)}
            host = ProcessHost(name, self._city.folder, seed=self._seed, options=options)
            self._loop.hosts[host.name] = host

    def _switch_all(self, enabled: bool, actor: str, reason: str, now_s: float) -> None:
        for name, host in self._loop.hosts.items():
            if host.enabled != enabled or (enabled and name in self._loop.guard.brains_off):
                try:
                    self._loop.switch_brain(name, enabled, actor=actor, reason=reason, now_s=now_s)
                except LedgerError:
                    host.enabled = False
                    raise
