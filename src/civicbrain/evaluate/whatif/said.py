"""What the process of a what-if writes: files in its folder, lines of progress. Light: the API reads them."""

from __future__ import annotations

import msgspec

from civicbrain.city.whatif import Closure, TrafficModel

QUESTION_FILE, ANSWER_FILE, STATE_FOLDER = "question.json", "answer.json", "state"
CLOSURE_FILE = "closure.json"
"""Instead of a question: what could be done about a closure (`Asked`); the answer is `city.proposals`."""


class Asked(msgspec.Struct, frozen=True):
    """Proposals for a closure. incident: the id of the one that it belongs to."""

    closure: Closure
    incident: str = ""
    minutes: float = 15.0
    seeds: int = 2
    model: TrafficModel = TrafficModel.AUTO


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of progress. done, of: futures. pairs: answered so far. error: what a person can put right; it
    is then over."""

    done: int = 0
    of: int = 0
    pairs: int = 0
    error: str = ""
