# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves a part back to where the render has it, by the displacement that is measured, for small offsets.

The part as it should be (its paint carried from good frames along the exact motion) is compared with the take:
rigid displacements by Gauss-Newton (Lucas and Kanade 1981), free ones by dense flow (Kroeger et al.
2016). The take's own pixels are then moved, nothing is painted; the ground that this uncovers comes from other frames.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import Mask

RIGID, FREE = "rigid", "free"
_ROUNDS = 12
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
    in ``taken``, tried from several ``starts`` (x, y px) of up to ``reach`` px; None where nothing is alike.

    Lucas and Kanade 1981, on all channels, weighed down where the two differ by more than usual.
    """
    if part.sum() < _LEAST:
        return None
    rim = 2 * max(reach // 2, 2) + 1  # the outline tells most; more ground would hold the part where it is
    near = cv2.dilate(part.astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
    best: tuple[float, NDArray[np.float64]] | None = None
    for x, y in starts:
        moved = np.array([x, y, 0.0, 0.0])
        for blur, free_to in ((2.5, 2), (1.2, 2), (0.8, 4 if part.sum() > _TURNING else 2)):
            moved = _settled(_blurred(wanted, blur), _blurred(taken, blur), near, moved, free_to)
        if np.abs(moved[:2]).max() > 3 * reach:
            continue
        likeness = _likeness(wanted, moved_back(taken, _field(moved, part)), near)
        if best is None or likeness > best[0]:
            best = (likeness, moved)
    if best is None or best[0] < _TRUSTED:
        return None
    if best[0] <= (still := _likeness(wanted, taken, near)):  # as it lies it is more alike
        return Found(np.zeros((*part.shape, 2), np.float32), still, 0.0)
    field = _field(best[1], part)
    return Found(field, best[0], float(np.linalg.norm(field[part], axis=1).max()))


def _settled(
    one: F32, other: F32, near: Mask, start: NDArray[np.float64], free_to: int
) -> NDArray[np.float64]:
    """(x, y, growth, turn) after Gauss-Newton steps, the first ``free_to`` of them free."""
    rows, columns = np.nonzero(near)
    middle = np.array([columns.mean(), rows.mean()])
    x, y = columns - middle[0], rows - middle[1]
    now = start.copy()
    for _ in range(_ROUNDS):
        moved = moved_back(other, _field(now, near))
        across, down = (
            cv2.Sobel(moved, cv2.CV_32F, 1, 0, scale=0.125),
            cv2.Sobel(moved, cv2.CV_32F, 0, 1, scale=0.125),
        )
        gx, gy = across[near], down[near]
        left = one[near] - moved[near]
        left = left - np.median(left, 0)
        slopes = [gx, gy, gx * x[:, None] + gy * y[:, None], gy * x[:, None] - gx * y[:, None]][:free_to]
        usual = 2 * float(np.median(np.abs(left))) + 2
        weight = 1 / (1 + (left / usual) ** 2)
        table = np.stack([slope.ravel() for slope in slopes], 1).astype(np.float64)
        weighed = table * weight.reshape(-1, 1)
        step = np.linalg.lstsq(
            weighed.T @ table + 1e-6 * np.eye(free_to), weighed.T @ left.ravel(), rcond=None
        )[0]
        now[:free_to] += np.clip(step, -1.5, 1.5)
        if np.abs(step[:2]).max() < 0.01:
            break
    return now


def _field(moved: NDArray[np.float64], part: Mask) -> F32:
    """(H, W, 2) of (x, y, growth, turn) about the middle of ``part``."""
    rows, columns = np.nonzero(part)
    down, across = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    x, y = across - columns.mean(), down - rows.mean()
    growth, turn = moved[2], moved[3]
    return np.stack([moved[0] + growth * x - turn * y, moved[1] + turn * x + growth * y], -1).astype(
        np.float32
    )


def _blurred(picture: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def _likeness(one: F32, other: F32, where: Mask) -> float:
    """Correlation of two pictures where it counts."""
    a, b = one[where].ravel(), other[where].ravel()
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def free(taken: F32, wanted: F32, part: Mask, reach: int) -> Found | None:
    """The displacement of every pixel around the part, smooth; None where the part is too small."""
    if part.sum() < _LEAST:
        return None
    flow = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    flow.setUseSpatialPropagation(True)
    one, other = (np.rint(np.clip(picture.mean(-1), 0, 255)).astype(np.uint8) for picture in (wanted, taken))
    field = np.asarray(flow.calc(one, other, None), np.float32)
    smooth = cv2.GaussianBlur(cv2.medianBlur(field, 5), (0, 0), max(reach / 2, 1.0))
    likeness, still = _likeness(wanted, moved_back(taken, smooth), part), _likeness(wanted, taken, part)
    if likeness <= still:
        return Found(np.zeros_like(smooth), still, 0.0)
    return Found(smooth, likeness, float(np.percentile(np.linalg.norm(smooth[part], axis=1), 98)))


def moved_back(picture: F32, field: F32) -> F32:
    """``picture`` (H, W, 3) with every pixel taken from where ``field`` (H, W, 2) says that it lies."""
    rows, columns = np.mgrid[0 : field.shape[0], 0 : field.shape[1]].astype(np.float32)
    x, y = columns + field[..., 0], rows + field[..., 1]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
