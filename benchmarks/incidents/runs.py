"""Which runs there are: for development, for the committed figures, held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.importing import resolve_scenario

GENERATED = {
    "generated-40": (40, 7),
    "generated-60": (60, 8),
    "generated-100": (100, 2026),
    "generated-90": (90, 77),
}
"""Name -> junctions and seed."""


@dataclass(frozen=True)
class Spec:
    """A run. scale: factor on the demand. wanted: incidents asked for (fewer find room); 0: none, for the
    false alarms of ordinary traffic. control: see `incident_world.Run`."""

    city: str
    scale: float
    coverage: float
    seed: int
    wanted: int
    seconds: float = 2400.0
    control: str = ""

    @property
    def name(self) -> str:
        """Of the city: most configurations are called "run", the folder says which city it is."""
        return Path(self.city).absolute().parent.name if self.is_held_out else self.city

    @property
    def is_held_out(self) -> bool:
        """Whether the city is none of ours."""
        return self.city.endswith(".sumocfg")

    @property
    def label(self) -> str:
        """For people."""
        text = f"{self.name}, demand x {self.scale:g}, coverage {self.coverage:g}, seed {self.seed}"
        text += f", under {self.control}" if self.control else ""
        return text + ("" if self.wanted else ", no incidents")

    @property
    def key(self) -> str:
        """For file names."""
        key = f"{self.name}_x{self.scale:g}_c{self.coverage:g}_s{self.seed}_n{self.wanted}_{self.seconds:g}s"
        return f"{key}_{self.control}" if self.control else key

    def file(self, folder: Path) -> Path:
        """Of its recording."""
        return folder / f"{self.key}.gz"


DEVELOP = [
    Spec("cologne8", 1.0, 1.0, 101, 24), Spec("cologne8", 1.2, 0.5, 102, 24),
    Spec("cologne8", 1.0, 1.0, 103, 0), Spec("ingolstadt21", 0.7, 1.0, 101, 40),
    Spec("ingolstadt21", 1.0, 1.0, 102, 40), Spec("ingolstadt21", 0.7, 1.0, 103, 0),
    Spec("generated-60", 1.0, 1.0, 101, 70), Spec("generated-60", 1.2, 1.0, 102, 70),
    Spec("generated-60", 1.0, 1.0, 103, 0), Spec("ingolstadt7", 1.0, 1.0, 101, 16),
    Spec("cologne3", 1.0, 1.0, 101, 10), Spec("generated-60", 0.8, 0.5, 104, 70),
    Spec("ingolstadt21", 1.0, 1.0, 104, 0), Spec("generated-60", 1.2, 1.0, 105, 0),
    Spec("ingolstadt7", 0.7, 1.0, 106, 0), Spec("cologne8", 0.7, 1.0, 107, 24),
    Spec("cologne8", 1.2, 1.0, 108, 0, 3600.0), Spec("cologne3", 1.0, 1.0, 108, 0, 3600.0),
    Spec("ingolstadt21", 0.7, 0.5, 105, 40), Spec("ingolstadt21", 1.0, 1.0, 110, 0, control="brain"),
    Spec("cologne8", 1.0, 1.0, 110, 0, control="brain"),
    Spec("ingolstadt21", 1.0, 1.0, 111, 40, control="brain"), Spec("generated-90", 1.2, 1.0, 121, 100),
    Spec("generated-90", 1.0, 0.5, 122, 100), Spec("generated-90", 1.2, 0.5, 123, 100),
    Spec("generated-90", 0.8, 1.0, 124, 100),
]  # fmt: skip
"""Whatever is chosen is chosen on these."""


def develop_elsewhere(root: Path) -> list[Spec]:
    """Likewise, of real cities that others have published (see README.md). root: of the collection."""
    acosta = str(root / "bologna/acosta/run.sumocfg")
    hamburg = str(root / "TAVF-Hamburg/run_simulation.sumocfg")
    berlin = str(root / "Doerpfeldstr/all_modes.sumocfg")
    return [
        Spec(acosta, 1.0, 1.0, 101, 24), Spec(acosta, 1.0, 0.5, 102, 24), Spec(acosta, 1.0, 1.0, 103, 0),
        Spec(hamburg, 1.0, 1.0, 103, 0, 1200.0), Spec(berlin, 1.0, 1.0, 103, 0),
    ]  # fmt: skip


_SIZES = (
    ("cologne8", 24, (1.0, 0.7, 1.2)), ("ingolstadt21", 40, (0.7, 0.5, 1.0)),
    ("generated-100", 100, (1.0, 0.8, 1.2)),
)  # fmt: skip
_BASE = 10
FULL = [
    *(Spec(city, scales[k], coverage, _BASE + k + 1, wanted)
      for k in range(3) for coverage in (1.0, 0.5) for city, wanted, scales in _SIZES),
    *(Spec(city, scale, 1.0, 19, 0)
      for scale in (1.0, 0.7) for city in ("cologne8", "ingolstadt21", "generated-100")),
]  # fmt: skip
"""Seeds that nothing was chosen on; of the generated city of 100 and the held-out one not even the city."""

UNDER_BRAIN = [
    Spec(city, 1.0, 1.0, seed, wanted if seed == 14 else 0, control="brain")
    for city, wanted, _ in _SIZES for seed in (14, 19)
]  # fmt: skip
"""Likewise, under the signals brain: stages come as they are needed, and what a plan's rhythm teaches a
detector does not hold."""

PILOT = [
    FULL[0], FULL[1], FULL[3], FULL[4], FULL[18], FULL[19], FULL[2], FULL[5], FULL[20],
]  # fmt: skip
"""A part of them, the short ones first."""

COMPARED = [FULL[0], FULL[1], FULL[2], FULL[3], FULL[4], FULL[18]]
"""Those in which the baselines and ours at other sensitivities look on as well."""


def held_out(city: str) -> list[Spec]:
    """Runs of a city of which nothing was ever looked at."""
    return [Spec(city, 1.0, coverage, seed, 24) for seed, coverage in ((11, 1.0), (12, 0.5))] + [
        Spec(city, 1.0, coverage, 19, 0) for coverage in (1.0, 0.5)
    ]


def city_folder(name: str, scratch: Path) -> Path:
    """The folder of a city of this benchmark, made where it must be. name: built in, generated, or a path."""
    if name not in GENERATED:
        return resolve_scenario(name).folder
    folder = scratch / name
    if not folder.is_dir():
        junctions, seed = GENERATED[name]
        generate_city(GenerateOptions(junctions, seed=seed), folder)
    return folder


def city_of(name: str, scratch: Path) -> City:
    """Likewise, loaded."""
    return load_city(city_folder(name, scratch))
