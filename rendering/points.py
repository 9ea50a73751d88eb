# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on the surface of every part, for the checks that hold pixels against geometry: points.npz.

The points depend on the mesh alone: they are spread over its triangles by area with a low-discrepancy sequence
(Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"), the same in every process and chunk.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..pipeline.truth import F64
from .drawn import NO_MATERIAL
from .part import Part
from .surfaces import cuts_holes, is_exact, moves_with
from .throwaway import MARK, rendered_layer

FILE = "points.npz"
COUNT = 256
_STEP = np.array([0.7548776662466927, 0.5698402909980532])
"""1/g and 1/g^2 with g the plastic number: the steps of the sequence."""


def sample(scene: bpy.types.Scene, parts: Sequence[Part], count: int = COUNT) -> dict[str, NDArray[Any]]:
    """The arrays of points.npz, in the order of ``parts``. ``scene`` is a throw-away copy: objects come and go in it.

    ``points`` (P, N, 3) float32 metres and ``normals`` (P, N, 3) float32, unit and of the flat triangle, both in the axes
    of the part's pose; ``areas`` (P,) float64, m2 in the same axes; ``exact`` (P,) bool: see surfaces.is_exact. A part that
    is not exact (deforming, transparent, hairy, without faces) has zeros.
    """
    points, normals = np.zeros((2, len(parts), count, 3), np.float32)
    areas, exact = np.zeros(len(parts)), np.zeros(len(parts), bool)
    wanted = {} if cuts_holes(scene) else {row: _objects(part) for row, part in enumerate(parts)}
    wanted = {
        row: found
        for row, found in wanted.items()
        if found and all(is_exact(thing, scene) for thing in found)
    }
    with _as_rendered(scene, [thing for found in wanted.values() for thing in found]) as shown:
        for row, found in wanted.items():
            corners = np.concatenate([_corners(parts[row], thing, shown[thing]) for thing in found])
            if _area(corners).sum() > 0:
                points[row], normals[row], areas[row] = spread(corners, count)
                exact[row] = True
    return {"points": points, "normals": normals, "areas": areas, "exact": exact}


def spread(corners: F64, count: int) -> tuple[F64, F64, float]:
    """``count`` points on triangles (T, 3, 3), spread by area, their unit normals, and the area of all."""
    areas = _area(corners)
    ends = np.cumsum(areas)
    chosen = np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1]).clip(max=len(areas) - 1)
    across, along = ((0.5 + np.arange(1, count + 1)[:, None] * _STEP) % 1).T
    folded = across + along > 1
    across, along = np.where(folded, 1 - across, across), np.where(folded, 1 - along, along)
    first, second, third = np.moveaxis(corners[chosen], 1, 0)
    points = first + across[:, None] * (second - first) + along[:, None] * (third - first)
    normals = np.cross(second - first, third - first)
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True), float(ends[-1])


def _area(corners: F64) -> F64:
    sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(np.linalg.norm(sides, axis=1) / 2, np.float64)


def _objects(part: Part) -> tuple[bpy.types.Object, ...]:
    """The objects that are all there is of the part and move as one; none if that is not so."""
    own = {thing.name for thing in part.objects}
    if part.kind == "INSTANCE" or part.stand_ins or own != set(part.cover):
        return ()
    return part.objects if all(moves_with(thing, part.object) for thing in part.objects) else ()


def _corners(part: Part, thing: bpy.types.Object, mesh: bpy.types.Mesh) -> F64:
    """(T, 3, 3) corners of the triangles in the axes of the part's pose."""
    mesh.calc_loop_triangles()
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    used = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", used)
    corners: F64 = places.reshape(-1, 3).astype(np.float64)[used.reshape(-1, 3)]
    if part.kind == "SLOT":
        slot = np.empty(len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get("material_index", slot)
        names = [each.material.name if each.material else NO_MATERIAL for each in thing.material_slots]
        corners = corners[[names[min(index, len(names) - 1)] == part.material for index in slot]]
    if thing is not part.object:
        turned = np.array(part.object.matrix_world.inverted_safe() @ thing.matrix_world, np.float64)
        corners = corners @ turned[:3, :3].T + turned[:3, 3]
    return corners


@contextmanager
def _as_rendered(
    scene: bpy.types.Scene, things: Sequence[bpy.types.Object]
) -> Iterator[dict[bpy.types.Object, bpy.types.Mesh]]:
    """Their meshes with the modifiers as a render has them, from copies: the viewport may show fewer or other ones."""
    copies = {thing: _render_copy(scene, thing) for thing in things if thing.modifiers}
    rendered_layer(scene).update()
    depsgraph = rendered_layer(scene).depsgraph
    try:
        shown: dict[Any, Any] = {thing: thing.data for thing in things}
        for thing, copy in copies.items():
            shown[thing] = copy.evaluated_get(depsgraph).to_mesh()
        yield shown
    finally:
        for copy in copies.values():
            copy.evaluated_get(depsgraph).to_mesh_clear()
            bpy.data.objects.remove(copy)


def _render_copy(scene: bpy.types.Scene, thing: bpy.types.Object) -> bpy.types.Object:
    copy = thing.copy()
    copy[MARK] = True
    copy.animation_data_clear()
    copy.constraints.clear()
    copy.parent, copy.hide_viewport = None, False
    for modifier in copy.modifiers:
        modifier.show_viewport = modifier.show_render
        if modifier.type in {"SUBSURF", "MULTIRES"}:
            modifier.levels = modifier.render_levels
    scene.collection.objects.link(copy)
    return copy
