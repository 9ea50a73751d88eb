# SPDX-License-Identifier: GPL-3.0-or-later
"""A second copy of a part: the part's picture in the take is looked for where no such part is (notes M12)."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import Plate

TEMPLATE_PX = 26
LEAST_SPREAD = 3.0
MOST_COVERED = 0.4
ODD = 0.2
"""Below this likeness the render need not be asked."""


def ghost_score(plate: Plate, part_id: int) -> tuple[float, tuple[float, float]]:
    """(score, centre): best masked correlation of the part elsewhere in the take less the render's own, -1..1,
    and where (x, y at working size). NaN for a part that is too small or has no contrast of its own."""
    mask = (plate.ids == part_id).astype(np.uint8)
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(xs):
        return float("nan"), (0.0, 0.0)
    side = max(xs[-1] - xs[0], ys[-1] - ys[0]) + 1
    if mask.sum() < 80 * plate.unit**2:
        return float("nan"), (0.0, 0.0)
    scale = min(1.0, TEMPLATE_PX / side)
    size = (max(16, round(mask.shape[1] * scale)), max(16, round(mask.shape[0] * scale)))
    wide = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    small = cv2.resize(wide, size, interpolation=cv2.INTER_AREA)
    ys, xs = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    box = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    stencil = np.ascontiguousarray(small[box])
    if stencil.shape[0] * 2 > size[1] or stencil.shape[1] * 2 > size[0]:
        return float("nan"), (0.0, 0.0)
    others = cv2.resize((plate.ids > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    away = _away(small, stencil.shape) & _free(others, stencil)
    take = cv2.resize(plate.take_lab, size, interpolation=cv2.INTER_AREA)
    render = cv2.resize(plate.beauty_lab, size, interpolation=cv2.INTER_AREA)
    found = _match(take, box, stencil, away)
    if found is None:
        return float("nan"), (0.0, 0.0)
    own = _match(render, box, stencil, away) if found.max() > ODD else None
    y, x = np.unravel_index(int(found.argmax()), found.shape)
    centre = ((x + stencil.shape[1] / 2) / scale, (y + stencil.shape[0] / 2) / scale)
    return float(found[y, x] - max(0.0, own.max() if own is not None else 0.0)), centre


def _away(small: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where the template's corner may lie: at least half of the template away from the part itself."""
    height, width = small.shape[0] - shape[0] + 1, small.shape[1] - shape[1] + 1
    ys, xs = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    dy = np.abs(np.arange(height) - ys[0])[:, None] > 0.6 * shape[0]
    dx = np.abs(np.arange(width) - xs[0])[None, :] > 0.6 * shape[1]
    return np.asarray(dy | dx)


def _free(others: F32, stencil: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the template would lie mostly off every part: parts of one material look alike."""
    covered = cv2.matchTemplate(others, stencil.astype(np.float32), cv2.TM_CCORR) / max(1, int(stencil.sum()))
    return np.asarray(covered < MOST_COVERED)


def _match(
    image: F32, box: tuple[slice, slice], stencil: NDArray[np.uint8], away: NDArray[np.bool_]
) -> F32 | None:
    spread = image[box][stencil > 0].std(0)
    if spread.max() < LEAST_SPREAD:
        return None
    plane = np.ascontiguousarray(image[..., int(spread.argmax())])  # L, a or b: whichever tells the part best
    template, mask = np.ascontiguousarray(plane[box]), stencil.astype(np.float32)
    score = cv2.matchTemplate(plane, template, cv2.TM_CCOEFF_NORMED, mask=mask)
    score = np.nan_to_num(np.asarray(score, np.float32), nan=-1, posinf=-1, neginf=-1)
    return np.where(away & (np.abs(score) <= 1.001), score, -1).astype(np.float32)
