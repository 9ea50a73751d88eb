# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits the lock to the parts: unites the lugs with the peg's mesh and cuts slots and groove out of the socket's.

Always from the untouched mesh, which stays in the file; refuses rather than leave a mesh that is open or wrong.
"""

import math

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from ..pipeline.errors import InputError
from . import meshes
from .kit import Kit
from .lab import MARK as LAB
from .lab import lab_scene
from .mass import mass_properties, open_edges
from .rigid import Array, move_points
from .solids import Solid, channels, lugs
from .units import DEG, MM, PI

WALL = 0.6 * MM
"""Least wall in metres that must stay around the groove."""
MARK = "holdfast_cut"
"""Face attribute: 1 on faces that the lock's tool made."""


def fit_peg(ob: bpy.types.Object, frame: Array, scale: float, kit: Kit) -> bpy.types.Mesh:
    """The peg's mesh with its lugs. ``frame`` (4, 4) is the peg frame in the object's space, in metres over ``scale``.

    Raises InputError where the mesh is not the peg that was stated.
    """
    mesh = meshes.original(ob)
    probe = meshes.tree(mesh, scale)
    at = _metres(frame, scale)
    for radius in _radii(probe, at, 0.5 * (kit.lug_z[0] + kit.lug_z[1]), inwards_from=3.0 * kit.peg_radius):
        if abs(radius - kit.peg_radius) > 0.03 * kit.peg_radius + 0.02 * MM:
            _refuse(
                ob,
                f"is {radius / MM:.2f} mm where its peg should have a radius of {kit.peg_radius / MM:.2f} mm",
            )
    ring = 2.0 * kit.lug_half * kit.count * 0.5 * (kit.lug_radius**2 - kit.peg_radius**2)
    grown = ring * (kit.lug_z[1] - kit.lug_z[0])
    return _boolean(ob, mesh, _placed(lugs(kit), frame, scale), "UNION", grown / scale**3)


def fit_socket(ob: bpy.types.Object, frame: Array, scale: float, kit: Kit) -> bpy.types.Mesh:
    """The socket's mesh with slots and groove. Raises InputError where bore or wall are not as stated or too thin."""
    mesh = meshes.original(ob)
    probe = meshes.tree(mesh, scale)
    at = _metres(frame, scale)
    low, high = kit.groove_z
    for z in (0.5 * (low + high), 0.5 * high):
        for radius in _radii(probe, at, z):
            if abs(radius - kit.bore_radius) > 0.03 * kit.bore_radius + 0.02 * MM:
                _refuse(
                    ob,
                    f"is {radius / MM:.2f} mm where its bore should have {kit.bore_radius / MM:.2f} mm radius",
                )
        wall = min(_radii(probe, at, z, start=kit.bore_radius * 1.05)) - kit.groove_radius
        if wall < WALL:
            least = (kit.groove_radius + WALL) / MM
            _refuse(ob, f"would keep a wall of {wall / MM:.2f} mm around the groove",
                    f"Make it at least {least:.1f} mm in radius there, or the bore and peg thinner.")  # fmt: skip
    ring = 0.5 * (kit.groove_radius**2 - kit.bore_radius**2) * kit.count
    span, slot = kit.groove_span, 2.0 * kit.slot_half
    groove = max(span[1], kit.entry + kit.slot_half) - min(span[0], kit.entry - kit.slot_half)
    removed = ring * (groove * (high - low) + slot * -high)
    return _boolean(ob, mesh, _placed(channels(kit), frame, scale), "DIFFERENCE", -removed / scale**3)


def apply(ob: bpy.types.Object, fitted: bpy.types.Mesh) -> None:
    """Gives the part its fitted mesh; the untouched one is kept with a fake user."""
    before = meshes.of(ob)
    kept = fitted[meshes.ORIGINAL]
    kept.use_fake_user = True
    ob.data = fitted
    if before != kept and before.users == 0:
        bpy.data.meshes.remove(before)


def _refuse(ob: bpy.types.Object, what: str, todo: str = "Correct the joint's measures or the part.") -> None:
    raise InputError(f"The part {ob.name!r} {what}", todo=todo)


