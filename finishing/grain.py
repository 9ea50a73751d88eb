# SPDX-License-Identifier: GPL-3.0-or-later
"""Grain and sharpness of a take near a part, so that what is put back has the same.

Paint that is brought along the motion and averaged over frames loses grain, and being looked up between pixels it
loses sharpness. Both are measured in bands of the picture on the take's good frames: what changes from one frame to
the next at the same point of the surface is grain; what a look-up loses is blur.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .plates import Mask, Plate, signed_distance

BANDS = (0.7, 1.4, 2.8)
"""Blur (sigma, px) at the lower end of each band."""
_LEAST = 80
"""Pixels from which anything can be said."""
_INTERPOLATED = 0.7
"""Share of the grain's variance that a look-up between pixels leaves."""
_TILE = 256


@dataclass(frozen=True)
class Grain:
    """``sigma`` (bands, 3) code values of grain by channel, ``mix`` (3, 3) its colour, ``boost`` (bands,) what a
    looked-up picture needs to be as sharp as the take, ``texture`` (bands, 3) code values of the texture that clings
    to the part, for what the look paints smooth."""

    sigma: F32
    mix: F32
    boost: F32
    texture: F32

    def onto(self, picture: F32, plate: Plate, frames: F32) -> F32:
        """``picture`` (H, W, 3) of the part in a cropped plate, averaged from ``frames`` (H, W) frames (0: painted),
        with the take's sharpness and the grain that averaging took. The same frame gives the same grain."""
        cover = np.clip(plate.matte, 0, 1)[..., None]
        painted = (frames <= 0)[..., None]
        sharper = sum(((gain - 1) * band for gain, band in zip(self.boost, bands(picture), strict=True)), 0.0)
        lost = np.sqrt(np.clip(1 - _INTERPOLATED / np.maximum(frames, 1.0), 0, 1))[..., None]
        white = np.random.default_rng(7919 * plate.frame + plate.own).normal(size=picture.shape)
        everywhere = np.ones(plate.size, bool)
        noise = _shaped(white.astype(np.float32) @ self.mix.T, self.sigma, everywhere) * lost
        bare = painted[..., 0] & plate.solid
        if bare.sum() > _LEAST and self.texture.any():
            inner = (
                np.clip(signed_distance(plate.matte) / (4 * plate.scale), 0, 1) * bare
            )  # the line stays clean
            noise = (
                noise
                + _shaped(clinging(plate) @ _GREY.T, self.texture.mean(1, keepdims=True), bare)
                * inner[..., None]
            )
        return np.asarray(picture + (np.where(painted, 0, sharper) + noise) * cover, np.float32)


_ZERO = np.zeros((3, 3), np.float32)
_GREY = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0]], np.float32)
NONE = Grain(_ZERO, _GREY, np.ones(3, np.float32), _ZERO)


def _shaped(white: F32, sigma: F32, where: Mask) -> F32:
    """White noise (H, W, 3) with ``sigma`` (bands, 3 or 1) where it counts."""
    total = np.zeros_like(white)
    for level, band in zip(sigma, bands(white), strict=True):
        total += band / np.maximum(band[where].std(0), 1e-6) * level
    return total


def bands(picture: F32) -> list[F32]:
    """``picture`` (H, W, C) split into bands of detail, finest first; what is coarser is left out."""
    levels = [picture, *(cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in BANDS)]
    return [np.asarray(fine - coarse, np.float32) for fine, coarse in pairwise(levels)]


def measure(taken: F32, brought: F32, where: Mask, styled: F32) -> Grain:
    """From a good frame (H, W, 3), the same picture brought from another one, where both show the part, and what
    the look alone would have painted."""
    if where.sum() < _LEAST:
        return NONE
    own, other, smooth = bands(taken), bands(brought), bands(styled)
    sigma, boost, texture = [], [], []
    for one, two, plain in zip(own, other, smooth, strict=True):
        there = spread((one - plain)[where])
        sigma.append(np.minimum(spread((one - two)[where]) / np.sqrt(1 + _INTERPOLATED), 0.7 * there))
        texture.append(there)
        boost.append(
            float(np.clip(there.mean() / max(float(spread((two - plain)[where]).mean()), 1e-3), 1.0, 1.5))
        )
    return Grain(
        np.array(sigma, np.float32),
        colour_of((own[1] - smooth[1])[where]),
        np.array(boost, np.float32),
        np.array(texture, np.float32),
    )


def colour_of(detail: F32) -> F32:
    """(3, 3) that gives white noise the correlation between channels that (N, 3) ``detail`` has."""
    if len(detail) < _LEAST or detail.std(0).min() < 1e-3:
        return _GREY
    alike = np.clip(np.corrcoef(detail.T), -0.95, 0.95) * (1 - np.eye(3)) + np.eye(3) * 1.05
    try:
        return np.linalg.cholesky(alike).astype(np.float32)
    except np.linalg.LinAlgError:
        return _GREY


def spread(values: F32) -> F32:
    """Standard deviation by channel of (N, 3), by the median, so that edges don't count as grain."""
    return np.asarray(1.4826 * np.median(np.abs(values - np.median(values, 0)), 0), np.float32)


def clinging(plate: Plate) -> F32:
    """(H, W, 3) white noise that stays where it is on the part: looked up by the point in the part's own axes."""
    rows, columns = np.nonzero(plate.solid & (plate.depth > 0))
    noise = np.zeros((*plate.size, 3), np.float32)
    if not rows.size:
        return noise
    depth = plate.depth[rows, columns].astype(np.float64)
    world = plate.camera.unproject(np.stack([columns + 0.5, rows + 0.5], -1), depth)
    pose = plate.poses[plate.own]
    local = (world - pose[:3, 3]) @ pose[:3, :3]
    metres = float(np.median(depth)) / float(plate.camera.K[0, 0])
    u = np.zeros(plate.size, np.float32)
    v = np.zeros_like(u)
    u[rows, columns] = (local[:, 0] + 0.53 * local[:, 2]) / metres
    v[rows, columns] = (local[:, 1] + 0.37 * local[:, 2]) / metres
    tile = np.random.default_rng(plate.own).normal(size=(_TILE, _TILE, 3)).astype(np.float32)
    return np.asarray(
        cv2.remap(tile, np.mod(u, _TILE - 1), np.mod(v, _TILE - 1), cv2.INTER_LINEAR), np.float32
    )
