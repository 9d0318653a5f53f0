"""Towns in the form of the City Brain Challenge, made by hand."""

from __future__ import annotations

from pathlib import Path

LANES = "1 0 0 0 1 0 0 0 1"
CROSS_ROADNET = f"""6 // C has signals; X lies beyond N, 40 m away
28.7000 115.8000 C 1
28.7030 115.8000 N 0
28.7000 115.8034 E 0
28.6970 115.8000 S 0
28.7000 115.7966 W 0
28.7034 115.8000 X 0
5
C N 320 10 3 3 1 2
{LANES}
{LANES}
C E 333.5 12.5 3 3 3 4
{LANES}
{LANES}
C S 320 10 3 3 5 6
{LANES}
{LANES}
C W 320 10 3 3 7 8
{LANES}
{LANES}
N X 40 10 3 3 9 10
{LANES}
{LANES}
1
C 1 3 5 7
"""
CROSS_FLOW = """3
0\t100\t10
2
8 3

0 30 12.5
3
4 1 9
50 60 30
2
6 5
"""


def write_cross(folder: Path, roadnet: str = CROSS_ROADNET, flow: str | None = None) -> Path:
    """A junction C with four arms, and a road of 40 m beyond its northern one. The last flow turns round,
    which no lane may: it is left out unless `flow` is given."""
    folder.mkdir(parents=True)
    (folder / "roadnet.txt").write_text(roadnet)
    sound = "2\n" + "\n".join(CROSS_FLOW.splitlines()[1:8]) + "\n"
    (folder / "flow.txt").write_text(sound if flow is None else flow)
    return folder


def write_tee(folder: Path) -> Path:
    """The same without a western arm."""
    lines = CROSS_ROADNET.splitlines()
    at = lines.index("C W 320 10 3 3 7 8")
    kept = [*lines[:at], *lines[at + 3 :]]
    text = "\n".join(kept).replace("C 1 3 5 7", "C 1 3 5 -1").replace("\n5\nC N", "\n4\nC N") + "\n"
    text = text.replace("28.7000 115.7966 W 0\n", "").replace("6 // C", "5 // C")
    return write_cross(folder, text, "1\n0 60 20\n2\n4 1\n")
