# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat parts: an outline with holes cut from a plate, edges bevelled, caps triangulated."""

import numpy as np

from ...pipeline.errors import InputError
from . import polygon
from .atlas import Place, pack
from .flat import Flat, Island
from .meshing import F64, I64, mesh
from .outline import Outline
from .profile import bevelled_ring, fair_ring

MM = 0.001
THICKNESS = 0.15  # of the shorter side


def build_plate(outline: Outline, detail: int, margin: float) -> Flat:
    """The plate stands upright: front towards -Y, origin at its bottom in the middle plane. Raises InputError."""
    rings = [_ring(outline.contour, outline, True), *(_ring(hole, outline, False) for hole in outline.holes)]
    if polygon.crosses_itself(rings):
        rings = [
            _plain(outline.contour, outline, True),
            *(_plain(hole, outline, False) for hole in outline.holes),
        ]
    thickness = THICKNESS * float(np.ptp(outline.contour, axis=0).min())
    bevel = min(0.014 * outline.height_mm, 0.25 * thickness)
    while bevel > 1e-3 * outline.height_mm and polygon.crosses_itself(
        [polygon.inset(r, 1.8 * bevel) for r in rings]
    ):
        bevel *= 0.6
    if polygon.crosses_itself(rings):
        raise InputError(
            f"The outline of {outline.name} crosses itself", todo="Draw its edges farther apart."
        )
    return plate(rings, thickness, bevel, margin)


def _ring(points: F64, outline: Outline, outer: bool) -> F64:
    size = outline.height_mm
    clean = fair_ring(points, size, outline.stroke_mm) if np.ptp(points) > 0.1 * size else points
    ring = polygon.simplified(bevelled_ring(clean, 0.008 * size), 0.0006 * size)
    return ring if (polygon.area(ring) > 0) == outer else ring[::-1]


def _plain(points: F64, outline: Outline, outer: bool) -> F64:
    """A ring as it was drawn, for outlines too fine to be made fair."""
    ring = polygon.simplified(points, 0.002 * outline.height_mm)
    return ring if (polygon.area(ring) > 0) == outer else ring[::-1]


def plate(rings: list[F64], thickness: float, bevel: float, margin: float) -> Flat:
    """Cuts rings (first anticlockwise, holes clockwise, mm) from a plate of ``thickness`` mm with rounded edges."""
    layers = [(1.7 * bevel, 0.0), (bevel, 0.0), (0.293 * bevel, 0.293 * bevel), (0.0, bevel)]
    count = sum(len(r) for r in rings)
    flat = [np.concatenate([polygon.inset(r, move) for r in rings]) for move, _ in layers]
    depth = np.array([d for _, d in layers])
    half = thickness / 2
    front = [np.c_[p[:, 0], np.full(count, -half + d), p[:, 1]] for p, d in zip(flat, depth, strict=True)]
    back = [v * (1, -1, 1) for v in front]
    ahead = np.concatenate(
        [np.roll(np.arange(len(r)), -1) + s for r, s in zip(rings, _starts(rings), strict=True)]
    )
    islands, walls = _islands(rings, thickness - 2 * bevel, margin)
    n, k = len(layers), np.arange(count)
    cap = polygon.triangulated([polygon.inset(r, layers[0][0]) for r in rings])
    tris = np.concatenate([cap, cap[:, ::-1] + n * count])
    tri_uv = np.concatenate([islands[0].to_uv(flat[0][cap]), islands[1].to_uv(flat[0][cap[:, ::-1]])])
    quads, uvs = [], []
    for i in range(n - 1):
        a, b = i * count, (i + 1) * count
        quads.append(np.stack([a + k, b + k, b + ahead, a + ahead], axis=1))
        uvs.append(
            islands[0].to_uv(
                np.stack([flat[i][k], flat[i + 1][k], flat[i + 1][ahead], flat[i][ahead]], axis=1)
            )
        )
        a, b = a + n * count, b + n * count
        quads.append(np.stack([b + k, a + k, a + ahead, b + ahead], axis=1))
        uvs.append(
            islands[1].to_uv(
                np.stack([flat[i + 1][k], flat[i][k], flat[i][ahead], flat[i + 1][ahead]], axis=1)
            )
        )
    front_rim, back_rim = (n - 1) * count, (2 * n - 1) * count
    quads.append(np.stack([front_rim + k, back_rim + k, back_rim + ahead, front_rim + ahead], axis=1))
    uvs.append(walls)
    built = mesh(np.concatenate(front + back) * MM, np.concatenate(quads), tris, np.concatenate(uvs), tri_uv)
    return Flat(built, islands)


def _starts(rings: list[F64]) -> I64:
    return np.cumsum([0, *(len(r) for r in rings[:-1])])


def _islands(rings: list[F64], wall_mm: float, margin: float) -> tuple[list[Island], F64]:
    """Front and back, the wall strips, and the wall's coordinates per edge (N, 4, 2)."""
    low, size = rings[0].min(axis=0), np.ptp(rings[0], axis=0)
    longest = float(max(size))
    strips: list[tuple[int, int, float]] = []
    lengths = [np.linalg.norm(np.roll(r, -1, axis=0) - r, axis=1) for r in rings]
    flat_lengths = np.concatenate(lengths)
    for ring, start in zip(lengths, _starts(rings), strict=True):
        first, total = 0, 0.0
        for index, length in enumerate(ring):
            if total + length > longest and index > first:
                strips.append((start + first, start + index, total))
                first, total = index, 0.0
            total += float(length)
        strips.append((start + first, start + len(ring), total))
    sizes = [(float(size[0]), float(size[1]))] * 2 + [(total, wall_mm) for _, _, total in strips]
    scale, places = pack(sizes, margin)
    high = float(low[0] + size[0])
    islands = [
        Island(-1, places[0], (float(low[0]), float(low[1])), scale), Island(1, places[1], (-high, float(low[1])), scale),
        *(Island(0, place, (0.0, 0.0), scale) for place in places[2:]),
    ]  # fmt: skip
    return islands, _wall_uv(strips, places[2:], flat_lengths, scale)


def _wall_uv(strips: list[tuple[int, int, float]], places: list[Place], lengths: F64, scale: float) -> F64:
    uv = np.empty((len(lengths), 4, 2))
    for (first, stop, total), place in zip(strips, places, strict=True):
        left = np.r_[0.0, np.cumsum(lengths[first:stop])[:-1]]
        a, b = (total - left) * scale + place.u, (total - left - lengths[first:stop]) * scale + place.u
        low, high = np.full(len(a), place.v), np.full(len(a), place.v + place.height)
        corners = [(a, low), (a, high), (b, high), (b, low)]
        uv[first:stop] = np.stack([np.stack(c, axis=1) for c in corners], axis=1)
    return uv
