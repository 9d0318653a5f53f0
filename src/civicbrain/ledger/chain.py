"""The hash chain: each entry carries the SHA-256 of its content and of the hash before it.

An edited, removed or inserted entry breaks the chain at its place. What a chain alone cannot show is that
its tail was cut off, or that somebody rewrote it from some entry to the end: for that, keep the head (number
and hash, `VerifyReport.head`) elsewhere now and then and compare (`civicbrain ledger verify --head`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from civicbrain.contracts.plain import plain

GENESIS = "0" * 64
"""What stands for the hash before the first entry."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the record. body: JSON object. previous, hash: hexadecimal SHA-256."""

    seq: int
    time_s: float
    at: str
    kind: str
    actor: str
    body: dict[str, Any]
    previous: str
    hash: str


class VerifyReport(msgspec.Struct, frozen=True):
    """ok: the chain holds from the first entry to the head. first_broken: number of the first entry that
    does not fit, None when ok. head: hash of the last entry that was read."""

    ok: bool
    entries: int
    head: str
    first_broken: int | None = None
    reason: str = ""


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys and no spaces: the same value gives the same bytes. NaN and infinities become
    null. Raises TypeError for what JSON cannot say."""
    return msgspec.json.encode(value, enc_hook=plain, order="sorted")


def entry_hash(seq: int, time_s: float, at: str, kind: str, actor: str, body: bytes, previous: str) -> str:
    """SHA-256 over the canonical JSON of the entry without its own hash. body: canonical JSON."""
    content = {
        "actor": actor, "at": at, "body": msgspec.Raw(body), "kind": kind, "previous": previous,
        "seq": seq, "time_s": time_s,
    }  # fmt: skip
    return hashlib.sha256(canonical_json(content)).hexdigest()


Row = tuple[int, float, str, str, str, str, str, str]
"""seq, time_s, at, kind, actor, body (canonical JSON text), previous, hash."""


def verify_rows(rows: Iterable[Row]) -> VerifyReport:
    """Walk the chain in the order of its numbers; stop at the first entry that does not fit."""
    previous, expected = GENESIS, 1
    for seq, time_s, at, kind, actor, body, before, stated in rows:

        def broken(reason: str, place: int = expected, head: str = previous) -> VerifyReport:
            return VerifyReport(False, place - 1, head, place, reason)

        if seq != expected:
            return broken(f"entry {expected} is missing (the next one is {seq})")
        if before != previous:
            return broken(f"entry {seq} does not follow entry {seq - 1}: one of them was replaced")
        try:
            found = entry_hash(seq, time_s, at, kind, actor, str(body).encode(), before)
        except (TypeError, ValueError) as error:
            return broken(f"entry {seq} cannot be read: {error}")
        if found != stated:
            return broken(f"the content of entry {seq} was changed after it was written")
        previous, expected = stated, expected + 1
    return VerifyReport(True, expected - 1, previous)
