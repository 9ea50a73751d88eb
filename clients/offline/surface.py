# SPDX-License-Identifier: GPL-3.0-or-later
"""Paint that sticks: periodic textures looked up at positions on the parts themselves.

A pixel's depth, the camera and its part's pose give the point of the part under it. Texture is looked up there,
so it rides along with the part exactly, any frame can be drawn alone, and nothing swims or drifts.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .layers import Box

F32 = NDArray[np.float32]
TILE = 512
GRAIN, BLOTCH, CLOUD, BRUSH = range(4)


def _noise(random: np.random.Generator, wavelength_px: tuple[float, float], width: float) -> F32:
    """(TILE, TILE) periodic noise, uniform in 0..1, with features about ``wavelength_px`` (x, y) long."""
    fy = np.fft.fftfreq(TILE)[:, None] * wavelength_px[1]
    fx = np.fft.rfftfreq(TILE)[None, :] * wavelength_px[0]
    band = np.exp(-0.5 * ((np.hypot(fx, fy) - 1.0) / width) ** 2)
    spectrum = np.fft.rfft2(random.standard_normal((TILE, TILE))) * band
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (TILE, TILE))
    return (1 / (1 + np.exp(-1.702 * field / field.std()))).astype(np.float32)


def texture_tile(seed: int) -> F32:
    """(TILE, TILE, 4) float32 in 0..1, periodic: fine grain, blotches, clouds, brush streaks."""
    random = np.random.Generator(np.random.PCG64(seed))
    grain = 0.6 * _noise(random, (3.2, 3.2), 0.5) + 0.4 * _noise(random, (7.0, 7.0), 0.5)
    blotch = 0.55 * _noise(random, (26, 26), 0.7) + 0.45 * _noise(random, (60, 60), 0.7)
    cloud = _noise(random, (170, 170), 0.8)
    brush = 0.6 * _noise(random, (90, 5), 0.8) + 0.4 * _noise(random, (160, 11), 0.8)
    return np.stack([grain, blotch, cloud, brush], -1).astype(np.float32)


@dataclass(frozen=True)
class View:
    """The camera of a frame: K (3, 3) in px with pixel centres at .5, world_to_camera (4, 4), OpenCV axes."""

    K: NDArray[np.float64]
    world_to_camera: NDArray[np.float64]
    orthographic: bool = False

    def points(self, depth: F32, box: Box, to_local: NDArray[np.float64]) -> F32:
        """(h, w, 3) positions of the pixels of ``box`` at planar ``depth`` m, in the space that ``to_local``
        (4, 4) gives from world space."""
        y0, y1, x0, x1 = box
        u = ((np.arange(x0, x1) + 0.5 - self.K[0, 2]) / self.K[0, 0]).astype(np.float32)
        v = ((np.arange(y0, y1) + 0.5 - self.K[1, 2]) / self.K[1, 1]).astype(np.float32)
        matrix = (to_local @ np.linalg.inv(self.world_to_camera)).astype(np.float32)
        across = u[None, :, None] * matrix[:3, 0] + v[:, None, None] * matrix[:3, 1]
        if self.orthographic:
            return np.asarray(across + matrix[:3, 2] * depth[..., None] + matrix[:3, 3], np.float32)
        return np.asarray((across + matrix[:3, 2]) * depth[..., None] + matrix[:3, 3], np.float32)

    def directions(self, normal: F32, to_local: NDArray[np.float64]) -> F32:
        """(h, w, 3) camera-space normals (x right, y up, z to the camera) turned into local space."""
        matrix = (to_local @ np.linalg.inv(self.world_to_camera))[:3, :3] * [1, -1, -1]
        return np.asarray(normal @ matrix.T.astype(np.float32), np.float32)


def triplanar(tile: F32, points: F32, normals: F32, metres_per_texel: float) -> F32:
    """(h, w, C) the tile at ``points``, projected along the three axes and mixed by ``normals`` to the 4th power."""
    coordinates = np.mod(points / np.float32(metres_per_texel), TILE).astype(np.float32)
    weight = np.square(np.square(normals)) + 1e-4
    weight /= (weight @ np.ones(3, np.float32))[..., None]
    result = np.zeros((*points.shape[:2], tile.shape[2]), np.float32)
    for axis, (first, second) in enumerate(((1, 2), (0, 2), (0, 1))):
        if weight[..., axis].max() < 2e-3:
            continue
        x = np.ascontiguousarray(coordinates[..., first])
        y = np.ascontiguousarray(coordinates[..., second])
        plane = cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        result += plane * weight[..., axis, None]
    return result
