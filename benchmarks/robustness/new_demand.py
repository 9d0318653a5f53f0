"""A demand never seen before: the same city, some entries with twice the traffic, others with half of it."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from civicbrain.city.folder import save_city
from civicbrain.city.model import City
from civicbrain.core.errors import CityError

SHARE = 0.15
"""Entries are doubled until they bring at least this share of all vehicles, then as many halved."""
_SPREAD_S = 60.0
"""A second vehicle departs up to this long after the one that it doubles."""


def save_with_new_demand(city: City, seed: int, folder: Path) -> tuple[City, dict[str, int]]:
    """A copy of the city whose demand is another mix, drawn with the seed: the city, and what was changed
    ("doubled", "halved": entries; "before", "after": vehicles).

    An entry is the edge on which vehicles begin. Buses and others with stops, persons and flows stay as they
    are. Raises CityError where no vehicle says where it begins.
    """
    trees = {name: _read(city.folder / name) for name in city.demand.route_files}
    routes = {
        route.attrib["id"]: route.attrib["edges"].split()[0]
        for tree in trees.values()
        for route in tree.iter("route")
        if "id" in route.attrib
    }
    load: Counter[str] = Counter(
        entry for tree in trees.values() for vehicle in tree if (entry := _entry(vehicle, routes))
    )
    if len(load) < 2:
        raise CityError(
            "no vehicles that begin on two entries or more",
            place=city.name,
            remedy="give a city with trips or vehicles, not flows",
        )
    draw = random.Random(seed)
    doubled, halved = _draw_entries(load, draw)
    after = 0
    files: dict[str, Path | bytes] = {
        path.relative_to(city.folder).as_posix(): path
        for path in sorted((city.folder / "twin").rglob("*"))
        if path.is_file()
    }
    for name, tree in trees.items():
        after += _change(tree, routes, doubled, halved, city.demand.end_s, draw)
        content = ElementTree.tostring(tree, "utf-8", xml_declaration=True)
        # no time in the archive: the same demand must have the same hash
        files[name] = gzip.compress(content, mtime=0) if name.endswith(".gz") else content
    files[city.demand.net_file] = city.folder / city.demand.net_file
    saved = save_city(replace(city, name=f"{city.name}-new-demand"), folder, files)
    counts = {"doubled": len(doubled), "halved": len(halved), "before": load.total(), "after": after}
    return saved, counts


def _draw_entries(load: Counter[str], draw: random.Random) -> tuple[set[str], set[str]]:
    order = sorted(load)
    draw.shuffle(order)
    groups: tuple[set[str], set[str]] = (set(), set())
    for group in groups:
        while order and sum(load[entry] for entry in group) < SHARE * load.total():
            group.add(order.pop())
    return groups


def _change(
    tree: Element,
    routes: dict[str, str],
    doubled: set[str],
    halved: set[str],
    end_s: float,
    draw: random.Random,
) -> int:
    """Change the vehicles of one file in place; how many have an entry afterwards."""
    keep: list[tuple[float, Element]] = []
    others: list[Element] = []
    count = 0
    for element in tree:
        entry = _entry(element, routes)
        if not entry:
            (keep.append((float(element.attrib["depart"]), element)) if _departs(element)
             else others.append(element))  # fmt: skip
            continue
        depart_s = float(element.attrib["depart"])
        if entry in halved and draw.random() < 0.5:
            continue
        keep.append((depart_s, element))
        count += 1
        if entry in doubled:
            second = ElementTree.fromstring(ElementTree.tostring(element))
            later_s = depart_s + draw.uniform(0.0, _SPREAD_S)
            later_s = round(later_s if later_s < end_s else depart_s, 2)
            second.attrib.update(id=f"{element.attrib['id']}#2", depart=f"{later_s:.2f}")
            keep.append((later_s, second))
            count += 1
    keep.sort(key=lambda pair: pair[0])  # SUMO reads vehicles as they depart
    tree[:] = [*others, *(element for _, element in keep)]
    return count


def _entry(element: Element, routes: dict[str, str]) -> str:
    """The edge on which a vehicle of the general traffic begins; empty for all else."""
    if element.tag not in ("trip", "vehicle") or not _departs(element) or element.find("stop") is not None:
        return ""
    if "from" in element.attrib:
        return element.attrib["from"]
    route = element.find("route")
    if route is not None and route.attrib.get("edges"):
        return route.attrib["edges"].split()[0]
    return routes.get(element.attrib.get("route", ""), "")


def _departs(element: Element) -> bool:
    try:
        float(element.attrib["depart"])
    except (KeyError, ValueError):  # "triggered", or no vehicle at all
        return False
    return True


def _read(path: Path) -> Element:
    content = path.read_bytes()
    return ElementTree.fromstring(gzip.decompress(content) if path.suffix == ".gz" else content)
