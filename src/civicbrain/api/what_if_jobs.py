"""What is known of one what-if, or of proposals that were asked for; kept on disk so that it outlives the
process."""

from __future__ import annotations

import contextlib
from pathlib import Path

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
LOST = "the service was started anew while it was at this; ask again"
_log = structlog.get_logger("civicbrain.api")


class Job(msgspec.Struct):
    """question: a what-if; asked: proposals; one of the two. answer and found: what came of it. number: in
    the order of asking."""

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

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    def view(self) -> WhatIfView:
        """Of a what-if."""
        assert self.question is not None
        return WhatIfView(
            self.id, self.state, self.asked_at, self.progress, self.question, self.title, self.case, self.by,
            self.error, self.answer,
        )  # fmt: skip

    def brief(self) -> WhatIfBrief:
        """Of a what-if."""
        assert self.question is not None
        answer = self.answer
        return WhatIfBrief(
            self.id, self.state, self.asked_at, self.progress, self.question, self.title, self.case, self.by,
            self.error, answer.from_s if answer else None,
            answer.get("mean_delay").difference if answer else None,
            answer.get("time_spent").difference if answer else None,
        )  # fmt: skip

    def proposals(self) -> ProposalsView:
        """Of proposals."""
        assert self.asked is not None
        return ProposalsView(
            self.id, self.state, self.asked_at, self.progress, self.asked.closure, self.asked.incident,
            self.by,
            self.error, self.found, self.decisions,
        )  # fmt: skip

    def proposals_brief(self) -> ProposalsBrief:
        """Of proposals."""
        assert self.asked is not None
        advisable = sum(one.advisable for one in self.found.proposals) if self.found else 0
        return ProposalsBrief(
            self.id, self.state, self.asked_at, self.progress, self.asked.closure, self.asked.incident,
            self.by,
            self.error, advisable, len({one.index for one in self.decisions}),
        )  # fmt: skip


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
