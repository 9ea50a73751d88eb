# SPDX-License-Identifier: GPL-3.0-or-later
"""Rays through triangles: what is inside what, and how thick a wall is."""

from __future__ import annotations

import numpy as np

from .boxes import Boxes, overlapping, triangle_boxes
from .mesh import F64, I64

_TURN = np.array([[0.36, 0.48, -0.8], [-0.8, 0.60, 0.0], [0.48, 0.64, 0.6]])
"""A rotation that no model is built along, so that a ray along z meets no edge and no vertex squarely."""


def windings(queries: F64, points: F64, triangles: I64, group: I64) -> tuple[I64, I64, I64]:
    """(query, group, winding) wherever it is not 0: how often the group's surface goes around the query, by a ray.

    ``group`` (M,) is the shell of each triangle. Only closed groups give a meaning. Outward faces count +1.
    """
    q, p = queries @ _TURN.T, points @ _TURN.T
    corners = p[triangles]
    flat = corners * np.array([1.0, 1.0, 0.0])
    boxes = Boxes(flat.min(axis=1), flat.max(axis=1))
    level = q * np.array([1.0, 1.0, 0.0])
    asked, groups, signs = list[I64](), list[I64](), list[I64]()
    for i, j in overlapping(Boxes(level, level), boxes):
        a, b, c = (corners[j, n] - q[i] for n in range(3))
        # twice the areas of the three triangles around the ray; all of one sign where it goes through
        u, v, w = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0] for s, t in ((b, c), (c, a), (a, b)))
        through = ((u > 0) & (v > 0) & (w > 0)) | ((u < 0) & (v < 0) & (w < 0))
        total = np.where(through, u + v + w, 1.0)
        above = through & ((u * a[:, 2] + v * b[:, 2] + w * c[:, 2]) / total > 0.0)
        asked.append(i[above])
        groups.append(group[j[above]])
        signs.append(np.sign(total[above]).astype(np.int64))
    if not asked:
        return (np.zeros(0, np.int64),) * 3
    width = int(group.max()) + 1 if len(group) else 1
    key, place = np.unique(np.concatenate(asked) * width + np.concatenate(groups), return_inverse=True)
    winding = np.zeros(len(key), np.int64)
    np.add.at(winding, place.ravel(), np.concatenate(signs))
    some = winding != 0
    return key[some] // width, key[some] % width, winding[some]


def first_hits(starts: F64, ways: F64, skip: I64, points: F64, triangles: I64, most: float) -> F64:
    """(K,) metres along each ray (unit ``ways``) to the first triangle but ``skip``; inf if there is none before ``most``."""
    best = np.full(len(starts), np.inf)
    targets = triangle_boxes(points, triangles)
    corners = points[triangles]
    step = most / 16.0
    left, near, far = np.arange(len(starts)), 0.0, step
    while len(left) and near < most:
        a, b = starts[left] + ways[left] * near, starts[left] + ways[left] * far
        for i, j in overlapping(Boxes(np.minimum(a, b), np.maximum(a, b)), targets):
            who = left[i]
            hit = _hit(starts[who], ways[who], corners[j])
            hit[(skip[who] == j) | (hit > far)] = np.inf
            np.minimum.at(best, who, hit)
        left = left[best[left] == np.inf]
        near, far = far, far + step
    return best


def _hit(start: F64, way: F64, corners: F64) -> F64:
    """(K,) metres to each triangle or inf. T. Möller and B. Trumbore, Fast, Minimum Storage Ray/Triangle Intersection,
    1997; hits behind the start and those at less than 1e-9 of the triangle's size are none."""
    edge, wing = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(way, wing)
    det = np.einsum("kx,kx->k", edge, across)
    slant = np.abs(det) > 1e-12 * np.linalg.norm(edge, axis=1) * np.linalg.norm(wing, axis=1)
    inverse = 1.0 / np.where(slant, det, 1.0)
    off = start - corners[:, 0]
    u = np.einsum("kx,kx->k", off, across) * inverse
    turned = np.cross(off, edge)
    v = np.einsum("kx,kx->k", way, turned) * inverse
    t = np.einsum("kx,kx->k", wing, turned) * inverse
    least = 1e-9 * np.linalg.norm(edge, axis=1)
    return np.where(slant & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > least), t, np.inf)
