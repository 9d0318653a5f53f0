"""Retime: from observed counts the best fixed plans of a city, as a report and as files.

Purpose: the engineer's everyday job: cycle, splits and offsets for the demand that is there, by times of day.
Reads: a city, counts per turn and interval (CSV, or counted in the twin under the city's own plan).
Returns: plans.json, a program file for SUMO, timing sheets, the retimed city, report.html with before and
after. Units: counts in vehicles, flows in veh/h, times in s, delays in s per vehicle.

    counts.py   observed counts: read, write, and from the routes of a run     survey.py  runs that count
    records.py  what is written down (plans.json)                              sheets.py  timing sheets
    make.py     counts -> periods -> plans                                     retimed.py the city with its
    plans report.py   the page                                                       study.py   all together:
    start here
"""
