"""Intake: the one entry for camera observations from the field, whatever brought them.

    MQTT, HTTP … ──► offer ──► bounded queue a source ──► take ──► newest view of each approach ──► Store
                     (door)    (sheds oldest first)             └─► consumers: every row let in (history)

The door decodes (`frames`), authenticates (`keys`) and knows the sources (`sources`); what is wrong is
counted by reason and source, logged once and dropped (`counts`). Columns stay columns (`columns`). No I/O.
"""

from civicbrain.city.intake.counts import Reason
from civicbrain.city.intake.frames import CameraFrame, FrameBatch, encode_frames
from civicbrain.city.intake.intake import FieldRows, Intake, IntakeSummary, Receipt
from civicbrain.city.intake.keys import Keys
from civicbrain.city.intake.limits import Limits
from civicbrain.city.intake.sources import Sources
from civicbrain.city.intake.status import SourcePage, SourceStatus, get_source_status, list_source_statuses

__all__ = [
    "CameraFrame", "FieldRows", "FrameBatch", "Intake", "IntakeSummary", "Keys", "Limits", "Reason",
    "Receipt", "SourcePage", "SourceStatus", "Sources", "encode_frames", "get_source_status",
    "list_source_statuses",
]  # fmt: skip
