# SPDX-License-Identifier: GPL-3.0-or-later
"""Strokes drawn as ink on paper: what Grease Pencil becomes as a sketch, seen straight from the front."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from ..pipeline.pictures import U8

F64 = NDArray[np.float64]
LONGEST_PX, MARGIN = 1600, 0.12
PAPER, INK = (246, 244, 238), (34, 32, 38)
LEAST_PX, MOST_PX = 5.0, 16.0
"""Thickness of the ink: thinner than a pencil is lost when the sketch is read, thicker closes corners."""
FINER, SHIFT = 2, 4
FLAT = 0.02
"""Depth over width up to which a drawing counts as lying in one plane."""


def plane_of(points: F64, towards: F64) -> tuple[F64, F64, F64]:
    """(right, up, normal) unit vectors of the plane that (N, 3) points lie in, facing ``towards``, up as near to Z as it
    can be. Points in no plane are seen from ``towards``. Raises InputError for fewer than two points."""
    if len(points) < 2:
        raise InputError("The drawing is empty", todo="Draw something with Grease Pencil first.")
    centred = points - points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    normal = axes[2] if sizes[1] > 0 and sizes[2] <= FLAT * sizes[0] < sizes[1] * 20 else towards
    normal = normal / np.linalg.norm(normal)
    if normal @ towards < 0:
        normal = -normal
    up = np.array([0.0, 0.0, 1.0]) - normal[2] * normal
    if np.linalg.norm(up) < 1e-3:  # drawn on the floor: up is away from who looks
        up = np.array([0.0, 1.0, 0.0]) - normal[1] * normal
    up = up / np.linalg.norm(up)
    return np.cross(up, normal), up, normal


def ink(strokes: Sequence[tuple[F64, F64, bool]], right: F64, up: F64) -> tuple[U8, tuple[float, float]]:
    """A picture (H, W, 3) of strokes ((N, 3) points, (N,) radii in metres, closed) in the plane of ``right`` and ``up``, and
    the width and height of the drawing in metres. Raises InputError if there is nothing to see."""
    drawn = [
        (np.stack([points @ right, points @ up], axis=1), radii, closed)
        for points, radii, closed in strokes
        if len(points)
    ]
    if not drawn:
        raise InputError("The drawing is empty", todo="Draw something with Grease Pencil first.")
    every = np.concatenate([flat for flat, _, _ in drawn])
    low, high = every.min(axis=0), every.max(axis=0)
    size = high - low
    if float(size.max()) <= 0:
        raise InputError("The drawing is a single point", todo="Draw something with Grease Pencil first.")
    scale = LONGEST_PX / (float(size.max()) * (1 + 2 * MARGIN))
    margin = MARGIN * float(size.max())
    shape = np.ceil((size + 2 * margin) * scale).astype(int)
    page = np.full((int(shape[1]) * FINER, int(shape[0]) * FINER, 3), PAPER, np.uint8)
    for flat, radii, closed in drawn:
        at = (flat - low + margin) * scale * FINER
        at[:, 1] = page.shape[0] - at[:, 1]
        _draw(page, at, np.asarray(np.clip(2 * radii * scale, LEAST_PX, MOST_PX) * FINER, np.float64), closed)
    paper = cv2.resize(page, (int(shape[0]), int(shape[1])), interpolation=cv2.INTER_AREA)
    return np.asarray(paper, np.uint8), (float(size[0]), float(size[1]))


def _draw(page: U8, at: F64, thick: F64, closed: bool) -> None:
    fixed = np.round(at * (1 << SHIFT)).astype(np.int64)
    count = len(fixed)
    for index in range(count if closed and count > 2 else count - 1):
        a, b = fixed[index], fixed[(index + 1) % count]
        width = max(1, round(float(thick[index] + thick[(index + 1) % count]) / 2))
        cv2.line(page, tuple(map(int, a)), tuple(map(int, b)), INK, width, cv2.LINE_AA, SHIFT)
    if count == 1:
        cv2.circle(
            page, tuple(map(int, fixed[0])), int(thick[0] * (1 << SHIFT) / 2), INK, -1, cv2.LINE_AA, SHIFT
        )
