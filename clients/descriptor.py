# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model can do and its limits, as data: TOML files in ``catalogue/``, overridable by the user's own."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..pipeline.controls import Controls, parse_controls
from ..pipeline.errors import InputError

CATALOGUE = Path(__file__).parent / "catalogue"
MODES = {
    "text_to_image": "Text to image", "image_edit": "Image edit", "text_to_video": "Text to video", "image_to_video": "Image to video",
    "first_last": "First and last frame", "video_restyle": "Video restyle", "references": "References", "mask": "Masked repaint",
    "control": "Depth, edge, normal or pose control", "extend": "Extend", "upscale": "Upscale", "performance": "Performance",
    "text_to_mesh": "Text to mesh", "image_to_mesh": "Image to mesh", "sketch_to_mesh": "Sketch to mesh", "retexture": "Retexture",
    "remesh": "Remesh", "rig": "Rig", "segment": "Segment", "depth": "Depth", "motion_capture": "Motion capture", "plan": "Plan",
}  # fmt: skip
"""What a model may do."""
CANCEL_WAYS = ("none", "queued_only", "best_effort", "delete_overloaded")
IDEMPOTENCY_WAYS = ("none", "external_id_lookup", "client_id", "reject_duplicate", "replay")
SEED_STRENGTHS = ("none", "similar", "same_version", "exact")


@dataclass(frozen=True)
class InputLimit:
    """Limits of one input role: how references may be given, how many, and how large."""

    kinds: tuple[str, ...]
    count: tuple[int, int] = (1, 1)
    max_bytes: int = 0
    px_max: tuple[int, int] = (0, 0)
    seconds: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class SeedRule:
    """Whether a seed is taken, its range, and how much the same seed promises."""

    strength: str = "none"
    range: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class JobRule:
    """How the provider's jobs behave: whether cancelling exists and whether a lost create can be found again."""

    synchronous: bool = False
    poll_min_s: float = 5.0
    cancel: str = "none"
    idempotency: str = "none"
    record_ttl_s: float = 0.0
    url_ttl_s: float = 0.0


@dataclass(frozen=True)
class Price:
    """Integer micros of ``currency``: ``per_job`` and ``per_result`` (picture, mesh) and ``per_second`` of result, or of
    ``billed_fps`` frames where the service counts those, at least ``least``; ``factors`` by option ("resolution=1080p")
    multiply all of it. ``as_of`` the date it was read; empty: the price is not known, which is not the same as free."""

    currency: str = "USD"
    per_job_micros: int = 0
    per_result_micros: int = 0
    per_second_micros: int = 0
    least_micros: int = 0
    billed_fps: float = 0.0
    factors: Mapping[str, float] = field(default_factory=dict)
    as_of: str = ""

    def estimate_micros(
        self, seconds: float, results: int = 1, frames: int = 0, options: Mapping[str, Any] | None = None
    ) -> int:
        """The expected price of a job giving ``seconds`` (``frames``) of film or so many ``results``."""
        if self.billed_fps and frames:
            seconds = frames / self.billed_fps
        times = 1.0
        for key, value in (options or {}).items():
            times *= self.factors.get(f"{key}={value}", 1.0)
        price = self.per_job_micros + results * self.per_result_micros + self.per_second_micros * seconds
        return max(self.least_micros, round(price * times))


@dataclass(frozen=True)
class Output:
    """What comes back: ``seconds`` and ``frames`` least and most (0: as the source), the ``ratios`` and ``resolutions``
    that may be asked for, frames a second (0: as the source), and the ``kinds`` of file that are accepted."""

    kinds: tuple[str, ...] = ("mp4",)
    seconds: tuple[float, float] = (0.0, 0.0)
    frames: tuple[int, int] = (0, 0)
    ratios: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()
    fps: float = 0.0
    results: tuple[int, int] = (1, 1)
    most_bytes: int = 2 << 30


