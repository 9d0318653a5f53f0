"""All figures of the signals brain in one block of the README, with plots: see README.md beside this file."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from drawings import draw_all  # noqa: E402
from sections import BENCHMARKS, CLAIM_SEEDS, Section, make_sections, read_results  # noqa: E402

from civicbrain.evaluate.storage import write_atomically  # noqa: E402

README = HERE.parents[1] / "README.md"
BEGIN, END = "<!-- signals:begin -->\n", "<!-- signals:end -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--run", action="store_true", help="run all benchmarks anew first (a day on two cores)"
    )
    parser.add_argument("--seeds", type=int, default=CLAIM_SEEDS, help="with --run")
    parser.add_argument("--also", action="append", default=[], help="with --run: path of hangzhou_gudang")
    parser.add_argument("--held-out", action="append", default=[], help="with --run: a .sumocfg; repeat")
    arguments = parser.parse_args()
    broken = run_all(commands(arguments.seeds, arguments.also, arguments.held_out)) if arguments.run else []
    results = read_results()
    sections = make_sections(results)
    drawings = draw_all(results)
    for name, content in drawings.items():
        write_atomically(HERE / name, content)
    page = README.read_text("utf-8")
    write_atomically(README, with_block(page, compose(sections, set(drawings))).encode())
    for section in sections:
        for text in section.missed:
            print(f"missed, {section.name}: {text}")
        for text in section.missing:
            print(f"missing, {section.name}: {text}")
    for command in broken:
        print(f"did not run: {command}")
    return 1 if broken or any(section.missed or section.missing for section in sections) else 0


def commands(seeds: int, also: list[str], held_out: list[str]) -> list[list[str]]:
    """Every benchmark's command, the quick ones first. Held-out cities only where they are given."""
    number = ["--seeds", str(seeds)]
    others = [part for path in also for part in ("--also", path)]
    found = [
        ["estimator/run.py"],
        ["estimator/cost.py"],
        ["growth/run.py"],
        ["loop_cost/run.py"],
        ["bounds/run.py", *others],
        ["plans/run.py", *number],
        ["brain/run.py", *number, *others],
        ["resco/run.py", "--control", "brain", *number],
        ["robustness/run.py", *number, *others],
        ["held_out/run.py", *held_out, *number],
    ]
    return [
        one for one in found if (BENCHMARKS / one[0]).is_file() and (held_out or "held_out" not in one[0])
    ]


def run_all(wanted: list[list[str]]) -> list[str]:
    """Run them one after the other; those that could not run. One that misses its targets (1) has run."""
    broken = []
    for script, *options in wanted:
        print(f"{script} {' '.join(options)}", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, str(BENCHMARKS / script), *options], check=False)
        if done.returncode not in (0, 1):
            broken.append(script)
    return broken


def compose(sections: list[Section], drawings: set[str]) -> str:
    """The README's block, without its markers."""
    lines: list[str] = []
    for section in sections:
        lines += [f"**{section.title}**", "", section.text, ""]
        if section.plot in drawings:
            lines += [f"![{section.title}](benchmarks/signals/{section.plot})", ""]
    lines += ["**Where it loses**", ""]
    for section in sections:
        lines += [f"- {section.name}: {_sentence(section.missed)}"] if section.missed else []
    if not any(section.missed for section in sections):
        lines.append("No target that was measured is missed.")
    missing = [f"- {s.name}: {_sentence(s.missing)}" for s in sections if s.missing]
    if missing:
        lines += ["", "**Not measured**", "", *missing]
    few = [section.name for section in sections if section.few_seeds]
    if few:
        lines += ["", f"Fewer than {CLAIM_SEEDS} seeds, so no claim yet: {'; '.join(few)}."]
    lines += ["", "Camera sensing throughout. Made by `python benchmarks/signals/run.py`."]
    return "\n".join(lines) + "\n"


def _sentence(texts: list[str]) -> str:
    """What is said of several ("name: what") once, with all the names."""
    names_of: dict[str, list[str]] = {}
    for text in texts:
        name, _, what = text.rpartition(": ")
        names_of.setdefault(what, []).append(name)
    return "; ".join(f"{', '.join(filter(None, names))}: {what}".removeprefix(": ")
                     for what, names in names_of.items()) + "."  # fmt: skip


def with_block(page: str, block: str) -> str:
    """The page with what stands between the markers replaced; exits where the markers are missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(
            f"README.md lacks the lines {BEGIN.strip()} and {END}: put them where the block belongs"
        )
    return f"{head}{begin}{block}{end}{tail}"


if __name__ == "__main__":
    sys.exit(main())
