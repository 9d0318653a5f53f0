"""Streets as SUMO plain XML, and the network that netconvert makes of them.

Format: https://sumo.dlr.de/docs/Networks/PlainXML.html
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from civicbrain.twin.generating.grid import Frame
from civicbrain.twin.generating.lanes import connect
from civicbrain.twin.generating.streets import Streets
from civicbrain.twin.importing.tools import run_tool

PROJECTION = "+proj=utm +zone=31 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"
NET_OFFSET_M = (-490_000.0, -100_000.0)
"""The city lies in the Gulf of Guinea near 2.9 E 0.9 N, where no real street is: what needs longitude and
latitude (GTFS, the map) works, and nobody takes it for a place."""
YELLOW_S = 3
ARROW_S = 8
"""Green of the left-turn stage that netconvert adds; `timing.py` sets the final length."""


def build_net(city: Streets, work: Path) -> Path:
    """Write the plain files into `work` and return the net.xml; raises ImportFailedError."""
    target = work / "net.xml"
    files = {"nod": _nodes(city), "edg": _edges(city), "con": _connections(city)}
    for suffix, lines in files.items():
        (work / f"plain.{suffix}.xml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run_tool(
        "netconvert",
        [
            "--node-files", str(work / "plain.nod.xml"), "--edge-files", str(work / "plain.edg.xml"),
            "--connection-files", str(work / "plain.con.xml"), "--output-file", str(target),
            "--no-turnarounds", "true", "--offset.disable-normalization", "true",
            "--output.street-names", "true", "--junctions.corner-detail", "3", "--precision", "2",
            "--tls.default-type", "static", "--tls.layout", "opposites", "--tls.cycle.time", "90",
            "--tls.yellow.time", str(YELLOW_S), "--tls.left-green.time", str(ARROW_S),
        ],
        place="the generated city", what="netconvert refused it", remedy="try another --seed and report this",
    )  # fmt: skip
    return target


def _nodes(city: Streets) -> Iterable[str]:
    low, high = city.xy.min(axis=0), city.xy.max(axis=0)
    x_m, y_m = NET_OFFSET_M
    corners = [low[0], low[1], high[0], high[1]]
    bounds = ",".join(f"{value:.2f}" for value in corners)
    origin = ",".join(f"{v:.2f}" for v in np.array(corners) - np.array([x_m, y_m, x_m, y_m]))
    used = {node for street in city.streets for node in (street.a, street.b)}
    signals = set(city.signals)
    yield "<nodes>"
    yield (
        f'<location netOffset="{x_m:.2f},{y_m:.2f}" convBoundary="{bounds}" origBoundary="{origin}" '
        f"projParameter={quoteattr(PROJECTION)}/>"
    )
    for row, name in enumerate(city.node_ids):
        if row in used:
            kind = "traffic_light" if row in signals else "priority"
            x, y = city.xy[row]
            yield f'<node id="{name}" x="{x:.1f}" y="{y:.1f}" type="{kind}"/>'
    yield "</nodes>"


def _edges(city: Streets) -> Iterable[str]:
    yield "<edges>"
    for street in city.streets:
        yield (
            f'<edge id="{street.id}" from="{city.node_ids[street.a]}" to="{city.node_ids[street.b]}" '
            f'numLanes="{street.lanes}" speed="{street.speed_mps:.2f}" priority="{1 + 2 * int(street.kind)}" '
            f"name={quoteattr(street.name)}/>"
        )
    yield "</edges>"


def _connections(city: Streets) -> Iterable[str]:
    yield "<connections>"
    for link in connect(city):
        yield (
            f'<connection from="{link.from_id}" to="{link.to_id}" fromLane="{link.from_lane}" '
            f'toLane="{link.to_lane}"/>'
        )
    yield "</connections>"


def river_lines(frame: Frame) -> Iterable[str]:
    """The river as a shape, for pictures."""
    shape = " ".join(f"{x:.1f},{y:.1f}" for x, y in frame.river_xy)
    yield (
        f'<poly id="river" type="water" color="170,205,235" layer="-5" fill="0" '
        f'lineWidth="{frame.river_width_m:.0f}" shape="{shape}"/>\n'
    )