@dataclass(frozen=True)
class Service:
    """One company's API: ``base`` its address, ``hosts`` where results lie (".name": all below), ``keys`` the names under
    which its key is looked for in the environment, the first of them ours too; what a person should know before agreeing:
    ``retention`` and ``terms``. ``polls_per_minute`` and ``jobs_at_once`` 0: no limit known. ``settings``: what else the
    adapter may be told (region, workspace), with their usual values, and ``about`` by name what each is (see
    settings.Setting); ``key_optional``: it may go without a key; ``unconfirmed`` facts a person should check."""

    id: str
    label: str
    base: str
    hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    retention: str = ""
    terms: str = ""
    polls_per_minute: float = 0.0
    jobs_at_once: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    key_optional: bool = False
    verified: str = "document only"
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Descriptor:
    """One model of one provider. ``also`` are further modes beside ``mode``. ``adapter`` is "module:Class" under ``clients``; without one the model can't be called
    from here, but clips can be made for it by ``controls``. ``options`` maps an option's name to its allowed values
    (list) or its range ({min, max}); ``payload`` spells the request where one service has many models (see payload.py);
    ``evidence`` says how the entry was checked."""

    provider: str
    model: str
    mode: str
    label: str
    network: bool
    inputs: Mapping[str, InputLimit]
    adapter: str = ""
    also: tuple[str, ...] = ()
    prompt_max: int = 0
    negative_max: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: SeedRule = SeedRule()
    job: JobRule = JobRule()
    price: Price = Price()
    output: Output = Output()
    unconfirmed: tuple[str, ...] = ()
    controls: Controls | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""

    @property
    def id(self) -> str:
        """provider/model, unique in a catalogue."""
        return f"{self.provider}/{self.model}"

    @property
    def modes(self) -> tuple[str, ...]:
        """Everything it does."""
        return (self.mode, *self.also)


def _build(kind: type, table: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a TOML table; lists become tuples. Raises InputError for unknown or missing keys."""
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise InputError(f"The catalogue has an unknown key {unknown[0]!r}", where=where)
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
        )
    except TypeError as error:
        raise InputError(f"The catalogue entry is incomplete: {error}", where=where) from error


def parse_descriptor(table: Mapping[str, Any], where: str) -> Descriptor:
    """A descriptor from one ``[[model]]`` table. Raises InputError that names the file and the key."""
    body = dict(table)
    inputs = body.pop("inputs", {})
    body["inputs"] = {
        role: _build(InputLimit, limit, f"{where}, inputs.{role}") for role, limit in inputs.items()
    }
    for name, kind in (("seed", SeedRule), ("job", JobRule), ("price", Price), ("output", Output)):
        if name in body:
            body[name] = _build(kind, body[name], f"{where}, {name}")
    if "controls" in body:
        body["controls"] = parse_controls(body["controls"], f"{where}, controls")
    made = _build(Descriptor, body, where)
    assert isinstance(made, Descriptor)
    words = (
        *((mode, tuple(MODES)) for mode in made.modes),
        (made.seed.strength, SEED_STRENGTHS),
        (made.job.cancel, CANCEL_WAYS),
        (made.job.idempotency, IDEMPOTENCY_WAYS),
    )
    for word, allowed in words:
        if word not in allowed:
            raise InputError(
                f"The catalogue says {word!r}", where=where, todo=f"It may be one of {', '.join(allowed)}."
            )
    return made


@dataclass(frozen=True)
class Catalogue:
    """Every model by id and every service by id."""

    models: dict[str, Descriptor]
    services: dict[str, Service]


def read_catalogue(extra: Iterable[Path] = ()) -> Catalogue:
    """All ``[[model]]`` and ``[[service]]`` tables; an entry in ``extra`` replaces a built-in one of the same id. Raises
    InputError."""
    *_, found = reading_catalogue(extra)
    return found


def reading_catalogue(extra: Iterable[Path] = ()) -> Iterator[Catalogue]:
    """The same in slices, a file each, for a window that must not stand still; the last one is whole."""
    found = Catalogue({}, {})
    for path in [*sorted(CATALOGUE.glob("*.toml")), *extra]:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"The catalogue {path.name} can't be read: {error}", where=str(path)) from error
        for number, table in enumerate(tables.get("service", []), 1):
            service = _build(Service, table, f"{path.name}, service {number}")
            found.services[service.id] = service
        for number, table in enumerate(tables.get("model", []), 1):
            entry = parse_descriptor(table, f"{path.name}, model {number}")
            found.models[entry.id] = entry
        yield found


def load_catalogue(extra: Iterable[Path] = ()) -> dict[str, Descriptor]:
    """The models of ``read_catalogue`` by id."""
    return read_catalogue(extra).models
