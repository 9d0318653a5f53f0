"""Core: errors, ids, units and time. No I/O; imports nothing of ours."""
