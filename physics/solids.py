# SPDX-License-Identifier: GPL-3.0-or-later
"""Annular sectors as meshes: watertight lugs and channel cutters for the fit, convex prisms for the lab.

A *cell solid* is the union of boxes in cylinder coordinates, made as one manifold without seams inside.
All lengths in metres, angles in radians, z along the joint's axis.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rigid import Array, sine_cosine
from .units import DEG, PI

STEP = 3.0 * DEG
"""Arc step of render geometry."""
HULL_STEP = 15.0 * DEG
"""Arc step of convex prisms for the lab."""


@dataclass(frozen=True)
class Solid:
    """(V, 3) vertices in metres and outward polygons of vertex indices."""

    vertices: Array
    faces: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Sector:
    """A box in cylinder coordinates: radii, angles and heights, each (low, high)."""

    r: tuple[float, float]
    angle: tuple[float, float]
    z: tuple[float, float]


def point(radius: float, angle: float, z: float) -> tuple[float, float, float]:
    """A point from cylinder coordinates."""
    sine, cosine = sine_cosine(angle)
    return radius * cosine, radius * sine, z


def divide(low: float, high: float, step: float, at: Sequence[float] = ()) -> list[float]:
    """Angles from ``low`` to ``high`` with none further apart than ``step``, through all of ``at``."""
    knots = sorted({low, high, *(angle for angle in at if low + 1e-9 < angle < high - 1e-9)})
    result = [low]
    for start, end in itertools.pairwise(knots):
        count = max(1, int(np.ceil((end - start) / step - 1e-9)))
        result += [start + (end - start) * k / count for k in range(1, count)] + [end]
    return result


def cell_solid(angles: Sequence[float], heights: Sequence[float], filled: NDArray[np.bool_],
               radii: tuple[float, float]) -> Solid:  # fmt: skip
    """The solid between two radii over the filled cells of an (angles - 1, heights - 1) grid, less than a full turn."""
    index: dict[tuple[int, int, int], int] = {}
    vertices: list[tuple[float, float, float]] = []
    faces: list[tuple[int, ...]] = []

    def corner(side: int, i: int, j: int) -> int:
        if (side, i, j) not in index:
            index[side, i, j] = len(vertices)
            vertices.append(point(radii[side], angles[i], heights[j]))
        return index[side, i, j]

    rows, columns = filled.shape
    for i in range(rows):
        for j in range(columns):
            if not filled[i, j]:
                continue
            ring = ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))
            faces.append(tuple(corner(1, *place) for place in ring))
            faces.append(tuple(corner(0, *place) for place in reversed(ring)))
            beyond = ((i, j - 1), (i + 1, j), (i, j + 1), (i - 1, j))
            for k, (a, b) in enumerate(beyond):
                if 0 <= a < rows and 0 <= b < columns and filled[a, b]:
                    continue
                start, end = ring[k], ring[(k + 1) % 4]
                faces.append((corner(1, *end), corner(1, *start), corner(0, *start), corner(0, *end)))
    return Solid(np.array(vertices), tuple(faces))


def merged(solids: Sequence[Solid]) -> Solid:
    """Several disjoint solids as one."""
    vertices: list[Array] = []
    faces: list[tuple[int, ...]] = []
    count = 0
    for solid in solids:
        vertices.append(solid.vertices)
        faces += [tuple(vertex + count for vertex in face) for face in solid.faces]
        count += len(solid.vertices)
    return Solid(np.concatenate(vertices), tuple(faces))


def hull_points(sector: Sector, margin: float = 0.0, contact: float = 1.0) -> Array:
    """(8, 3) corners of a convex prism for a narrow sector, shrunk by a collision ``margin`` in metres on all sides;
    flanks are shrunk so that they are exact at the radius ``contact``, where lugs touch them.

    The inner arc's chord would bulge inwards, so that its corners move out until the chord's middle is on the radius.
    """
    inner, outer = sector.r[0] + margin, sector.r[1] - margin
    angles = (sector.angle[0] + margin / contact, sector.angle[1] - margin / contact)
    half = 0.5 * (angles[1] - angles[0])
    inner = inner / sine_cosine(PI / 2 - half)[0] if sector.r[0] > 0.0 else 0.0
    heights = (sector.z[0] + margin, sector.z[1] - margin)
    return np.array([point(r, a, z) for z in heights for a in angles for r in (inner, outer)])


def disc_points(
    radius: float, z: tuple[float, float], margin: float = 0.0, sides: int = 36, first: float = 0.0
) -> Array:
    """(2 * sides, 3) corners of a round convex prism, shrunk by ``margin``; one of them at the angle ``first``."""
    heights = (z[0] + margin, z[1] - margin)
    turn = [first + 2.0 * PI * k / sides for k in range(sides)]
    return np.array([point(radius - margin, a, h) for h in heights for a in turn])
