# SPDX-License-Identifier: GPL-3.0-or-later
"""Ink lines: outlines from the coverage mattes, inner lines from breaks in depth and creases in the normals."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .layers import Layer

F32 = NDArray[np.float32]
LIGHT_2D = (-0.55, -0.83)
"""Where the drawing's light comes from, in the picture (x right, y down)."""


def smoothstep(low: float | F32, high: float | F32, value: F32) -> F32:
    """Hermite step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((value - low) / (np.asarray(high) - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def outline(coverage: F32, width_px: F32, scale: float, shade_side: float) -> F32:
    """(h, w) 0..1 line along the 0.5 level of a coverage matte.

    ``width_px`` (h, w) is the line's full width; ``shade_side`` 0..1 makes it heavier away from the light. The
    distance to the edge comes from the blurred matte, which is the normal distribution of that distance.
    """
    sigma = max(0.8, 1.25 * scale)
    soft = cv2.GaussianBlur(coverage, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    clipped = np.clip(soft, 0.003, 0.997)
    distance = sigma / 1.702 * np.log(clipped / (1 - clipped))
    gx, gy = cv2.Sobel(soft, -1, 1, 0), cv2.Sobel(soft, -1, 0, 1)
    inward = np.maximum(np.hypot(gx, gy), 1e-4)
    facing = -(gx * LIGHT_2D[0] + gy * LIGHT_2D[1]) / inward
    half = 0.5 * width_px * (1 - shade_side * 0.55 * facing)
    return smoothstep(half + 0.6, half - 0.6, np.abs(distance))


def creases(layer: Layer, size_m: float, scale: float) -> F32:
    """(h, w) 0..1 inner lines of a part ``size_m`` big: where its depth jumps or its surface bends sharply."""
    step = max(1, round(scale))
    n = layer.normal
    bend = np.zeros(n.shape[:2], np.float32)
    kink = np.zeros(n.shape[:2], np.float32)
    disparity = 1 / layer.depth
    for axis in (0, 1):
        ahead, behind = np.roll(n, -step, axis), np.roll(n, step, axis)
        bend += 1 - np.clip((ahead * behind) @ np.ones(3, np.float32), -1, 1)
        kink += np.abs(np.roll(disparity, -step, axis) + np.roll(disparity, step, axis) - 2 * disparity)
    facing = smoothstep(0.12, 0.4, n[..., 2])
    jump = smoothstep(0.025, 0.06, kink * np.square(layer.depth) / size_m)
    fold = smoothstep(0.15, 0.45, cv2.GaussianBlur(bend, (0, 0), 0.6 * max(scale, 0.8))) * facing
    inside = smoothstep(0.6, 0.98, cv2.GaussianBlur(layer.coverage, (0, 0), max(0.8, scale)))
    line = cv2.GaussianBlur(np.maximum(jump, fold), (0, 0), 0.6 * max(scale, 0.8)) * inside
    return smoothstep(0.12, 0.55, line)


def decor(layer: Layer, scale: float) -> F32:
    """(h, w) 0..1 faint lines where the part's own texture is drawn dark."""
    inside = smoothstep(0.5, 0.95, layer.coverage)
    return np.asarray(smoothstep(0.08, 0.3, -layer.detail) * inside, np.float32)
