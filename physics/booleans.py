# SPDX-License-Identifier: GPL-3.0-or-later
"""Booleans between meshes and tool solids in the lab: quick where that is safe, exact else, and always checked."""

import math
from dataclasses import dataclass

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from . import meshes
from .lab import MARK as LAB
from .lab import lab_scene
from .mass import mass_properties, open_edges
from .solids import Solid
from .units import DEG

CUT = "holdfast_cut"
"""Face attribute: 1 on faces that the tool made."""
LARGE = 20_000
"""Triangles above which the quick solver is tried first. Below it the exact one is quick enough, and gives the same
bits in every version of Blender."""


@dataclass(frozen=True)
class Change:
    """Volume (mesh units cubed, signed) that an operation must add: from ``low`` to ``high``."""

    low: float
    high: float

    @classmethod
    def about(cls, volume: float, share: float = 0.06) -> "Change":
        """``volume`` give or take a ``share`` of it."""
        return cls(volume - share * abs(volume), volume + share * abs(volume))


def volume_of(mesh: bpy.types.Mesh, name: str) -> float:
    """Volume in mesh units cubed. Raises InputError for an open mesh or one turned inside out."""
    return mass_properties(meshes.vertices(mesh), meshes.triangles(mesh), 1.0, name).volume


def solvers(triangles: int) -> tuple[str, ...]:
    """The solvers to try for a mesh of so many triangles, in order; the quick one came with Blender 4.5."""
    known = bpy.types.BooleanModifier.bl_rna.properties["solver"]
    assert isinstance(known, bpy.types.EnumProperty)
    if "MANIFOLD" not in [item.identifier for item in known.enum_items]:
        return ("EXACT",)
    return ("MANIFOLD", "EXACT") if triangles > LARGE else ("EXACT", "MANIFOLD")


def boolean(mesh: bpy.types.Mesh, tool: Solid, operation: str, change: Change, name: str) -> bpy.types.Mesh:
    """A new mesh: ``mesh`` united with (UNION), cut by (DIFFERENCE) or kept within (INTERSECT) ``tool``.

    Checked to be closed and to have changed in volume by ``change``; coloured on by ``_finish``. ``name`` is the
    part's. Raises InputError if no solver gives such a mesh; ``mesh`` stays as it is.
    """
    before = volume_of(mesh, name)
    for solver in solvers(len(mesh.loop_triangles)):
        result = _solve(mesh, tool, operation, solver)
        if math.isnan(_closed_volume(result)):
            _weld(result)
        if change.low <= _closed_volume(result) - before <= change.high:
            _finish(result, mesh)
            return result
        bpy.data.meshes.remove(result)
    what = f"The part {name!r} has something in the way of its lock: the cut took another volume than the lock has"
    raise InputError(
        what, todo="Keep the space around peg and bore free of other shapes, hollows and doubled faces."
    )


def _closed_volume(mesh: bpy.types.Mesh) -> float:
    """Volume in mesh units cubed, NaN where the mesh holds none."""
    corners = meshes.triangles(mesh)
    if len(corners) == 0 or open_edges(corners):
        return math.nan
    try:
        return mass_properties(meshes.vertices(mesh), corners, 1.0).volume
    except InputError:
        return math.nan


def _weld(mesh: bpy.types.Mesh) -> None:
    """Joins what rounding has left apart, in place: slivers along faces that coincided, a millionth of the size wide.

    A face that is missing altogether, as Blender 4.2 now and then forgets one, is put back; the volume is checked after.
    """
    reach = (
        1e-6 * max(float(np.ptp(meshes.vertices(mesh), axis=0).max()), 1e-9) if len(mesh.vertices) else 0.0
    )
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.triangulate(work, faces=[face for face in work.faces if len(face.verts) > 4])
    bmesh.ops.remove_doubles(work, verts=work.verts[:], dist=reach)
    bmesh.ops.dissolve_degenerate(work, dist=reach, edges=work.edges[:])
    rim = [edge for edge in work.edges if edge.is_boundary]
    filled = bmesh.ops.holes_fill(work, edges=rim, sides=4)["faces"] if rim else []
    marks = work.faces.layers.int.get(CUT)
    for face in filled:
        face.smooth = True
        if marks is not None:
            face[marks] = 1
    work.to_mesh(mesh)
    work.free()
    mesh.update()


def _solve(mesh: bpy.types.Mesh, tool: Solid, operation: str, solver: str) -> bpy.types.Mesh:
    with lab_scene("boolean") as lab:
        cutter = meshes.from_solid("Holdfast tool", tool)
        cutter.attributes.new(CUT, "INT", "FACE").data.foreach_set("value", [1] * len(cutter.polygons))
        for layer in mesh.uv_layers:
            cutter.uv_layers.new(name=layer.name)
        target = lab.object("target", mesh.copy())
        modifier = target.modifiers.new("Holdfast", "BOOLEAN")
        assert isinstance(modifier, bpy.types.BooleanModifier)
        modifier.operation, modifier.solver = operation, solver  # type: ignore[assignment]
        modifier.object = lab.object("tool", cutter)
        graph = lab.graph()
        # without preserve_all_data_layers, which would solve it a second time; corners and faces keep theirs anyway
        result = bpy.data.meshes.new_from_object(target.evaluated_get(graph))
        result.pop(LAB, None)
    return result


def _finish(result: bpy.types.Mesh, source: bpy.types.Mesh) -> None:
    """Colours the new faces like the surface nearest to them, and keeps their edges sharp."""
    attribute = result.attributes.get(CUT)
    marks = np.zeros(len(result.polygons), dtype=np.int32)
    if attribute is not None:
        attribute.data.foreach_get("value", marks)
        result.attributes.remove(attribute)
    smooth = np.zeros(len(source.polygons), dtype=bool)
    source.polygons.foreach_get("use_smooth", smooth)
    if result.uv_layers or len(source.materials) > 1:
        _colour(result, source, np.flatnonzero(marks))
    if smooth.any():
        result.set_sharp_from_angle(angle=30.0 * DEG)
    result.update()


def _colour(result: bpy.types.Mesh, source: bpy.types.Mesh, new: NDArray[np.int64]) -> None:
    nearest = meshes.tree(source)
    owner = np.empty(len(source.loop_triangles), dtype=np.int32)
    source.loop_triangles.foreach_get("polygon_index", owner)
    for index in new:
        polygon = result.polygons[int(index)]
        found = nearest.find_nearest(polygon.center)[2]
        like = source.polygons[int(owner[found])]
        polygon.material_index = like.material_index
        for layer in result.uv_layers:
            uv = source.uv_layers[layer.name].uv[like.loop_start].vector
            for loop in polygon.loop_indices:
                layer.uv[loop].vector = uv
