"""The moving picture of the last hours, kept as the live map showed it.

`recorder.py` listens beside the map and writes segments of a minute; `segment.py` is their format,
`columns.py` how a frame is told by its difference to the one before; `shelf.py` which segments there are, and
which go; `reading.py` gives a window back as frames of the live map; `older.py` what is older, from the
history; `access_log.py` who looked. Reasons and figures: docs/decisions/playback.md.
"""
