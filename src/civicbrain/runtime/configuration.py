"""`civicbrain.toml`: how a city is run. A wrong key is named with the nearest right one.

[run]
control = "brain"
seed = 0

[twin]
sensing = "camera"        # or "oracle"
coverage = 1.0

[api]
host = "127.0.0.1"
port = 8080

[guard]
max_lifetime_s = 30.0

[history]
vehicles_minutes = 60

[playback]
hours = 4

[intake]
enabled = true            # field cameras, by POST /v1/observations and [feeds.mqtt]

[cases]
evidence_days = 30

[login]
idle_minutes = 60

[notices.recipients.police]
url = "https://dispatch.police.example/civicbrain"
secret_file = "/etc/civicbrain/police.secret"

[brains.signals]
enabled = true
options = { max_red_s = 120 }
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from civicbrain.city.intake import Limits as IntakeLimits
from civicbrain.contracts.brain import Priority
from civicbrain.core.errors import ConfigurationError
from civicbrain.core.ids import check_slug
from civicbrain.guard.rules import GRANTED, OPERATOR, GuardOptions
from civicbrain.runtime.cases.recipients import NoticesTable
from civicbrain.runtime.history.limits import Limits
from civicbrain.runtime.login.settings import LoginTable

MAX_FILE_BYTES = 1_000_000


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RunTable(_Table):
    """[run]: control: name of a control (`civicbrain controls`). speed: simulated seconds a wall second, 0 =
    as fast as it goes. warmup_s: simulated seconds run at full speed at the start."""

    control: str = "brain"
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    speed: float = Field(default=1.0, ge=0.0, le=100.0)
    warmup_s: float = Field(default=300.0, ge=0.0, le=86_400.0)


class TwinTable(_Table):
    """[twin]: how the twin senses. latency_s: age of a frame on arrival. miss_rate: chance that a camera
    overlooks a vehicle in a frame. coverage: share of the junctions with a camera. sees_inside: cameras
    see who is inside their junction as well, as those do that look across it down an approach."""

    sensing: Literal["camera", "oracle"] = "camera"
    coverage: float = Field(default=1.0, ge=0.0, le=1.0)
    latency_s: float = Field(default=0.5, ge=0.0, le=10.0)
    miss_rate: float = Field(default=0.05, ge=0.0, le=1.0)
    range_m: float = Field(default=150.0, gt=0.0, le=500.0)
    sees_inside: bool = True


class ApiTable(_Table):
    """[api]: where the control room answers. url: the address as people open it, "" where that is host and
    port. certificate, key: files for https. proxies: addresses of reverse proxies, whose word on who asks,
    and whether by https, is taken. tile_url: address of a base map, "" for none. studies_dir: folder of the
    before/after studies that it shows and orders, "" for `studies` in the run folder."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65_535)
    url: str = ""
    certificate: str = ""
    key: str = ""
    proxies: tuple[str, ...] = ()
    tile_url: str = ""
    studies_dir: str = ""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("https", "http") or not parts.hostname or parts.path.strip("/")):
            raise ValueError("must be https://HOST or https://HOST:PORT")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _both(self) -> ApiTable:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key belong together")
        return self

    @field_validator("tile_url")
    @classmethod
    def _tiles(cls, value: str) -> str:
        if value and not (
            value.startswith(("https://", "http://")) and all(f"{{{k}}}" in value for k in "zxy")
        ):
            raise ValueError("must be an http(s) address with {z}, {x} and {y}")
        return value


class GuardTable(_Table):
    """[guard]: see civicbrain.guard.rules.GuardOptions. priorities: brain -> the highest it may claim."""

    max_lifetime_s: float = Field(default=30.0, gt=0.0, le=120.0)
    max_plan_lifetime_s: float = Field(default=900.0, gt=0.0, le=86_400.0)
    max_changes: int = Field(default=60, ge=1, le=10_000)
    per_s: float = Field(default=60.0, gt=0.0, le=3_600.0)
    priorities: dict[str, Literal["signals", "transit", "emergency"]] = Field(default_factory=dict)

    def options(self) -> GuardOptions:
        """As the guard takes them. The operator's priority cannot be configured away, or given to a brain."""
        granted = {brain: int(Priority[name.upper()]) for brain, name in self.priorities.items()}
        return GuardOptions(
            self.max_lifetime_s, self.max_plan_lifetime_s, self.max_changes, self.per_s,
            {**GRANTED, **granted, OPERATOR: int(Priority.OPERATOR)},
        )  # fmt: skip


class HistoryTable(_Table):
    """[history]: how long what is kept, on the city's clock. vehicles_minutes: positions of vehicles as the
    cameras saw them (no identities); 0: never kept. seconds_hours: stages, lamps and queues each second.
    minutes_days, quarters_days, hours_days: indicators by 1 min, 15 min and 1 h. most_gb: disk for all of it;
    beyond, the oldest of the finest goes first. memory_mb: of each engine that writes, joins or reads."""

    enabled: bool = True
    vehicles_minutes: int = Field(default=60, ge=0, le=44_640)
    seconds_hours: int = Field(default=48, ge=1, le=8_784)
    minutes_days: int = Field(default=8, ge=1, le=3_660)
    quarters_days: int = Field(default=92, ge=1, le=3_660)
    hours_days: int = Field(default=731, ge=1, le=36_600)
    most_gb: float = Field(default=20.0, ge=0.01, le=100_000.0)
    memory_mb: int = Field(default=256, ge=64, le=65_536)

    def limits(self) -> Limits:
        """As `retention.enforce` takes them."""
        return Limits(
            vehicles_min=self.vehicles_minutes, seconds_min=self.seconds_hours * 60,
            minutes_min=self.minutes_days * 1440, quarters_min=self.quarters_days * 1440,
            hours_min=self.hours_days * 1440, most_bytes=int(self.most_gb * 1e9),
        )  # fmt: skip


