# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Blender's meshes and arrays, and where the untouched mesh of a fitted part is kept."""

import hashlib

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from .rigid import Array
from .solids import Solid

ORIGINAL = "holdfast_original"
"""Custom property of a fitted mesh: the mesh it was made from."""
FITTED = "holdfast_fitted"
"""Custom property of a fitted mesh: its digest when it was made."""


def of(ob: bpy.types.Object) -> bpy.types.Mesh:
    """The mesh of a mesh object."""
    mesh = ob.data
    assert isinstance(mesh, bpy.types.Mesh), ob.name
    return mesh


def vertices(mesh: bpy.types.Mesh) -> Array:
    """(V, 3) float64 in the mesh's own units."""
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def triangles(mesh: bpy.types.Mesh) -> NDArray[np.int64]:
    """(T, 3) vertex indices of the triangulated faces."""
    mesh.calc_loop_triangles()
    flat = np.empty(3 * len(mesh.loop_triangles), dtype=np.int32)
    mesh.loop_triangles.foreach_get("vertices", flat)
    return flat.reshape(-1, 3).astype(np.int64)


def evaluated(ob: bpy.types.Object) -> tuple[Array, NDArray[np.int64]]:
    """Vertices (V, 3) and triangles (T, 3) of an object with its modifiers, in its own space."""
    if not any(modifier.show_viewport for modifier in ob.modifiers) and of(ob).shape_keys is None:
        return vertices(of(ob)), triangles(of(ob))
    shown = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    try:
        return vertices(mesh), triangles(mesh)
    finally:
        shown.to_mesh_clear()


def digest(mesh: bpy.types.Mesh) -> str:
    """SHA-256 (hex) of the shape: vertex positions and faces."""
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    starts = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    state = hashlib.sha256(vertices(mesh).astype("<f4").tobytes())
    state.update(corners.astype("<i4").tobytes())
    state.update(starts.astype("<i4").tobytes())
    return state.hexdigest()


def original(ob: bpy.types.Object) -> bpy.types.Mesh:
    """The mesh of a part as it was before a lock was fitted to it; its present one if none was.

    Raises InputError if the fitted mesh was edited since, because fitting again would lose that.
    """
    mesh = of(ob)
    kept = mesh.get(ORIGINAL)
    if kept is None:
        return mesh
    if mesh.get(FITTED) != digest(mesh):
        todo = "Put the original mesh back (Object data list), edit that, and run Physics again."
        raise InputError(f"The mesh of {ob.name!r} was edited after its lock was fitted", todo=todo)
    return kept


def restore(ob: bpy.types.Object) -> bool:
    """Puts the untouched mesh back. True if there was one."""
    fitted = of(ob)
    kept = fitted.get(ORIGINAL)
    if kept is None:
        return False
    ob.data = kept
    kept.use_fake_user = False
    if fitted.users == 0:
        bpy.data.meshes.remove(fitted)
    return True


def from_solid(name: str, solid: Solid) -> bpy.types.Mesh:
    """A new mesh data-block of a solid."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(solid.vertices.tolist(), [], [list(face) for face in solid.faces])
    mesh.validate()
    mesh.update()
    return mesh


def tree(mesh: bpy.types.Mesh, scale: float = 1.0) -> BVHTree:
    """A search tree over the triangles of a mesh, ``scale`` metres to one of its units."""
    return BVHTree.FromPolygons(
        (vertices(mesh) * scale).tolist(), triangles(mesh).tolist(), all_triangles=True
    )
