"""Twin: SUMO as a city that stands where the street stands. The only importer of libsumo and sumolib.

Reads: a `City` and its files; stage and plan requests; the centre's heartbeat.
Returns: `Detections` and `SignalStates` (what cameras and controllers deliver), verdicts, map frames,
`RunMetrics`. Units: m, s, m/s, kg. Cadence: one step (1 s) at a time; one `Twin` a process.
Start in `simulation.py` (Twin) and `options.py`. The safety rules: `controller.py` (one junction),
`roadside.py` (all of them, watchdog), checked by `observer.py`, which shares no code with them.
Sensing: `cameras.py`. SUMO's own control: `programs.py`. Figures: `metrics.py`, `probe.py`,
`deadlock.py`. The live process around a Twin: `server.py`. Imports of cities: `importing/`.
"""
