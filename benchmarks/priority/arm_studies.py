"""Runs of arms of a study, each in a process of its own, kept and found again. For missions and for buses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.evaluate import arms
from civicbrain.evaluate.plan import hash_city, hash_code
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.importing import resolve_scenario

Task = TypeVar("Task")
Record = TypeVar("Record")


def open_city(scenario: str, studies: Path) -> City:
    """A built-in scenario, a source that can be imported, or generated-N, made once below studies."""
    size = scenario.removeprefix("generated-")
    if size == scenario or not size.isdigit():
        return resolve_scenario(scenario)
    folder = studies / scenario / "city"
    if not (folder / "city.toml").is_file():
        generate_city(GenerateOptions(int(size), seed=1), folder)
    return load_city(folder)


def run_all(
    studies: Path,
    city: City,
    package: ModuleType,
    tasks: Sequence[tuple[str, Task]],
    simulate: Callable[[Task], Record],
    record_type: type[Record],
    say: Callable[[Record], str],
    jobs: int,
) -> list[Record]:
    """Records in the order of the tasks. studies: folder of this scenario. package: of the study; its code
    counts beside that of the product. tasks: (what names the run's file, task)."""
    sources = [Path(arms.__file__), *sorted(Path(str(package.__file__)).parent.glob("*.py"))]
    own = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    folder = studies / f"{hash_city(city)[:12]}-{hash_code()[:12]}-{own[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.json" for name, _ in tasks]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        futures = {
            pool.submit(simulate, task): file
            for file, (_, task) in zip(files, tasks, strict=True)
            if not file.is_file()
        }
        for future in as_completed(futures):
            record = future.result()
            write_atomically(futures[future], msgspec.json.encode(record))
            print(f"{studies.name} {say(record)}", flush=True)
    return [msgspec.json.decode(file.read_bytes(), type=record_type) for file in files]
