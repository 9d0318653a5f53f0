"""A SUMO network (read by sumolib) as the arrays of `city.network`, and the paths of each signal controller.

Lanes inside junctions, pedestrian crossings and walking areas are not lanes of the city; their shapes are
kept in the `Path`s, from which `signals.py` derives conflicts and intergreens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any
from xml.sax import SAXParseException

import numpy as np

from civicbrain.city.network import F64, Edges, Lanes, Movements, Network, Nodes, Projection, RoadUse
from civicbrain.core.errors import ImportFailedError

_USE_OF_CLASS = {
    "passenger": RoadUse.MOTOR,
    "bus": RoadUse.BUS,
    "tram": RoadUse.TRAM,
    "rail": RoadUse.TRAM,
    "rail_urban": RoadUse.TRAM,
    "rail_electric": RoadUse.TRAM,
    "bicycle": RoadUse.BICYCLE,
    "pedestrian": RoadUse.PEDESTRIAN,
    "emergency": RoadUse.EMERGENCY,
    "delivery": RoadUse.OTHER,
    "truck": RoadUse.OTHER,
    "taxi": RoadUse.OTHER,
}
_TURNS = {"s": "s", "l": "l", "L": "l", "r": "r", "R": "r", "t": "t", "T": "t"}
_RAIL_NODES = frozenset({"rail_signal", "rail_crossing"})


@dataclass(frozen=True, eq=False)
class Path:
    """One connection under signal control: a vehicle's way through the junction, or a crossing.

    shape_xy: (k, 2) m from the stop line on. request: index in the node's right-of-way matrix.
    width_m: of the lane or crossing. speed_mps: limit of the approach lane (walking speed is not used).
    """

    link: int
    node: str
    request: int
    from_edge: str
    from_lane: str
    to_lane: str
    use: RoadUse
    turn: str
    shape_xy: F64
    length_m: float
    width_m: float
    speed_mps: float

    @property
    def is_crossing(self) -> bool:
        return self.use == RoadUse.PEDESTRIAN and self.from_edge.startswith(":")


@dataclass(frozen=True, eq=False)
class Controller:
    """A traffic light as the network has it, before anything is derived. foes: pairs of path rows."""

    id: str
    node_ids: tuple[str, ...]
    paths: tuple[Path, ...]
    foes: frozenset[tuple[int, int]]


def read_net(net_file: FilePath) -> Any:
    """The sumolib network of a .net.xml(.gz); raises ImportFailedError with line and column."""
    import sumolib

    try:
        net = sumolib.net.readNet(
            str(net_file),
            withPrograms=True,
            withFoes=True,
            withInternal=True,
            withPedestrianConnections=True,
            lxml=False,
        )
    except SAXParseException as error:
        raise ImportFailedError(
            f"the network is cut off or broken: {error.getMessage()}",
            place=f"{net_file}, line {error.getLineNumber()}, column {error.getColumnNumber()}",
            remedy="fetch or export the file again",
        ) from error
    except (EOFError, OSError) as error:
        raise ImportFailedError(
            f"the network cannot be read: {error}", place=str(net_file), remedy="check the file"
        ) from error
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ImportFailedError(
            f"this is no SUMO network that we can read ({type(error).__name__}: {error})",
            place=str(net_file),
            remedy="make it again with netconvert of SUMO 1.0 or later",
        ) from error
    if not any(edge.getFunction() == "" and edge.getLanes() for edge in net.getEdges(True)):
        raise ImportFailedError(
            "the network has no road", place=str(net_file), remedy="choose an area with streets"
        )
    return net


def road_use(allowed: Iterable[str]) -> RoadUse:
    """RoadUse mask of a set of SUMO vehicle classes."""
    use = RoadUse.NONE
    for name in allowed:
        use |= _USE_OF_CLASS.get(name, RoadUse.NONE)
    return use


def build_controllers(net: Any) -> list[Controller]:
    """The traffic lights of road junctions, in the order of the network; rail signals are none of ours."""
    nodes_of: dict[str, set[str]] = {}
    paths_of: dict[str, list[Path]] = {}
    for node in net.getNodes():
        if node.getType() in _RAIL_NODES:
            continue
        for request, connection in enumerate(_requests(node)):
            tl = connection.getTLSID()
            if tl and connection.getTLLinkIndex() >= 0:
                paths_of.setdefault(tl, []).append(_path(net, node, request, connection))
                nodes_of.setdefault(tl, set()).add(node.getID())
    return [
        Controller(tl, tuple(sorted(nodes_of[tl])), tuple(paths), _foes(net, paths))
        for tl, paths in paths_of.items()
    ]


def _requests(node: Any) -> list[Any]:
    """Connections of a node in the order of its right-of-way matrix (SUMO: by incoming lane, then file)."""
    result = []
    edges = {edge.getID(): edge for edge in node.getIncoming()}
    for lane_id in node._incLanes:
        edge = edges.get(lane_id.rpartition("_")[0])
        if edge is None:
            continue
        source = edge.getFunction()
        for connection in edge.getLane(int(lane_id.rpartition("_")[2])).getOutgoing():
            target = connection.getTo().getFunction()
            if target != "walkingarea" and (source != "walkingarea" or target == "crossing"):
                result.append(connection)
    return result


def _path(net: Any, node: Any, request: int, connection: Any) -> Path:
    from_lane, to_lane = connection.getFromLane(), connection.getToLane()
    if connection.getTo().getFunction() == "crossing":
        shape = np.asarray(to_lane.getShape(), dtype=np.float64).reshape(-1, 2)
        return Path(
            connection.getTLLinkIndex(), node.getID(), request, connection.getFrom().getID(),
            from_lane.getID(), to_lane.getID(), RoadUse.PEDESTRIAN, "s", shape,
            float(to_lane.getLength()), float(to_lane.getWidth()), float(to_lane.getSpeed()),
        )  # fmt: skip
    shape, length_m = inside_shape(net, connection)
    use = road_use(from_lane._allowed & to_lane._allowed & connection._allowed)
    return Path(
        connection.getTLLinkIndex(), node.getID(), request, connection.getFrom().getID(),
        from_lane.getID(), to_lane.getID(), use, _TURNS.get(connection.getDirection(), "s"), shape,
        length_m, float(from_lane.getWidth()), float(from_lane.getSpeed()),
    )  # fmt: skip


def inside_shape(net: Any, connection: Any) -> tuple[F64, float]:
    """Points (k, 2) and length (m) of a connection's way through its junction."""
    points: list[tuple[float, float]] = []
    length_m = 0.0
    via, seen = connection.getViaLaneID(), set()
    while via and via not in seen:
        seen.add(via)
        try:
            lane = net.getLane(via)
        except (KeyError, IndexError):  # a network without internal lanes may still name them
            break
        shape = list(lane.getShape())
        points.extend(shape if not points or points[-1] != shape[0] else shape[1:])
        length_m += float(lane.getLength())
        onward = lane.getOutgoing()
        via = onward[0].getViaLaneID() if onward else ""
    if len(points) < 2:
        points = [connection.getFromLane().getShape()[-1], connection.getToLane().getShape()[0]]
        length_m = float(np.hypot(points[1][0] - points[0][0], points[1][1] - points[0][1]))
    return np.asarray(points, dtype=np.float64).reshape(-1, 2), length_m


