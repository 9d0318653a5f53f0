"""Corridors: a chain of signal junctions along a way, seen over time and distance.

`ways.py` finds the way between two junctions and suggests arterials; `bands.py` works out the green bands;
`tracks.py` reads signals and vehicles along a way out of the recorded picture; `diagram.py` puts it together.
"""
