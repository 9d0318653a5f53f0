"""What a generated city may be told, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.core.errors import ConfigurationError
from civicbrain.core.ids import check_slug

FEWEST_JUNCTIONS, MOST_JUNCTIONS = 10, 5000
WINDOW_S = (27_000.0, 30_600.0)
"""Default window of a study: 07:30 to 08:30, the hour around the morning peak of 08:00."""


@dataclass(frozen=True)
class GenerateOptions:
    """junctions: signal junctions, exactly as many. cameras: field cameras, at most one an approach; None for
    one on every approach. seed: everything that is drawn comes from it. demand_peak: cars that set out in the
    busiest hour; None for the default level. load: factor on the default level.
    """

    junctions: int
    cameras: int | None = None
    seed: int = 1
    demand_peak: float | None = None
    load: float = 1.0
    name: str | None = None

    def check(self) -> None:
        """Raise ConfigurationError with place and remedy for what cannot be generated."""
        if not FEWEST_JUNCTIONS <= self.junctions <= MOST_JUNCTIONS:
            raise ConfigurationError(
                f"a city of {self.junctions} signal junctions cannot be generated",
                place="--junctions",
                remedy=f"give a number from {FEWEST_JUNCTIONS} to {MOST_JUNCTIONS:,}",
            )
        if self.cameras is not None and self.cameras < 0:
            raise ConfigurationError(
                f"{self.cameras} cameras are less than none", place="--cameras", remedy="give 0 or more"
            )
        if self.seed < 0:
            raise ConfigurationError(
                f"the seed {self.seed} is negative", place="--seed", remedy="give 0 or more"
            )
        if self.demand_peak is not None and not 1.0 <= self.demand_peak <= 5e6:
            raise ConfigurationError(
                f"{self.demand_peak:g} vehicles an hour are no demand",
                place="--demand-peak",
                remedy="give a number from 1 to 5,000,000, or leave it out",
            )
        if not 0.01 <= self.load <= 5.0:
            raise ConfigurationError(
                f"a load of {self.load:g} cannot be generated", place="--load", remedy="give 0.01 to 5"
            )
        if self.demand_peak is not None and self.load != 1.0:
            raise ConfigurationError(
                "the level of demand is given twice",
                place="--demand-peak, --load",
                remedy="give one of the two",
            )
        if self.name is not None:
            check_slug(self.name, "city name")

    @property
    def city_name(self) -> str:
        return self.name or f"generated-{self.junctions}"
