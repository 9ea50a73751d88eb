# SPDX-License-Identifier: GPL-3.0-or-later
"""How each model takes a prompt: ``prompts.toml`` with the lengths of the catalogue over it."""

import tomllib
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from ..pipeline.errors import InputError
from ..pipeline.prompts.fields import UNITS, Fields
from .descriptor import CATALOGUE, Descriptor

TABLE = CATALOGUE.parent / "prompts.toml"


@dataclass(frozen=True)
class Entry:
    """One row: the models it is of, and their fields."""

    models: str
    fields: Fields


@lru_cache(maxsize=1)
def table() -> tuple[Entry, ...]:
    """The rows, in their order. Raises InputError for one that can't be read."""
    try:
        rows = tomllib.loads(TABLE.read_text(encoding="utf-8")).get("prompt", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{TABLE.name} can't be read: {error}", where=str(TABLE)) from error
    return tuple(_entry(row, number) for number, row in enumerate(rows, 1))


def _entry(row: dict[str, Any], number: int) -> Entry:
    known = {item.name for item in fields(Fields)} - {"model", "label"} | {"models"}
    strange = sorted(set(row) - known)
    if strange or "models" not in row or row.get("unit", "characters") not in UNITS:
        raise InputError(f"Entry {number} of {TABLE.name} is wrong", where=strange[0] if strange else "unit")
    body: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in row.items()
        if key != "models"
    }
    return Entry(row["models"], Fields(**body))


def fields_of(model: Descriptor) -> Fields:
    """How a model takes its prompt."""
    found = next(each.fields for each in table() if fnmatchcase(model.id, each.models))
    found = replace(found, model=model.id, label=model.label, most=model.prompt_max or found.most)
    if model.negative_max:
        found = replace(found, negative=found.negative or "negative_prompt", negative_most=model.negative_max)
    if found.cite and "reference" in model.inputs:
        found = replace(found, pictures=model.inputs["reference"].count[1] or found.pictures)
    return found
