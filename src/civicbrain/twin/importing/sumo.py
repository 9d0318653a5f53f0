"""SUMO sources: a .sumocfg with its files, or a bare .net.xml."""

from __future__ import annotations

import gzip
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from civicbrain.core.errors import ImportFailedError

_SYNONYMS = {
    "n": "net-file", "net": "net-file", "r": "route-files", "route": "route-files",
    "a": "additional-files", "additional": "additional-files", "b": "begin", "e": "end",
}  # fmt: skip
_OURS = re.compile(
    r"(.*output.*|.*-log|log|log-file|verbose|v|no-step-log|gui.*|remote-port|num-clients|save-.*|load-.*|seed"
    r"|random|.*validation.*|configuration-file|c|duration-log\..*|threads|.*-threads|start|quit-on-end|"
    r"weight-.*|.*\.file|window-.*|no-warnings|W|time-to-teleport.*|print-options|help|version|"
    r"xml-validation.*|game.*|breakpoints|edgedata-files|alternative-net-file|demo|delay|scale-suffix)"
)
"""Options that the twin sets itself, that write files, that read files we leave behind, or that a GUI has."""
_SAFE_OPTION = re.compile(r"[a-z0-9][a-z0-9.-]*\Z")


@dataclass(frozen=True)
class SumoSource:
    """What a SUMO scenario consists of. Paths are absolute."""

    net_file: Path
    route_files: tuple[Path, ...] = ()
    additional_files: tuple[Path, ...] = ()
    begin_s: float = 0.0
    end_s: float | None = None
    step_s: float = 1.0
    sumo_options: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = field(default=())


def open_xml(file: Path) -> IO[bytes]:
    """A file for reading, unpacked where it is gzip."""
    with file.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(file, "rb") if packed else file.open("rb")  # type: ignore[return-value]


def number_of(text: str | None) -> float | None:
    """Seconds of a SUMO time; None where it is none ("triggered", missing)."""
    if not text:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        return None
    if len(parts) > 4:
        return None
    return sum(part * factor for part, factor in zip(reversed(parts), (1, 60, 3600, 86400), strict=False))


def iterate_xml(file: Path) -> Iterator[tuple[str, ElementTree.Element, int]]:
    """("start" or "end", element, depth) of a file of any size; depth 1 is a child of the root.

    Elements below the root are let go once they were handed out. Raises ImportFailedError with the line.
    """
    depth = -1
    root: ElementTree.Element | None = None
    try:
        with open_xml(file) as stream:
            for event, element in ElementTree.iterparse(stream, events=("start", "end")):  # noqa: S314
                if event == "start":
                    depth += 1
                    root = element if root is None else root
                    yield "start", element, depth
                else:
                    yield "end", element, depth
                    depth -= 1
                    if depth == 0 and root is not None:
                        root.clear()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ImportFailedError(
            f"cut off or broken XML ({error.msg})",
            place=f"{file}, line {line}, column {column}",
            remedy="fetch or export the file again",
        ) from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise ImportFailedError(
            f"the compressed file is cut off or broken ({error})", place=str(file), remedy="fetch it again"
        ) from error
    except OSError as error:
        raise ImportFailedError(
            f"cannot be read: {(error.strerror or str(error)).lower()}",
            place=str(file),
            remedy="check the path",
        ) from error


def is_configuration(path: Path) -> bool:
    """Whether the name is that of a SUMO configuration."""
    return path.name.lower().endswith((".sumocfg", ".sumo.cfg", ".sumocfg.xml"))


def read_configuration(file: Path) -> SumoSource:
    """Read a .sumocfg; its files must exist. Raises ImportFailedError."""
    options: dict[str, str] = {}
    for event, element, depth in iterate_xml(file):
        value = element.get("value", element.get("v"))
        if event == "start" and depth >= 1 and value is not None:
            options[_SYNONYMS.get(element.tag, element.tag)] = value.strip()
    if not options.get("net-file"):
        raise ImportFailedError(
            "the configuration names no net-file", place=str(file), remedy='add <net-file value="…"/>'
        )
    kept, dropped = [], []
    for name, value in options.items():
        if name in ("net-file", "route-files", "additional-files", "begin", "end", "step-length"):
            continue
        if _OURS.fullmatch(name) or not _SAFE_OPTION.match(name):
            dropped.append(name)
        else:
            kept.append((name, value))
    end_s = _seconds(options, "end", file)
    return SumoSource(
        net_file=_files(options["net-file"], file)[0],
        route_files=_files(options.get("route-files", ""), file),
        additional_files=_files(options.get("additional-files", ""), file),
        begin_s=_seconds(options, "begin", file) or 0.0,
        end_s=end_s if end_s is not None and end_s >= 0 else None,
        step_s=_seconds(options, "step-length", file) or 1.0,
        sumo_options=tuple(kept),
        warnings=(f"options of {file.name} left out: {', '.join(sorted(dropped))}",) if dropped else (),
    )


def _files(value: str, configuration: Path) -> tuple[Path, ...]:
    result = []
    for name in re.split(r"[,;]", os.path.expandvars(value)):
        if not name.strip():
            continue
        path = (configuration.parent / name.strip()).absolute()
        if not path.is_file():
            raise ImportFailedError(
                f"the file {name.strip()!r} is missing", place=str(configuration), remedy=f"put it at {path}"
            )
        result.append(path)
    return tuple(result)


def _seconds(options: dict[str, str], name: str, file: Path) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 4 or any(part != part for part in parts):
        raise ImportFailedError(
            f"{name} is no time: {text!r}", place=str(file), remedy="use seconds, or h:m:s"
        )
    factors = (1.0, 60.0, 3600.0, 86400.0)
    return sum(part * factor for part, factor in zip(reversed(parts), factors, strict=False))
