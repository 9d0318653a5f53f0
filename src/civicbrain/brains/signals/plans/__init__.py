"""Fixed plans from flows: cycle, splits and offsets of all junctions, as `civicbrain retime` and the control
`plan-change` use them.

    tables.py   what each step of a junction's plan serves, and its bounds     (static, from the city)
    flows.py    vehicles per movement onto lanes and streams                   (counts -> veh/s)
    junction.py one junction: queues through a cycle, best splits of a cycle
    network.py  platoons between junctions, common cycle, offsets: start here (`make_plans`)

Units: s, veh/s. A stream is an approach lane and the signal group that serves it (`signals.approach`).
"""
