# SPDX-License-Identifier: GPL-3.0-or-later
"""Mass, centre of mass and inertia of triangle meshes: exactly, by signed tetrahedra, or estimated where one has holes."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from . import voxels
from .materials import MATERIALS, Material
from .rigid import Array

__all__ = [
    "MATERIALS", "MassProperties", "Material", "Weighed", "density_of", "mass_properties", "open_edges", "weigh_solid",
    "welded",
]  # fmt: skip


_GRID = 1_000_010
"""Cells of ``welded`` along an axis, at most."""


@dataclass(frozen=True)
class MassProperties:
    """``volume`` m3, ``mass`` kg, ``com`` (3,) m, ``inertia`` (3, 3) kg m2 about the centre of mass."""

    volume: float
    mass: float
    com: Array
    inertia: Array


@dataclass(frozen=True)
class Weighed:
    """A solid ready for its body: welded ``points`` (V, 3) and outward ``triangles`` (T, 3), and what it weighs.

    ``exact`` is False for a voxel estimate; ``notes`` are sentences that the artist should read.
    """

    points: Array
    triangles: NDArray[np.int64]
    mass: MassProperties
    exact: bool = True
    notes: tuple[str, ...] = field(default=())


def density_of(material: str, override: float = 0.0) -> float:
    """Density in kg/m3: the part's own if it is above 0, else the material's. Raises InputError for neither."""
    if override > 0.0:
        return override
    if material not in MATERIALS:
        raise InputError(f"There is no material {material!r}", todo=f"Choose one of {', '.join(MATERIALS)}.")
    return MATERIALS[material].density


def open_edges(triangles: NDArray[np.int64]) -> int:
    """How many directed edges of (T, 3) triangles lack their opposite: 0 for a closed, well-wound surface."""
    edges = np.concatenate((triangles[:, (0, 1)], triangles[:, (1, 2)], triangles[:, (2, 0)])).astype(
        np.int64
    )
    size = int(triangles.max()) + 1 if len(triangles) else 1
    there = np.sort(edges[:, 0] * size + edges[:, 1])
    back = np.sort(edges[:, 1] * size + edges[:, 0])
    keys, counts = np.unique(np.concatenate((there, back)), return_counts=True)
    forward = np.searchsorted(there, keys, "right") - np.searchsorted(there, keys, "left")
    return int(np.abs(2 * forward - counts).sum()) // 2


def welded(points: Array, triangles: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """The mesh with vertices closer than a millionth of its extent made one; triangles that vanish are dropped.

    Importers split vertices along seams of UVs and normals, which leaves a closed part open on paper.
    """
    if not len(points) or not len(triangles):
        return points[:0], triangles[:0]
    step = max(1e-6 * float(np.ptp(points, axis=0).max()), 1e-12)
    for shift in (0.0, 0.5):  # two grids: neighbours that one of them parts, the other joins
        cell = np.floor((points - points.min(axis=0)) / step + shift).astype(np.int64)
        keys = (cell[:, 0] * _GRID + cell[:, 1]) * _GRID + cell[:, 2]
        _, first, where = np.unique(keys, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")  # vertices keep their order
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        points, triangles = points[first[order]], rank[where.reshape(-1)][triangles]
    a, b, c = triangles.T
    return points, triangles[(a != b) & (b != c) & (c != a)]


def mass_properties(
    vertices: Array, triangles: NDArray[np.int64], density: float, part: str = ""
) -> MassProperties:
    """Of the solid inside (V, 3) vertices in metres and (T, 3) outward triangles, at ``density`` kg/m3.

    Exact for polyhedra (Tonon 2004, tetrahedra with the origin). Raises InputError for an open mesh, one that
    holds no volume, or one turned inside out.
    """
    holes = open_edges(triangles)
    if holes:
        todo = "Close its holes (Edit mode: Select > Non Manifold, then Fill), or merge doubled vertices by distance."
        raise InputError(f"The mesh of {part!r} is open at {holes} edges, so it has no volume", todo=todo)
    centre = vertices.mean(axis=0) if len(vertices) else np.zeros(3)
    a, b, c = (vertices[triangles[:, k]] - centre for k in range(3))
    six = np.einsum("ij,ij->i", a, np.cross(b, c))
    volume = float(six.sum()) / 6.0
    extent = float(np.ptp(vertices, axis=0).max()) if len(vertices) else 0.0
    if abs(volume) <= 1e-9 * extent**3 or volume == 0.0:
        raise InputError(
            f"The mesh of {part!r} holds no volume", todo="Give it a thickness, or choose a solid part."
        )
    if volume < 0.0:
        todo = "Recalculate its normals to the outside (Edit mode: Mesh > Normals)."
        raise InputError(f"The mesh of {part!r} is turned inside out", todo=todo)
    offset = (six[:, None] * (a + b + c)).sum(axis=0) / (24.0 * volume)
    corners = np.stack((a, b, c))
    total = corners.sum(axis=0)
    second = np.einsum("t,kti,ktj->ij", six, corners, corners) + np.einsum("t,ti,tj->ij", six, total, total)
    covariance = density * second / 120.0 - density * volume * np.outer(offset, offset)
    inertia = np.trace(covariance) * np.eye(3) - covariance
    return MassProperties(volume, density * volume, centre + offset, inertia)


def weigh_solid(points: Array, triangles: NDArray[np.int64], density: float, part: str = "") -> Weighed:
    """Weighs an imported mesh: welds it, turns it outside out, and estimates by voxels where it is nearly closed.

    Raises InputError for a mesh without volume, or so open that inside and outside can't be told apart.
    """
    points, triangles = welded(points, triangles)
    if not len(triangles):
        raise InputError(f"The mesh of {part!r} has no faces", todo="Choose a solid part.")
    holes = open_edges(triangles)
    if holes:
        return _estimated(points, triangles, density, part, holes)
    a, b, c = (points[triangles[:, k]] - points.mean(axis=0) for k in range(3))
    notes: tuple[str, ...] = ()
    if float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) < 0.0:
        triangles = triangles[:, ::-1]
        notes = ("its faces point inwards; it was weighed as if they pointed outwards",)
    return Weighed(points, triangles, mass_properties(points, triangles, density, part), notes=notes)


def _estimated(points: Array, triangles: NDArray[np.int64], density: float, part: str, holes: int) -> Weighed:
    found = voxels.fill(points, triangles)
    if found is None:
        todo = "Close its holes (Edit mode: Select > Non Manifold, then Fill), or give its walls a thickness (Solidify)."
        what = f"The mesh of {part!r} is open at {holes} edges, and inside and outside can't be told apart"
        raise InputError(what, todo=todo)
    mass = MassProperties(found.volume, density * found.volume, found.com, density * found.second)
    note = f"it is open at {holes} edges: weight and centre of mass are estimates from a fill of {voxels.CELLS} cells"
    return Weighed(points, triangles, mass, exact=False, notes=(note,))


def with_mass(properties: MassProperties, mass: float) -> MassProperties:
    """The same solid at another mass in kg."""
    return replace(properties, mass=mass, inertia=properties.inertia * (mass / properties.mass))
