# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles of one mesh that cut through each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, overlapping, overlapping_self
from .mesh import F64, I64, Mask

_MOST = 40_000_000
"""Pairs of boxes looked at; beyond, a part of the triangles is held against all."""


@dataclass(frozen=True)
class Crossings:
    """Pairs (K, 2) of triangles that cut each other; ``looked_at`` the share of triangles that was asked, 0 to 1."""

    pairs: I64
    looked_at: float = 1.0

    @property
    def faces(self) -> I64:
        """The triangles that are cut."""
        return np.unique(self.pairs)


def crossings(points: F64, triangles: I64, most: int = _MOST, seed: int = 1) -> Crossings:
    """Triangles that pierce each other or lie upon each other in one plane. Those that share a vertex are not compared.

    Vertices must be welded and triangles not degenerate. Grazing closer than 1e-9 of the size is no cut.
    """
    if len(triangles) < 2:
        return Crossings(np.zeros((0, 2), np.int64))
    corners = points[triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    eps = 1e-9 * float(
        np.abs(high - low).max(initial=0.0) + np.linalg.norm(high.max(axis=0) - low.min(axis=0))
    )
    boxes = Boxes(low, high)
    asked = np.arange(len(triangles))
    tries, found, share = 0, list[I64](), 1.0
    for i, j in overlapping_self(boxes):
        tries += len(i)
        if tries > most:
            break
        found.append(_cut(corners, triangles, i, j, eps))
    else:
        return Crossings(_unique(found))
    share = min(
        1.0, 0.05 * most / (most + len(triangles))
    )  # the rest is a sample: small, since it is a dense mesh
    asked = np.random.default_rng(seed).choice(
        len(triangles), max(int(share * len(triangles)), 1), replace=False
    )
    tries = 0
    for i, j in overlapping(Boxes(low[asked], high[asked]), boxes):
        i = asked[i]
        apart = i != j
        found.append(_cut(corners, triangles, i[apart], j[apart], eps))
        tries += len(i)
        if tries > most:
            break
    return Crossings(_unique(found), share)


def _unique(found: list[I64]) -> I64:
    pairs = np.sort(np.concatenate(found), axis=1) if found else np.zeros((0, 2), np.int64)
    return np.unique(pairs, axis=0)


def _cut(corners: F64, triangles: I64, i: I64, j: I64, eps: float) -> I64:
    """(K, 2) the pairs that cut, of candidates."""
    a, b = triangles[i], triangles[j]
    apart = np.ones(len(i), np.bool_)
    for m in range(3):
        for n in range(3):
            apart &= a[:, m] != b[:, n]
    i, j = i[apart], j[apart]
    side_b = _sides(corners[i], corners[j], eps)
    cross = ~((side_b > 0).all(axis=1) | (side_b < 0).all(axis=1))
    i, j, side_b = i[cross], j[cross], side_b[cross]
    side_a = _sides(corners[j], corners[i], eps)
    flat = (side_a == 0).all(axis=1) | (side_b == 0).all(axis=1)
    cross = ~((side_a > 0).all(axis=1) | (side_a < 0).all(axis=1)) & ~flat
    pierced = np.zeros(len(i), np.bool_)
    pierced[cross] = _pierce(corners[i[cross]], corners[j[cross]], eps)
    if flat.any():
        pierced[flat] = _overlap_flat(corners[i[flat]], corners[j[flat]], eps)
    return np.column_stack([i[pierced], j[pierced]])


def _sides(plane: F64, other: F64, eps: float) -> NDArray[np.int8]:
    """(K, 3) on which side of the plane of each triangle the corners of the other lie: -1, 0 (within eps) or 1."""
    edge, wing = plane[:, 1] - plane[:, 0], plane[:, 2] - plane[:, 0]
    normal = np.cross(edge, wing)
    length = np.maximum(np.linalg.norm(normal, axis=1), 1e-300)
    height = np.einsum("kcx,kx->kc", other - plane[:, :1], normal) / length[:, None]
    return np.where(np.abs(height) <= eps, 0, np.sign(height)).astype(np.int8)


def _pierce(a: F64, b: F64, eps: float) -> Mask:
    """Whether an edge of either goes through the other, by the interval test: T. Möller, A Fast Triangle-Triangle
    Intersection Test, 1997. Both triangles meet the line of their planes; they cut if they do so in the same place."""
    normal_a = np.cross(a[:, 1] - a[:, 0], a[:, 2] - a[:, 0])
    normal_b = np.cross(b[:, 1] - b[:, 0], b[:, 2] - b[:, 0])
    line = np.cross(normal_a, normal_b)
    length = np.linalg.norm(line, axis=1)
    line /= np.maximum(length, 1e-300)[:, None]
    low_a, high_a = _interval(a, b[:, 0], normal_b, line)
    low_b, high_b = _interval(b, a[:, 0], normal_a, line)
    return (np.minimum(high_a, high_b) - np.maximum(low_a, low_b) > 2.0 * eps) & (length > 0.0)


def _interval(triangle: F64, on_plane: F64, normal: F64, line: F64) -> tuple[F64, F64]:
    """(from, to) along the line of the planes where each triangle meets the other's plane; all from the world's origin."""
    height = np.einsum("kcx,kx->kc", triangle - on_plane[:, None], normal)
    along = np.einsum("kcx,kx->kc", triangle, line)
    low, high = np.full(len(triangle), np.inf), np.full(len(triangle), -np.inf)
    for m, n in ((0, 1), (1, 2), (2, 0)):
        down, up = height[:, m], height[:, n]
        meets = (down * up <= 0.0) & (down != up)
        share = np.divide(down, down - up, out=np.zeros_like(down), where=meets)
        at = along[:, m] + share * (along[:, n] - along[:, m])
        low = np.where(meets, np.minimum(low, at), low)
        high = np.where(meets, np.maximum(high, at), high)
    return low, high


def _overlap_flat(a: F64, b: F64, eps: float) -> Mask:
    """Whether two triangles in one plane share more than an edge: no edge of either has them on its two sides."""
    normal = np.cross(a[:, 1] - a[:, 0], a[:, 2] - a[:, 0])
    shared = np.ones(len(a), np.bool_)
    for one in (a, b):
        for m in range(3):
            across = np.cross(one[:, (m + 1) % 3] - one[:, m], normal)
            across /= np.maximum(np.linalg.norm(across, axis=1), 1e-300)[:, None]
            on_a, on_b = (np.einsum("kcx,kx->kc", other - one[:, m : m + 1], across) for other in (a, b))
            depth = np.minimum(on_a.max(axis=1), on_b.max(axis=1)) - np.maximum(
                on_a.min(axis=1), on_b.min(axis=1)
            )
            shared &= depth > 2.0 * eps
    return shared