def _metres(frame: Array, scale: float) -> Array:
    placed = frame.copy()
    placed[:3, 3] *= scale
    return placed


def _placed(solid: Solid, frame: Array, scale: float) -> Solid:
    return Solid(move_points(frame, solid.vertices / scale), solid.faces)


def _radii(
    probe: BVHTree, frame: Array, z: float, start: float = 0.0, inwards_from: float = 0.0
) -> list[float]:
    """Radius in metres at which the surface lies around the axis at height ``z``, in 16 directions."""
    found = []
    for k in range(16):
        angle = 2.0 * PI * (k + 0.37) / 16.0
        out = frame[:3, :3] @ np.array((math.cos(angle), math.sin(angle), 0.0))
        centre = frame[:3, :3] @ np.array((0.0, 0.0, z)) + frame[:3, 3]
        begin, way = (centre + out * inwards_from, -out) if inwards_from else (centre + out * start, out)
        distance = probe.ray_cast(Vector(begin), Vector(way))[3]
        reach = math.inf if distance is None else distance
        found.append(inwards_from - reach if inwards_from else start + reach)
    return [radius if math.isfinite(radius) else 0.0 for radius in found]


def _boolean(
    ob: bpy.types.Object, mesh: bpy.types.Mesh, tool: Solid, operation: str, change: float
) -> bpy.types.Mesh:
    """``mesh`` united with or cut by ``tool``; checked for holes and for the ``change`` in volume that must come."""
    if ob.data.shape_keys is not None:
        _refuse(ob, "has shape keys, which a boolean can't keep", "Apply or remove them first.")
    before = mass_properties(meshes.vertices(mesh), meshes.triangles(mesh), 1.0, ob.name).volume
    with lab_scene("fit") as lab:
        cutter = meshes.from_solid("Holdfast tool", tool)
        cutter.attributes.new(MARK, "INT", "FACE").data.foreach_set("value", [1] * len(cutter.polygons))
        for layer in mesh.uv_layers:
            cutter.uv_layers.new(name=layer.name)
        target = lab.object("target", mesh.copy())
        modifier = target.modifiers.new("Holdfast", "BOOLEAN")
        modifier.operation, modifier.solver = operation, "EXACT"
        modifier.object = lab.object("tool", cutter)
        graph = lab.graph()
        result = bpy.data.meshes.new_from_object(
            target.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
        )
        result.pop(LAB, None)
    try:
        _finish(result, mesh)
        after = mass_properties(meshes.vertices(result), meshes.triangles(result), 1.0, ob.name).volume
        if abs(after - before - change) > 0.06 * abs(change):
            _refuse(ob, "has something in the way of its lock: the cut took another volume than the lock has",
                    "Keep the space around peg and bore free of other shapes.")  # fmt: skip
        assert open_edges(meshes.triangles(result)) == 0
    except BaseException:
        bpy.data.meshes.remove(result)
        raise
    result.name = f"{mesh.name.removesuffix('.lock')}.lock"
    result[meshes.ORIGINAL] = mesh
    result[meshes.FITTED] = meshes.digest(result)
    return result


def _finish(result: bpy.types.Mesh, source: bpy.types.Mesh) -> None:
    """Colours the new faces like the surface nearest to them, and keeps their edges sharp."""
    attribute = result.attributes.get(MARK)
    marks = np.zeros(len(result.polygons), dtype=np.int32)
    if attribute is not None:
        attribute.data.foreach_get("value", marks)
        result.attributes.remove(attribute)
    new = [result.polygons[int(index)] for index in np.flatnonzero(marks)]
    polygons = [list(polygon.vertices) for polygon in source.polygons]
    nearest = BVHTree.FromPolygons([vertex.co for vertex in source.vertices], polygons)
    for polygon in new:
        index = nearest.find_nearest(polygon.center)[2]
        like = source.polygons[index]
        polygon.material_index = like.material_index
        for layer in result.uv_layers:
            uv = source.uv_layers[layer.name].uv[like.loop_start].vector
            for loop in polygon.loop_indices:
                layer.uv[loop].vector = uv
    if any(polygon.use_smooth for polygon in source.polygons):
        result.set_sharp_from_angle(angle=30.0 * DEG)
    result.update()
