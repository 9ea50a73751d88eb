# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves a part back to where the render has it, by the displacement that is measured, for small offsets.

The part as it should be (its paint carried from good frames along the exact motion) is compared with the take:
rigid displacements by enhanced correlation (Evangelidis and Psarakis 2008), free ones by dense flow (Kroeger et al.
2016). The take's own pixels are then moved, nothing is painted; the ground that this uncovers comes from other frames.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import Mask

Affine = NDArray[np.float32]
RIGID, FREE = "rigid", "free"
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)
_TRUSTED = 0.5
"""Correlation from which an alignment counts."""
_LEAST = 40
_TURNING = 700
"""Pixels from which a part's turn and size can be told from its place."""


@dataclass(frozen=True)
class Found:
    """Where each pixel of the part (H, W, 2) x, y lies in the take, relative to its place, in px; ``likeness`` the
    correlation that was reached, 0..1; ``largest`` the longest displacement on the part, px."""

    field: F32
    likeness: float
    largest: float


def rigid(taken: F32, wanted: F32, part: Mask, starts: list[tuple[float, float]], reach: int) -> Found | None:
    """The shift (and for parts that are large enough the turn and size) of ``part`` (H, W) of ``wanted`` (H, W, 3)
    in ``taken``, tried from several ``starts`` (x, y px) of up to ``reach`` px; None where nothing is alike."""
    if part.sum() < _LEAST:
        return None
    rim = max(reach // 2, 3)  # the outline tells most; more ground would hold the part where it is
    near = cv2.dilate(part.astype(np.uint8), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    one, other = _structure(wanted), _structure(taken)
    best: tuple[float, Affine] | None = None
    for x, y in starts:
        start = np.array([[1, 0, x], [0, 1, y]], np.float32)
        for blur in (9, 5):
            moved = _aligned(one, other, start, cv2.MOTION_TRANSLATION, near, blur)
            if moved is not None:
                start = moved[1]
                best = max(best, moved, key=lambda found: found[0]) if best is not None else moved
    if best is None or best[0] < _TRUSTED:
        return None
    if part.sum() > _TURNING:
        turned = _aligned(one, other, best[1], cv2.MOTION_AFFINE, near, 5)
        if turned is not None and turned[0] > best[0] + 1e-3:
            best = (turned[0], _similar(turned[1], part))
    return _found(best[1], part, best[0])


def free(taken: F32, wanted: F32, part: Mask, reach: int) -> Found | None:
    """The displacement of every pixel around the part, smooth; None where the part is too small."""
    if part.sum() < _LEAST:
        return None
    flow = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    flow.setUseSpatialPropagation(True)
    one, other = (np.rint(np.clip(picture.mean(-1), 0, 255)).astype(np.uint8) for picture in (wanted, taken))
    field = np.asarray(flow.calc(one, other, None), np.float32)
    smooth = cv2.GaussianBlur(cv2.medianBlur(field, 5), (0, 0), max(reach / 2, 1.0))
    likeness = float(np.corrcoef(moved_back(taken, smooth)[part].ravel(), wanted[part].ravel())[0, 1])
    return Found(smooth, likeness, float(np.percentile(np.linalg.norm(smooth[part], axis=1), 98)))


def moved_back(picture: F32, field: F32) -> F32:
    """``picture`` (H, W, 3) with every pixel taken from where ``field`` (H, W, 2) says that it lies."""
    rows, columns = np.mgrid[0 : field.shape[0], 0 : field.shape[1]].astype(np.float32)
    x, y = columns + field[..., 0], rows + field[..., 1]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _structure(picture: F32) -> F32:
    """(H, W) what is compared: the mean of the channels, where one is as good as another."""
    return np.ascontiguousarray(picture.mean(-1), np.float32)


def _aligned(
    one: F32, other: F32, start: Affine, how: int, near: NDArray[np.uint8], blur: int
) -> tuple[float, Affine] | None:
    """(correlation, (2, 3) map from ``one`` into ``other``) or None where it does not settle."""
    mask = cv2.warpAffine(near, start, near.shape[::-1], flags=cv2.INTER_NEAREST)
    try:
        likeness, found = cv2.findTransformECC(one, other, start.copy(), how, _STEPS, mask, blur)
    except cv2.error:
        return None
    return float(likeness), np.asarray(found, np.float32)


def _similar(matrix: Affine, part: Mask) -> Affine:
    """The nearest shift, turn and scale to an affine map, about the middle of ``part``: a part does not shear."""
    rows, columns = np.nonzero(part)
    middle = np.array([columns.mean(), rows.mean()])
    a, b = (matrix[0, 0] + matrix[1, 1]) / 2, (matrix[1, 0] - matrix[0, 1]) / 2
    turned = np.array([[a, -b], [b, a]])
    there = matrix[:, :2] @ middle + matrix[:, 2]
    return np.hstack([turned, (there - turned @ middle)[:, None]]).astype(np.float32)


def _found(matrix: Affine, part: Mask, likeness: float) -> Found:
    rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    x = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2] - columns
    y = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2] - rows
    field = np.stack([x, y], -1).astype(np.float32)
    return Found(field, likeness, float(np.linalg.norm(field[part], axis=1).max()))
