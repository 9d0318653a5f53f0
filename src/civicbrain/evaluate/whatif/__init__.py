"""What-ifs: the near future with a change against the same future without it.

records.py     the answer, and how bands are worked out
run.py         one future under the city's control, in a worker process
conduct.py     pairs of futures from one state, two at a time, with progress
source.py      where the state comes from: a running city, or one that is simulated for it
__main__.py    the same as a process: what the API starts
"""
