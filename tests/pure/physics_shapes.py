# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangle meshes of turned shapes with known measures, in arrays."""

from __future__ import annotations

import itertools

import numpy as np


def lathe(profile: list[tuple[float, float]], segments: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and outward triangles (T, 3) of a closed solid of revolution from (r, z) points, axis to axis."""
    vertices: list[tuple[float, float, float]] = []
    rings: list[list[int]] = []
    for r, z in profile:
        count = 1 if r == 0.0 else segments
        rings.append(list(range(len(vertices), len(vertices) + count)))
        turn = 2 * np.pi * np.arange(count) / count
        vertices += [(r * np.cos(a), r * np.sin(a), z) for a in turn]
    triangles: list[tuple[int, int, int]] = []
    for below, above in itertools.pairwise(rings):
        for k in range(segments):
            n = (k + 1) % segments
            if len(below) > 1:
                triangles.append((below[k], below[n], above[n % len(above)]))
            if len(above) > 1:
                triangles.append((below[k % len(below)], above[n], above[k]))
    return np.array(vertices), np.array(triangles, dtype=np.int64)


def box(x: float, y: float, z: float) -> tuple[np.ndarray, np.ndarray]:
    """A box about the origin."""
    corners = (
        np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * np.array((x, y, z)) / 2
    )
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return corners, np.array(triangles, dtype=np.int64)


BODY = [
    (0.0, -0.036),
    (0.021, -0.036),
    (0.023, -0.03),
    (0.018, -0.01),
    (0.0145, 0.0),
    (0.0077, 0.0),
    (0.0077, -0.012),
    (0.0, -0.012),
]
PEG = [(0.0, -0.010), (0.0075, -0.010), (0.0075, 0.001), (0.0, 0.001)]
