"""What is reported of signals whose programs SUMO runs itself: lamps, and the stage they amount to."""

from __future__ import annotations

import numpy as np

from civicbrain.city.network import F32, I32, U8
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import ControllerMode, SignalIndex
from civicbrain.twin.roadside import SOURCE


class ProgramView:
    """Folds the lamp strings of SUMO into SignalStates; mode PROGRAM."""

    def __init__(self, signals: SignalIndex, now_s: float) -> None:
        count = len(signals.junctions)
        self._signals = signals
        self._first_link = [
            [group.links[0] if group.links else -1 for group in junction.groups]
            for junction in signals.junctions
        ]
        self._stage_of = [
            {
                stage.lamps: row
                for row, stage in reversed(list(enumerate(junction.stages)))
                if not stage.extra  # a clearing phase may look like one; a program never shows one as a stage
            }
            for junction in signals.junctions
        ]
        self._lamps: U8 = np.full(signals.group_count, ord("r"), dtype=np.uint8)
        self._since_s: F32 = np.full(signals.group_count, now_s, dtype=np.float32)
        self._stage: I32 = np.full(count, -1, dtype=np.int32)
        self._stage_since_s: F32 = np.full(count, now_s, dtype=np.float32)

    def saw_lamps(self, row: int, lamps: str, time_s: float) -> None:
        """Junction `row` shows this lamp string (one character a link) from time_s on."""
        shown = "".join(lamps[link] if 0 <= link < len(lamps) else "r" for link in self._first_link[row])
        start, stop = self._signals.group_start[row], self._signals.group_start[row + 1]
        new = np.frombuffer(shown.encode(), dtype=np.uint8)
        self._since_s[start:stop][self._lamps[start:stop] != new] = time_s
        self._lamps[start:stop] = new
        stage = self._stage_of[row].get(shown)
        if stage is not None:
            self._stage[row] = stage
            self._stage_since_s[row] = time_s

    def states(self, now_s: float) -> SignalStates:
        """What stands at the street now."""
        return SignalStates(
            source=SOURCE,
            time_s=now_s,
            lamps=self._lamps.copy(),
            lamps_since_s=self._since_s.copy(),
            stage=self._stage.copy(),
            stage_since_s=self._stage_since_s.copy(),
            target=self._stage.copy(),
            mode=np.full(len(self._stage), ControllerMode.PROGRAM, dtype=np.uint8),
        )
