# SPDX-License-Identifier: GPL-3.0-or-later
"""Vectors of an orthographic camera that moves, from depth and poses.

Cycles (4.2 to 5.2) projects the neighbour frames of such a camera as if it were a perspective one, so its Vector pass
can't be used. Parts move with their poses here; whatever is no part is taken to stand still in the world.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from ..pipeline.truth import F64, Camera

Poses = Mapping[int, F64]


def is_moving(here: Camera, other: Camera) -> bool:
    """Whether Cycles' vectors between the two frames are wrong for this reason."""
    return here.orthographic and not np.array_equal(here.world_to_camera, other.world_to_camera)


def motion(depth: F32, ids: NDArray[Any], here: Camera, other: Camera, poses: tuple[Poses, Poses]) -> F32:
    """(H, W, 2) pixels to the ``other`` frame, 0 where nothing is; ``poses`` (4, 4) by id, of this and that frame."""
    rows, columns = np.nonzero(depth > 0)
    result = np.zeros((*depth.shape, 2), np.float32)
    pixels = np.stack([columns + 0.5, rows + 0.5], -1)
    points = here.unproject(pixels, depth[rows, columns].astype(np.float64))
    named = ids[rows, columns]
    for number in np.unique(named).tolist():
        before, after = (side.get(number) for side in poses)
        if before is None or after is None or abs(np.linalg.det(before[:3, :3])) < 1e-18:
            continue
        way, own = after @ np.linalg.inv(before), named == number
        points[own] = points[own] @ way[:3, :3].T + way[:3, 3]
    result[rows, columns] = other.project(points)[:, :2] - pixels
    return result
