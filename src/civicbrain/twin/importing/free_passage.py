"""Junctions of a SUMO network at which crossing streams do not hold each other up.

netconvert has no such type: "unregulated" also lets vehicles that enter the same lane drive into each other.
So the junction's table of foes, which netconvert writes from its geometry, is narrowed: movements that end in
the same lane stay foes, without one giving way to the other, and who is first goes first; all others pass as
on bridges. Table: https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html, "Requests" (one a movement, in
the order of intLanes; the last character is the first movement).
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection
from pathlib import Path


def pass_freely(net_file: Path, junctions: Collection[str]) -> None:
    """Let the streams of these junctions pass each other, in the plain network file itself."""
    tree = ElementTree.parse(net_file)  # noqa: S314  netconvert has just written it
    root = tree.getroot()
    entered = {  # lane inside a junction -> edge and lane that it leads into
        f"{way.attrib['from']}_{way.attrib['fromLane']}": (way.attrib["to"], way.attrib["toLane"])
        for way in root.iter("connection")
        if way.attrib["from"].startswith(":")
    }
    for junction in root.iter("junction"):
        if junction.attrib["type"] == "internal" and junction.attrib["id"][1:].rsplit("_", 2)[0] in junctions:
            own = entered[junction.attrib["id"]]  # a place to wait inside one has the id of its lane
            others = [lane for lane in junction.attrib["intLanes"].split() if entered[lane] == own]
            junction.attrib["intLanes"] = " ".join(others)
        if junction.attrib["id"] not in junctions:
            continue
        ends = [entered[lane] for lane in junction.attrib["intLanes"].split()]
        for request in junction.iter("request"):
            own = ends[int(request.attrib["index"])]
            foes = zip(request.attrib["foes"], reversed(ends), strict=True)
            request.attrib["foes"] = "".join(foe if end == own else "0" for foe, end in foes)
            request.attrib["response"] = "0" * len(ends)
    tree.write(net_file, encoding="utf-8", xml_declaration=True)
