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

from .kit import Kit
from .rigid import Array, sine_cosine
from .units import DEG, MM, PI

STEP = 3.0 * DEG
"""Arc step of render geometry."""
HULL_STEP = 10.0 * DEG
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


def lugs(kit: Kit) -> Solid:
    """The lugs in the peg frame, rooted deep enough in the peg to unite with it. Flanks, top and radius are exact."""
    solids = []
    for middle in kit.lug_angles:
        angles = divide(middle - kit.lug_half, middle + kit.lug_half, STEP)
        filled = np.ones((len(angles) - 1, 1), dtype=bool)
        solids.append(cell_solid(angles, kit.lug_z, filled, (0.6 * kit.peg_radius, kit.lug_radius)))
    return merged(solids)


def channels(kit: Kit, slack: float = 0.01 * MM) -> Solid:
    """What is cut out of the socket, in its frame: an L of entry slot and groove per lug.

    ``slack`` in metres is cut away beyond the exact channel, so that no faces of the render meshes coincide.
    """
    solids = []
    outer = (kit.groove_radius + slack) / sine_cosine(PI / 2 - 0.5 * STEP)[0]
    inner = kit.bore_radius - min(0.5 * MM, 0.1 * kit.bore_radius)
    wide = slack / kit.bore_radius
    heights = [kit.groove_z[0] - slack, kit.groove_z[1] + slack, 1.0 * MM + 0.05 * kit.bore_radius]
    for middle in kit.lug_angles:
        groove = tuple(sorted(angle + middle for angle in kit.groove_span))
        slot = (middle + kit.entry - kit.slot_half - wide, middle + kit.entry + kit.slot_half + wide)
        low, high = min(groove[0] - wide, slot[0]), max(groove[1] + wide, slot[1])
        angles = divide(low, high, STEP, slot)
        centres = np.array([(a + b) / 2 for a, b in itertools.pairwise(angles)])
        inside_slot = (centres > slot[0]) & (centres < slot[1])
        filled = np.stack((np.ones(len(centres), dtype=bool), inside_slot), axis=1)
        solids.append(cell_solid(angles, heights, filled, (inner, outer)))
    return merged(solids)


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


def disc_points(radius: float, z: tuple[float, float], margin: float = 0.0, sides: int = 36) -> Array:
    """(2 * sides, 3) corners of a round convex prism, shrunk by ``margin``."""
    heights = (z[0] + margin, z[1] - margin)
    turn = [2.0 * PI * k / sides for k in range(sides)]
    return np.array([point(radius - margin, a, h) for h in heights for a in turn])


def peg_hulls(kit: Kit, margin: float, with_lugs: bool = True) -> list[Array]:
    """Convex pieces of the peg in its frame: shaft, shoulder disc, lugs."""
    shoulder = kit.bore_radius + 0.4 * kit.peg_radius
    pieces = [
        disc_points(kit.peg_radius, (-kit.length, -2.0 * margin), margin),
        disc_points(shoulder, (0.0, 2.0 * MM), margin),
    ]
    if with_lugs:
        for middle in kit.lug_angles:
            edges = divide(middle - kit.lug_half, middle + kit.lug_half, HULL_STEP)
            for a, b in itertools.pairwise(edges):
                pieces.append(_lug_piece(kit, a, b, margin))
    return pieces


def _lug_piece(kit: Kit, low: float, high: float, margin: float) -> Array:
    at = margin / kit.contact
    heights = (kit.lug_z[0] + margin, kit.lug_z[1] - margin)
    radii = (0.7 * kit.peg_radius, kit.lug_radius - margin)
    return np.array([point(r, a, z) for z in heights for a in (low + at, high - at) for r in radii])


def socket_sectors(kit: Kit) -> list[Sector]:
    """The socket's material around the bore as sectors in its frame: lip, groove layer, wall below, floor."""
    outer = kit.groove_radius + 0.25 * kit.bore_radius
    wide = outer + 0.2 * kit.bore_radius
    layers = [(kit.groove_z[1], 0.0, "slot"), (kit.groove_z[0], kit.groove_z[1], "groove")]
    if kit.bore_depth + kit.groove_z[0] > 0.05 * MM:
        layers.append((-kit.bore_depth, kit.groove_z[0], "wall"))
    sectors = []
    for low, high, kind in layers:
        gaps = [_gap(kit, middle, kind) for middle in kit.lug_angles] if kind != "wall" else []
        start = gaps[0][0] if gaps else 0.0
        edges = divide(
            start, start + 2.0 * PI, HULL_STEP, [a + 2.0 * PI * k for g in gaps for a in g for k in (0, 1)]
        )
        for a, b in itertools.pairwise(edges):
            middle = 0.5 * (a + b)
            cut = any((middle - g[0]) % (2.0 * PI) < g[1] - g[0] for g in gaps)
            sectors.append(Sector((kit.groove_radius if cut else kit.bore_radius, wide), (a, b), (low, high)))
    sectors += [
        Sector((0.0, outer), (a, b), (-kit.bore_depth - 2.0 * MM, -kit.bore_depth))
        for a, b in zip(*(lambda e: (e, e[1:]))(divide(0.0, 2.0 * PI, 2.0 * PI / 6)), strict=False)
    ]
    return sectors


def _gap(kit: Kit, middle: float, kind: str) -> tuple[float, float]:
    """Angles (from, to) that are open for one lug at the height of the lip ("slot") or of the groove ("groove")."""
    slot = (middle + kit.entry - kit.slot_half, middle + kit.entry + kit.slot_half)
    if kind == "slot":
        return slot
    return min(slot[0], middle + kit.groove_span[0]), max(slot[1], middle + kit.groove_span[1])
