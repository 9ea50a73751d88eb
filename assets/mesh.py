# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh as plain arrays, and its measures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .facts import Texture

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Mesh:
    """points (N, 3) float64 metres; triangles (M, 3) int64, outside seen counter-clockwise.

    uv (M, 3, 2) float64 of each corner, v up, or None; material (M,) int64 into ``materials``, -1 for none.
    """

    points: F64
    triangles: I64
    uv: F64 | None = None
    material: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    materials: tuple[str, ...] = ()
    textures: tuple[Texture, ...] = ()
    name: str = ""

    def part(self, faces: I64 | Mask) -> Mesh:
        """The same points with some of the triangles."""
        uv = None if self.uv is None else self.uv[faces]
        material = self.material[faces] if len(self.material) else self.material
        return Mesh(
            self.points, self.triangles[faces], uv, material, self.materials, self.textures, self.name
        )

    @property
    def diagonal(self) -> float:
        """Length of the diagonal of the box around all used points, metres."""
        if not len(self.triangles):
            return 0.0
        used = self.points[self.triangles.ravel()]
        return float(np.linalg.norm(used.max(axis=0) - used.min(axis=0)))


def cross_products(points: F64, triangles: I64) -> F64:
    """(M, 3) normals, as long as twice the area."""
    a, b, c = (points[triangles[:, n]] for n in range(3))
    return np.cross(b - a, c - a)


def areas(points: F64, triangles: I64) -> F64:
    """(M,) square metres."""
    return np.linalg.norm(cross_products(points, triangles), axis=1) / 2.0


def volumes(points: F64, triangles: I64) -> F64:
    """(M,) cubic metres, signed, between each triangle and the middle of the box; their sum is that of a closed mesh."""
    if not len(triangles):
        return np.zeros(0)
    a, b, c = (points[triangles[:, n]] for n in range(3))
    middle = (a.min(axis=0) + a.max(axis=0)) / 2.0  # far from the origin the terms would cancel badly
    return np.einsum("ij,ij->i", a - middle, np.cross(b - middle, c - middle)) / 6.0


def fan(sizes: I64) -> I64:
    """(T, 3) places of corners of the triangles that polygons of ``sizes`` corners, laid end to end, fall into."""
    counts = np.maximum(sizes - 2, 0)
    starts = np.cumsum(sizes) - sizes
    first = np.repeat(starts, counts)
    step = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.column_stack([first, first + step + 1, first + step + 2])


def welded(points: F64, tolerance: float = 0.0) -> I64:
    """(N,) for each point the first one that lies in the same place, or in the same cell of ``tolerance`` metres.

    Two points closer than the tolerance may still fall into cells side by side; ``repair`` looks there too.
    """
    cells = points + 0.0 if tolerance <= 0.0 else np.floor(points / tolerance)  # + 0.0: -0.0 is 0.0
    return first_alike(np.ascontiguousarray(cells).view(np.int64))


def first_alike(rows: I64) -> I64:
    """(N,) for each row of (N, K) the lowest index of an equal row."""
    if not len(rows):
        return np.zeros(0, np.int64)
    order = np.lexsort(rows.T)
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
    group = np.cumsum(new) - 1
    lowest = np.minimum.reduceat(order, np.flatnonzero(new))  # lexsort is stable, but only within equal rows
    first = np.empty(len(rows), np.int64)
    first[order] = lowest[group]
    return first


def components(count: int, a: I64, b: I64) -> I64:
    """(count,) label, from 0 without gaps, of the connected component of each node; links run from ``a`` to ``b``.

    Every root that has a lower neighbour hangs itself below one, and paths are shortened: at most log2(count) rounds.
    """
    labels = np.arange(count)
    while len(a):
        high, low = np.maximum(labels[a], labels[b]), np.minimum(labels[a], labels[b])
        apart = high != low
        a, b = a[apart], b[apart]
        labels[high[apart]] = low[apart]
        while True:
            shorter = labels[labels]
            if np.array_equal(shorter, labels):
                break
            labels = shorter
    return np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(count)
