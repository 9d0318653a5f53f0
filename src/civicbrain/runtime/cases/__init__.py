"""Cases, procedures, alarms and notices: what follows from an incident, handled to the end and on record.

A process of its own with one SQLite file (`cases/cases.sqlite` in the run folder), which holds rows and their
hash-chained record together: a change, its record, its deadlines and its notices are one transaction. The
brain process hands incidents and alerts over through `entry.py` and never waits.

Reads     incidents and alerts of the brain process; reports, and what operators do, of the API
Returns   cases, alarms, notices; webhooks and mail to those who must go; reports to the brain process
Units     times are unix seconds of the wall clock inside (`_s`), aware UTC outside; places in m of the plane
Start     `desk.py` (cases), `conduct.py` (procedures), `alarms.py`, `outbox.py`, `delivery.py`, `server.py`
"""
