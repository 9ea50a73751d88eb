# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sets of a service (region, base address, workflow ...): ``services.toml`` in the project, a studio's file.

    [rehearsal_remote]
    bad_day = "no_answer"

The studio's file is the one that the environment variable HOLDFAST_SERVICES names; what the project says goes before it,
both before the catalogue's usual values. Keys are never kept here.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError, UsageError
from ..pipeline.store import hash_file, write_bytes
from .descriptor import Catalogue, Service
from .hosts import address
from .settings_file import edited

FILE = "services.toml"
STUDIO = "HOLDFAST_SERVICES"
BASE = "base"
SWITCH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


@dataclass(frozen=True)
class Setting:
    """One thing that may be set: its ``usual`` value, whose type it keeps; ``choices`` by value with what each is;
    ``least`` and ``most`` of a number; ``file``: it names one, relative to the folder of the .blend; ``result``: another
    value gives another result, so a stored one is not that of this value."""

    name: str
    usual: Any
    says: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    least: float | None = None
    most: float | None = None
    file: bool = False
    result: bool = False

    @property
    def kind(self) -> str:
        """choice, switch, number, file, table (lists too) or text."""
        if self.choices:
            return "choice"
        if isinstance(self.usual, bool):
            return "switch"
        if isinstance(self.usual, int | float):
            return "number"
        return "file" if self.file else "text" if isinstance(self.usual, str) else "table"


def settings_of(service: Service) -> dict[str, Setting]:
    """All settings of a service by name; its base address is one of every service."""
    found = {
        name: Setting(name, usual, **service.about.get(name, {})) for name, usual in service.settings.items()
    }
    says = "Address of the service; another host is agreed to anew"
    return {BASE: Setting(BASE, service.base, says), **{k: v for k, v in found.items() if k != BASE}}


def value_of(service: Service, name: str, value: object, *, as_text: bool = False) -> Any:
    """``value`` as the setting keeps it; ``as_text`` reads a number, switch or table out of a text.

    Raises UsageError for a name that the service does not have, a value that it can't be, a key.
    """
    known = settings_of(service)
    if name not in known:
        raise UsageError(
            f"{service.label} has no setting {name!r}", todo=f"It has {', '.join(sorted(known))}."
        )
    rule = known[name]
    made = _read(rule, str(value), service) if as_text else value
    if rule.kind == "choice" and made not in rule.choices:
        raise _wrong(rule, made, service, f"Choose from {', '.join(filter(None, rule.choices))}.")
    if rule.kind == "number":
        if isinstance(made, bool) or not isinstance(made, int | float) or made != made:
            raise _wrong(rule, made, service, "It is a number.")
        if not (rule.least is None or made >= rule.least) or not (rule.most is None or made <= rule.most):
            raise _wrong(rule, made, service, f"{rule.least} to {rule.most}." if rule.most is not None
                         else f"{rule.least} or more.")  # fmt: skip
    elif rule.kind != "table" and not isinstance(made, type(rule.usual)):
        raise _wrong(
            rule, made, service, "It is true or false." if rule.kind == "switch" else "It is a text."
        )
    elif rule.kind == "table" and not isinstance(made, type(rule.usual)):
        raise _wrong(
            rule, made, service, "It is a table." if isinstance(rule.usual, dict) else "It is a list."
        )
    return address(service, str(made)) if name == BASE else made


def _read(rule: Setting, text: str, service: Service) -> Any:
    if rule.kind == "switch":
        return SWITCH.get(text.strip().lower(), text)
    if rule.kind == "number":
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if isinstance(rule.usual, int) and number.is_integer() else number
    if rule.kind == "table":
        try:
            return json.loads(text)
        except ValueError as error:
            raise _wrong(rule, text, service, 'Write it as JSON, e.g. {"prompt": "6.text"}.') from error
    return text


