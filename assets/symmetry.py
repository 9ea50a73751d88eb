# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane in which a mesh is its own mirror image, if there is one, and how far it is from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .distance import Surface, sample
from .mesh import F64, I64, areas

_TRIED, _MEASURED = 150, 600
_ROUNDS = 3
_FAR = 1.5
"""Gaps between the points: a mirror image further off than that on average is none."""


@dataclass(frozen=True)
class Symmetry:
    """Plane normal . x = offset (unit normal, metres); residuals in metres between the surface and its mirror image."""

    normal: tuple[float, float, float]
    offset: float
    mean: float
    worst: float


def mirrored(p: F64, normal: F64, offset: float) -> F64:
    """(K, 3) points on the other side of the plane."""
    return p - 2.0 * (p @ normal - offset)[:, None] * normal


def find_symmetry(points: F64, triangles: I64, seed: int = 1) -> Symmetry | None:
    """The best plane among the world's axes and the principal ones, through the middle, then refined; None if empty.

    The residual is from 600 samples: read it beside the size of the mesh. A plane that is none of these is not found.
    """
    dense, _faces = sample(points, triangles, 4000, seed)
    if not len(dense):
        return None
    middle = dense.mean(axis=0)
    box_middle = (points[triangles].min(axis=(0, 1)) + points[triangles].max(axis=(0, 1))) / 2.0
    main = np.linalg.eigh(np.cov((dense - middle).T))[1].T
    some = dense[:: len(dense) // _TRIED]
    tries = [(n, float(n @ m)) for n in np.eye(3) for m in (middle, box_middle)] + [
        (n, float(n @ middle)) for n in main
    ]
    near = [_mean(dense, some, n, offset) for n, offset in tries]
    order = np.argsort(near).tolist()
    planes = [tries[n] for n in order[:3] if near[n] <= 1.3 * near[order[0]]] + [
        _refined(dense, *tries[order[0]])
    ]
    gap = float(np.sqrt(areas(points, triangles).sum() / len(dense)))
    if (
        _mean(dense, some, *planes[-1]) > _FAR * gap
    ):  # not symmetric: how much so is told by points, which costs little
        normal, offset = min((planes[0], planes[-1]), key=lambda plane: _mean(dense, some, *plane))
        away = _nearest(dense, mirrored(dense[:: len(dense) // _MEASURED], normal, offset))[1]
    else:
        surface = Surface(points, triangles)
        both = [(float(surface.distance(mirrored(some, *plane)).mean()), *plane) for plane in planes]
        _away, normal, offset = min(both, key=lambda one: one[0])
        away = surface.distance(mirrored(dense[:: len(dense) // _MEASURED], normal, offset))
    lead = -1.0 if normal[np.argmax(np.abs(normal))] < 0 else 1.0
    x, y, z = (float(v) for v in normal * lead)
    return Symmetry((x, y, z), offset * lead, float(away.mean()), float(away.max()))


def _nearest(dense: F64, p: F64) -> tuple[F64, F64]:
    """(nearest of the dense points, distance) by brute force: a few hundred against a few thousand."""
    square = (p**2).sum(axis=1)[:, None] - 2.0 * p @ dense.T + (dense**2).sum(axis=1)
    which = square.argmin(axis=1)
    return dense[which], np.linalg.norm(dense[which] - p, axis=1)


def _mean(dense: F64, some: F64, normal: F64, offset: float) -> float:
    return float(_nearest(dense, mirrored(some, normal, offset))[1].mean())


def _refined(dense: F64, normal: F64, offset: float) -> tuple[F64, float]:
    """The plane that best swaps each sample with the one nearest to its mirror image, a few times over."""
    p = dense[:: len(dense) // _MEASURED]
    for _ in range(_ROUNDS):
        q = _nearest(dense, mirrored(p, normal, offset))[0]
        across = p - q
        axis = np.linalg.eigh(across.T @ across)[1][:, 2]
        normal = axis if axis @ normal > 0 else -axis
        offset = float(((p + q) / 2.0 @ normal).mean())
    return normal, offset
