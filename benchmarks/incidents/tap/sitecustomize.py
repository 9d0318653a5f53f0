"""Keeps each snapshot that a live city's incidents brain is asked with, for `live.py`.

Python imports this at its start, in each process whose PYTHONPATH names this folder: only in that brain's it
does anything. A record is 4 bytes of length and the packed snapshot, in a file of its own for each process.
"""

import os
import sys
from pathlib import Path


def _keep(folder: str) -> None:
    from civicbrain.contracts import snapshot_wire

    unpack = snapshot_wire.unpack_snapshot
    out = (Path(folder) / f"{os.getpid()}.snapshots").open("wb")

    def kept(data: bytes) -> object:
        out.write(len(data).to_bytes(4, "big") + data)
        return unpack(data)

    snapshot_wire.unpack_snapshot = kept  # type: ignore[assignment]


_words = getattr(sys, "orig_argv", [])
if "civicbrain.runtime.brain_process" in _words and _words[_words.index("--room") + 1] == "incidents":
    _keep(os.environ["CIVICBRAIN_SNAPSHOTS"])
