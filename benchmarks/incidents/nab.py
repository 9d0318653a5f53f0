"""The real traffic series of the Numenta Anomaly Benchmark, by its own scorer, beside published scores.

    git clone --depth 1 https://github.com/numenta/NAB
    python benchmarks/incidents/nab.py NAB            # writes nab.json beside this file

Nothing of it is copied here: series, windows, scorer, published detectors' scores and thresholds are read
from its folder (Ahmad, Lavin, Purdy & Agha 2017, "Unsupervised real-time anomaly detection for streaming
data"). Like every detector there, ours has one threshold for the whole corpus, chosen by the scorer; its own
constants were chosen on the other series, not on those of traffic. Normalised: 0 for a detector that says
nothing, 100 for one that says each window at its first point.

Ours, a series at a time: how far a value is from the running median, in units of the running median
deviation, as nats of a heavy tail, K ln(1 + z / K) as in brains/incidents/discharge.py, over what one value
in a hundred of this series has reached so far; and said once: what is no rarer than something shortly
before is part of it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
PROFILES = ("standard", "reward_low_FP_rate", "reward_low_FN_rate")
OURS = "ours"
TRAFFIC = "realTraffic/"

WINDOW, LEAST = 300, 30
K = 4.0
RARE = 0.99
AGAIN = 150
"""Points for which what is no rarer is part of the same."""


def unusual(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How unusual each value is for what came before it, 0 to 1. Uses nothing that comes later."""
    series = pd.Series(values)
    before = series.shift(1).rolling(WINDOW, min_periods=LEAST)
    middle = before.median()
    spread = (series - middle).abs().shift(1).rolling(WINDOW, min_periods=LEAST).median() * 1.4826
    floor = 0.1 * before.std().fillna(0.0) + 1e-9
    z = ((series - middle).abs() / np.maximum(spread.fillna(0.0), floor)).fillna(0.0)
    nats = K * np.log1p(z / K)
    rare = nats.shift(1).expanding(min_periods=LEAST).quantile(RARE).fillna(np.inf)
    ratio = nats / (rare + 1.0)
    lately = ratio.shift(1).rolling(AGAIN, min_periods=1).max().fillna(0.0)
    return np.asarray(np.where(ratio > lately, 1.0 - np.exp(-ratio), 0.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="a clone of github.com/numenta/NAB")
    folder = parser.parse_args().folder
    if not (folder / "labels" / "combined_windows.json").is_file():
        print(f"{folder}: no NAB here; clone github.com/numenta/NAB and give its folder", file=sys.stderr)
        return 2
    sys.path.insert(0, str(folder))
    sweeper = importlib.import_module("nab.sweeper").Sweeper
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    profiles = json.loads((folder / "config" / "profiles.json").read_text())
    published = json.loads((folder / "config" / "thresholds.json").read_text())
    corpus = {name: pd.read_csv(folder / "data" / name, parse_dates=["timestamp"]) for name in windows}
    scores = {name: unusual(frame["value"].to_numpy(np.float64)) for name, frame in corpus.items()}
    result: dict[str, Any] = {}
    for profile in PROFILES:
        scorer = sweeper(costMatrix=profiles[profile]["CostMatrix"])
        rows: dict[str, Any] = {}
        whole = [p for name in corpus for p in _points(scorer, corpus[name], scores[name], windows, name)]
        best = max(scorer.calcScoreByThreshold(whole), key=lambda one: one.score)
        rows[OURS] = _scored(scorer, corpus, scores, windows, best.threshold, profiles[profile])
        for detector, thresholds in sorted(published.items()):
            of = _published(folder, detector, [n for n in corpus if n.startswith(TRAFFIC)])
            if of:
                threshold = thresholds[profile]["threshold"]
                rows[detector] = _scored(scorer, corpus, of, windows, threshold, profiles[profile])
        result[profile] = dict(sorted(rows.items(), key=lambda one: -one[1]["traffic"]))
        print(profile, {name: row["traffic"] for name, row in result[profile].items()})
        print("  ours, by series", rows[OURS]["by_series"], "on the whole corpus", rows[OURS]["corpus"])
    (HERE / "nab.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


def _published(folder: Path, detector: str, names: list[str]) -> dict[str, Any]:
    """Scores that a detector's folder has for these series; {} where any is missing."""
    found = {}
    for name in names:
        group, file = name.split("/")
        path = folder / "results" / detector / group / f"{detector}_{file}"
        if not path.is_file():
            return {}
        found[name] = pd.read_csv(path)["anomaly_score"].to_numpy(np.float64)
    return found


def _points(scorer: Any, frame: Any, score: Any, windows: dict[str, Any], name: str) -> list[Any]:
    limits = [tuple(pd.Timestamp(end) for end in window) for window in windows[name]]
    found: list[Any] = scorer.calcSweepScore(list(frame["timestamp"]), list(score), limits, name)
    return found


def _scored(
    scorer: Any, corpus: dict[str, Any], scores: dict[str, Any], windows: dict[str, Any], threshold: float,
    profile: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Normalised scores at a threshold: of the traffic series together and each, and of the whole corpus."""
    missed, found = -profile["CostMatrix"]["fnWeight"], profile["CostMatrix"]["tpWeight"]
    raw = {}
    for name in scores:
        points = _points(scorer, corpus[name], scores[name], windows, name)
        at = [one for one in scorer.calcScoreByThreshold(points) if one.threshold >= threshold]
        raw[name] = at[-1].score

    def normal(names: list[str]) -> float | None:
        count = sum(len(windows[name]) for name in names)
        if not count:
            return None
        least, most = missed * count, found * count
        return round(100.0 * (sum(raw[name] for name in names) - least) / (most - least), 1)

    traffic = [name for name in scores if name.startswith(TRAFFIC)]
    whole = normal(list(scores)) if len(scores) == len(corpus) else None
    by = {name.removeprefix(TRAFFIC).removesuffix(".csv"): normal([name]) for name in traffic}
    return {"traffic": normal(traffic), "corpus": whole, "by_series": by, "threshold": threshold}


if __name__ == "__main__":
    sys.exit(main())
