# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part is: its number, its name, and under which names the renderer knows what covers the picture for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import bpy
import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.truth import F64
from .part_names import folders
from .throwaway import rendered_layer

MOST_PARTS = 65535
"""Ids are stored in 16 bits at most, 0 being no part."""
Kind = Literal["OBJECT", "COLLECTION", "SLOT", "INSTANCE"]


@dataclass(frozen=True)
class Part:
    """A part of the product.

    ``object`` has the part's pose (for INSTANCE it is the generator, and the pose is the instance's own). ``cover``
    are the names under which Cryptomatte's object layer has the part, ``material`` the one of its material layer (SLOT
    only), ``instance`` the persistent id of a generated instance. ``realised``: the names of ``cover`` are there only
    after ``instances.realise``.
    """

    id: int
    name: str
    folder: str
    kind: Kind
    object: bpy.types.Object
    cover: tuple[str, ...]
    material: str = ""
    instance: tuple[int, ...] = ()
    realised: bool = False
    bounds: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def record(self) -> dict[str, Any]:
        """As truth.json lists it; ``bounds`` are the least and greatest corner in the pose's own axes, metres."""
        return {
            "id": self.id,
            "name": self.name,
            "folder": self.folder,
            "kind": self.kind,
            "object": self.object.name,
            "cover": list(self.cover),
            "material": self.material,
            "bounds": None if self.bounds is None else [list(corner) for corner in self.bounds],
        }


def read_parts(scene: bpy.types.Scene) -> list[Part]:
    """The parts of the shot by id. Raises InputError if there are none, or two that can't be told apart."""
    found = [thing for thing in scene.objects if thing.holdfast.is_part and thing.holdfast.role == "HERO"]
    if not found:
        todo = "Select the objects of the product and mark them as parts."
        raise InputError("The shot has no parts", where=scene.name, todo=todo)
    if len(found) > MOST_PARTS:
        raise InputError(f"The shot has {len(found)} parts, more than {MOST_PARTS}", where=scene.name)
    layer = rendered_layer(scene).objects
    folder = folders([part_name(thing) for thing in found])
    parts: list[Part] = []
    for thing in sorted(
        found, key=lambda thing: (thing.holdfast.part_id or MOST_PARTS + 1, part_name(thing))
    ):
        name = part_name(thing)
        if thing.hide_render or layer.get(thing.name) is None:
            todo = "Show it, or take the part mark off it."
            raise InputError(f"The part {name} is hidden in renders", where=thing.name, todo=todo)
        corners = np.array(thing.bound_box, np.float64)
        bounds = (tuple(corners.min(0).tolist()), tuple(corners.max(0).tolist()))
        number = _free_id(thing, parts)
        parts.append(Part(number, name, folder[name], "OBJECT", thing, (thing.name,), bounds=bounds))
    for attribute, what in (("name", "part name"), ("id", "part number")):
        _refuse_same([getattr(part, attribute) for part in parts], what)
    _refuse_same([part.object.name for part in parts], "object name (one is linked from a library)")
    return sorted(parts, key=lambda part: part.id)


def poses(scene: bpy.types.Scene, parts: Sequence[Part]) -> F64:
    """(P, 4, 4) float64 world matrices of the parts at the scene's current frame, metres."""
    depsgraph = rendered_layer(scene).depsgraph
    found = [part.object.evaluated_get(depsgraph).matrix_world for part in parts]
    return np.array(found, np.float64).reshape(len(parts), 4, 4)


def part_name(thing: bpy.types.Object | bpy.types.Collection) -> str:
    """The stable name of a part that is an object or a collection."""
    return str(thing.holdfast.part or thing.name)


def _free_id(thing: bpy.types.Object, parts: Sequence[Part]) -> int:
    used = {part.id for part in parts}
    return thing.holdfast.part_id or next(number for number in range(1, MOST_PARTS + 2) if number not in used)


def _refuse_same(values: Sequence[object], what: str) -> None:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise InputError(f"Two parts have the same {what}", where=", ".join(twice), todo="Give each its own.")
