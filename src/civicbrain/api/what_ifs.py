"""What-ifs of the API: one at a time, a short queue, each in processes of its own that may be ended any time.

They only read: the twin writes its state aside, and nothing of an answer reaches the street. Answers are kept
in memory, the newest few; the folder of a what-if goes when it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.api.what_if_models import ProposalsView, WhatIfBrief, WhatIfView
from civicbrain.city.model import City
from civicbrain.city.proposals import Proposals
from civicbrain.city.whatif import Change, Question
from civicbrain.core.errors import ConfigurationError, NotFoundError
from civicbrain.evaluate.whatif.records import WhatIfAnswer
from civicbrain.evaluate.whatif.said import ANSWER_FILE, CLOSURE_FILE, QUESTION_FILE, Asked, Said
from civicbrain.runtime import child

MOST_WAITING = 4
MOST_KEPT = 30
LONGEST_S = 900.0
NICE = 5
FOLDER = "whatif"
_PREFIX = "api-"
_MODULE = "civicbrain.evaluate.whatif"
_OVER = ("done", "failed", "cancelled")
_log = structlog.get_logger("civicbrain.api")


@dataclass
class _Job:
    id: str
    asked: Question | Asked
    asked_at: datetime
    state: str = "queued"
    progress: float = 0.0
    error: str = ""
    answer: WhatIfAnswer | Proposals | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class WhatIfs:
    """`start` before use and `stop` after."""

    def __init__(self, city: City, settings: Settings) -> None:
        self._city, self._run_dir = city, settings.run_dir
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._waiting: asyncio.Queue[_Job] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        """Clear away what a killed API process has left, and begin to work."""
        for old in (self._run_dir / FOLDER).glob(f"{_PREFIX}*"):
            shutil.rmtree(old, ignore_errors=True)
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def ask(self, question: Question) -> WhatIfView:
        """Put it in line. Raises ProblemError: 404 and 409 where it does not fit the city, 409 when too
        many wait."""
        return self._whole(self._put(question, question, "w"))

    def ask_proposals(self, asked: Asked) -> ProposalsView:
        """The same for what could be done about a closure."""
        check = Question(Change(closures=(asked.closure,)), Change(), asked.minutes, asked.seeds)
        return self._proposals(self._put(asked, check, "p"))

    def _put(self, asked: Question | Asked, question: Question, letter: str) -> _Job:
        try:
            question.check(self._city)
        except NotFoundError as error:
            raise ProblemError(404, str(error)) from None
        except ConfigurationError as error:
            raise ProblemError(409, str(error)) from None
        if sum(job.state == "queued" for job in self._jobs.values()) >= MOST_WAITING:
            raise ProblemError(409, f"{MOST_WAITING} what-ifs wait already; cancel one, or wait")
        job = _Job(f"{letter}-{secrets.token_hex(4)}", asked, datetime.now(UTC))
        self._jobs[job.id] = job
        for old in [one.id for one in self._jobs.values() if one.state in _OVER][
            : len(self._jobs) - MOST_KEPT
        ]:
            del self._jobs[old]
        self._waiting.put_nowait(job)
        return job

    def list_briefs(self) -> list[WhatIfBrief]:
        """Newest first."""
        return [
            WhatIfBrief(job.id, job.state, job.asked_at.isoformat(), job.progress, job.error)
            for job in reversed(self._jobs.values())
            if isinstance(job.asked, Question)
        ]

    def view(self, name: str) -> WhatIfView:
        """Raises ProblemError (404)."""
        return self._whole(self._get(name, Question))

    def view_proposals(self, name: str) -> ProposalsView:
        """Raises ProblemError (404)."""
        return self._proposals(self._get(name, Asked))

    def _whole(self, job: _Job) -> WhatIfView:
        answer = job.answer if isinstance(job.answer, WhatIfAnswer) else None
        return WhatIfView(job.id, job.state, job.asked_at.isoformat(), job.progress, job.error, answer)

    def _proposals(self, job: _Job) -> ProposalsView:
        found = job.answer if isinstance(job.answer, Proposals) else None
        return ProposalsView(job.id, job.state, job.asked_at.isoformat(), job.progress, job.error, found)

    async def cancel(self, name: str) -> WhatIfView:
        """End it, or take it out of the line, and forget it. Raises ProblemError (404)."""
        job = self._get(name, Question)
        running = job.state == "running"
        if job.state not in _OVER:
            job.state = "cancelled"
        del self._jobs[name]
        if running and self._process is not None:
            _kill(self._process)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(job.ended.wait(), 5.0)
        return self._whole(job)

    def _get(self, name: str, kind: type) -> _Job:
        job = self._jobs.get(name)
        if job is None or not isinstance(job.asked, kind):
            raise ProblemError(404, f"no such what-if or proposals: {name[:80]!r}")
        return job

    async def _work(self) -> None:
        while True:
            job = await self._waiting.get()
            if job.state != "queued":
                continue
            folder = self._run_dir / FOLDER / f"{_PREFIX}{job.id}"
            job.state = "running"
            try:
                await asyncio.wait_for(self._carry_out(job, folder), LONGEST_S)
            except TimeoutError:
                job.error = f"it took longer than {LONGEST_S:.0f} s; ask for fewer minutes or seeds"
            except (OSError, msgspec.MsgspecError) as error:
                _log.error("what-if failed", id=job.id, error=str(error))
                job.error = "it could not be carried out; whatif.log says why"
            except Exception:  # the next in line must not wait for ever
                _log.exception("what-if failed", id=job.id)
                job.error = "a fault in Civic Brain; its log says more"
            finally:
                if self._process is not None:
                    _kill(self._process)
                    self._process = None
                if job.state == "running":
                    job.state = "failed" if job.error or job.answer is None else "done"
                    job.progress = 1.0 if job.state == "done" else job.progress
                job.ended.set()
                shutil.rmtree(folder, ignore_errors=True)

    async def _carry_out(self, job: _Job, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        file = QUESTION_FILE if isinstance(job.asked, Question) else CLOSURE_FILE
        (folder / file).write_bytes(msgspec.json.encode(job.asked))
        arguments = [
            "--city",
            str(self._city.folder),
            "--run-dir",
            str(self._run_dir),
            "--folder",
            str(folder),
        ]
        command = child.command(_MODULE, arguments, run_dir=self._run_dir, name="whatif", nice=NICE)
        with (self._run_dir / "whatif.out").open("wb") as errors:
            self._process = process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
                start_new_session=True,
            )  # fmt: skip
        assert process.stdout is not None
        pairs = 0
        async for line in process.stdout:
            try:
                said = msgspec.json.decode(line, type=Said)
            except msgspec.MsgspecError:
                continue  # SUMO may print, too
            job.error = said.error
            if said.of:
                job.progress = round(said.done / said.of, 3)
            if said.pairs > pairs:
                pairs = said.pairs
                body = (folder / ANSWER_FILE).read_bytes()
                if isinstance(job.asked, Question):
                    job.answer = msgspec.json.decode(body, type=WhatIfAnswer)
                else:
                    job.answer = msgspec.json.decode(body, type=Proposals)
        code = await process.wait()
        if code and not job.error and job.state == "running":
            job.error = "it ended early; whatif.log and whatif.out in the run folder say why"


def _kill(process: asyncio.subprocess.Process) -> None:
    """It and the workers that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
