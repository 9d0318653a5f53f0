"""Figures of all runs together, and the table that people read."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

VIEWS = {"ours 1": "the box in view", "ours 1, approaches only": "approaches only"}
TARGETS = {"recall": 0.95, "precision": 0.92, "false_per_100_junction_hours": 1.0, "median_s": 60.0}


def condense(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums and ratios: a detector, a coverage, a city, a kind. Runs under the signals brain stand apart."""
    under_brain = [row for row in runs if row.get("control")]
    runs = [row for row in runs if not row.get("control")]
    with_incidents = [row for row in runs if row["incidents"]]
    without = [row for row in runs if not row["incidents"]]
    ours = [row for row in runs if not row["held_out_city"]]
    detectors = sorted({key for row in ours for key in row["detectors"]})
    compared = [row for row in ours if len(row["detectors"]) == len(detectors)]
    summary: dict[str, Any] = {
        "all": _sum([r for r in ours if r["incidents"]], [r for r in ours if not r["incidents"]], "ours 1")
    }
    summary["detectors"] = {
        key: _sum([r for r in compared if r["incidents"]], [r for r in compared if not r["incidents"]], key)
        for key in detectors
    }
    summary["by_coverage"] = {
        f"{coverage:g}": _sum(
            [r for r in ours if r["incidents"] and r["coverage"] == coverage],
            [r for r in ours if not r["incidents"] and r["coverage"] == coverage],
            "ours 1",
        )
        for coverage in sorted({row["coverage"] for row in ours}, reverse=True)
    }
    summary["by_city"] = {
        city: _sum(
            [r for r in with_incidents if r["city"] == city],
            [r for r in without if r["city"] == city],
            "ours 1",
        )
        for city in dict.fromkeys(row["city"] for row in runs)
    }
    summary["by_view"] = {
        f"coverage {coverage:g}, {view}": _sum(
            [r for r in ours if r["incidents"] and r["coverage"] == coverage],
            [r for r in ours if not r["incidents"] and r["coverage"] == coverage],
            key,
        )
        for coverage in sorted({row["coverage"] for row in ours}, reverse=True)
        for key, view in VIEWS.items()
        if any(key in row["detectors"] for row in ours if row["coverage"] == coverage)
    }
    summary["under_brain"] = {
        city: _sum(
            [r for r in under_brain if r["incidents"] and r["city"] == city],
            [r for r in under_brain if not r["incidents"] and r["city"] == city],
            "ours 1",
        )
        for city in dict.fromkeys(row["city"] for row in under_brain)
    }
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in [r for r in ours if r["incidents"]]:
        for one in row["incident_rows"]:
            kinds[one["kind"]].append(one)
            if one["mode"]:
                kinds[f"{one['kind']}: {one['mode']}"].append(one)
    summary["by_kind"] = {kind: _kind(rows) for kind, rows in sorted(kinds.items())}
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for row in [r for r in ours if r["incidents"]]:
        for one in row["incident_rows"]:
            if one["told"] is not None:
                told[one["told"]][one["kind"]] += 1
    summary["by_told"] = {name: dict(kinds_of.most_common()) for name, kinds_of in sorted(told.items())}
    summary["out_of_view"] = sum(row["out_of_view"] for row in ours)
    summary["brain_ms"] = {row["run"]: row["brain_ms"] for row in runs}
    return summary


def _sum(runs: list[dict[str, Any]], without: list[dict[str, Any]], key: str) -> dict[str, Any]:
    runs = [row for row in runs if key in row["detectors"]]
    rows = [row["detectors"][key] for row in runs]
    clean = [row for row in without if key in row["detectors"]]
    total, found = sum(r["incidents"] for r in rows), sum(r["found"] for r in rows)
    road, road_found = sum(r["road"] for r in rows), sum(r["road_found"] for r in rows)
    false = sum(r["false"] for r in rows)
    effects, doubles = sum(r["effects"] for r in rows), sum(r["doubles"] for r in rows)
    hours = sum(row["junction_hours"] for row in runs)
    clean_false = sum(row["detectors"][key]["false"] for row in clean)
    clean_hours = sum(row["junction_hours"] for row in clean)
    delays = [s for r in rows for s in r["delays_s"]]
    return {
        "incidents": total,
        "recall": _share(found, total),
        "recall_road": _share(road_found, road),
        "precision": _share(found, found + false),
        "false": false,
        "doubles": doubles,
        "effects": effects,
        "precision_effects_attached": _share(found, found + false - effects),
        "false_per_100_junction_hours_effects_attached": _rate(false - effects, hours),
        "found": found,
        "junction_hours": round(hours, 1),
        "false_per_100_junction_hours": _rate(false, hours),
        "false_without_incidents": clean_false,
        "false_per_100_junction_hours_without_incidents": _rate(clean_false, clean_hours),
        "median_s": float(np.median(delays)) if delays else None,
        "p90_s": float(np.percentile(delays, 90)) if delays else None,
    }


