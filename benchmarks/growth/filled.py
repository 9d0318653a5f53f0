"""A generated city whose streets are full from the first second: a peak without half an hour of waiting."""

from __future__ import annotations

import gzip
import random
import shutil
from pathlib import Path
from xml.etree.ElementTree import Element, iterparse, tostring

CARS = "twin/cars.rou.xml.gz"


def fill(city: Path, made: Path, vehicles: int, begin_s: float, length_s: float, seed: int = 1) -> int:
    """Copy a generated city; its cars now are `vehicles` that start at begin_s somewhere along their way
    (drawn from those of the hour before and after, so that ways are those of the peak), and those that
    depart in the length_s that follow. Returns how many start at once."""
    shutil.copytree(city, made)
    pool: list[Element] = []
    later: list[Element] = []
    with gzip.open(city / CARS, "rb") as stream:
        for _, element in iterparse(stream):
            if element.tag != "vehicle":
                continue
            depart_s = float(element.get("depart", "0"))
            if depart_s > begin_s + 3600.0:
                break
            if depart_s >= begin_s - 3600.0:
                pool.append(element)
            if begin_s < depart_s <= begin_s + length_s:
                later.append(element)
    chosen = random.Random(seed).choices(pool, k=vehicles)
    with gzip.open(made / CARS, "wb", compresslevel=1) as sink:
        sink.write(b"<routes>\n")
        for number, element in enumerate(chosen):
            now = dict(element.attrib) | {
                "id": f"f{number}", "depart": f"{begin_s:.1f}", "departEdge": "random", "departSpeed": "0",
            }  # fmt: skip
            sink.write(tostring(Element("vehicle", now)) + b"\n")
        for element in later:
            sink.write(tostring(Element("vehicle", element.attrib)) + b"\n")
        sink.write(b"</routes>\n")
    return len(chosen)
