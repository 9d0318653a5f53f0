"""What is known of one what-if, or of proposals that were asked for; kept on disk so that it outlives the
process."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import msgspec
import structlog

from civicbrain.api.models.what_ifs import Decision, ProposalsBrief, ProposalsView, WhatIfBrief, WhatIfView
from civicbrain.city.proposals import Proposals
from civicbrain.city.whatif import Question
from civicbrain.core.errors import StudyError
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.whatif.records import WhatIfAnswer
from civicbrain.evaluate.whatif.said import Asked

OVER = ("done", "failed", "cancelled")
LOST = "the service was started anew while it was at this\n  remedy: ask again"
_log = structlog.get_logger("civicbrain.api")


class Job(msgspec.Struct):
    """question: a what-if; asked: proposals; one of the two. answer and found: what came of it. number: in
    the order of asking. began_s, told_s: when it began to run and last came further, unix seconds."""

    id: str
    number: int
    asked_at: str
    question: Question | None = None
    asked: Asked | None = None
    title: str = ""
    case: str = ""
    by: str = ""
    state: str = "queued"
    progress: float = 0.0
    error: str = ""
    answer: WhatIfAnswer | None = None
    found: Proposals | None = None
    decisions: tuple[Decision, ...] = ()
    began_s: float = 0.0
    told_s: float = 0.0

    def begin(self) -> None:
        """It runs from now on."""
        self.state, self.began_s = "running", time.time()

    def advance(self, progress: float) -> None:
        """It has come so far, 0 to 1."""
        if progress > self.progress:
            self.progress, self.told_s = progress, time.time()

    @property
    def elapsed_s(self) -> float | None:
        """Since it runs; None where it does not."""
        return round(time.time() - self.began_s, 1) if self.state == "running" else None

    @property
    def left_s(self) -> float | None:
        """About how long it takes yet, if the parts to come take as long as those that are done; None before
        the first of them."""
        if self.state != "running" or not 0.0 < self.progress < 1.0:
            return None
        worked_s = self.told_s - self.began_s
        left_s = worked_s / self.progress * (1.0 - self.progress) - (time.time() - self.told_s)
        return round(max(left_s, 1.0), 1)

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    def view(self) -> WhatIfView:
        """Of a what-if."""
        return WhatIfView(**self._what_if(), answer=self.answer)

    def brief(self) -> WhatIfBrief:
        """Of a what-if."""
        answer = self.answer
        if answer is None:
            return WhatIfBrief(**self._what_if())
        delay, spent = (answer.get(name).difference for name in ("mean_delay", "time_spent"))
        return WhatIfBrief(**self._what_if(), from_s=answer.from_s, mean_delay=delay, time_spent=spent)

    def proposals(self) -> ProposalsView:
        """Of proposals."""
        return ProposalsView(**self._closure(), found=self.found, decisions=self.decisions)

    def proposals_brief(self) -> ProposalsBrief:
        """Of proposals."""
        advisable = sum(one.advisable for one in self.found.proposals) if self.found else 0
        decided = len({one.index for one in self.decisions})
        return ProposalsBrief(**self._closure(), advisable=advisable, decided=decided)

    def _head(self) -> dict[str, Any]:
        names = ("id", "state", "asked_at", "progress", "by", "error", "elapsed_s", "left_s")
        return {name: getattr(self, name) for name in names}

    def _what_if(self) -> dict[str, Any]:
        assert self.question is not None
        return self._head() | {"question": self.question, "title": self.title, "case": self.case}

    def _closure(self) -> dict[str, Any]:
        assert self.asked is not None
        return self._head() | {"closure": self.asked.closure, "incident": self.asked.incident}


class JobFolder:
    """One file a job. What cannot be written is still in memory; what cannot be read is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, most: int) -> list[Job]:
        """The newest `most`, oldest first; one that was under way has failed."""
        jobs = []
        for path in self._folder.glob("[wp]-*.json"):
            try:
                jobs.append(msgspec.json.decode(path.read_bytes(), type=Job))
            except (OSError, msgspec.MsgspecError) as error:
                _log.warning("a kept what-if cannot be read", file=path.name, error=str(error))
        jobs.sort(key=lambda job: job.number)
        for job in jobs:
            if not job.is_over:
                job.state, job.error = "failed", LOST
        return jobs[-most:]

    def save(self, job: Job) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._folder / f"{job.id}.json", msgspec.json.encode(job))
        except (OSError, StudyError) as error:
            _log.error("a what-if could not be kept", id=job.id, error=str(error))

    def forget(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self._folder / f"{name}.json").unlink()
