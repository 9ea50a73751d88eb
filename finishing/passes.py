# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground-truth passes as pictures that a person can read."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8

_PARTS = np.array(
    [(30, 31, 35), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167)],
    np.uint8,
)  # fmt: skip
"""Okabe and Ito's colours, which colour-blind people can tell apart; first the background."""


def ids_picture(ids: NDArray[np.uint8]) -> U8:
    """(H, W) part numbers as flat colours."""
    index = np.where(ids == 0, 0, (ids.astype(int) - 1) % (len(_PARTS) - 1) + 1)
    return np.asarray(_PARTS[index])


def depth_picture(depth: F32) -> U8:
    """(H, W) metres: near is bright, spread over what is there; nothing is black."""
    there = depth > 0
    if not there.any():
        return np.zeros((*depth.shape, 3), np.uint8)
    near, far = np.percentile(depth[there], (1, 90))
    value = np.clip((far - depth) / max(far - near, 1e-9), 0, 1) * there
    coloured = cv2.applyColorMap(np.rint(25 + 225 * value).astype(np.uint8), cv2.COLORMAP_MAGMA)
    return np.ascontiguousarray(coloured[..., ::-1])


def normal_picture(normal: F32, ids: NDArray[np.uint8]) -> U8:
    """(H, W, 3) camera-space normals as usual, x red, y green, z blue; what is no part stands back."""
    there = np.linalg.norm(normal, axis=-1, keepdims=True) > 0.1
    colour = np.where(there, normal * 127.5 + 127.5, 30)
    behind = colour.mean(-1, keepdims=True) * 0.35 + 0.15 * colour
    return np.asarray(np.rint(np.where(ids[..., None] > 0, colour, behind)).clip(0, 255), np.uint8)


def vector_picture(vector: F32) -> U8:
    """(H, W, >=2) px: direction as hue, length as brightness."""
    length = np.hypot(vector[..., 0], vector[..., 1])
    most = max(float(np.percentile(length, 99.5)), 1e-6)
    hue = (np.degrees(np.arctan2(vector[..., 1], vector[..., 0])) % 360) / 2
    value = 30 + 225 * np.clip(length / most, 0, 1)
    hsv = np.stack([hue, np.full_like(hue, 150), value], -1)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB))


def crop_around(mask: NDArray[np.bool_], size: tuple[int, int], aspect: float) -> tuple[slice, slice]:
    """Rows and columns of a crop of the given aspect around ``mask``, inside a picture of ``size`` (H, W)."""
    height, width = size
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return slice(0, height), slice(0, width)
    needed = max(float(np.ptp(rows)) * 1.8, float(np.ptp(columns)) * 1.8 / aspect, height * 0.3)
    tall = int(min(needed, height, width / aspect))
    wide = int(tall * aspect)
    top = int(np.clip((rows.min() + rows.max()) / 2 - tall / 2, 0, height - tall))
    left = int(np.clip((columns.min() + columns.max()) / 2 - wide / 2, 0, width - wide))
    return slice(top, top + tall), slice(left, left + wide)