def as_text(value: object) -> str:
    """A value as ``value_of`` reads it out of a text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _wrong(rule: Setting, value: object, service: Service, todo: str) -> UsageError:
    return UsageError(f"{rule.name} can't be {value!r}", where=service.label, todo=todo)


@dataclass(frozen=True)
class Told:
    """What people said, by service and name: of the ``project`` and of the ``studio``."""

    project: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    studio: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    root: Path = Path()

    def source(self, service: str, name: str) -> str:
        """project, studio, or empty: the usual value."""
        if name in self.project.get(service, {}):
            return "project"
        return "studio" if name in self.studio.get(service, {}) else ""

    def of(self, service: Service) -> dict[str, Any]:
        """What was said of a service. Raises InputError for a setting that it doesn't have or can't have."""
        said = {**self.studio.get(service.id, {}), **self.project.get(service.id, {})}
        try:
            return {name: value_of(service, name, value) for name, value in said.items()}
        except UsageError as error:
            where = self.root / FILE if self.source(service.id, next(iter(said))) == "project" else STUDIO
            raise InputError(str(error).rstrip("."), where=str(where)) from error

    def said(self, service: Service) -> dict[str, Any]:
        """The same with whole paths. Raises InputError."""
        told, rules = self.of(service), settings_of(service)
        for name, value in told.items():
            if rules[name].file and value:
                told[name] = str(self.root.parent / Path(value).expanduser())
        return told

    def over(self, service: Service) -> Service:
        """The service with what was said of it. Raises InputError."""
        told = self.said(service)
        return replace(service, settings={**service.settings, **told}) if told else service


def read(project: Path | None) -> Told:
    """Both files; what is not there says nothing. Raises InputError for one that can't be read."""
    studio = os.environ.get(STUDIO, "").strip()
    return Told(
        _tables(project / FILE) if project else {},
        _tables(Path(studio).expanduser(), must=True) if studio else {},
        project or Path(),
    )


def _tables(path: Path, *, must: bool = False) -> dict[str, dict[str, Any]]:
    if not must and not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The settings of services can't be read: {error}", where=str(path)) from error
    stray = next((name for name, table in tables.items() if not isinstance(table, dict)), "")
    if stray:
        raise InputError(
            f"{stray!r} stands outside of a service", where=str(path), todo="Write it below [service]."
        )
    return tables


def stamp(project: Path | None) -> tuple[object, ...]:
    """Another one when either file changed."""
    paths = [Path(os.environ[STUDIO]).expanduser()] if os.environ.get(STUDIO, "").strip() else []
    paths += [project / FILE] if project else []
    return tuple((str(path), path.stat().st_mtime_ns if path.exists() else 0) for path in paths)


def settled(catalogue: Catalogue, told: Told) -> Catalogue:
    """The catalogue with what people said of its services. Raises InputError for a service of the project's file that it
    doesn't have; a studio's file may speak of services that only other projects have."""
    for name in told.project:
        if name not in catalogue.services:
            known = ", ".join(sorted(catalogue.services))
            raise InputError(f"{FILE} sets a service {name!r} that is none", todo=f"There is {known}.")
    return Catalogue(catalogue.models, {name: told.over(each) for name, each in catalogue.services.items()})


def write(project: Path, service: Service, name: str, value: object, secrets: Iterable[str] = ()) -> None:
    """Keeps a setting in the project's file; None takes it out, so that the studio's or the usual one holds again. Lines
    that others wrote stay. ``secrets`` may not be in it. Raises UsageError, InputError, StorageError."""
    path = project / FILE
    before = _tables(path)
    made = None if value is None else value_of(service, name, value)
    if name not in settings_of(service):
        value_of(service, name, "")
    if any(len(secret) >= 4 and secret in json.dumps(made, ensure_ascii=False) for secret in secrets):
        raise UsageError("A key is never kept among the settings", where=service.label, todo="Use Type Key.")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    after = {key: dict(table) for key, table in before.items()}
    if made is None:
        after.get(service.id, {}).pop(name, None)
    else:
        after.setdefault(service.id, {})[name] = made
    if after != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, edited(text, after, service.id, name).encode())


def that_count(service: Service) -> dict[str, Any]:
    """The settings of a settled service that another result comes of, by name; a file counts by what is in it, an empty
    value, 0 and what is below not at all."""
    found: dict[str, Any] = {}
    for name, rule in settings_of(service).items():
        if rule.result and (value := service.settings.get(name)):
            if isinstance(value, int | float) and value <= 0:
                continue
            there = rule.file and isinstance(value, str) and Path(value).is_file()
            found[name] = hash_file(value) if there else value
    return found
