"""API: the city over HTTP, for people, programs and the control room. Generic over the rooms' names.

Reads: the city folder; vehicle frames and status from the twin process, states, alerts and answers from the
brain process (contracts/wire.py). Changes nothing itself: every write is a BrainCommand with actor and
reason, which the brain process records. Units: SI, named in each field. Cadence: states each second,
map frames at most 5 a second.

Start in `app.py` (the parts put together) and `routes/`; what is said and taken: `models/`. Who may come in:
`door/`; every error: `problems.py`; the other processes: `link.py`; the live map: `frames.py`,
`map_socket.py`; the process itself: `server.py` (`python -m civicbrain.api.server --city DIR --run-dir DIR`).
"""