def _kind(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = [row for row in rows if row["told"] is not None]
    delays = [row["after_s"] for row in found]
    right = sum(row["told"] == row["kind"] for row in found)
    return {
        "incidents": len(rows),
        "recall": _share(len(found), len(rows)),
        "right_kind": _share(right, len(found)),
        "median_s": float(np.median(delays)) if delays else None,
        "p90_s": float(np.percentile(delays, 90)) if delays else None,
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _rate(count: int, hours: float) -> float | None:
    return round(100.0 * count / hours, 2) if hours else None


def table(summary: dict[str, Any]) -> str:
    """Markdown."""
    head = "incidents | found | of the road and signals | precision | false a 100 junctions and hour | "
    head += "the same without incidents | median s | p90 s |"
    lines = ["What is detected, and what it costs. Incidents in view of a camera that is there.", ""]
    lines += [f"| all runs but those of held-out cities | {head}", "|---|" + "---:|" * 8]
    lines += [_line("ours 1", summary["all"])]
    lines += ["", f"| compared on the same runs | {head}", "|---|" + "---:|" * 8]
    lines += [_line(key, one) for key, one in summary["detectors"].items()]
    lines += ["", f"| ours, by coverage | {head}", "|---|" + "---:|" * 8]
    lines += [_line(key, one) for key, one in summary["by_coverage"].items()]
    lines += ["", f"| ours, by city | {head}", "|---|" + "---:|" * 8]
    lines += [_line(key, one) for key, one in summary["by_city"].items()]
    if summary["under_brain"]:
        lines += ["", f"| ours, under the signals brain | {head}", "|---|" + "---:|" * 8]
        lines += [_line(key, one) for key, one in summary["under_brain"].items()]
    lines += ["", *_causes(summary["by_view"])]
    lines += [
        "",
        "| kind: mode | incidents | found | called by its kind | median s | p90 s |",
        "|---|" + "---:|" * 5,
    ]
    for kind, one in summary["by_kind"].items():
        lines.append(
            f"| {kind} | {one['incidents']} | {_percent(one['recall'])} | {_percent(one['right_kind'])} "
            f"| {_number(one['median_s'])} | {_number(one['p90_s'])} |"
        )
    lines += ["", f"Incidents out of view of every camera (not counted above): {summary['out_of_view']}."]
    return "\n".join(lines) + "\n"


def _causes(by_view: dict[str, Any]) -> list[str]:
    """What is false, strictly and with effects of injected incidents put to their cause (`scoring.py`)."""
    head = "| what is told in runs with incidents | found | false | of them doubles | effects | neither "
    lines = [head + "| precision | effects attached | false a 100 junctions and hour | effects attached |"]
    lines += ["|---|" + "---:|" * 9]
    for name, one in by_view.items():
        neither = one["false"] - one["doubles"] - one["effects"]
        cells = [
            name, f"{one['found']} of {one['incidents']}", str(one["false"]), str(one["doubles"]),
            str(one["effects"]), str(neither), _percent(one["precision"]),
            _percent(one["precision_effects_attached"]), _number(one["false_per_100_junction_hours"]),
            _number(one["false_per_100_junction_hours_effects_attached"]),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _line(key: str, one: dict[str, Any]) -> str:
    cells = [
        key, str(one["incidents"]), _percent(one["recall"]), _percent(one["recall_road"]),
        _percent(one["precision"]), _number(one["false_per_100_junction_hours"]),
        _number(one["false_per_100_junction_hours_without_incidents"]), _number(one["median_s"]),
        _number(one["p90_s"]),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100.0 * value:.0f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
