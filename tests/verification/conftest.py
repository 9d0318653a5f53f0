"""Small streets with known answers."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import sumo

# the twins' processes are started afresh and import `street_runs` by this path
sys.path.insert(0, str(Path(__file__).parent))

SPEED_MPS = 13.89
CAR = (
    '<vType id="car" accel="2.6" decel="4.5" sigma="0" tau="1" length="5" minGap="2.5" '
    f'maxSpeed="{SPEED_MPS}" speedFactor="1" speedDev="0"/>'
)


@pytest.fixture
def in_process():
    """call(function, *args): run it in a fresh process (libsumo is global to one)."""

    def call(function, *args):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function, *args).result(timeout=120)

    return call


@pytest.fixture
def make_street(tmp_path):
    """make(vehicles, phases, end_s) -> path of a .sumocfg.

    A main road west to east: 600 m to the stop line of junction `c`, 600 m after it; a side road south to
    north. phases: (seconds, lamps of side, lamps of main) of the plan; None leaves `c` unsignalled.
    """

    def make(vehicles: str, phases: list[tuple[int, str, str]] | None, end_s: int = 600) -> Path:
        kind = "traffic_light" if phases else "priority"
        nodes = f"""<nodes><node id="w" x="-600" y="0"/><node id="e" x="600" y="0"/>
            <node id="s" x="0" y="-600"/><node id="n" x="0" y="600"/>
            <node id="c" x="0" y="0" type="{kind}"/></nodes>"""
        ends = {"in": ("w", "c"), "out": ("c", "e"), "sin": ("s", "c"), "sout": ("c", "n")}
        edges = "".join(
            f'<edge id="{name}" from="{a}" to="{b}" numLanes="1" speed="{SPEED_MPS}" '
            f'priority="{9 if name in ("in", "out") else 1}"/>'
            for name, (a, b) in ends.items()
        )
        links = '<connection from="in" to="out"/><connection from="sin" to="sout"/>'
        (tmp_path / "n.nod.xml").write_text(nodes)
        (tmp_path / "n.edg.xml").write_text(f"<edges>{edges}</edges>")
        (tmp_path / "n.con.xml").write_text(f"<connections>{links}</connections>")
        netconvert = Path(sumo.SUMO_HOME) / "bin" / "netconvert"
        command = [netconvert, "-n", "n.nod.xml", "-e", "n.edg.xml", "-x", "n.con.xml", "-o", "n.net.xml"]
        options = ["--no-turnarounds", "--no-internal-links", "--junctions.join", "false"]
        subprocess.run([*command, *options], cwd=tmp_path, check=True, capture_output=True)
        if phases:
            text = (tmp_path / "n.net.xml").read_text()
            start, stop = text.index("<tlLogic"), text.index("</tlLogic>")
            lines = "".join(f'<phase duration="{s}" state="{side}{main}"/>' for s, side, main in phases)
            logic = f'<tlLogic id="c" type="static" programID="0" offset="0">{lines}'
            (tmp_path / "n.net.xml").write_text(text[:start] + logic + text[stop:])
        (tmp_path / "n.rou.xml").write_text(f"<routes>{CAR}{vehicles}</routes>")
        (tmp_path / "n.sumocfg").write_text(
            '<configuration><input><net-file value="n.net.xml"/><route-files value="n.rou.xml"/></input>'
            f'<time><begin value="0"/><end value="{end_s}"/></time></configuration>'
        )
        return tmp_path / "n.sumocfg"

    return make
