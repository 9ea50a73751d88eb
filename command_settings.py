# SPDX-License-Identifier: GPL-3.0-or-later
"""``--set group.name=value`` of the command: settings of a scene by their path, as text."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import bpy

from .pipeline.errors import UsageError

CONVERT: dict[str, Callable[[str], object]] = {
    "INT": int,
    "FLOAT": float,
    "BOOLEAN": lambda text: _boolean(text),
    "POINTER": lambda text: bpy.data.objects[text],
}
PART = re.compile(r"(\w+)(?:\[([^\]]+)\])?")
"""One step of a path: a name and, for an entry of a list, its number from 0 or its name in brackets."""


def apply_settings(scene: bpy.types.Scene, assignments: Sequence[str]) -> None:
    """Sets ``group.name=value`` settings of the scene, as ``physics.joints[lid lock].twist_deg=45``.

    Raises UsageError for a name or value that is none.
    """
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        group, _, name = path.rpartition(".")
        owner = _owner(scene, group)
        if not separator or owner is None or name not in owner.bl_rna.properties:
            raise UsageError(f"{assignment!r} is not a setting", todo="Write it as finish.exposure=0.3.")
        try:
            setattr(owner, name, _value(owner.bl_rna.properties[name], text))
        except KeyError as error:
            raise UsageError(
                f"{text!r} is no value for {path}", todo="Name an object of the file."
            ) from error
        except (TypeError, ValueError) as error:
            raise UsageError(f"{text!r} is no value for {path}", todo=str(error).strip()) from error


def _owner(scene: bpy.types.Scene, path: str) -> Any:
    """What a path like ``physics.joints[0]`` leads to, or None."""
    owner: Any = scene.holdfast
    for step in path.split(".") if path else ():
        found = PART.fullmatch(step)
        if found is None or found[1] not in owner.bl_rna.properties:
            return None
        owner = getattr(owner, found[1])
        if found[2] is not None:
            key: Any = int(found[2]) if found[2].isdigit() else found[2]
            try:
                owner = owner[key]
            except (KeyError, IndexError, TypeError):
                return None
        if not isinstance(owner, bpy.types.PropertyGroup):
            return None
    return owner


def _value(setting: Any, text: str) -> object:
    convert = CONVERT.get(setting.type, str)
    if getattr(setting, "is_array", False):
        parts = text.split(",")
        if len(parts) != setting.array_length:
            raise ValueError(f"Write {setting.array_length} values with commas between them.")
        return [convert(part) for part in parts]
    return convert(text)


def _boolean(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in words:
        raise ValueError("Write true or false.")
    return words[text.lower()]
