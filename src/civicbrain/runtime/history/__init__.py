"""History: what the city did, for any window, at one second, one minute, 15 minutes or one hour.

    brain process ──samples, observations──► history process ──► Parquet files ◄── queries (API, command line)
      entry.py        (bounded, sheds)         server.py           storage.py        queries.py

In the brain process only `HistoryEntry` runs, which copies and sends and never waits. A process of its own
(`server.py`) folds each second into minutes (`minutes.py`), writes closed minutes (`storage.py`), joins them
to hours and days and rolls them up, deletes what is past its retention (`retention.py`) and answers the API.
Files are only ever made whole under another name and renamed, so anybody may read them at any time: the
command line asks the files themselves, with or without a running city. `layout.py` says what stands where,
`indicators.py` what can be asked for.
"""
