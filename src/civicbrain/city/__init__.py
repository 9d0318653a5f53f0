"""City: what the city is (network, junctions, signal groups) and what is known of it now.

Reads: nothing of ours but core. Returns: `City` (static), `Snapshot` (what is known at one instant),
`Store` (the single writer that folds observations in).
Start in `network.py` (lanes, movements), `signals.py` (junctions, groups, stages, intergreens),
`snapshot.py` and `store.py`. Derivation of signals from a network stands in `derive.py`.
"""