def _foes(net: Any, paths: list[Path]) -> frozenset[tuple[int, int]]:
    """Pairs (both orders) of path rows whose ways meet, by the nodes' right-of-way matrices.

    Ways through different nodes of one controller are no foes; ways from one edge never are.
    """
    foes: set[tuple[int, int]] = set()
    by_node: dict[str, list[int]] = {}
    for row, path in enumerate(paths):
        by_node.setdefault(path.node, []).append(row)
    for node_id, rows in by_node.items():
        matrix: dict[int, str] = net.getNode(node_id)._foes
        for row in rows:
            bits = matrix.get(paths[row].request)
            for other in rows:
                if other == row or paths[row].from_edge == paths[other].from_edge:
                    continue
                index = paths[other].request
                if bits is None or index >= len(bits):
                    # no matrix for this way: cautious, every other approach is a foe
                    meets = bits is None
                else:
                    meets = bits[len(bits) - 1 - index] == "1"
                if meets:
                    foes |= {(row, other), (other, row)}
    return frozenset(foes)


def build_network(net: Any, junction_row: dict[str, int], group_row: dict[tuple[str, int], int]) -> Network:
    """Arrays of the network.

    junction_row: row of each signal junction's id. group_row: city-wide group of (junction id, link).
    """
    edges = [edge for edge in net.getEdges() if edge.getFunction() == "" and edge.getLanes()]
    nodes = list(net.getNodes())
    node_row = {node.getID(): row for row, node in enumerate(nodes)}
    edge_row = {edge.getID(): row for row, edge in enumerate(edges)}
    lanes = [lane for edge in edges for lane in edge.getLanes()]
    lane_row = {lane.getID(): row for row, lane in enumerate(lanes)}
    shapes = [np.asarray(lane.getShape(), dtype=np.float32).reshape(-1, 2) for lane in lanes]
    shape_start = np.concatenate(([0], np.cumsum([len(shape) for shape in shapes]))).astype(np.int32)
    node_junction = np.full(len(nodes), -1, dtype=np.int32)
    rows: list[tuple[int, int, int, int, int, int, int, float]] = []
    for lane in lanes:
        for connection in lane.getOutgoing():
            to_lane = lane_row.get(connection.getToLane().getID())
            if to_lane is None:
                continue
            tl, link = connection.getTLSID(), connection.getTLLinkIndex()
            junction = junction_row.get(tl, -1)
            group = group_row.get((tl, link), -1)
            if group < 0:
                junction, link = -1, -1
            node = node_row[connection.getFrom().getToNode().getID()]
            if junction >= 0:
                node_junction[node] = junction
            turn = ord(_TURNS.get(connection.getDirection(), "s"))
            length_m = inside_shape(net, connection)[1]
            rows.append((lane_row[lane.getID()], to_lane, node, junction, link, group, turn, length_m))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    from_lane, into_lane, node_of, junction_of, link_of, group_of = (
        np.asarray(column, dtype=np.int32) for column in columns[:6]
    )
    return Network(
        Lanes(
            ids=tuple(lane.getID() for lane in lanes),
            edge=np.asarray([edge_row[lane.getEdge().getID()] for lane in lanes], dtype=np.int32),
            index=np.asarray([lane.getIndex() for lane in lanes], dtype=np.int32),
            length_m=np.asarray([lane.getLength() for lane in lanes], dtype=np.float32),
            speed_mps=np.asarray([lane.getSpeed() for lane in lanes], dtype=np.float32),
            width_m=np.asarray([lane.getWidth() for lane in lanes], dtype=np.float32),
            use=np.asarray([int(road_use(lane._allowed)) for lane in lanes], dtype=np.uint8),
            shape_xy=np.concatenate(shapes),
            shape_start=shape_start,
        ),
        Edges(
            ids=tuple(edge.getID() for edge in edges),
            names=tuple(edge.getName() for edge in edges),
            from_node=np.asarray([node_row[edge.getFromNode().getID()] for edge in edges], dtype=np.int32),
            to_node=np.asarray([node_row[edge.getToNode().getID()] for edge in edges], dtype=np.int32),
            priority=np.asarray([edge.getPriority() for edge in edges], dtype=np.int32),
            lane_start=np.concatenate(([0], np.cumsum([len(edge.getLanes()) for edge in edges]))).astype(
                np.int32
            ),
        ),
        Nodes(
            ids=tuple(node.getID() for node in nodes),
            xy=np.asarray([node.getCoord()[:2] for node in nodes], dtype=np.float32).reshape(-1, 2),
            junction=node_junction,
        ),
        Movements(
            from_lane=from_lane,
            to_lane=into_lane,
            node=node_of,
            junction=junction_of,
            link=link_of,
            group=group_of,
            turn=np.asarray(columns[6], dtype=np.uint8),
            length_m=np.asarray(columns[7], dtype=np.float32),
        ),
        _projection(net),
    )


def _projection(net: Any) -> Projection:
    location: dict[str, str] = net._location
    proj = location.get("projParameter", "!")
    if proj in ("!", "-", "."):
        return Projection()
    x, y = (float(value) for value in location["netOffset"].split(",")[:2])
    return Projection(proj, x, y)
