"""Ledger: the append-only, hash-chained record of what was asked, decided and changed.

Purpose   who asked what of the street, what became of it, and proof that the record was not edited
Reads     entries from the guard and the runtime: kind, actor, body (JSON), platform second
Returns   the entry's number; it is returned only once the entry is on the disk (SQLite WAL, synchronous=FULL)
Units     time_s: platform seconds; at: UTC instant of recording
Look at   `civicbrain ledger show PATH`, `civicbrain ledger verify PATH`
Start     `record.py` (Ledger, LedgerReader), `joined.py` (inside another database), `chain.py` (hashes)

One process writes; a second writer is refused. Others read at any time with `LedgerReader`.
"""

from civicbrain.ledger.chain import GENESIS, Entry, VerifyReport
from civicbrain.ledger.joined import JoinedLedger
from civicbrain.ledger.record import Ledger, LedgerReader

__all__ = ["GENESIS", "Entry", "JoinedLedger", "Ledger", "LedgerReader", "VerifyReport"]
