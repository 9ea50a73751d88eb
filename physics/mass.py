# SPDX-License-Identifier: GPL-3.0-or-later
"""Mass, centre of mass and inertia of closed triangle meshes, exactly, by signed tetrahedra."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from .rigid import Array


@dataclass(frozen=True)
class Material:
    """``density`` in kg/m3, ``friction`` and ``restitution`` as Bullet takes them; ``source`` of the density."""

    name: str
    density: float
    friction: float
    restitution: float
    source: str


MATERIALS: dict[str, Material] = {
    "ABS": Material("ABS", 1040.0, 0.4, 0.3, "general-purpose moulding ABS, ISO 1183 data sheets: 1030-1060"),
    "PLA": Material("PLA", 1240.0, 0.4, 0.2, "NatureWorks Ingeo 4043D data sheet: 1.24 g/cc"),
    "WOOD": Material(
        "WOOD", 700.0, 0.5, 0.3, "European beech at 12 % moisture, Wood Handbook class: 680-720"
    ),
    "STEEL": Material("STEEL", 7850.0, 0.5, 0.4, "EN 1991-1-1 table A.4, structural steel: 77-78.5 kN/m3"),
    "RUBBER": Material("RUBBER", 1100.0, 0.9, 0.6, "vulcanised natural rubber: 1100-1200"),
    "GLASS": Material("GLASS", 2500.0, 0.4, 0.4, "EN 572-1, soda-lime glass: 2500"),
}


@dataclass(frozen=True)
class MassProperties:
    """``volume`` m3, ``mass`` kg, ``com`` (3,) m, ``inertia`` (3, 3) kg m2 about the centre of mass."""

    volume: float
    mass: float
    com: Array
    inertia: Array


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
