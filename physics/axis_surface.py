# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh's surface as samples and as surfels (patches with smoothed normals), at a chosen coarseness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rigid import Array

Indices = NDArray[np.int64]
MOST_CELLS = 90
"""Voxels along the longest side of what is looked at."""
GOLDEN = (0.7548776662466927, 0.5698402909980532)
"""Steps of the R2 sequence (M. Roberts 2018), which spreads points evenly over a triangle."""


@dataclass(frozen=True)
class Surface:
    """Triangles that have an area. corners (T, 3, 3), middle and normal (T, 3), area and size (T,).

    ``size`` is how far a triangle reaches from its middle.
    """

    corners: Array
    middle: Array
    normal: Array
    area: Array
    size: Array

    @property
    def extent(self) -> float:
        """The diagonal of the box around it."""
        flat = self.corners.reshape(-1, 3)
        return float(np.linalg.norm(np.ptp(flat, axis=0))) if len(flat) else 0.0

    def near(self, point: Array, reach: float) -> "Surface":
        """The triangles that come within ``reach`` of a point (some that just miss it too)."""
        x, y, z = (self.middle - point).T
        return self.only(np.sqrt(x * x + y * y + z * z) < reach + self.size)

    def beside(self, centre: Array, axis: Array, aside: float, along: float) -> "Surface":
        """The triangles that come within ``aside`` of an axis and ``along`` of the centre's height on it."""
        x, y, z = (self.middle - centre).T
        height = x * axis[0] + y * axis[1] + z * axis[2]
        out = np.sqrt(np.maximum(x * x + y * y + z * z - height * height, 0.0))
        return self.only((out < aside + self.size) & (np.abs(height) < along + self.size))

    def thinned(self, most: int) -> "Surface":
        """``most`` of more triangles, taken at random (meshes are ordered), each standing for its share."""
        count = len(self.area)
        if count <= most:
            return self
        part = self.only(np.sort(np.random.default_rng(3).permutation(count)[:most]))
        return Surface(part.corners, part.middle, part.normal, part.area * (count / most), part.size)

    def only(self, rows: NDArray[np.bool_] | Indices) -> "Surface":
        """The triangles of these rows."""
        return Surface(
            self.corners[rows], self.middle[rows], self.normal[rows], self.area[rows], self.size[rows]
        )


@dataclass(frozen=True)
class Patches:
    """Samples or surfels: point, normal (N, 3), area (N,); ``face`` (N,) is the triangle or surfel each belongs to."""

    point: Array
    normal: Array
    area: Array
    face: Indices

    def only(self, rows: NDArray[np.bool_] | Indices) -> "Patches":
        """The patches of these rows."""
        return Patches(self.point[rows], self.normal[rows], self.area[rows], self.face[rows])

    def thinned(self, most: int) -> "Patches":
        """``most`` of more patches, taken at random, each standing for its share."""
        count = len(self.area)
        if count <= most:
            return self
        part = self.only(np.sort(np.random.default_rng(11).permutation(count)[:most]))
        return Patches(part.point, part.normal, part.area * (count / most), part.face)


def surface(vertices: Array, triangles: Indices) -> Surface:
    """The surface of a mesh, vertices (V, 3) and triangles (T, 3)."""
    corners = np.asarray(vertices, dtype=np.float64)[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double = np.sqrt((cross**2).sum(axis=1))
    keep = double > 1e-12 * max(float(double.max(initial=0.0)), 1e-30)
    corners, cross, double = corners[keep], cross[keep], double[keep]
    middle = (corners[:, 0] + corners[:, 1] + corners[:, 2]) / 3.0
    x, y, z = np.moveaxis(corners - middle[:, None, :], 2, 0)
    size = np.sqrt((x * x + y * y + z * z).max(axis=1))
    return Surface(corners, middle, cross / double[:, None], 0.5 * double, size)


def samples(shape: Surface, edge: float) -> Patches:
    """Triangles larger than ``edge`` squared as several even samples, the others as one."""
    count = np.minimum(np.ceil(shape.area / (edge * edge)), 20000).astype(np.int64)
    face = np.repeat(np.arange(len(count)), count)
    order = np.arange(
        len(face), dtype=np.float64
    )  # runs on, lest the samples of all faces lie at the same heights
    u, v = ((0.5 + order * step) % 1.0 for step in GOLDEN)
    over = u + v > 1.0
    u, v = np.where(over, 1.0 - u, u), np.where(over, 1.0 - v, v)
    single = count[face] == 1
    u, v = np.where(single, 1.0 / 3.0, u), np.where(single, 1.0 / 3.0, v)
    a, b, c = (shape.corners[:, k][face] for k in range(3))
    point = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    area = (shape.area / np.maximum(count, 1))[face]
    return Patches(point, shape.normal[face], area, face)


def surfels(spread: Patches, edge: float) -> tuple[Patches, Indices]:
    """Samples gathered by voxel and by the way they face, normals averaged with the neighbours', and whose each is.

    Averaging only what faces alike keeps the two sides of a thin wall apart.
    """
    low = spread.point.min(axis=0)
    edge = max(edge, float(np.ptp(spread.point, axis=0).max()) / MOST_CELLS)
    cell = ((spread.point - low) / edge).astype(np.int64) + 1
    size = cell.max(axis=0) + 2
    main = np.abs(spread.normal).argmax(axis=1)
    facing = 2 * main + (spread.normal[np.arange(len(main)), main] < 0.0)
    key = ((cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]) * 6 + facing
    keys, owner = np.unique(key, return_inverse=True)
    total = np.bincount(owner, spread.area).astype(np.float64)
    point = _sums(owner, spread.point * spread.area[:, None], len(keys)) / total[:, None]
    normal = _sums(owner, spread.normal * spread.area[:, None], len(keys))
    smooth = _smoothed(normal, keys, size)
    length = np.maximum(np.sqrt((smooth**2).sum(axis=1, keepdims=True)), 1e-300)
    return Patches(point, smooth / length, total, np.arange(len(keys))), owner


def _sums(owner: Indices, values: Array, count: int) -> Array:
    return np.stack([np.bincount(owner, values[:, k], minlength=count) for k in range(3)], axis=1)


def _smoothed(normal: Array, keys: Indices, size: Indices) -> Array:
    """Area normals (N, 3) summed over the 27 voxels around, over what faces within 50 degrees; ``keys`` rise."""
    unit = normal / np.maximum(np.sqrt((normal**2).sum(axis=1, keepdims=True)), 1e-300)
    place = keys // 6
    steps = np.array([(x * size[1] + y) * size[2] for x in (-1, 0, 1) for y in (-1, 0, 1)])
    # three voxels in a row are neighbours in ``keys`` too
    first = 6 * (place[:, None] + steps - 1)
    low, high = np.searchsorted(keys, first.ravel()), np.searchsorted(keys, first.ravel() + 18)
    count = high - low
    row = np.repeat(np.repeat(np.arange(len(keys)), 9), count)
    other = np.arange(len(row)) + np.repeat(low - np.cumsum(count) + count, count)
    near = [unit[row, k] * unit[other, k] for k in range(3)]
    alike = near[0] + near[1] + near[2] > 0.65
    return _sums(row[alike], normal[other[alike]], len(keys))
