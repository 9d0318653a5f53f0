"""Public transport: the timetable and how it lies on the network, and where the buses are.

`timetable.py` what it is; `gtfs.py`, `assembly.py` read and write it; `layout.py`, `matching.py` place it on
the streets; `lonlat.py` turns coordinates; `buses.py` says which positions of buses are believed.
"""
