"""The report's plots for the PDF: our own small SVG (`plots.py`) as vector drawings of ReportLab.

Only what `plots.py` writes is read: lines, circles, texts, and paths of M, L, H, v and Z. Colours stand in
classes there, because the page has several themes; here they are those of paper.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree
from reportlab.graphics.shapes import Circle, Drawing, Line, Path, String
from reportlab.lib.colors import Color, HexColor, white

CONTROLS = ("#6b7480", "#1f63c6", "#c4560a", "#0c8566", "#8a3db8", "#bf2455", "#806300", "#0d7d96")
DELAYS = ("#cfe8d5", "#f7e39b", "#fbb961", "#f07f3c", "#d23b34", "#7d0f3f")
INK, MUTED, GRID, STREET = HexColor("#16202c"), HexColor("#5b6776"), HexColor("#dde1e6"), HexColor("#aab2bc")
_SVG = "{http://www.w3.org/2000/svg}"
_ANCHOR = {"middle": "middle", "end": "end"}
_COMMAND = re.compile(r"([MLHvZ])([^MLHvZ]*)")


def to_drawing(svg: str, width_pt: float, font: str) -> Drawing:
    """The drawing, scaled to `width_pt` points. font: a registered name for its texts."""
    root = etree.fromstring(svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    _, _, width, height = (float(part) for part in root.get("viewBox").split())
    scale = width_pt / width
    drawing = Drawing(width_pt, height * scale)
    for element in root.iter():
        shape = _shape(element, height, font)
        if shape is not None:
            drawing.add(shape)
    # shapes are in the plot's own units; the drawing's matrix brings them to points
    drawing.scale(scale, scale)
    return drawing


def _shape(element: Any, height: float, font: str) -> Any:
    classes = (element.get("class") or "").split()
    tag = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
    if tag == "line":
        x1, x2, y1, y2 = (float(element.get(name)) for name in ("x1", "x2", "y1", "y2"))
        reference = "reference" in classes
        return Line(
            x1, height - y1, x2, height - y2, strokeColor=INK if reference else GRID,
            strokeWidth=1.4 if reference else 0.8, strokeDashArray=[4, 3] if reference else None,
        )  # fmt: skip
    if tag == "circle":
        x, y, radius = (float(element.get(name)) for name in ("cx", "cy", "r"))
        return Circle(
            x, height - y, radius, fillColor=_fill(classes), strokeColor=_edge(classes), strokeWidth=0.6
        )
    if tag == "text":
        return String(
            float(element.get("x")), height - float(element.get("y")), "".join(element.itertext()),
            textAnchor=_ANCHOR.get(element.get("text-anchor"), "start"), fontName=font, fontSize=12,
            fillColor=MUTED if {"tick", "axis"} & set(classes) else INK,
        )  # fmt: skip
    if tag == "path":
        return _path(element, classes, height)
    return None


def _path(element: Any, classes: list[str], height: float) -> Path:
    filled = any(name[:1] in "fd" and name[1:].isdigit() for name in classes)
    path = Path(
        fillColor=_fill(classes) if filled else None,
        strokeColor=None if filled else STREET if "street" in classes else _stroke(classes),
        strokeWidth=float(element.get("stroke-width") or 1.8),
        strokeLineJoin=1,
    )
    x = y = 0.0
    for command, numbers in _COMMAND.findall(element.get("d")):
        values = [float(part) for part in numbers.split()]
        match command:
            case "Z":
                path.closePath()
                continue
            case "H":
                x = values[0]
            case "v":
                y += values[0]
            case _:
                x, y = values
        (path.moveTo if command == "M" else path.lineTo)(x, height - y)
    return path


def _stroke(classes: list[str]) -> Color:
    return next((HexColor(CONTROLS[int(c[1:])]) for c in classes if c[0] == "s" and c[1:].isdigit()), INK)


def _edge(classes: list[str]) -> Color | None:
    return white if "mean" in classes else INK if "junction" in classes else None


def _fill(classes: list[str]) -> Color:
    alpha = 0.16 if "band" in classes else 0.3 if "faint" in classes else 1.0
    for name in classes:
        if name[1:].isdigit() and name[0] in "fd":
            colour = HexColor((CONTROLS if name[0] == "f" else DELAYS)[int(name[1:])])
            return Color(colour.red, colour.green, colour.blue, alpha)
    return STREET
