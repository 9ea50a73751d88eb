# SPDX-License-Identifier: GPL-3.0-or-later
"""What is behind and beside a part, as the take's good frames show it: a plate without the part's outline.

A take that lost a part has usually smeared what lies around it too, so the neighbourhood can't be trusted either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .plates import Mask, Plate, filled, sample, visible, way


@dataclass(frozen=True)
class Good:
    """A good frame with what is derived from it once: ``edge`` (H, W) signed px from the part's edge, ``behind``
    (H, W, 3) the take without the part, ``styled`` (H, W, 3) what the look predicts for the part."""

    plate: Plate
    edge: F32
    behind: F32
    styled: F32


def clean_plate(plate: Plate, goods: Sequence[Good], edge: F32, reach: float) -> F32:
    """(H, W, 3) the take of ``plate`` with the neighbourhood of the part brought from good frames where the same
    surface was seen farther than ``reach`` px from the part and just as near to others, and grown under the part."""
    zone = (edge <= 0.5) & (edge > -4 * reach)
    total, weight = np.zeros_like(plate.take), np.zeros(plate.size, np.float32)
    for owner in (int(value) for value in np.unique(plate.ids[zone]) if value != plate.own):
        others = _to_others(plate, owner)
        for good in goods:
            path = way(plate, good.plate, owner)
            others_there = sample(_to_others(good.plate, owner), path)
            clear = (others_there > reach) | (np.abs(others - others_there) < 1.0)
            far = sample(good.edge, path) < -reach
            valid = zone & far & clear & visible(plate, good.plate, path, owner)
            trust = valid / float(max(abs(good.plate.frame - plate.frame), 1)) ** 3
            total += sample(good.plate.take, path) * trust[..., None]
            weight += trust
    found = weight > 0
    brought = total / np.maximum(weight, 1e-9)[..., None]
    light = _light(plate.take - brought, found & (edge < -3 * reach), reach)
    result = np.where(found[..., None], brought + light, plate.take)
    return np.where((edge > -0.5)[..., None], filled(result.astype(np.float32), edge < -0.5), result).astype(
        np.float32
    )


def _to_others(plate: Plate, owner: int) -> F32:
    """(H, W) px to the nearest pixel of a third party, whose outline may be drawn on ``owner``."""
    mine = ((plate.ids == owner) | (plate.ids == plate.own)).astype(np.uint8)
    away = cv2.distanceTransform(mine, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.minimum(away, 1e4), np.float32)


def _light(difference: F32, trusted: Mask, reach: float) -> F32:
    """How much lighter the take is than the plate, from the pixels around that show no damage."""
    if trusted.sum() < 16:
        return np.zeros_like(difference)
    smooth = filled(np.where(trusted[..., None], difference, 0).astype(np.float32), trusted)
    return np.asarray(np.clip(cv2.GaussianBlur(smooth, (0, 0), 2 * reach), -32, 32), np.float32)
