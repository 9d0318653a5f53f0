"""OpenStreetMap extracts as SUMO networks, by netconvert."""

from __future__ import annotations

from pathlib import Path

from civicbrain.core.errors import ImportFailedError
from civicbrain.twin.importing.sumo import iterate_xml
from civicbrain.twin.importing.tools import run_tool, sumo_home

_SUFFIXES = (".osm", ".osm.xml", ".osm.gz", ".osm.xml.gz")
_UNWANTED = (
    "highway.service", "highway.services", "highway.track", "highway.footway", "highway.path",
    "highway.pedestrian", "highway.steps", "highway.bridleway", "highway.raceway", "highway.cycleway",
    "highway.corridor", "highway.platform",
)  # fmt: skip
_DRIVABLE = frozenset(
    kind + link
    for kind in ("motorway", "trunk", "primary", "secondary", "tertiary")
    for link in ("", "_link")
) | {"unclassified", "residential", "living_street", "road", "busway"}


def is_osm(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)


def convert_osm(source: Path, work: Path) -> Path:
    """The .net.xml that netconvert makes of the streets of an extract; raises ImportFailedError."""
    _check(source)
    target = work / "osm.net.xml"
    run_tool(
        "netconvert",
        [
            "--osm-files", str(source), "--output-file", str(target),
            "--type-files", str(sumo_home() / "data" / "typemap" / "osmNetconvert.typ.xml"),
            # streets that cars use, in one piece
            "--keep-edges.by-vclass", "passenger", "--remove-edges.by-type", ",".join(_UNWANTED),
            "--keep-edges.components", "1", "--remove-edges.isolated", "true",
            "--geometry.remove", "true", "--geometry.max-grade.fix", "true",
            "--roundabouts.guess", "true", "--ramps.guess", "true",
            "--junctions.join", "true", "--junctions.corner-detail", "5",
            "--no-turnarounds.except-deadend", "true",
            # OSM maps signals at the stop lines; they belong to the junction behind
            "--tls.guess-signals", "true", "--tls.discard-simple", "true", "--tls.join", "true",
            "--tls.default-type", "static", "--tls.yellow.time", "3",
            "--output.street-names", "true", "--proj.utm", "true",
        ],
        place=str(source), what="netconvert could not read the extract",
        remedy="export the area again, with its streets",
    )  # fmt: skip
    if not target.is_file():
        raise _no_road(source)
    return target


def _check(source: Path) -> None:
    """Read the whole file once: it must be complete, and have a street that cars use."""
    has_road, root_tag, way = False, "", False
    for event, element, depth in iterate_xml(source):
        if event == "start" and depth == 0:
            root_tag = element.tag
        elif event == "end" and depth == 1 and element.tag == "way" and not has_road:
            way = True
            has_road = any(
                tag.get("k") == "highway" and tag.get("v") in _DRIVABLE for tag in element.iter("tag")
            )
    if root_tag != "osm":
        raise ImportFailedError(
            f"this is no OpenStreetMap file: its root is <{root_tag}>",
            place=str(source),
            remedy="export OSM XML, e.g. from openstreetmap.org or the Overpass API",
        )
    if not has_road:
        raise _no_road(source, "" if way else " (nor any way at all)")


def _no_road(source: Path, more: str = "") -> ImportFailedError:
    return ImportFailedError(
        f"the extract has no road for cars{more}",
        place=str(source),
        remedy="choose an area with streets, and export ways with their nodes",
    )
