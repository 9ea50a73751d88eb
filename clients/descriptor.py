# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model can do and its limits, as data: TOML files in ``catalogue/``, overridable by the user's own."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..pipeline.controls import Controls, parse_controls
from ..pipeline.errors import InputError, ProviderRejected
from .contract import JobSpec

CATALOGUE = Path(__file__).parent / "catalogue"
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
    """Integer micros of ``currency``: a fixed amount per job and one per second of result."""

    currency: str = "USD"
    per_job_micros: int = 0
    per_second_micros: int = 0

    def estimate_micros(self, seconds: float) -> int:
        """The expected price of a job giving ``seconds`` of result."""
        return self.per_job_micros + round(self.per_second_micros * seconds)


@dataclass(frozen=True)
class Descriptor:
    """One model of one provider. ``adapter`` is "module:Class" under ``clients``; without one the model can't be called
    from here, but clips can be made for it by ``controls``. ``options`` maps an option's name to its allowed values
    (list) or its range ({min, max}); ``evidence`` says how the entry was checked."""

    provider: str
    model: str
    mode: str
    label: str
    network: bool
    inputs: Mapping[str, InputLimit]
    adapter: str = ""
    prompt_max: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: SeedRule = SeedRule()
    job: JobRule = JobRule()
    price: Price = Price()
    controls: Controls | None = None
    evidence: str = ""

    @property
    def id(self) -> str:
        """provider/model, unique in a catalogue."""
        return f"{self.provider}/{self.model}"


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
    for name, kind in (("seed", SeedRule), ("job", JobRule), ("price", Price)):
        if name in body:
            body[name] = _build(kind, body[name], f"{where}, {name}")
    if "controls" in body:
        body["controls"] = parse_controls(body["controls"], f"{where}, controls")
    made = _build(Descriptor, body, where)
    assert isinstance(made, Descriptor)
    words = (
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


def load_catalogue(extra: Iterable[Path] = ()) -> dict[str, Descriptor]:
    """All descriptors by id; an entry in ``extra`` replaces a built-in one of the same id. Raises InputError."""
    result: dict[str, Descriptor] = {}
    for path in [*sorted(CATALOGUE.glob("*.toml")), *extra]:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"The catalogue {path.name} can't be read: {error}", where=str(path)) from error
        for number, table in enumerate(tables, 1):
            entry = parse_descriptor(table, f"{path.name}, model {number}")
            result[entry.id] = entry
    return result


def check_job(job: JobSpec, model: Descriptor) -> None:
    """Refuses a job that the model can't do, before anything is sent. Raises ProviderRejected with the limit."""
    for role, limit in model.inputs.items():
        given = [ref for ref in job.inputs if ref.role == role]
        if not limit.count[0] <= len(given) <= limit.count[1]:
            raise ProviderRejected(
                f"{model.label} takes {limit.count[0]} to {limit.count[1]} {role}, not {len(given)}"
            )
        for ref in given:
            if ref.kind not in limit.kinds:
                raise ProviderRejected(f"{model.label} can't take {role} as {ref.kind}")
    strange = sorted({ref.role for ref in job.inputs} - set(model.inputs))
    if strange:
        raise ProviderRejected(f"{model.label} has no use for {strange[0]}")
    if len(job.prompt) > model.prompt_max > 0:
        raise ProviderRejected(
            f"The prompt is longer than {model.label} takes ({model.prompt_max} characters)"
        )
    low, high = model.seed.range
    if job.seed is not None and model.seed.strength != "none" and not low <= job.seed <= high:
        raise ProviderRejected(f"The seed {job.seed} is outside {low} to {high}", where=model.label)
    for name, value in job.options.items():
        _check_option(name, value, model)


def _check_option(name: str, value: object, model: Descriptor) -> None:
    rule = model.options.get(name)
    if rule is None:
        raise ProviderRejected(f"{model.label} has no option {name!r}")
    if isinstance(rule, list) and value not in rule:
        raise ProviderRejected(
            f"{name} can't be {value!r}", where=model.label, todo=f"Choose from {', '.join(rule)}."
        )
    ranged = isinstance(rule, dict) and "min" in rule
    if ranged and not (isinstance(value, int | float) and rule["min"] <= value <= rule["max"]):
        raise ProviderRejected(
            f"{name} must be {rule['min']} to {rule['max']}, not {value!r}", where=model.label
        )
