# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a found mesh one that booleans can trust: closed and outward; and cuts one in two. Says what it had to do."""

import bmesh
import bpy
import numpy as np

from ..pipeline.errors import InputError
from . import meshes
from .booleans import Change, boolean, volume_of
from .lab import MARK as LAB
from .lab import lab_scene
from .mass import open_edges
from .rigid import Array, move_points
from .solids import Solid

WELD = 1e-5
"""Vertices nearer than this share of the part's size are one."""
CRUMB = 1e-3
"""Loose shells with less than this share of the surface are dropped."""
CELLS = 220
"""Voxels along a part that has to be made anew."""


def extent(mesh: bpy.types.Mesh) -> float:
    """Longest side of the mesh's box, in its units."""
    points = meshes.vertices(mesh)
    return float(np.ptp(points, axis=0).max()) if len(points) else 0.0


def mend(mesh: bpy.types.Mesh, name: str) -> list[str]:
    """Welds, closes and turns ``mesh`` outwards, in place. Returns what was done, in words, nothing for a sound mesh.

    A mesh that can't be closed is made anew from voxels. Raises InputError if that fails too.
    """
    if _sound(mesh, name):
        return []
    done: list[str] = []
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        before = len(work.verts)
        bmesh.ops.remove_doubles(work, verts=work.verts[:], dist=WELD * extent(mesh))
        bmesh.ops.dissolve_degenerate(work, dist=0.1 * WELD * extent(mesh), edges=work.edges[:])
        loose = [vertex for vertex in work.verts if not vertex.link_faces]
        bmesh.ops.delete(work, geom=loose, context="VERTS")
        if len(work.verts) < before:
            done.append(f"welded {before - len(work.verts)} vertices")
        done += _drop_crumbs(work)
        done += _close(work)
        bmesh.ops.recalc_face_normals(work, faces=work.faces[:])
        if work.calc_volume(signed=True) < 0.0:
            bmesh.ops.reverse_faces(work, faces=work.faces[:])
        work.to_mesh(mesh)
    finally:
        work.free()
    mesh.update()
    if not _sound(mesh, name):
        done.append(remake(mesh, name))
    return done or ["turned outwards"]


def remake(mesh: bpy.types.Mesh, name: str, cells: int = CELLS) -> str:
    """The last resort: the mesh made anew from voxels, in place. Returns that in words. Raises InputError."""
    with lab_scene("remake") as lab:
        copy = mesh.copy()
        target = lab.object("target", copy)
        modifier = target.modifiers.new("Holdfast", "REMESH")
        assert isinstance(modifier, bpy.types.RemeshModifier)
        modifier.mode, modifier.voxel_size = "VOXEL", extent(mesh) / cells
        graph = lab.graph()
        made = bpy.data.meshes.new_from_object(target.evaluated_get(graph), depsgraph=graph)
        made.pop(LAB, None)
    try:
        if not _sound(made, name):
            todo = "Rebuild it as one closed surface (Remesh), then try again."
            raise InputError(f"The mesh of {name!r} could not be closed", todo=todo)
        work = bmesh.new()
        work.from_mesh(made)
        work.to_mesh(mesh)
        work.free()
    finally:
        bpy.data.meshes.remove(made)
    mesh.update()
    return f"made anew from voxels of 1/{cells} of its size"


def cut_in_two(mesh: bpy.types.Mesh, frame: Array, name: str) -> tuple[bpy.types.Mesh, bpy.types.Mesh]:
    """Two new closed meshes, above and below the xy plane of ``frame`` (4, 4), in the mesh's units.

    Checked: the two volumes make up the whole. Raises InputError where the plane misses the part or it is not sound.
    """
    whole, size = volume_of(mesh, name), 4.0 * extent(mesh)
    local = meshes.vertices(mesh) @ frame[:3, :3] - frame[:3, 3] @ frame[:3, :3]
    if local[:, 2].min() >= 0.0 or local[:, 2].max() <= 0.0:
        raise InputError(f"The cut misses {name!r}", todo="Move the plane into the part.")
    halves: list[bpy.types.Mesh] = []
    try:
        for low, high in ((-size, 0.0), (0.0, size)):
            box = Solid(move_points(frame, _box(size, low, high)), _BOX_FACES)
            halves.append(boolean(mesh, box, "DIFFERENCE", Change(-whole, 0.0), name))
        parts = sum(volume_of(half, name) for half in halves)
        if abs(parts - whole) > 1e-3 * whole:
            todo = "Make it one closed surface without doubled or crossing shells (Remesh), then try again."
            raise InputError(f"The mesh of {name!r} does not cut cleanly", todo=todo)
    except BaseException:
        for half in halves:
            bpy.data.meshes.remove(half)
        raise
    return halves[0], halves[1]


_BOX_FACES = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))


def _box(size: float, low: float, high: float) -> Array:
    square = ((-size, -size), (size, -size), (size, size), (-size, size))
    return np.array([(x, y, z) for z in (low, high) for x, y in square])


def _sound(mesh: bpy.types.Mesh, name: str) -> bool:
    try:
        return volume_of(mesh, name) > 0.0
    except InputError:
        return False


def _drop_crumbs(work: bmesh.types.BMesh) -> list[str]:
    shells = _shells(work)
    areas = [sum(face.calc_area() for face in shell) for shell in shells]
    crumbs = [shell for shell, area in zip(shells, areas, strict=True) if area < CRUMB * sum(areas)]
    bmesh.ops.delete(work, geom=[face for shell in crumbs for face in shell], context="FACES")
    return [f"dropped {len(crumbs)} crumbs"] if crumbs else []


def _shells(work: bmesh.types.BMesh) -> list[list[bmesh.types.BMFace]]:
    seen: set[bmesh.types.BMFace] = set()
    shells = []
    for start in work.faces:
        if start in seen:
            continue
        shell, stack = [], [start]
        seen.add(start)
        while stack:
            face = stack.pop()
            shell.append(face)
            for edge in face.edges:
                for other in edge.link_faces:
                    if other not in seen:
                        seen.add(other)
                        stack.append(other)
        shells.append(shell)
    return shells


def _close(work: bmesh.types.BMesh) -> list[str]:
    holes = [edge for edge in work.edges if len(edge.link_faces) == 1]
    if not holes:
        return []
    made = bmesh.ops.holes_fill(work, edges=holes, sides=0)["faces"]
    bmesh.ops.triangulate(work, faces=made)
    return [f"closed {len(made)} holes"]


def open_edges_of(mesh: bpy.types.Mesh) -> int:
    """How many edges of a mesh are open or wound against their neighbour."""
    return open_edges(meshes.triangles(mesh))
