"""One what-if as a process: what the API starts, and may kill at any time.

    python -m civicbrain.evaluate.whatif --city DIR --run-dir DIR --folder DIR [--control NAME]

`folder` (below the run folder's `whatif`) holds question.json; state/ and answer.json come into it, the
answer anew after each pair. Progress and what went wrong are lines of JSON on standard output (`Said`).
"""

from __future__ import annotations

import argparse
import logging
import shutil
import signal
import sys
import time
from pathlib import Path

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.city.whatif import Question
from civicbrain.core.errors import CivicBrainError
from civicbrain.evaluate.endings import tell_ending
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.whatif.conduct import Conduct, answer_question
from civicbrain.evaluate.whatif.propose import propose
from civicbrain.evaluate.whatif.records import WhatIfAnswer
from civicbrain.evaluate.whatif.said import (
    ANSWER_FILE,
    CLOSURE_FILE,
    QUESTION_FILE,
    STATE_FOLDER,
    Asked,
    Said,
)
from civicbrain.evaluate.whatif.source import control_of_run, take_from_run
from civicbrain.twin.whatif.moments import take_moment

_ROOM = "see whether the disk of the run folder has room, then ask again"
_REPORT = "ask with the other traffic model; whatif.log in the run folder has the details"


def main() -> int:
    parser = argparse.ArgumentParser(description="answer one what-if from a running city")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--control", default="")
    options = parser.parse_args()
    try:
        answer_in(options.city, options.run_dir, options.folder, options.control)
    except CivicBrainError as error:
        _say(Said(error=str(error)))
        return error.exit_code
    except MemoryError:
        _say(Said(error=f"memory ran out\n  remedy: {tell_ending(-signal.SIGKILL).remedy}"))
        return 2
    except (OSError, msgspec.MsgspecError) as error:
        _say(Said(error=f"its files cannot be read or written: {error}\n  remedy: {_ROOM}"))
        return 2
    except Exception as error:  # a fault of ours, or of SUMO's: told, and in the log with all of it
        logging.getLogger("civicbrain.evaluate.whatif").exception("the what-if failed")
        _say(Said(error=f"{type(error).__name__}: {error}\n  remedy: {_REPORT}"))
        return 2
    finally:
        shutil.rmtree(options.folder / STATE_FOLDER, ignore_errors=True)
    return 0


def answer_in(city_folder: Path, run_dir: Path, folder: Path, control: str) -> None:
    """Answer folder/question.json, or find proposals for folder/closure.json, into folder/answer.json.
    Raises CivicBrainError."""
    began = time.monotonic()
    asked = folder / CLOSURE_FILE
    about = msgspec.json.decode(asked.read_bytes(), type=Asked) if asked.exists() else None
    city = load_city(city_folder)
    conduct = Conduct()
    question = None
    if about is None:
        question = msgspec.json.decode((folder / QUESTION_FILE).read_bytes(), type=Question)
    if question is not None and question.moment:
        take_moment(run_dir, question.moment, folder / STATE_FOLDER)
    else:
        conduct.timing_s["pause"] = take_from_run(run_dir, folder / STATE_FOLDER)
    conduct.timing_s["state"] = round(time.monotonic() - began, 3)
    control = control or control_of_run(run_dir)
    if about is not None:
        conduct.on_progress = lambda done, of: _say(Said(done, of))
        found = propose(
            city, about.closure, folder / STATE_FOLDER, control, conduct, incident=about.incident,
            minutes=about.minutes, seeds=about.seeds, model=about.model,
        )  # fmt: skip
        write_atomically(folder / ANSWER_FILE, msgspec.json.encode(found))
        _say(Said(1, 1, max(found.pairs, 1)))
        return
    assert question is not None
    pairs = 0

    def keep(answer: WhatIfAnswer) -> None:
        nonlocal pairs
        pairs = answer.pairs
        write_atomically(folder / ANSWER_FILE, msgspec.json.encode(answer))

    conduct.on_answer = keep
    conduct.on_progress = lambda done, of: _say(Said(done, of, pairs))
    answer_question(city, question, folder / STATE_FOLDER, control, conduct)
    _say(Said(2 * pairs, 2 * pairs, pairs))


def _say(said: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
