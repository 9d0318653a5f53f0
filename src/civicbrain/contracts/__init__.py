"""Contracts: the doors. `brain.py`, `feed.py`, `actuator.py`, `evaluator.py`, the conformance checks
that every implementation passes (`conformance.py`), the messages between processes (`wire.py`) and the
discovery of what is installed (`rooms.py`).
"""
