"""Evaluate: before/after studies in the twin, with statistics and a report.

Purpose: say honestly what a control gains, against the city's own plan and other baselines.
Reads: a city with demand, control names (`contracts.rooms`), seeds, sensing and coverage.
Returns: `Evaluation` (evaluation.json) and report.html. Delays are s per vehicle due, CO2 kg, times s.
Cadence: none; each run is a process of its own, kept on disk as it finishes, and found again.

    plan.py      options, tasks, what a result depends on      run.py     one run: twin and live loop
    pool.py      where runs run: processes here ...            storage.py finished runs, whole or not at all
    cluster.py   ... or the machines of a Ray cluster          parcel.py  a city on its way to another machine
    summary.py   means, intervals, paired comparisons          report.py, plots.py, templates/  the page
    study.py     all of it together: start here                evaluator.py  the door for what-ifs
"""
