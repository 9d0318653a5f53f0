"""What-ifs of the API: one at a time, a short queue, each in processes of its own that may be ended any time.

They only read: the twin writes its state aside, and nothing of an answer reaches the street. The newest few
are kept in the run folder, answers and decisions included; the working folder of a what-if goes when it is
over.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from civicbrain.api.job_process import end_job, start_job
from civicbrain.api.models.what_ifs import (
    Decision,
    DecisionAsked,
    ProposalsBrief,
    ProposalsView,
    WhatIfBrief,
    WhatIfView,
)
from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.api.what_if_jobs import Job, JobFolder
from civicbrain.city.model import City
from civicbrain.city.proposals import Proposal, Proposals
from civicbrain.city.whatif import Change, Question
from civicbrain.core.errors import ConfigurationError, NotFoundError
from civicbrain.evaluate.endings import tell_ending
from civicbrain.evaluate.whatif.records import WhatIfAnswer
from civicbrain.evaluate.whatif.said import ANSWER_FILE, CLOSURE_FILE, QUESTION_FILE, Asked, Said
from civicbrain.twin.whatif.moments import Moment, list_moments

MOST_WAITING = 4
MOST_KEPT = 40
LONGEST_S = 900.0
NICE = 5
"""Of the process that conducts it; its workers stand back farther."""
FOLDER = "whatif"
KEPT_FOLDER = "what-ifs"
_PREFIX = "api-"
_MODULE = "civicbrain.evaluate.whatif"
_LESS = "ask for fewer minutes, fewer pairs or the mesoscopic model, or when less runs on this machine"
_ROOM = "see whether the run folder can be written and its disk has room, then ask again"
_log = structlog.get_logger("civicbrain.api")


class WhatIfs:
    """`start` before use and `stop` after."""

    def __init__(self, city: City, settings: Settings) -> None:
        self._city, self._run_dir = city, settings.run_dir
        self._kept = JobFolder(settings.run_dir / KEPT_FOLDER)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()
        self._ended: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        """Clear away what a killed API process has left, read what was kept, and begin to work."""
        for old in (self._run_dir / FOLDER).glob(f"{_PREFIX}*"):
            shutil.rmtree(old, ignore_errors=True)
        self._jobs.update((job.id, job) for job in self._kept.load(MOST_KEPT))
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def ask(self, question: Question, by: str, title: str = "", case: str = "") -> WhatIfView:
        """Put it in line. Raises ProblemError: 404 and 409 where it does not fit the city, 409 when too
        many wait."""
        job = self._put(question, "w", by)
        job.question, job.title, job.case = question, title.strip(), case
        self._kept.save(job)
        return job.view()

    def ask_proposals(self, asked: Asked, by: str) -> ProposalsView:
        """The same for what could be done about a closure."""
        job = self._put(
            Question(Change(closures=(asked.closure,)), Change(), asked.minutes, asked.seeds), "p", by
        )
        job.asked = asked
        self._kept.save(job)
        return job.proposals()

    def _put(self, question: Question, letter: str, by: str) -> Job:
        try:
            question.check(self._city)
        except NotFoundError as error:
            raise ProblemError(404, str(error)) from None
        except ConfigurationError as error:
            raise ProblemError(409, str(error)) from None
        if question.moment and question.moment not in {one.name for one in self.moments()}:
            raise ProblemError(404, "this moment is not kept any more; GET /v1/moments lists those that are")
        if sum(job.state == "queued" for job in self._jobs.values()) >= MOST_WAITING:
            raise ProblemError(409, f"{MOST_WAITING} what-ifs wait already; cancel one, or wait")
        number = max((job.number for job in self._jobs.values()), default=0) + 1
        asked_at = datetime.now(UTC).isoformat()
        job = Job(f"{letter}-{secrets.token_hex(4)}", number, asked_at, by=by)
        self._jobs[job.id] = job
        self._ended[job.id] = asyncio.Event()
        over = [one.id for one in self._jobs.values() if one.is_over]
        for old in over[: max(0, len(self._jobs) - MOST_KEPT)]:
            self._forget(old)
        self._waiting.put_nowait(job)
        return job

    def moments(self) -> list[Moment]:
        """From which a what-if can begin, newest first."""
        return list_moments(self._run_dir)

    def list_briefs(self, case: str = "") -> list[WhatIfBrief]:
        """Newest first; those of a case, where one is named."""
        jobs = [job for job in reversed(self._jobs.values()) if job.question is not None]
        return [job.brief() for job in jobs if not case or job.case == case]

    def list_proposals(self) -> list[ProposalsBrief]:
        """Newest first."""
        return [job.proposals_brief() for job in reversed(self._jobs.values()) if job.asked is not None]

    def view(self, name: str) -> WhatIfView:
        """Raises ProblemError (404)."""
        return self._get(name, Question).view()

    def view_proposals(self, name: str) -> ProposalsView:
        """Raises ProblemError (404)."""
        return self._get(name, Asked).proposals()

    def find_proposal(self, name: str, index: int) -> Proposal:
        """One of the proposals. Raises ProblemError (404; 409 while they are not tried)."""
        job = self._get(name, Asked)
        if job.found is None:
            raise ProblemError(409, "nothing has been found yet; wait until it is done")
        if index >= len(job.found.proposals):
            raise ProblemError(404, f"there are {len(job.found.proposals)} proposals; count from 0")
        return job.found.proposals[index]

    def decide(self, name: str, asked: DecisionAsked, by: str) -> ProposalsView:
        """Keep a decision about a proposal. Raises ProblemError as `find_proposal`."""
        self.find_proposal(name, asked.index)
        job = self._get(name, Asked)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        job.decisions = (*job.decisions, Decision(asked.index, asked.accepted, asked.reason, by, at))
        self._kept.save(job)
        return job.proposals()

    async def cancel(self, name: str) -> WhatIfView:
        """End it, or take it out of the line, and forget it. Raises ProblemError (404)."""
        job = self._get(name, Question)
        running = job.state == "running"
        if not job.is_over:
            job.state = "cancelled"
        ended = self._ended.get(name)
        self._forget(name)
        if running and ended is not None:
            end_job(self._process)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 5.0)
        return job.view()

    def _forget(self, name: str) -> None:
        self._jobs.pop(name, None)
        self._kept.forget(name)

    def _get(self, name: str, kind: type[Question] | type[Asked]) -> Job:
        job = self._jobs.get(name)
        if job is None or (job.question if kind is Question else job.asked) is None:
            raise ProblemError(404, f"no such what-if or proposals: {name[:80]!r}")
        return job

    async def _work(self) -> None:
        while True:
            job = await self._waiting.get()
            if job.state != "queued":
                continue
            folder = self._run_dir / FOLDER / f"{_PREFIX}{job.id}"
            job.begin()
            try:
                await asyncio.wait_for(self._carry_out(job, folder), LONGEST_S)
            except TimeoutError:
                job.error = f"it took longer than {LONGEST_S:.0f} s\n  remedy: {_LESS}"
            except (OSError, msgspec.MsgspecError) as error:
                _log.error("what-if failed", id=job.id, error=str(error))
                job.error = f"it could not be carried out: {error}\n  remedy: {_ROOM}"
            except Exception:  # the next in line must not wait for ever
                _log.exception("what-if failed", id=job.id)
                job.error = "a fault in Civic Brain\n  remedy: ask again; api.log in the run folder says more"
            finally:
                end_job(self._process)
                self._process = None
                if job.state == "running":
                    job.state = "failed" if job.error or (job.answer or job.found) is None else "done"
                    job.progress = 1.0 if job.state == "done" else job.progress
                if job.id in self._jobs:
                    self._kept.save(job)
                ended = self._ended.pop(job.id, None)
                if ended is not None:
                    ended.set()
                shutil.rmtree(folder, ignore_errors=True)

    async def _carry_out(self, job: Job, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        file = QUESTION_FILE if job.question is not None else CLOSURE_FILE
        (folder / file).write_bytes(msgspec.json.encode(job.question or job.asked))
        place = ("--city", self._city.folder, "--run-dir", self._run_dir, "--folder", folder)
        self._process = process = await start_job(
            _MODULE, [*map(str, place)], self._run_dir, "whatif", nice=NICE, listen=True
        )
        assert process.stdout is not None
        pairs = 0
        async for line in process.stdout:
            try:
                said = msgspec.json.decode(line, type=Said)
            except msgspec.MsgspecError:
                continue  # SUMO may print, too
            job.error = said.error
            if said.of:
                job.advance(round(said.done / said.of, 3))
            if said.pairs > pairs:
                pairs = said.pairs
                body = (folder / ANSWER_FILE).read_bytes()
                if job.question is not None:
                    job.answer = msgspec.json.decode(body, type=WhatIfAnswer)
                else:
                    job.found = msgspec.json.decode(body, type=Proposals)
        code = await process.wait()
        if code and not job.error and job.state == "running":
            ending = tell_ending(code)
            job.error = (
                f"{ending.cause}\n  remedy: {ending.remedy} (whatif.log and whatif.out in the run folder)"
            )
