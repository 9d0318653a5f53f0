"""What-ifs in the twin: branch off a running one, go on with something changed, and say how it went.

branch.py      the state of a running twin on disk, written by a forked child so that the street does not wait
meso_state.py  the same traffic as a state of SUMO's mesoscopic model
changes.py     makes a change happen in a simulation
moments.py     states kept on the way, from which a what-if can begin in the past
figures.py     how a future went
future.py      one future: from a branch, with a change, sampled
"""
