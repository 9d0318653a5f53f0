"""Studies that somebody ordered in the control room: each a folder, run by a process of its own.

records.py     order.json, state.json, progress.json, and their limits
keep.py        the folder of all studies: those ordered here, and those of the command line
__main__.py    one study as a process: what the API starts, and may kill at any time
"""
