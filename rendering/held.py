# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what animation writes into the artist's data from showing another frame than the artist's.

A copied scene shares its objects with the original. When it goes to another frame, Blender writes the animated values
of that frame into the shared data too, and over whatever the artist changed there without a key.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import bpy

from .fingerprint_data import animated_paths


@contextmanager
def animated_values() -> Iterator[None]:
    """Whatever keys and drivers move has, afterwards, the values that it had before."""
    before = [(owner, path, _read(owner, path)) for owner in _owners() for path in set(animated_paths(owner))]
    try:
        yield
    finally:
        for owner, path, value in before:
            with suppress(
                ReferenceError, ValueError, AttributeError, TypeError, KeyError
            ):  # it is gone, or can't be set
                if value is not None and _read(owner, path) != value:
                    _write(owner, path, value)


def _owners() -> Iterator[bpy.types.ID]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION" and kind.identifier != "all_ids":
            for thing in getattr(bpy.data, kind.identifier):
                for owner in (thing, getattr(thing, "node_tree", None)):
                    if getattr(owner, "animation_data", None) is not None:
                        yield owner


def _read(owner: bpy.types.ID, path: str) -> Any:
    """A value or a tuple of values; None if the path leads nowhere."""
    try:
        value = owner.path_resolve(path)
    except (ValueError, KeyError):
        return None
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str | set) else value


def _write(owner: bpy.types.ID, path: str, value: Any) -> None:
    if path.endswith("]"):
        holder, _, key = path.rpartition("[")
        (owner.path_resolve(holder) if holder else owner)[key.strip("]\"'")] = value
        return
    holder, _, name = path.rpartition(".")
    setattr(owner.path_resolve(holder) if holder else owner, name, value)
