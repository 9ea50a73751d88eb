# SPDX-License-Identifier: GPL-3.0-or-later
"""The surfaces that parts have at the evaluated frame: objects, material slots of theirs, and instances."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

_NO_LEVEL = 0x7FFFFFFF
Corners = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, eq=False)
class Shape:
    """A surface in its own axes and where it stands.

    ``data`` is the evaluated mesh of an instance and ``box`` the corners of its bounds; both are None for an object,
    which is ``thing``. ``slot`` limits it to the faces of a material slot.
    """

    thing: bpy.types.Object
    matrix: Matrix
    data: bpy.types.Mesh | None = None
    box: Corners | None = None
    slot: int | None = None

    @property
    def corners(self) -> Corners:
        """Eight corners of its bounds, in its own axes."""
        return self.box or _corners(self.thing)


@dataclass(frozen=True)
class Pointer:
    """What a part is, without the rest of it: its objects, and its slot or instance."""

    objects: tuple[bpy.types.Object, ...]
    slot: int | None = None
    instance: tuple[int, ...] | None = None


def pointer(part: Any) -> Pointer:
    """Where a `parts.Part` is in the scene."""
    slot = None
    if part.kind == "SLOT":
        names = [slot.material.name if slot.material else "" for slot in part.object.material_slots]
        slot = names.index(part.material) if part.material in names else names.index("")
    return Pointer(part.objects or (part.object,), slot, part.instance if part.kind == "INSTANCE" else None)


def own(where: Pointer, depsgraph: bpy.types.Depsgraph) -> Iterator[Shape]:
    """The surfaces of the objects themselves."""
    if where.instance:
        return
    for thing in where.objects:
        if thing.type not in {"EMPTY", "CAMERA", "LIGHT"}:
            seen = thing.evaluated_get(depsgraph)
            yield Shape(seen, seen.matrix_world.copy(), slot=where.slot)


def makes_instances(thing: bpy.types.Object) -> bool:
    """Whether the object may show instances."""
    return bool(thing.is_instancer) or any(modifier.type == "NODES" for modifier in thing.modifiers)


def instances(places: Iterable[Pointer], depsgraph: bpy.types.Depsgraph) -> dict[int, list[Shape]]:
    """The instances of each of ``places``, by its index. Cheap where no object of theirs makes any."""
    makers: dict[bpy.types.Object, dict[tuple[int, ...] | None, int]] = {}
    for index, where in enumerate(places):
        for thing in where.objects:
            if makes_instances(thing) and where.slot is None:
                makers.setdefault(thing, {})[where.instance] = index
    found: dict[int, list[Shape]] = {}
    for each in depsgraph.object_instances if makers else ():
        if not each.is_instance or each.parent is None or each.parent.original not in makers:
            continue
        keys = makers[each.parent.original]
        key = tuple(number for number in each.persistent_id if number != _NO_LEVEL)
        index = keys.get(key, keys.get(None, -1))
        if index >= 0 and isinstance(each.object.data, bpy.types.Mesh):
            shape = Shape(each.parent, each.matrix_world.copy(), each.object.data, _corners(each.object))
            found.setdefault(index, []).append(shape)
    return found


def _corners(thing: bpy.types.Object) -> Corners:
    return tuple((corner[0], corner[1], corner[2]) for corner in thing.bound_box)


def triangles(shape: Shape) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """(V, 3) points in the shape's axes and (T, 3) corners of its triangles; both empty for what has no surface."""
    mesh = shape.data
    try:
        mesh = mesh or shape.thing.to_mesh()
    except RuntimeError:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    try:
        mesh.calc_loop_triangles()
        points = np.empty((len(mesh.vertices), 3), np.float32)
        corners = np.empty((len(mesh.loop_triangles), 3), np.int32)
        mesh.vertices.foreach_get("co", points.ravel())
        mesh.loop_triangles.foreach_get("vertices", corners.ravel())
        if shape.slot is not None:
            slots = np.empty(len(corners), np.int32)
            mesh.loop_triangles.foreach_get("material_index", slots)
            last = max(len(shape.thing.material_slots) - 1, 0)
            corners = corners[np.minimum(slots, last) == shape.slot]
        return points, corners
    finally:
        if shape.data is None:
            shape.thing.to_mesh_clear()
