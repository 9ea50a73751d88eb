# SPDX-License-Identifier: GPL-3.0-or-later
"""Solids with known measures, and damage that is planted in them."""

from __future__ import annotations

import numpy as np
import trimesh
from holdfast.assets.mesh import F64, I64, Mesh


def mesh_of(solid: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(solid.vertices, np.float64), np.array(solid.faces, np.int64))


def referee(points: F64, triangles: I64) -> trimesh.Trimesh:
    """The same triangles for the referee, vertices in one place joined, nothing else mended."""
    solid = trimesh.Trimesh(points, triangles, process=False)
    solid.merge_vertices(merge_tex=True, merge_norm=True, digits_vertex=12)
    return solid


def cube(edge: float = 0.1) -> Mesh:
    return mesh_of(trimesh.creation.box((edge, edge, edge)))


def sphere(radius: float = 0.1, subdivisions: int = 3) -> Mesh:
    return mesh_of(trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius))


def torus(major: float = 0.1, minor: float = 0.03, sections: int = 48) -> Mesh:
    return mesh_of(
        trimesh.creation.torus(major, minor, major_sections=sections, minor_sections=sections // 2)
    )


def gear(teeth: int = 12, radius: float = 0.05, height: float = 0.02) -> Mesh:
    """A ring of teeth around a bore: planar faces, sharp edges, genus 1."""
    angle = np.linspace(0.0, 2.0 * np.pi, 4 * teeth, endpoint=False)
    reach = radius * np.where(np.arange(4 * teeth) % 4 < 2, 1.0, 0.8)
    rim = np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
    bore = 0.3 * radius * np.column_stack([np.cos(angle), np.sin(angle)])
    n = len(angle)
    rings = [np.column_stack([r, np.full(n, z)]) for r in (rim, bore) for z in (0.0, height)]
    points, here = np.concatenate(rings), np.arange(n)
    there = (here + 1) % n
    bottom, top, inner, roof = (here + k * n for k in range(4))
    bottom2, top2, inner2, roof2 = (there + k * n for k in range(4))
    quads = [
        (bottom, bottom2, top2, top),
        (inner2, inner, roof, roof2),
        (top, top2, roof2, roof),
        (bottom2, bottom, inner, inner2),
    ]
    triangles = [np.column_stack(t) for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Mesh(points, np.concatenate(triangles))


def moebius(sections: int = 60) -> Mesh:
    """A strip of one side: the last section is joined to the first upside down."""
    t = np.linspace(0.0, 2.0 * np.pi, sections, endpoint=False)
    edge = [np.column_stack([(0.1 + s * np.cos(t / 2)) * np.cos(t), (0.1 + s * np.cos(t / 2)) * np.sin(t), s * np.sin(t / 2)])
            for s in (-0.02, 0.02)]  # fmt: skip
    a, b = np.arange(sections), np.arange(sections) + sections
    a2, b2 = np.append(a[1:], b[0]), np.append(b[1:], a[0])
    return Mesh(
        np.concatenate(edge), np.concatenate([np.column_stack([a, a2, b]), np.column_stack([a2, b2, b])])
    )


def joined(*meshes: Mesh) -> Mesh:
    at, triangles = 0, []
    for mesh in meshes:
        triangles.append(mesh.triangles + at)
        at += len(mesh.points)
    return Mesh(np.concatenate([mesh.points for mesh in meshes]), np.concatenate(triangles))


def moved(mesh: Mesh, by: tuple[float, float, float]) -> Mesh:
    return Mesh(mesh.points + np.array(by), mesh.triangles)


def soup(mesh: Mesh) -> Mesh:
    """Every triangle with vertices of its own, as STL keeps them."""
    return Mesh(mesh.points[mesh.triangles.ravel()], np.arange(mesh.triangles.size).reshape(-1, 3))


def fine_cube(subdivisions: int = 3) -> Mesh:
    solid = trimesh.creation.box((0.1, 0.1, 0.1))
    for _ in range(subdivisions):
        solid = solid.subdivide()
    return mesh_of(solid)


def voxels(filled: np.ndarray) -> Mesh:
    """The surface of filled cells, 1 cm each; cells that touch in an edge make it crowded."""
    solid = np.pad(filled, 1)
    quads = []
    for axis in range(3):
        for way in (-1, 1):
            for cell in np.argwhere(solid & ~np.roll(solid, -way, axis)):
                u, v = (axis + 1) % 3, (axis + 2) % 3
                corners = np.tile(cell, (4, 1))
                corners[:, axis] += way > 0
                corners[[1, 2], u] += 1
                corners[[2, 3], v] += 1
                quads.append(corners if way > 0 else corners[::-1])
    points, place = np.unique(np.concatenate(quads), axis=0, return_inverse=True)
    four = place.reshape(-1, 4)
    return Mesh(points * 0.01, np.concatenate([four[:, :3], four[:, [0, 2, 3]]]))
