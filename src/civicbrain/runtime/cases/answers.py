"""Answers to what only reads: in a thread of its own, with a connection of its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.city.incidents import IncidentKind
from civicbrain.contracts.wire import BrainCommand, Reply
from civicbrain.core.errors import CasesError, CivicBrainError
from civicbrain.runtime.cases.alarm_list import get_alarm, list_alarms
from civicbrain.runtime.cases.commands import KINDS, number_in
from civicbrain.runtime.cases.handover import write_handover
from civicbrain.runtime.cases.outbox import list_notices
from civicbrain.runtime.cases.procedures import Procedure
from civicbrain.runtime.cases.quality import quality_of
from civicbrain.runtime.cases.rows import get_file, list_statements, list_summaries, number_of
from civicbrain.runtime.cases.signing import get_signed, list_signatures

MOST = 1000


class Answers:
    """db: a reader of its own. ledger: of the brain process. recipients: of notices. lost: words that found
    no room on their way, told by the server."""

    def __init__(
        self, db: sqlite3.Connection, procedures: Mapping[IncidentKind, Procedure],
        ledger: Path | None = None, recipients: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._db, self._procedures, self._ledger = db, procedures, ledger
        self._recipients = sorted(recipients)
        self.lost = 0

    def answer(self, command: BrainCommand) -> Reply:
        """Never raises for what a command holds."""
        try:
            return Reply(True, self._answer(command))
        except CivicBrainError as error:
            return Reply(False, error=str(error), kind=KINDS.get(type(error), "unavailable"))
        except sqlite3.Error as error:
            return Reply(False, error=f"the cases cannot be read: {error}", kind="unavailable")

    def _answer(self, command: BrainCommand) -> Any:
        db, asked = self._db, command.body
        page = {"offset": max(0, command.offset), "limit": max(0, min(command.limit, MOST))}
        match command.action:
            case "cases":
                found, count = list_summaries(
                    db, state=str(asked.get("state", "")), kind=str(asked.get("kind", "")),
                    open_only=bool(asked.get("open", False)), **page,
                )  # fmt: skip
                return {"cases": found, "count": count, **page}
            case "case":
                return get_file(db, number_of(command.text))
            case "alarms":
                which, group = str(asked.get("which", "standing")), str(asked.get("group", ""))
                return list_alarms(db, time.time(), group=group, which=which, lost=self.lost, **page)
            case "alarm":
                return get_alarm(db, number_in(command.text))
            case "recipients":
                return self._recipients
            case "signatures":
                return list_signatures(db, page["limit"])
            case "signature":
                return get_signed(db, number_in(command.text))
            case "notices":
                case = number_of(str(asked["case"])) if asked.get("case") else 0
                return list_notices(db, state=str(asked.get("state", "")), case=case, **page)
            case "reports":
                statements, count = list_statements(db, **page)
                return {"reports": statements, "count": count, **page}
            case "handover":
                now_s = time.time()
                since_s = now_s - float(asked.get("hours", 8.0)) * 3600.0
                return write_handover(db, since_s, now_s, self._ledger)
            case "quality":
                return quality_of(db, str(asked.get("week", "")), time.time())
            case "procedures":
                return [
                    msgspec.to_builtins(
                        procedure.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                    )
                    for procedure in self._procedures.values()
                ]
        raise CasesError(f"there is no action {command.action[:40]!r}")
