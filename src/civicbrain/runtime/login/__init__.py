"""Log-in: who may come in, and as what.

Start     `roles.py` (viewer, operator, engineer, administrator)
"""

from civicbrain.runtime.login.roles import Role

__all__ = ["Role"]
