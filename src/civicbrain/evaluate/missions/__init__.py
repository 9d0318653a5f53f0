"""Studies of emergency missions: `draw.py` draws them, `run.py` runs an arm, `summary.py` compares arms."""

from civicbrain.evaluate.missions.draw import DrawOptions, draw_missions
from civicbrain.evaluate.missions.record import MissionRecord, MissionRunRecord
from civicbrain.evaluate.missions.run import MissionRun, run_missions

__all__ = ["DrawOptions", "MissionRecord", "MissionRun", "MissionRunRecord", "draw_missions", "run_missions"]
