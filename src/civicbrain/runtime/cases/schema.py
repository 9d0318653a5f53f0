"""The tables, as steps from one version of the file to the next. A step that was released never changes.

Times (`_s`) are unix seconds of the wall clock, places metres of the city's plane, JSON is UTF-8 text.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE case_file (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, urgency TEXT NOT NULL,
    place TEXT NOT NULL, x_m REAL NOT NULL, y_m REAL NOT NULL,
    opened_s REAL NOT NULL, state_since_s REAL NOT NULL, changed_s REAL NOT NULL, closed_s REAL,
    version INTEGER NOT NULL DEFAULT 1, assigned_to TEXT NOT NULL DEFAULT '',
    holder TEXT NOT NULL DEFAULT '', outcome TEXT, merged_into INTEGER REFERENCES case_file (number),
    late INTEGER NOT NULL DEFAULT 0, escalation INTEGER NOT NULL DEFAULT 0,
    confidence REAL NOT NULL DEFAULT 0, capacity_left REAL NOT NULL DEFAULT 1,
    delay_veh_h REAL NOT NULL DEFAULT 0, onset_s REAL, detected_s REAL, detect_s REAL,
    procedure TEXT NOT NULL DEFAULT '', wiped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX case_open ON case_file (closed_s, number);
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, case_number INTEGER NOT NULL REFERENCES case_file (number),
    at_s REAL NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,
    private TEXT NOT NULL DEFAULT '', salt TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX event_case ON event (case_number, number);
CREATE INDEX event_at ON event (at_s);
CREATE TABLE incident (
    session TEXT NOT NULL, id TEXT NOT NULL, case_number INTEGER REFERENCES case_file (number),
    body TEXT NOT NULL, kind TEXT NOT NULL, x_m REAL NOT NULL, y_m REAL NOT NULL,
    open INTEGER NOT NULL, onset_s REAL NOT NULL, heard_s REAL NOT NULL, cleared_s REAL,
    PRIMARY KEY (session, id)
) STRICT;
CREATE INDEX incident_case ON incident (case_number);
CREATE INDEX incident_open ON incident (open, session);
CREATE TABLE report (
    id TEXT PRIMARY KEY, case_number INTEGER NOT NULL REFERENCES case_file (number), reporter TEXT NOT NULL,
    source TEXT NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL, received_s REAL NOT NULL, happened_s REAL,
    text TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX report_case ON report (case_number);
CREATE TABLE step (
    case_number INTEGER NOT NULL REFERENCES case_file (number), id TEXT NOT NULL, title TEXT NOT NULL,
    role TEXT NOT NULL, during TEXT NOT NULL, state TEXT NOT NULL, required INTEGER NOT NULL,
    due_s REAL, by TEXT NOT NULL DEFAULT '', at_s REAL, place INTEGER NOT NULL,
    PRIMARY KEY (case_number, id)
) STRICT;
CREATE TABLE timer (
    number INTEGER PRIMARY KEY AUTOINCREMENT, case_number INTEGER NOT NULL REFERENCES case_file (number),
    kind TEXT NOT NULL, ref TEXT NOT NULL, due_s REAL NOT NULL, actions TEXT NOT NULL
) STRICT;
CREATE INDEX timer_due ON timer (due_s);
CREATE INDEX timer_case ON timer (case_number);
CREATE TABLE command (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, reply TEXT NOT NULL, at_s REAL NOT NULL
) STRICT;
CREATE TABLE sender (session TEXT PRIMARY KEY, newest INTEGER NOT NULL, first_s REAL NOT NULL) STRICT;
CREATE TABLE alarm (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, key TEXT NOT NULL,
    matter TEXT NOT NULL, group_id TEXT NOT NULL, urgency TEXT NOT NULL, title TEXT NOT NULL,
    detail TEXT NOT NULL, junction TEXT NOT NULL, active INTEGER NOT NULL, acknowledged INTEGER NOT NULL,
    session TEXT NOT NULL,
    first_s REAL NOT NULL, raised_s REAL NOT NULL, changed_s REAL NOT NULL, cleared_s REAL,
    count INTEGER NOT NULL, acknowledged_by TEXT NOT NULL DEFAULT '', acknowledged_s REAL,
    shelved_until_s REAL, shelved_by TEXT NOT NULL DEFAULT '', shelved_why TEXT NOT NULL DEFAULT '',
    UNIQUE (source, key)
) STRICT;
CREATE INDEX alarm_standing ON alarm
    (group_id, urgency, active, acknowledged, raised_s, shelved_until_s, junction)
    WHERE (active = 1 OR acknowledged = 0);
CREATE INDEX alarm_page ON alarm
    (instr('urgent high medium low', urgency), acknowledged, raised_s DESC, number, shelved_until_s)
    WHERE (active = 1 OR acknowledged = 0);
CREATE INDEX alarm_shelved ON alarm (shelved_until_s) WHERE shelved_until_s IS NOT NULL;
CREATE TABLE activation (
    number INTEGER PRIMARY KEY AUTOINCREMENT, alarm INTEGER NOT NULL REFERENCES alarm (number),
    urgency TEXT NOT NULL, raised_s REAL NOT NULL, cleared_s REAL, acknowledged_s REAL
) STRICT;
CREATE INDEX activation_alarm ON activation (alarm, number);
CREATE INDEX activation_raised ON activation (raised_s);
CREATE TABLE notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, case_number INTEGER,
    recipient TEXT NOT NULL, why TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
    made_s REAL NOT NULL, due_s REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    delivered_s REAL, error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notice_due ON notice (due_s) WHERE state = 'waiting';
CREATE INDEX notice_state ON notice (state, number);
"""

_LINKS_AND_SIGNATURES = """
CREATE TABLE what_if (
    case_number INTEGER NOT NULL REFERENCES case_file (number), id TEXT NOT NULL, title TEXT NOT NULL,
    by TEXT NOT NULL, at_s REAL NOT NULL, PRIMARY KEY (case_number, id)
) STRICT;
CREATE TABLE signature (
    number INTEGER PRIMARY KEY AUTOINCREMENT, since_s REAL NOT NULL, until_s REAL NOT NULL,
    signed_by TEXT NOT NULL, given_to TEXT NOT NULL, remark TEXT NOT NULL, note TEXT NOT NULL,
    sha256 TEXT NOT NULL, taken_by TEXT NOT NULL DEFAULT '', taken_s REAL
) STRICT;
"""

_DEADLINE = "ALTER TABLE case_file ADD COLUMN deadline_s REAL;"
"""Of the state a case is in; it stays when it has passed, as its timer does not."""

_RECORD = "ALTER TABLE signature ADD COLUMN record TEXT NOT NULL DEFAULT '';"
"""The note's data as JSON, signed with its text; "" where a shift was handed over before."""

_SAID = "ALTER TABLE alarm ADD COLUMN said TEXT NOT NULL DEFAULT '[]';"
"""Title and detail as sentences (`core/sentences.py`), JSON; "[]" where they are text alone."""

MIGRATIONS = (_FIRST, _LINKS_AND_SIGNATURES, _DEADLINE, _RECORD, _SAID)
"""Element n brings a file of version n to version n + 1 (`PRAGMA user_version`)."""
