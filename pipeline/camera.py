# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of one frame: where a point of the world is in the picture, and back.

Pixel conventions: the origin is the top left corner of the picture, x right, y down; pixel (column i, row j)
covers i..i+1, j..j+1, so its centre is (i + 0.5, j + 0.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pictures import F32

F64 = NDArray[np.float64]
_CV_FROM_GL = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Camera:
    """A camera of one frame.

    ``K`` (3, 3): pixels from camera axes (x right, y down, z forward, metres); ``world_to_camera`` (4, 4);
    an ``orthographic`` camera has no division by z: pixel = K @ (x, y, 1).
    """

    K: F64
    world_to_camera: F64
    orthographic: bool = False

    def project(self, points: F64) -> F64:
        """World points (..., 3) in metres -> (..., 3) float64: x, y in pixels and planar depth in metres."""
        seen = np.asarray(points, np.float64) @ self.world_to_camera[:3, :3].T + self.world_to_camera[:3, 3]
        depth = seen[..., 2]
        plane = seen / np.where(depth == 0, 1e-12, depth)[..., None]
        if self.orthographic:
            plane = np.concatenate([seen[..., :2], np.ones_like(seen[..., :1])], -1)
        return np.concatenate([(plane @ self.K.T)[..., :2], depth[..., None]], -1)

    def unproject(self, pixels: F64, depth: F64) -> F64:
        """World points (..., 3) of pixel positions (..., 2) at planar depths (...) in metres."""
        rays, planar = self._rays(pixels), depth[..., None]
        seen = np.concatenate([rays[..., :2], planar], -1) if self.orthographic else rays * planar
        back = np.linalg.inv(self.world_to_camera)
        return seen @ back[:3, :3].T + back[:3, 3]

    def positions(self, depth: F32) -> F32:
        """(H, W, 3) float32 world points in metres seen at the pixels' centres; 0 where ``depth`` is 0."""
        points = self.unproject(_centres(depth), depth.astype(np.float64))
        return np.where((depth > 0)[..., None], points, 0).astype(np.float32)

    def distances(self, depth: F32) -> F32:
        """(H, W) float32 metres along the ray from the camera: the point for perspective, its plane for orthographic."""
        if self.orthographic:
            return depth
        return (depth * np.linalg.norm(self._rays(_centres(depth)), axis=-1)).astype(np.float32)

    def world_normals(self, normal: F32) -> F32:
        """Camera normals (H, W, 3), x right, y up, z towards the camera -> the same in the world's axes."""
        return (normal @ (_CV_FROM_GL @ self.world_to_camera[:3, :3]).astype(np.float32)).astype(np.float32)

    def _rays(self, pixels: F64) -> F64:
        """Directions (..., 3) in camera axes, z = 1."""
        return np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1) @ np.linalg.inv(self.K).T


def _centres(depth: F32) -> F64:
    rows, columns = np.mgrid[0 : depth.shape[0], 0 : depth.shape[1]] + 0.5
    return np.stack([columns, rows], -1)


def camera_from(record: Mapping[str, Any]) -> Camera:
    """The camera of a record with K, world_to_camera and perhaps projection; ValueError for wrong shapes."""
    matrix, pose = np.array(record["K"], np.float64), np.array(record["world_to_camera"], np.float64)
    if matrix.shape != (3, 3) or pose.shape != (4, 4):
        raise ValueError("camera matrices")
    return Camera(matrix, pose, record.get("projection") == "orthographic")
