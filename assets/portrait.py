# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture of a mesh as clay, the same for every mesh, so that several can be compared at a glance."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .mesh import F64, I64

SIZE_PX = 256
DRAWN_PX = 320
SAMPLES = 160_000
"""Points on the surface that are drawn; enough that few pixels of a solid stay empty."""
LIGHTS = ((0.72, (-0.2, 0.55, 0.8)), (0.22, (0.9, 0.2, 0.2)), (0.2, (0.0, 1.0, -0.5)))
"""Strength and direction: right, up, towards the eye."""
CLAY, GROUND = np.array([214.0, 203.0, 190.0]), np.array([58, 58, 60], np.uint8)
SEED = 20_250


def portrait(points: F64, triangles: I64) -> NDArray[np.uint8]:
    """(256, 256, 3) RGB of a mesh (N, 3), (M, 3), z up, from the front, a little from its left and from above.

    A mesh without area gives the plain ground.
    """
    size = DRAWN_PX
    picture = np.broadcast_to(GROUND, (size, size, 3)).copy()
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    area = np.linalg.norm(normals, axis=1)
    if not np.isfinite(area).all() or area.sum() <= 0.0:
        return _smaller(picture)
    random = np.random.default_rng(SEED)
    chosen = np.searchsorted(np.cumsum(area / area.sum()), random.random(SAMPLES)).clip(0, len(area) - 1)
    u, v = random.random((2, SAMPLES, 1))
    over = u + v > 1.0
    u, v = np.where(over, 1.0 - u, u), np.where(over, 1.0 - v, v)
    view = _camera()
    a, b, c = (corner @ view.T for corner in (a, b, c))
    seen = a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]
    low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
    scale = 0.88 * size / max(float((high - low).max()), 1e-12)
    pixel = np.rint((seen[:, :2] - (low + high) / 2) * scale + size / 2).astype(np.int64).clip(0, size - 1)
    nearest = _nearest(pixel, seen[:, 2], size)
    where = np.flatnonzero(nearest >= 0)
    front = nearest[where]
    toward = (normals / np.maximum(area, 1e-300)[:, None]) @ view.T
    facing = toward[chosen[front]] * np.sign(toward[chosen[front], 2:] + 1e-12)
    flat = picture.reshape(-1, 3)
    flat[where] = _shaded(facing)
    return _smaller(picture)


def _nearest(pixel: I64, depth: F64, size: int) -> I64:
    """(size * size,) the point that is seen in each pixel, -1 for none. A point covers its neighbours too, so that what
    is behind does not shine through between points."""
    order = np.argsort(depth)
    found = np.full(size * size, -1, np.int64)
    high = np.full(size * size, -np.inf)
    for right, up in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)):
        where = (size - 1 - (pixel[:, 1] + up).clip(0, size - 1)) * size + (pixel[:, 0] + right).clip(
            0, size - 1
        )
        one = np.full(size * size, -1, np.int64)
        one[where[order]] = order  # of several in one pixel the last, nearest one stays
        there = np.where(one >= 0, depth[one] - (0.0 if right == up == 0 else 0.004 * np.ptp(depth)), -np.inf)
        better = there > high
        found[better], high[better] = one[better], there[better]
    return found


def _camera() -> F64:
    """(3, 3) rows: right, up, towards the eye."""
    eye = np.array([-0.55, -1.0, 0.55])
    eye /= np.linalg.norm(eye)
    right = np.cross([0.0, 0.0, 1.0], eye)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(eye, right), eye])


def _shaded(normals: F64) -> NDArray[np.uint8]:
    """Clay under three lamps; normals (K, 3) in the camera's axes."""
    light = np.full(len(normals), 0.26)
    for strength, way in LIGHTS:
        lamp = np.array(way)
        light += strength * np.maximum(normals @ (lamp / np.linalg.norm(lamp)), 0.0)
    return np.clip(CLAY * np.minimum(light, 1.15)[:, None], 0, 255).astype(np.uint8)


def _smaller(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA), np.uint8)
