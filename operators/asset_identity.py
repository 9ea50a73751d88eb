# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a mesh comes from, as custom properties of the object and of its mesh: they survive save, append and glTF.

Plain strings alone, one a fact: exporters keep those, and a person can read them in the properties editor.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import bpy

PREFIX = "holdfast_"
GENERATOR = "Holdfast"
UNKNOWN = "not known: it came from a file"


@dataclass(frozen=True)
class Identity:
    """The origin of a mesh. ``inputs``: SHA-256 (hex) of what it was made from, by what that was; ``licence``: the terms
    of the service, or what a person said; ``file``: SHA-256 of the mesh file; ``generator``: the program in the file."""

    provider: str
    model: str = ""
    job: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    licence: str = UNKNOWN
    file: str = ""
    generator: str = GENERATOR

    def to_json(self) -> dict[str, Any]:
        """As a manifest keeps it."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Identity":
        """The one that ``to_json`` described; what is missing is as if never told."""
        known = {each.name for each in fields(cls)}
        return cls(**{key: value for key, value in record.items() if key in known})


def put(identity: Identity, thing: bpy.types.Object) -> None:
    """Writes it onto an object and its mesh; an empty fact is left out, one of an earlier origin removed."""
    blocks: tuple[Any, ...] = (thing, thing.data)
    for block in blocks:
        for name, value in identity.to_json().items():
            key = PREFIX + _key(name)
            if value:
                block[key] = json.dumps(dict(value), sort_keys=True) if name == "inputs" else str(value)
            elif key in block:
                del block[key]


def of(block: bpy.types.ID) -> Identity | None:
    """What an object or a mesh says of its origin; None if it says nothing."""
    provider = block.get(PREFIX + "provider")
    if not isinstance(provider, str):
        return None
    record: dict[str, Any] = {each.name: block.get(PREFIX + _key(each.name), "") for each in fields(Identity)}
    try:
        record["inputs"] = json.loads(record["inputs"] or "{}")
    except ValueError:
        record["inputs"] = {}
    return Identity.from_json({name: value for name, value in record.items() if value})


def _key(name: str) -> str:
    """``file`` and ``inputs`` say what they hold: hashes."""
    return {"file": "file_sha256", "inputs": "inputs_sha256"}.get(name, name)
