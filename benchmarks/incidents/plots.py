"""Precision against recall, as an SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "incidents"  # the same figure, the same bytes

import matplotlib.pyplot as plt  # noqa: E402

_STYLE = {"ours": ("#1f6f8b", "o"), "california": ("#c46b1b", "s"), "forest": ("#6b7d3a", "^")}
_NAME = {"ours": "incidents", "california": "California", "forest": "isolation forest"}


def plot(summary: dict[str, Any], file: Path) -> None:
    """One point a setting of each detector, joined in the order of recall; recall of what is on the road."""
    figure, axes = plt.subplots(figsize=(6.0, 4.5))
    for name, (colour, marker) in _STYLE.items():
        points = sorted(
            (one["recall_road"], one["precision"])
            for key, one in summary["detectors"].items()
            if key.startswith(name) and one["precision"] is not None and one["recall_road"] is not None
        )
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, marker=marker, label=_NAME[name])
    axes.axhline(0.92, color="0.7", lw=0.8, ls="--")
    axes.axvline(0.95, color="0.7", lw=0.8, ls="--")
    axes.set(xlim=(0.0, 1.02), ylim=(0.0, 1.02), xlabel="recall of incidents on the road", ylabel="precision")
    axes.legend(loc="lower left")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