class PlaybackTable(_Table):
    """[playback]: the moving picture of the past, for the control room's Then. hours: how long it is kept,
    real time; 0: never. most_gb: disk for it; beyond, the oldest goes first."""

    hours: float = Field(default=4.0, ge=0.0, le=720.0)
    most_gb: float = Field(default=2.0, ge=0.01, le=10_000.0)


class IntakeTable(_Table):
    """[intake]: the entry of field cameras. keys_file: a key for each source (TOML, mode 0600); "": all use
    the shared token, `intake.token` in the run folder. trust_clocks: false where the cameras' clocks are
    wrong: frames are then of the second they arrive. queue_rows, rows_per_s: rows that are held of a source,
    and let in of all together, before the oldest are shed."""

    enabled: bool = False
    keys_file: str = ""
    trust_clocks: bool = True
    queue_rows: int = Field(default=60, ge=1, le=100_000)
    rows_per_s: float = Field(default=200_000.0, ge=1.0, le=1e8)

    def limits(self) -> IntakeLimits:
        return IntakeLimits(
            queue_rows=self.queue_rows, rows_per_s=self.rows_per_s, trust_clocks=self.trust_clocks
        )


class CasesTable(_Table):
    """[cases]: cases, alarms and notices. reporters_file: keys and roles of those who may report (TOML, mode
    0600); "": only the operator. reports_per_min: of each of them. evidence_days: how long after a case's end
    evidence and people's words are kept."""

    enabled: bool = True
    reporters_file: str = ""
    reports_per_min: float = Field(default=30.0, gt=0.0, le=60_000.0)
    evidence_days: float = Field(default=30.0, gt=0.0, le=3_660.0)

    @property
    def keep_s(self) -> float:
        """evidence_days in seconds."""
        return self.evidence_days * 86_400.0


class FeedTable(_Table):
    """[feeds.NAME]: a live source besides the twin. options go to the feed as they are; it checks them."""

    enabled: bool = True
    options: dict[str, Any] = Field(default_factory=dict)


class BrainTable(_Table):
    """[brains.NAME]: options go to the brain as they are; it checks them."""

    enabled: bool = True
    options: dict[str, Any] = Field(default_factory=dict)


class RunConfiguration(_Table):
    """The whole file."""

    run: RunTable = RunTable()
    twin: TwinTable = TwinTable()
    api: ApiTable = ApiTable()
    guard: GuardTable = GuardTable()
    history: HistoryTable = HistoryTable()
    playback: PlaybackTable = PlaybackTable()
    intake: IntakeTable = IntakeTable()
    cases: CasesTable = CasesTable()
    login: LoginTable = LoginTable()
    notices: NoticesTable = NoticesTable()
    feeds: dict[str, FeedTable] = Field(default_factory=dict)
    brains: dict[str, BrainTable] = Field(default_factory=dict)

    @field_validator("brains", "feeds")
    @classmethod
    def _slugs(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name in value:
            try:
                check_slug(name, str(info.field_name)[:-1])
            except ConfigurationError as error:
                raise ValueError(error.message) from error
        return value

    @model_validator(mode="after")
    def _entry_for_feeds(self) -> RunConfiguration:
        if "twin" in self.feeds:
            raise ValueError("feeds.twin: the twin's feed is always there; [twin] says how it senses")
        if self.feeds.get("mqtt", FeedTable(enabled=False)).enabled and not self.intake.enabled:
            raise ValueError("feeds.mqtt needs the entry of field cameras: set enabled = true under [intake]")
        return self

    def brain_options(self, name: str) -> dict[str, Any]:
        """The options of one brain, {} where it is not named."""
        table = self.brains.get(name)
        return dict(table.options) if table is not None else {}


def load_configuration(path: Path) -> RunConfiguration:
    """Read a configuration file; raises ConfigurationError naming the file, the place and the remedy."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigurationError(
                "is longer than 1 MB", place=str(path), remedy="name a configuration file"
            )
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", place=str(path), remedy="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"is no UTF-8 text: {error.reason}", place=str(path), remedy="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"is no TOML: {error}", place=str(path), remedy="correct that line"
        ) from error
    return parse_configuration(table, str(path))


def parse_configuration(table: Mapping[str, Any], place: str = "configuration") -> RunConfiguration:
    """Check a table; raises ConfigurationError for the first wrong key or value."""
    try:
        return RunConfiguration.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(str(part) for part in first["loc"])
        key = ".".join(path)
        more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
        if first["type"] == "extra_forbidden":
            known = sorted(_keys_at(path[:-1]))
            near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
            remedy = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigurationError(
                f"unknown key {key!r}{more}",
                place=place,
                remedy=f"{remedy}the keys here are {', '.join(known)}",
            ) from error
        said = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"key {key!r}: {said}{more}" if key else said, place=place, remedy="correct the value"
        ) from error


def _keys_at(path: tuple[str, ...]) -> set[str]:
    """Keys allowed in the table at that path."""
    model: type[BaseModel] = RunConfiguration
    parts = list(path)
    while parts:
        annotation = model.model_fields[parts.pop(0)].annotation
        if get_origin(annotation) is dict:  # the next part is a name, not a key
            annotation = get_args(annotation)[1]
            if parts:
                parts.pop(0)
        if isinstance(annotation, UnionType):  # a table that may be left out
            annotation = next((a for a in get_args(annotation) if a is not type(None)), None)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return set()
        model = annotation
    return set(model.model_fields)
