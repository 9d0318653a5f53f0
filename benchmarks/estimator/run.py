"""What the estimator knows of queues and arrivals, against the truth in SUMO: see README.md here."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import pickle
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.estimate import Estimator
from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.snapshot import LaneStates, Snapshot
from civicbrain.city.store import Store
from civicbrain.evaluate.study import resolve_city
from civicbrain.science.queues import STANDING_SPEED_MPS, arrival_time_s

HERE = Path(__file__).parent
SCENARIOS = ("cologne8", "ingolstadt21", "grid4x4")
COVERAGES = (1.0, 0.5, 0.25)
SPANS_S = (10, 20, 40)
ZONE_M = 100.0
"""A vehicle arrives, were nothing in its way, at the second it is this near the stop line plus the free-flow
time from there: what queues upstream of that point add is theirs."""

QUEUE_M = 200.0
PASSED_M = 15.0
"""A stop line that is this much further off than a second ago is the next one, of the same junction."""

WARM_UP_S = 300
EVERY_S = 5


@dataclass
class Recording:
    """Snapshots of a run, and what the vehicles really did."""

    frames: list[tuple[Any, ...]] = field(default_factory=list)
    queue: list[NDArray[np.float32]] = field(default_factory=list)  # (k,) standing, each second
    passages: list[tuple[int, int, float, float]] = field(default_factory=list)  # stream, movement, due, left


def record(scenario: str, coverage: float, seconds: int, seed: int, program: str) -> Recording:
    """Run SUMO once. The cameras see as configured; the truth comes from SUMO itself."""
    import libsumo

    from civicbrain.twin.cameras import _movements_by_link
    from civicbrain.twin.options import TwinOptions
    from civicbrain.twin.simulation import Twin

    city = resolve_city(scenario)
    streams = build_streams(city)
    begin = city.demand.begin_s
    options = TwinOptions(
        seed=seed, program=program, coverage=coverage, end_s=begin + seconds, emissions=False
    )
    movement_of = _movements_by_link(city)
    lanes = city.network.lanes
    twin, store, result = Twin(city, options), Store(city), Recording()
    under_way: dict[str, list[Any]] = {}  # vehicle -> [junction, movement, due, distance]
    try:
        while not twin.ended:
            twin.step()
            store.fold(twin.sense(), twin.time_s)
            result.frames.append(flatten(store.snapshot(twin.time_s)))
            queue = np.zeros(streams.count, np.float32)
            now = twin.time_s
            present = set()
            for name in libsumo.vehicle.getIDList():
                lane = libsumo.vehicle.getLaneID(name)
                ahead = libsumo.vehicle.getNextTLS(name)
                if not ahead:
                    continue
                tls, link, distance_m, _ = ahead[0]
                candidates = movement_of.get((tls, link))
                if not candidates:
                    continue
                present.add(name)
                movement = candidates.get(lane, next(iter(candidates.values())))
                speed = libsumo.vehicle.getSpeed(name)
                known = under_way.get(name)
                if known is not None and (known[0] != tls or distance_m > known[3] + PASSED_M):
                    _close(result, known, streams, now)
                    known = None
                if known is None:
                    known = under_way[name] = [tls, movement, np.inf, distance_m]
                known[1], known[3] = movement, distance_m
                if distance_m <= ZONE_M and known[2] == np.inf:
                    limit = float(lanes.speed_mps[city.network.movements.from_lane[movement]])
                    known[2] = now + (0.0 if speed <= STANDING_SPEED_MPS else distance_m / limit)
                if speed <= STANDING_SPEED_MPS and distance_m <= QUEUE_M:
                    queue[streams.movement_stream[movement]] += 1.0
            for name in [name for name in under_way if name not in present]:
                _close(result, under_way.pop(name), streams, now)
            result.queue.append(queue)
    finally:
        twin.close()
    for known in under_way.values():
        _close(result, known, streams, np.inf)
    return result


def _close(result: Recording, known: list[Any], streams: Streams, left_s: float) -> None:
    movement, due = known[1], known[2]
    result.passages.append((int(streams.movement_stream[movement]), int(movement), float(due), left_s))


def flatten(snapshot: Snapshot) -> tuple[Any, ...]:
    """What can be pickled of a snapshot."""
    seen, lanes, signals = snapshot.detections, snapshot.lanes, snapshot.signals
    return (
        snapshot.time_s,
        tuple(getattr(seen, name) for name in Detections.__slots__),
        tuple(getattr(lanes, name) for name in LaneStates.__slots__),
        tuple(getattr(signals, name) for name in SignalStates.__slots__),
    )


def unfold(flat: tuple[Any, ...], sequence: int) -> Snapshot:
    """The snapshot again."""
    time_s, seen, lanes, signals = flat
    empty: Any = MappingProxyType({})
    return Snapshot(
        sequence, time_s, Detections(*seen), LaneStates(*lanes), SignalStates(*signals),
        np.zeros(0, np.int32), empty, empty,
    )  # fmt: skip


def seen_only(city: City, streams: Streams, snapshot: Snapshot) -> tuple[NDArray[Any], NDArray[Any]]:
    """(k, spans) vehicles due within each span and (k,) standing, from the newest frame alone."""
    seen = snapshot.detections
    eta = arrival_time_s(seen.distance_m, seen.speed_mps, city.network.lanes.speed_mps[seen.lane])
    target, share = streams.lane_stream[seen.lane], streams.lane_share[seen.lane]

    def total(which: NDArray[np.bool_]) -> NDArray[Any]:
        return np.bincount(target[which].ravel(), share[which].ravel(), streams.count + 1)[:-1]

    return np.stack([total(eta < span) for span in SPANS_S], axis=1), total(
        seen.speed_mps <= STANDING_SPEED_MPS
    )


def measure(city: City, recording: Recording) -> dict[str, Any]:
    """Errors of the estimator and of what is seen alone, over streams and instants."""
    streams = build_streams(city)
    estimator = Estimator(city, streams)
    passages = np.array(recording.passages, np.float64).reshape(-1, 4)
    kind = passages[:, 0].astype(int)
    errors: dict[str, list[NDArray[Any]]] = {}
    wall_ms = []
    unseen = np.zeros(streams.count, bool)
    begin = recording.frames[0][0]
    for row, flat in enumerate(recording.frames):
        snapshot = unfold(flat, row)
        start = time.perf_counter()
        estimate = estimator.update(snapshot)
        wall_ms.append((time.perf_counter() - start) * 1000.0)
        now = snapshot.time_s
        unseen = ~snapshot.lanes.observed[streams.lane]
        if now - begin < WARM_UP_S or row % EVERY_S or row + max(SPANS_S) >= len(recording.frames):
            continue
        naive, standing = seen_only(city, streams, snapshot)
        waiting = passages[:, 3] > now
        for column, span in enumerate(SPANS_S):
            due = waiting & (passages[:, 2] < now + span)
            truth = np.bincount(kind[due], minlength=streams.count)
            ours = estimate.arrivals_veh[:, :span].sum(axis=1)
            errors.setdefault(f"truth_{span}s", []).append(truth.astype(np.float64))
            errors.setdefault(f"arrivals_{span}s", []).append(ours - truth)
            errors.setdefault(f"seen_only_{span}s", []).append(naive[:, column] - truth)
        errors.setdefault("truth_queue", []).append(recording.queue[row])
        errors.setdefault("arrivals_queue", []).append(estimate.queue_veh - recording.queue[row])
        errors.setdefault("seen_only_queue", []).append(standing - recording.queue[row])
    table = {name: np.array(values) for name, values in errors.items()}
    result: dict[str, Any] = {"streams": streams.count, "unseen_streams": int(unseen.sum())}
    for where, which in (("all", np.ones_like(unseen)), ("unseen", unseen), ("seen", ~unseen)):
        if not which.any():
            continue
        rows = {}
        for name in ("queue", *(f"{span}s" for span in SPANS_S)):
            ours, naive = table[f"arrivals_{name}"][:, which], table[f"seen_only_{name}"][:, which]
            rows[name] = {
                "mean_veh": _round(table[f"truth_{name}"][:, which].mean()),
                "rmse": _round(np.sqrt((ours**2).mean())),
                "bias": _round(ours.mean()),
                "seen_only_rmse": _round(np.sqrt((naive**2).mean())),
                "seen_only_bias": _round(naive.mean()),
            }
        result[where] = rows
    result["share"] = shares(city, streams, estimator, passages)
    result["update_ms_p50"] = _round(np.median(wall_ms[10:]))
    result["update_ms_p99"] = _round(np.percentile(wall_ms[10:], 99))
    return result


def shares(city: City, streams: Streams, estimator: Estimator, passages: NDArray[Any]) -> dict[str, Any]:
    """Mean absolute error of shares, weighted by vehicles, of the prior and of what was learned.

    streams: which signal group the vehicles of a shared lane wait for. ways: which way the vehicles of an
    edge go on."""
    moves, layout = city.network.movements, estimator.layout
    edges = len(city.network.edges.ids)
    count = np.bincount(passages[:, 1].astype(int), minlength=len(moves.from_lane)).astype(float)
    signalled = streams.movement_stream >= 0
    prior_edge = layout.prior_turn_share * layout.prior_lane_share[moves.from_lane]
    now_edge = estimator.shares.turn_share * estimator.shares.lane_share[moves.from_lane]
    from_edge = layout.lane_edge[moves.from_lane].astype(np.int64)
    way = from_edge * edges + layout.move_edge
    return {
        "streams": _share_error(
            streams.movement_stream, moves.from_lane, signalled, count,
            layout.prior_turn_share, estimator.shares.turn_share,
        ),
        "ways": _share_error(way, from_edge, signalled, count, prior_edge, now_edge),
    }  # fmt: skip


def _share_error(
    part: NDArray[Any], whole: NDArray[Any], use: NDArray[np.bool_], count: NDArray[Any],
    prior: NDArray[Any], learned: NDArray[Any],
) -> dict[str, Any]:  # fmt: skip
    parts, row_of = np.unique(part[use], return_inverse=True)
    owner = np.zeros(len(parts), np.int64)
    owner[row_of] = whole[use]
    choices = np.bincount(owner)[owner]

    def total(values: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(row_of, values[use], len(parts))

    mine = total(count)
    weight = np.bincount(owner, mine)[owner]
    keep = (choices > 1) & (weight >= 20)
    truth = mine[keep] / weight[keep]

    def error(share: NDArray[Any]) -> float:
        return _round(
            (np.abs(total(share)[keep] - truth) * weight[keep]).sum() / max(weight[keep].sum(), 1.0)
        )

    return {"choices": int(keep.sum()), "prior_error": error(prior), "learned_error": error(learned)}


def _round(value: float) -> float:
    return round(float(value), 3)


def case(scenario: str, coverage: float, seconds: int, seed: int, program: str, keep: str) -> dict[str, Any]:
    """One line of the table; runs in a process of its own."""
    place = Path(keep) / f"{scenario}-{coverage}-{seconds}-{seed}-{program}.pickle" if keep else None
    if place is not None and place.exists():
        recording = pickle.loads(place.read_bytes())
    else:
        recording = record(scenario, coverage, seconds, seed, program)
        if place is not None:
            place.write_bytes(pickle.dumps(recording))
    return measure(resolve_city(scenario), recording)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--coverage", action="append", type=float)
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default="actuated", help="who runs the signals: fixed, actuated")
    parser.add_argument("--keep", default="", help="folder of recordings, to measure again without SUMO")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    if arguments.keep:
        Path(arguments.keep).mkdir(parents=True, exist_ok=True)
    rows = []
    spawn = multiprocessing.get_context("spawn")
    for scenario in arguments.scenario or SCENARIOS:
        for coverage in arguments.coverage or COVERAGES:
            given = (scenario, coverage, arguments.seconds, arguments.seed, arguments.program, arguments.keep)
            with spawn.Pool(1) as pool:
                row = {"scenario": scenario, "coverage": coverage, **pool.apply(case, given)}
            rows.append(row)
            print(line(row), flush=True)
    whole = not (arguments.scenario or arguments.coverage)
    out = arguments.out or (HERE / "results.json" if whole else None)
    if out is not None:
        head = {"seconds": arguments.seconds, "seed": arguments.seed, "program": arguments.program}
        out.write_text(json.dumps({**head, "cases": rows}, indent=1) + "\n", "utf-8")
    if whole and arguments.out is None:
        into_readme(rows)
    worse = [r for r in rows if r["all"]["20s"]["rmse"] >= r["all"]["20s"]["seen_only_rmse"]]
    return 1 if worse else 0


def into_readme(rows: list[dict[str, Any]]) -> None:
    """Put the tables between the README's markers."""
    names = ("queue", *(f"{span}s" for span in SPANS_S))
    errors = [
        f"| scenario | coverage | streams | {' | '.join(names)} |",
        "|---|---:|---|" + "---:|" * len(names),
    ]
    shares = [
        "| scenario | coverage | streams: prior | learned | ways: prior | learned |",
        "|---|---:|" + "---:|" * 4,
    ]
    for row in rows:
        for where in ("all", "unseen"):
            if where not in row:
                continue
            cells = [
                f"{c['rmse']:.2f} ({c['bias']:+.2f}), {c['seen_only_rmse']:.2f} ({c['seen_only_bias']:+.2f})"
                for c in (row[where][name] for name in names)
            ]
            errors.append(f"| {row['scenario']} | {row['coverage']} | {where} | {' | '.join(cells)} |")
        cells = [f"{c[key]:.3f}" for c in row["share"].values() for key in ("prior_error", "learned_error")]
        shares.append(f"| {row['scenario']} | {row['coverage']} | {' | '.join(cells)} |")
    readme = HERE / "README.md"
    page = readme.read_text("utf-8")
    for marker, table in (("<!-- results -->\n", errors), ("<!-- shares -->\n", shares)):
        head, begin, rest = page.partition(marker)
        _, end, tail = rest.partition("<!-- end -->")
        if begin and end:
            page = head + begin + "\n".join(table) + "\n" + end + tail
    readme.write_text(page, "utf-8")


def line(row: dict[str, Any]) -> str:
    """RMSE (bias) of ours against what is seen alone."""
    parts = [f"{row['scenario']:13s} {row['coverage']:4.2f}"]
    for where in ("all", "seen", "unseen"):
        if where not in row:
            continue
        cells = [
            f"{name} {c['mean_veh']:.2f}: {c['rmse']:.2f} ({c['bias']:+.2f}) "
            f"vs {c['seen_only_rmse']:.2f} ({c['seen_only_bias']:+.2f})"
            for name, c in row[where].items()
        ]
        parts.append(f"\n   {where:6s} " + " | ".join(cells))
    for name, share in row["share"].items():
        parts.append(f"\n   shares of {name} {share['prior_error']:.3f} -> {share['learned_error']:.3f}")
    parts.append(f"; {row['update_ms_p50']:.2f} ms, p99 {row['update_ms_p99']:.2f} ms")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main())
