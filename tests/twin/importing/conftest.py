"""Cities for the tests of the import, made once a session in a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

CROSS_NODES = """<nodes>
<node id="C" x="0" y="0" type="traffic_light"/><node id="N" x="0" y="200"/><node id="S" x="0" y="-200"/>
<node id="E" x="200" y="0"/><node id="W" x="-200" y="0"/></nodes>"""
CROSS_EDGES = (
    "<edges>"
    + "".join(
        f'<edge id="{a}C" from="{a}" to="C" numLanes="2" speed="13.89"/>'
        f'<edge id="C{a}" from="C" to="{a}" numLanes="2" speed="13.89"/>'
        for a in "NESW"
    )
    + "</edges>"
)
CROSS_ROUTES = """<routes><vType id="car"/><vType id="bus" vClass="bus"/>
<flow id="f1" type="car" from="WC" to="CE" begin="0" end="300" period="10"/>
<vehicle id="b1" type="bus" depart="20"><route edges="NC CS"/><stop busStop="halt" duration="10"/></vehicle>
</routes>"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """$XDG_CACHE_HOME of the session."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def cross_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A four-armed signalled junction C with two lanes an arm, made by netconvert."""
    from civicbrain.twin.importing.tools import run_tool

    folder = tmp_path_factory.mktemp("cross")
    (folder / "n.nod.xml").write_text(CROSS_NODES)
    (folder / "e.edg.xml").write_text(CROSS_EDGES)
    net = folder / "cross.net.xml"
    run_tool(
        "netconvert",
        ["-n", str(folder / "n.nod.xml"), "-e", str(folder / "e.edg.xml"), "-o", str(net),
         "--crossings.guess", "--sidewalks.guess", "--no-turnarounds", "true"],
        place="test", what="netconvert", remedy="",
    )  # fmt: skip
    return net


@pytest.fixture
def cross(cross_net: Path, tmp_path: Path) -> Path:
    """A .sumocfg in a folder of its own: buses, detectors, a shape, relative paths."""
    folder = tmp_path / "source"
    (folder / "parts").mkdir(parents=True)
    (folder / "cross.net.xml").write_bytes(cross_net.read_bytes())
    (folder / "parts" / "cross.rou.xml").write_text(CROSS_ROUTES)
    (folder / "parts" / "more.add.xml").write_text(
        '<additional><busStop id="halt" lane="CS_1" startPos="50" endPos="80"/>'
        '<inductionLoop id="d1" lane="WC_1" pos="-5" period="60" file="out/d1.xml"/>'
        '<edgeData id="x" file="out/edges.xml"/><poly id="p" shape="0,0 1,1 2,0"/></additional>'
    )
    (folder / "cross.sumocfg").write_text(
        '<configuration><input><net-file value="cross.net.xml"/><route-files value="parts/cross.rou.xml"/>'
        '<additional-files value="parts/more.add.xml"/></input><time><begin value="0"/><end value="400"/>'
        '<step-length value="0.5"/></time><output><tripinfo-output value="out/trips.xml"/></output>'
        '<processing><lateral-resolution value="0.8"/><time-to-teleport value="300"/></processing>'
        "</configuration>"
    )
    return folder / "cross.sumocfg"
