# SPDX-License-Identifier: GPL-3.0-or-later
"""What is behind and beside a part, as the take's good frames show it: a plate without the part's outline.

A take that lost a part has usually smeared what lies around it too, so the neighbourhood can't be trusted either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .contact_shadow import ratio, shaded
from .plates import Mask, Plate, filled, sample, visible, way

_TONE = (0.7, 1.4)
AROUND_PX = 30.0
"""How far from its place a part may have strayed, in px at 640 wide."""
_STRAY = 12.0
"""Code values by which something differs that should not be there."""
_LIGHTER = 6.0
"""Code values by which ground may become lighter than it is seen anywhere."""
_ENOUGH = 300
"""Pixels of ground that tell a change of exposure half."""


@dataclass(frozen=True)
class Good:
    """A good frame with what is derived from it once: ``edge`` (H, W) signed px from the part's edge, ``behind``
    (H, W, 3) the take without the part, ``styled`` (H, W, 3) what the look predicts for the part, ``lit`` (H, W, 3)
    its light's model, ``others`` (H, W) px to the nearest other part."""

    plate: Plate
    edge: F32
    behind: F32
    styled: F32
    lit: F32
    others: F32


@dataclass(frozen=True)
class Clean:
    """``picture`` (H, W, 3) without the part; ``rid`` (H, W, 3) the take, rid of what stands around the part that good
    frames don't show there (the part itself, out of place); ``tone`` (3,) how much brighter by channel the take is in
    this frame than its good frames, beyond what the render's light does."""

    picture: F32
    rid: F32
    tone: F32


def clean_plate(plate: Plate, goods: Sequence[Good], edge: F32, reach: float, follow: float) -> Clean:
    """The take of ``plate`` with the neighbourhood of the part brought from good frames where the same surface was
    seen farther than ``reach`` px from the part and just as near to others, and grown under the part."""
    zone = (edge <= 0.5) & (edge > -AROUND_PX * plate.scale)
    # another part's line that the fault did not touch is the take's own, unless it lies the very same
    slack = np.where(edge > -2.5 * reach, 1.0, 0.3)
    brought, found = np.zeros_like(plate.take), np.zeros(plate.size, bool)
    for owner in (int(value) for value in np.unique(plate.ids[zone]) if value != plate.own):
        mine, others = zone & (plate.ids == owner), _to_others(plate, owner)
        for good in sorted(goods, key=lambda each: abs(each.plate.frame - plate.frame)):
            wanted = mine & ~found
            if not wanted.any():
                break
            path = way(plate, good.plate, owner)
            others_there = sample(_to_others(good.plate, owner), path)
            clear = (np.minimum(others, others_there) > reach) | (np.abs(others - others_there) < slack)
            far = sample(good.edge, path) < -reach
            valid = wanted & far & clear & visible(plate, good.plate, path, owner)
            paint = sample(good.plate.take, path)
            colour = shaded(paint, ratio(plate, good.plate, path), follow)
            # in the dark a ratio of light is mostly grain: nothing gets lighter than what either frame shows there
            colour = np.minimum(colour, np.maximum(paint, plate.take) + _LIGHTER)
            brought = np.where(valid[..., None], colour, brought)
            found |= valid
    sound = found & (edge < -3 * reach)
    free = _to_others(plate, 0) > reach
    stray = _stray(plate.take - brought, found, sound, free, plate.scale)
    sound &= stray < 0.05
    ground = brought + _light(plate.take - brought, sound, reach)
    rid = plate.take + (ground - plate.take) * (stray * found)[..., None]
    near = found & (edge > -4 * reach) & (free | (edge > -2 * reach))
    result = np.where(near[..., None], ground, rid).astype(np.float32)
    own = (edge < -2 * reach) | (~free & (edge < -reach))  # where the take's own is better than a guess
    known = (edge < -0.5) & (found | own | (not found.any()))
    grown = np.where(known[..., None], result, filled(result, known)).astype(np.float32)
    hole = ~known & (edge < -0.5)
    rid = np.where(hole[..., None], grown, rid)
    return Clean(grown, np.asarray(rid, np.float32), _tone(plate.take, brought, sound))


def _stray(difference: F32, found: Mask, sound: Mask, free: Mask, scale: float) -> F32:
    """(H, W) 0..1 where the take shows something that its good frames don't, beyond what is usual around it;
    not on the outlines of other parts (where it is not ``free``) unless it is plain."""
    if sound.sum() < 16:
        return np.zeros(found.shape, np.float32)
    change = difference - np.median(difference[sound], 0)
    apart = cv2.GaussianBlur(
        np.where(found, np.abs(change).mean(-1), 0).astype(np.float32), (0, 0), 0.7 * scale
    )
    usual = max(2.5 * float(np.percentile(apart[sound], 60)), _STRAY)
    there = ((apart > usual) & found).astype(np.uint8)
    there &= (apart > 2 * usual) | free
    wide = cv2.dilate(there, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(5 * scale) | 1,) * 2))
    return np.clip(1.5 * cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 1.5 * scale), 0, 1)


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


def _tone(take: F32, brought: F32, trusted: Mask) -> F32:
    """(3,) gain by channel, nearer to 1 the less ground there is to tell it."""
    count = int(trusted.sum())
    if count < 16:
        return np.ones(3, np.float32)
    gain = (np.median(take[trusted], 0) + 4) / (np.median(brought[trusted], 0) + 4)
    return np.clip(1 + (gain - 1) * count / (count + _ENOUGH), *_TONE).astype(np.float32)
