# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast jobs --set SERVICE.NAME=VALUE``, ``--usual SERVICE.NAME`` and ``--settings``."""

from pathlib import Path

from ..clients.descriptor import Catalogue, Service
from ..clients.keys import keys_of
from ..clients.settings import Told, as_text, settings_of, value_of, write
from ..pipeline.errors import UsageError
from ..pipeline.reporting import Reporter


def keep(root: Path, catalogue: Catalogue, text: str) -> str:
    """Keeps ``service.name=value`` in the project; returns what was done. Raises UsageError, InputError, StorageError."""
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is not a setting", todo="Write it as runway.credit_micros=8000.")
    service, name = _named(catalogue, path)
    made = value_of(service, name, value, as_text=True)
    write(root, service, name, made, keys_of(service).values())
    return f"{service.id}.{name} is {as_text(made) or 'empty'}."


def take_out(root: Path, catalogue: Catalogue, path: str) -> str:
    """Takes ``service.name`` out of the project; returns what was done. Raises UsageError, InputError, StorageError."""
    service, name = _named(catalogue, path)
    write(root, service, name, None)
    return f"{service.id}.{name} is as usual."


def _named(catalogue: Catalogue, path: str) -> tuple[Service, str]:
    service, _, name = path.strip().partition(".")
    if service not in catalogue.services or not name:
        known = ", ".join(sorted(catalogue.services))
        raise UsageError(
            f"{path!r} is no setting of a service", todo=f"Write SERVICE.NAME; there is {known}."
        )
    return catalogue.services[service], name


def show(catalogue: Catalogue, told: Told, reporter: Reporter) -> None:
    """Every setting: its value, where it is from, what it is, what it may be."""
    for service in catalogue.services.values():
        mine = told.of(service)
        for name, rule in settings_of(service).items():
            value, source = mine.get(name, rule.usual), told.source(service.id, name) or "usual"
            may = f" One of {', '.join(filter(None, rule.choices))}." if rule.choices else ""
            reporter.log(f"{service.id}.{name} = {as_text(value)}  ({source}) {rule.says}.{may}")
            reporter.event("setting", service=service.id, setting=name, value=value, usual=rule.usual, source=source,
                           says=rule.says, choices=dict(rule.choices))  # fmt: skip
