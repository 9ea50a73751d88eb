# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the background stay the same place? Whatever the model invented there must then hold over the shot.

The world around the parts stands still, so the truth's camera and depth carry the background of any frame to any
other. Two frames agree where they look alike after that, but for what is let go: the light as a whole, as much as
edges change when they lie 3 px off (at 1080p), what the render itself changes (the parts' shadows, things that are no
parts) and what is near a part (its glow, its thicker outline). The frame that most others agree with is the place; a
frame whose background differs from it over much of its area has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import Rig
from .plates import Plate, middles

Mask = NDArray[np.bool_]
WIDTH = 320
"""Frames are compared at this width: 1 pixel is 6 at 1080p."""
SOFT_PX = 1.2
SLACK_PX = 0.5
"""3 px at 1080p."""
NEAR_PX = 7
RENDER_DE = 2.5
CHANGED_DE = 6.0
LIMIT_SHARE = 0.03
"""Of the background; clean looks and a real restyle stay below 0.01, a slight boil reaches 0.05 (see the bench)."""
LIGHT_L, LIGHT_AB = 14.0, 5.0
"""So much the light as a whole may change without being asked to."""
LEAST_OVERLAP = 0.04
DEPTH_TOLERANCE = 0.02
FAR_M = 1e6
ANCHORS = 5


@dataclass(frozen=True)
class Backdrop:
    """A frame at `WIDTH`: Lab of take and render, softened; ``rim`` how much the take's Lab changes a pixel on;
    ``depth`` metres (`FAR_M` where there is nothing); ``free`` where no part is near; ``shrink`` from working size."""

    frame: int
    take: F32
    render: F32
    rim: F32
    depth: F32
    free: Mask
    shrink: tuple[float, float]

    @classmethod
    def of(cls, plate: Plate) -> "Backdrop":
        height, width = plate.ids.shape
        size = (min(WIDTH, width), max(1, round(height * min(WIDTH, width) / width)))
        parts = cv2.resize((plate.ids > 0).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        grown = cv2.dilate((parts > 0).astype(np.uint8), np.ones((2 * NEAR_PX + 1,) * 2, np.uint8))
        take, render = (_soft(lab, size) for lab in (plate.take_lab, plate.beauty_lab))
        depth = np.asarray(middles(plate.depth, size), np.float32)
        gx, gy = (
            cv2.Sobel(take, cv2.CV_32F, 1, 0, scale=0.125),
            cv2.Sobel(take, cv2.CV_32F, 0, 1, scale=0.125),
        )
        rim = np.sqrt((gx * gx + gy * gy).sum(2))
        rim = cv2.dilate(rim, np.ones((3, 3), np.uint8))
        far = np.where(depth > 0, depth, np.float32(FAR_M)).astype(np.float32)
        return cls(plate.frame, take, render, rim, far, grown == 0, (size[0] / width, size[1] / height))


def _soft(lab: F32, size: tuple[int, int]) -> F32:
    return np.asarray(
        cv2.GaussianBlur(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), (0, 0), SOFT_PX), np.float32
    )


def carried(rig: Rig, here: Backdrop, there: Backdrop) -> tuple[F32, Mask]:
    """((h, w, 2) pixel in ``there`` of the background seen here, where it shows in both)."""
    height, width = here.depth.shape
    scale = np.diag([*here.shrink, 1.0])
    K, K2 = scale @ rig.cameras[here.frame][0], scale @ rig.cameras[there.frame][0]
    move = rig.cameras[there.frame][1] @ np.linalg.inv(rig.cameras[here.frame][1])
    x = ((np.arange(width) + 0.5 - K[0, 2]) / K[0, 0])[None]
    y = ((np.arange(height) + 0.5 - K[1, 2]) / K[1, 1])[:, None]
    z = here.depth
    if rig.orthographic:
        x, y = x + 0 * z, y + 0 * z
    else:
        x, y = np.float32(x) * z, np.float32(y) * z
    moved = [
        np.float32(a) * x + np.float32(b) * y + np.float32(c) * z + np.float32(d) for a, b, c, d in move[:3]
    ]
    ahead = np.maximum(moved[2], np.float32(1e-6))
    plane = moved[:2] if rig.orthographic else [moved[0] / ahead, moved[1] / ahead]
    where = np.stack([plane[i] * np.float32(K2[i, i]) + np.float32(K2[i, 2] - 0.5) for i in (0, 1)], -1)
    where = np.clip(where, -1e4, 1e4).astype(np.float32)
    free = cv2.remap(
        there.free.astype(np.uint8), where, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT
    )
    depth = cv2.remap(there.depth, where, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    same = np.abs(depth - moved[2]) < DEPTH_TOLERANCE * ahead
    inside = (
        (where[..., 0] >= 1)
        & (where[..., 0] <= width - 2)
        & (where[..., 1] >= 1)
        & (where[..., 1] <= height - 2)
    )
    return where, here.free & (free > 0) & inside & (same | ((here.depth >= FAR_M) & (depth >= FAR_M)))


def changed(rig: Rig, here: Backdrop, there: Backdrop, relight: bool = False) -> float:
    """Share of the background that both frames show that looks otherwise; NaN where they show too little of it."""
    where, both = carried(rig, here, there)
    if both.mean() < LEAST_OVERLAP:
        return float("nan")
    take, render = (cv2.remap(lab, where, None, cv2.INTER_LINEAR) for lab in (there.take, there.render))
    still = both & (np.sqrt(((render - here.render) ** 2).sum(2)) < RENDER_DE)
    if still.mean() < LEAST_OVERLAP:
        return float("nan")
    apart = take - here.take
    seen = apart[still]
    light = np.median(seen[:: max(1, len(seen) // 2000)], axis=0)
    most = np.array([100, 15, 15] if relight else [LIGHT_L, LIGHT_AB, LIGHT_AB], np.float32)
    apart -= np.clip(light, -most, most)
    rim = np.maximum(here.rim, cv2.remap(there.rim, where, None, cv2.INTER_LINEAR))
    beyond = np.sqrt((apart**2).sum(2)) - SLACK_PX * rim
    return float((beyond[still] > CHANGED_DE).mean())


@dataclass(frozen=True)
class Place:
    """``change`` (N,) share of the background that differs from the place, by frame, NaN where it can't be told;
    ``step`` (N,) the same against the frame before; ``first`` index of the frame that is the place."""

    change: NDArray[np.float64]
    step: NDArray[np.float64]
    first: int


def compare_all(rig: Rig, frames: Sequence[Backdrop], limit: float, relight: bool = False) -> Place:
    """Every frame against some that are spread over the take, and against the one before."""
    count = len(frames)
    anchors = sorted({round(k) for k in np.linspace(0, count - 1, min(count, ANCHORS))})
    table = np.full((count, len(anchors)), np.nan)
    for column, anchor in enumerate(anchors):
        for index in range(count):
            table[index, column] = (
                0.0 if index == anchor else changed(rig, frames[anchor], frames[index], relight)
            )
    place = int(np.argmax((table <= limit).sum(0)))
    change = table[:, place].copy()
    fits = [column for column in range(len(anchors)) if table[anchors[column], place] <= limit]
    for index in np.flatnonzero(
        ~np.isfinite(change)
    ):  # it does not see the place itself: the frames that agree do
        change[index] = np.nanmin([*table[index, fits], np.inf])
    change[np.isinf(change)] = np.nan
    step = np.array([0.0] + [changed(rig, frames[i - 1], frames[i], relight) for i in range(1, count)])
    return Place(change, step, anchors[place])
