# SPDX-License-Identifier: GPL-3.0-or-later
"""How far points lie from a surface, and two surfaces from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .boxes import Boxes, overlapping, triangle_boxes
from .mesh import F64, I64, areas

_MOST, _ROUGH = 3_000_000, 20_000


def sample(points: F64, triangles: I64, count: int, seed: int = 1) -> tuple[F64, I64]:
    """(positions (count, 3), the triangle of each), spread evenly by area."""
    rng = np.random.default_rng(seed)
    area = areas(points, triangles)
    total = float(area.sum())
    if not len(triangles) or total <= 0.0:
        return np.zeros((0, 3)), np.zeros(0, np.int64)
    steps = (np.arange(count) + rng.random(count)) * (total / count)
    faces = np.minimum(np.searchsorted(np.cumsum(area), steps), len(triangles) - 1)
    u, v = rng.random((2, count))
    root = np.sqrt(u)
    weights = np.column_stack([1.0 - root, root * (1.0 - v), root * v])
    return np.einsum("kc,kcx->kx", weights, points[triangles[faces]]), faces


def to_triangles(p: F64, corners: F64) -> F64:
    """(K,) metres between points (K, 3) and triangles (K, 3, 3): to the plane where the foot is inside, else to an edge.

    C. Ericson, Real-Time Collision Detection, 2005, 5.1.5, without its branches.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    square = np.einsum("kx,kx->k", normal, normal)
    inside = square > 0.0
    best = np.full(len(p), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        edge, way = end - start, p - start
        inside &= np.einsum("kx,kx->k", np.cross(edge, way), normal) >= 0.0
        long = np.einsum("kx,kx->k", edge, edge)
        along = np.clip(np.einsum("kx,kx->k", edge, way) / np.where(long > 0.0, long, 1.0), 0.0, 1.0)
        best = np.minimum(best, np.linalg.norm(way - along[:, None] * edge, axis=1))
    height = np.abs(np.einsum("kx,kx->k", p - a, normal)) / np.sqrt(np.where(square > 0.0, square, 1.0))
    return np.where(inside, height, best)


class Surface:
    """Triangles that are asked again and again how far away they are."""

    def __init__(self, points: F64, triangles: I64) -> None:
        self.points, self.triangles = points, triangles
        self.corners = points[triangles]
        self.boxes = triangle_boxes(points, triangles)

    def distance(self, p: F64) -> F64:
        """(K,) metres from each of the points (K, 3) to the nearest triangle; inf if there are none.

        A box around each point grows until it holds a triangle nearer than its half width: exact, and fast near the
        surface. Points so far away that millions of triangles would come into it get the distance to the nearest of
        20,000 samples: too large by less than the samples' spacing.
        """
        best = np.full(len(p), np.inf)
        if not len(p) or not len(self.triangles):
            return best
        high, low = self.boxes.high.max(axis=0), self.boxes.low.min(axis=0)
        span = float(np.linalg.norm(np.maximum(p.max(axis=0), high) - np.minimum(p.min(axis=0), low)))
        reach, left = max(span / 512.0, 1e-300), np.arange(len(p))
        tries = 0
        while len(left) and reach < 4.0 * span:
            for i, j in overlapping(Boxes(p[left] - reach, p[left] + reach), self.boxes):
                for at in range(0, len(i), 500_000):
                    who = left[i[at : at + 500_000]]
                    np.minimum.at(best, who, to_triangles(p[who], self.corners[j[at : at + 500_000]]))
                tries += len(i)
                if tries > _MOST:
                    best[left] = np.minimum(best[left], self._roughly(p[left]))
                    return best
            left = left[best[left] > reach]
            reach *= 2.0
        return best

    def _roughly(self, p: F64) -> F64:
        dense = sample(self.points, self.triangles, _ROUGH)[0]
        square = (dense**2).sum(axis=1)
        nearest = [float((square - 2.0 * dense @ one).min() + one @ one) for one in p]
        return np.sqrt(np.maximum(nearest, 0.0))


@dataclass(frozen=True)
class Deviation:
    """How far two surfaces are apart, metres. The true Hausdorff distance is at most ``worst + bound``."""

    worst: float
    mean: float
    bound: float
    """no point of either surface is further from a sample than this, so that nothing larger was missed by more"""
    samples: int


def hausdorff(a: tuple[F64, I64], b: tuple[F64, I64], count: int = 2000, seed: int = 1) -> Deviation:
    """Both ways between meshes (points, triangles): from ``count`` samples and up to as many vertices of each.

    The bound is twice the edge of a square that each sample stands for: with stratified samples a gap larger than that
    is not to be expected, though not proven for slivers.
    """
    worst, means, bound, used = 0.0, list[float](), 0.0, 0
    surfaces = (Surface(*a), Surface(*b))
    for n, (p, f) in enumerate((a, b)):
        some, _faces = sample(p, f, count, seed)
        corners = np.unique(f)
        if len(corners) > count:
            corners = np.random.default_rng(seed).choice(corners, count, replace=False)
        away = surfaces[1 - n].distance(np.concatenate([some, p[corners]]))
        if len(away):
            worst = max(worst, float(away.max()))
            means.append(float(away[: len(some)].mean()) if len(some) else 0.0)
            bound = max(bound, 2.0 * float(np.sqrt(areas(p, f).sum() / count)))
            used += len(away)
    return Deviation(worst, float(np.mean(means)) if means else 0.0, bound, used)
