"""The `Evaluator` contract over studies: what a brain or a tool that wants a what-if is given."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from civicbrain.core.errors import StudyError
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.pool import Simulate
from civicbrain.evaluate.run import simulate_run
from civicbrain.evaluate.study import Resolve, resolve_city, run_study


class StudyEvaluator:
    """Runs studies in processes of their own and returns what `evaluation.json` holds.

    folder: where runs are kept and found again; None keeps them in a temporary folder for one call.
    jobs: processes at a time.
    """

    def __init__(
        self,
        *,
        sensing: str = "camera",
        coverage: float = 1.0,
        begin_s: float | None = None,
        end_s: float | None = None,
        jobs: int = 1,
        folder: Path | None = None,
        simulate: Simulate = simulate_run,
        resolve: Resolve = resolve_city,
    ) -> None:
        self.sensing = sensing
        self.coverage = coverage
        self.begin_s = begin_s
        self.end_s = end_s
        self.jobs = jobs
        self.folder = folder
        self._simulate = simulate
        self._resolve = resolve

    def evaluate(self, scenario: str, controls: Sequence[str], seeds: Sequence[int]) -> Mapping[str, object]:
        """The study of one scenario. Raises StudyError naming the runs that failed, and what
        `run_study` raises: an answer with runs missing would be taken for a whole one."""
        options = StudyOptions(
            controls=tuple(controls),
            seeds=tuple(seeds),
            sensing=self.sensing,
            coverage=self.coverage,
            begin_s=self.begin_s,
            end_s=self.end_s,
        )
        with tempfile.TemporaryDirectory(prefix="civicbrain-study-") as scratch:
            folder = Path(scratch) if self.folder is None else self.folder
            evaluation = run_study(
                [scenario], options, folder, jobs=self.jobs, simulate=self._simulate, resolve=self._resolve
            )[0]
        if evaluation.failures:
            first = evaluation.failures[0]
            raise StudyError(
                f"{len(evaluation.failures)} runs failed; {first.control}, seed {first.seed}: {first.reason}",
                place=scenario,
                remedy="run the study with `civicbrain evaluate` and read the logs of its runs",
            )
        result: Mapping[str, object] = msgspec.to_builtins(evaluation)
        return result
