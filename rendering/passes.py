# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact passes of one frame, from what Cycles writes to what docs/truth.md promises.

Cycles (5.2, kernel/geom/primitive.h ``primitive_motion_vector`` and kernel/film): the Vector pass holds
(previous - here, here - next) in pixels with y up; Depth is planar for perspective and orthographic cameras;
Normal is in world space. The first sample of a pixel goes through its centre, so one sample is exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from ..pipeline.truth import F64, Camera

NOWHERE = 1e6
"""Depths from here on mean that the ray hit nothing (Cycles writes 1e10)."""
_GL_FROM_CV = np.diag([1.0, -1.0, -1.0])
_FAR_AWAY = 1e4


@dataclass(frozen=True)
class Geometry:
    """(H, W) depth, (H, W, 3) normal, (H, W, 4) vector and (H, W, 3) uv of one frame, float32, as the package holds them."""

    depth: F32
    normal: F32
    vector: F32
    uv: F32


def channel(channels: Mapping[str, F32], ending: str) -> F32:
    """The channel whose full name ends with ``ending``; KeyError without it."""
    for name, plane in channels.items():
        if name.endswith(ending):
            return plane
    raise KeyError(ending)


def geometry(
    channels: Mapping[str, F32], here: Camera, following: Camera, previous: Camera, knows_zoom: bool = True
) -> Geometry:
    """From Cycles' passes and the cameras of this, the next and the previous frame.

    ``knows_zoom``: see compat.vectors_know_zoom.
    """
    depth = channel(channels, ".Depth.Z")
    seen = np.isfinite(depth) & (depth < NOWHERE)
    world = np.stack([channel(channels, f".Normal.{axis}") for axis in "XYZ"], -1)
    x, y, z, w = (channel(channels, f".Vector.{axis}") for axis in "XYZW")
    vector = np.stack([-z, w, x, -y], -1)
    for motion, other in ((vector[..., :2], following), (vector[..., 2:], previous)):
        through_other_lens(motion, here, other, knows_zoom)
    behind = ~seen
    if behind.any():
        vector[behind] = np.concatenate(
            [background_motion(here, other, behind) for other in (following, previous)], -1
        )
    uv = np.stack([channel(channels, f".UV.{axis}") for axis in "UVA"], -1)
    return Geometry(
        np.where(seen, depth, 0).astype(np.float32), camera_normals(world, seen, here), vector, uv
    )


def through_other_lens(motion: F32, here: Camera, other: Camera, knows_zoom: bool = True) -> None:
    """Adds to ``motion`` (H, W, 2), in place, what Cycles (4.2 to 5.2) leaves out of it.

    It knows another focal length of the other frame (from 4.3 on), but no other shift, and of an orthographic camera no
    other scale.
    """
    if np.array_equal(here.K, other.K) or here.orthographic != other.orthographic:
        return
    for axis, length in ((0, motion.shape[1]), (1, motion.shape[0])):
        middle, moved = here.K[axis, 2], other.K[axis, 2] - here.K[axis, 2]
        if here.orthographic or not knows_zoom:
            wider = other.K[axis, axis] / here.K[axis, axis]
            away = (np.arange(length) + 0.5 - middle) * (wider - 1) + moved
            motion[..., axis] *= np.float32(wider)
            motion[..., axis] += (away if axis == 0 else away[:, None]).astype(np.float32)
        else:
            motion[..., axis] += np.float32(moved)


def camera_normals(world: F32, seen: NDArray[np.bool_], camera: Camera) -> F32:
    """World normals (H, W, 3) -> unit camera normals, x right, y up, z towards the camera; 0 where nothing is seen."""
    turned = world @ (_GL_FROM_CV @ camera.world_to_camera[:3, :3]).T.astype(np.float32)
    length = np.linalg.norm(turned, axis=-1, keepdims=True)
    usable = seen[..., None] & (length > 1e-6)
    return np.where(usable, turned / np.maximum(length, 1e-6), 0).astype(np.float32)


def background_motion(here: Camera, other: Camera, mask: NDArray[np.bool_]) -> F32:
    """(N, 2) pixels: how what is infinitely far away moves, at the True pixels of ``mask``."""
    rows, columns = np.nonzero(mask)
    pixels: F64 = np.stack([columns + 0.5, rows + 0.5], -1)
    if here.orthographic or (
        np.array_equal(here.world_to_camera, other.world_to_camera) and np.array_equal(here.K, other.K)
    ):
        return np.zeros(pixels.shape, np.float32)
    rays = np.concatenate([pixels, np.ones((len(pixels), 1))], -1) @ np.linalg.inv(here.K).T
    turned = rays @ (other.world_to_camera[:3, :3] @ here.world_to_camera[:3, :3].T).T
    ahead = np.where(turned[:, 2:] > 1e-6, turned[:, 2:], np.inf)
    moved = (turned / ahead) @ other.K.T
    motion = np.where(np.isfinite(ahead), moved[:, :2] - pixels, 0)
    return np.clip(motion, -_FAR_AWAY, _FAR_AWAY).astype(np.float32)
