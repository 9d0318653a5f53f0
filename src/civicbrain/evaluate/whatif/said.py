"""What the process of a what-if writes: files in its folder, lines of progress. Light: the API reads them."""

from __future__ import annotations

import msgspec

QUESTION_FILE, ANSWER_FILE, STATE_FOLDER = "question.json", "answer.json", "state"


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of progress. done, of: futures. pairs: answered so far. error: what a person can put right; it
    is then over."""

    done: int = 0
    of: int = 0
    pairs: int = 0
    error: str = ""
