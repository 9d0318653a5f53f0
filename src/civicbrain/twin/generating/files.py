"""Files of a generated city, the same bytes each time: packed without a clock or a file name in them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from civicbrain.city.signals import SignalJunction
from civicbrain.twin.importing.plans import plan_phases

_LEVEL = 5
_LINES_AT_ONCE = 20_000
_LOGIC = re.compile(r'\s*<tlLogic id="([^"]*)"')


def write_packed(file: Path, lines: Iterable[str]) -> None:
    """Write text lines (each with its end) as gzip."""
    with file.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as stream:
        source = iter(lines)
        while chunk := "".join(islice(source, _LINES_AT_ONCE)):
            stream.write(chunk.encode())


def pack_net(net: Path, target: Path, junctions: tuple[SignalJunction, ...]) -> None:
    """The network with the junctions' plans in place of netconvert's, without its comment (with a clock)."""
    with net.open(encoding="utf-8") as source:
        write_packed(target, _net_lines(source, {junction.id: junction for junction in junctions}))


def _net_lines(source: Iterable[str], junctions: dict[str, SignalJunction]) -> Iterable[str]:
    comment = inside = False
    for line in source:
        if comment or "<!--" in line:
            comment = "-->" not in line
            continue
        if inside:
            inside = "</tlLogic>" not in line
            continue
        found = _LOGIC.match(line)
        if found and found[1] in junctions:
            inside = "</tlLogic>" not in line
            yield from _program_lines(junctions[found[1]])
        else:
            yield line


def _program_lines(junction: SignalJunction) -> Iterable[str]:
    plan = junction.local_plan
    yield f'    <tlLogic id="{junction.id}" type="static" programID="{plan.id}" offset="{plan.offset_s:g}">\n'
    for state, seconds in plan_phases(junction):
        yield f'        <phase duration="{seconds:g}" state="{state}"/>\n'
    yield "    </tlLogic>\n"
