# SPDX-License-Identifier: GPL-3.0-or-later
"""What the surface of a part looks like: the same thing as in other frames, its colour, its texture."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import Region
from .plates import Plate

PATCH_PX = 7
ALIKE_LAB = 9.0
RING_PX = (3.0, 12.0)
SAMPLES = 96
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Look:
    """Of one part against one other frame: ``unlike`` share of its surface in colours that it has not there,
    ``behind`` share of it that looks like its surroundings rather than like itself, ``jump`` Lab change of its
    colour beyond what the render changed."""

    unlike: float = np.nan
    behind: float = np.nan
    jump: float = np.nan


def solid(mask: NDArray[np.uint8], unit: float, rim_px: float = 3.0) -> Mask:
    """The mask less a rim of ``rim_px`` units, or of less where nothing would be left."""
    for px in (rim_px, 2.0, 1.0):
        side = 2 * max(1, round(px * unit)) + 1
        inner = cv2.erode(
            mask, np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        if inner.sum() >= 30:
            break
    return np.asarray(inner > 0)


def samples(lab: F32, where: Mask) -> F32:
    """At most SAMPLES colours (n, 3) of the pixels ``where``, evenly taken."""
    colours = lab[where]
    return np.asarray(colours[:: max(1, len(colours) // SAMPLES)], np.float32)


def surroundings(here: Plate, mask: Mask, region: Region) -> F32:
    """Colours (n, 3) of the take in a ring around the part, whatever is there."""
    kernels = [np.ones((2 * max(1, round(px * here.unit)) + 1,) * 2, np.uint8) for px in RING_PX]
    inner, outer = (cv2.dilate(mask.astype(np.uint8), kernel) for kernel in kernels)
    return samples(here.take_lab[region.cut], (outer > 0) & (inner == 0))


def _nearest(colours: F32, palette: F32) -> F32:
    return np.asarray(np.sqrt(((colours[:, None] - palette[None]) ** 2).sum(-1).min(1)), np.float32)


def follow(take: NDArray[Any], render: NDArray[Any]) -> NDArray[np.float64]:
    """The part of ``take`` (3,) that no share 0..1.2 of the render's own change explains."""
    power = float(render @ render)
    share = float(np.clip((take @ render) / power, 0, 1.2)) if power > 1e-9 else 0.0
    return np.asarray(take - share * render, np.float64)


def compare(now: F32, ring: F32, there: Plate, part_id: int, render_now: F32) -> Look:
    """Colours of the part now (n, 3) and around it (m, 3) against the part in another frame of the take."""
    ys, xs = np.nonzero(there.ids == part_id)
    if len(xs) < 30 or len(now) < 12:
        return Look()
    box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    inner = solid((there.ids[box] == part_id).astype(np.uint8), there.unit)
    if inner.sum() < 12:
        return Look()
    before, render_before = samples(there.take_lab[box], inner), samples(there.beauty_lab[box], inner)
    own = _nearest(now, before)
    other = _nearest(now, ring) if len(ring) else np.full(len(now), 99, np.float32)
    change = np.median(now, axis=0) - np.median(before, axis=0)
    rest = follow(change, np.median(render_now, axis=0) - np.median(render_before, axis=0))
    return Look(
        float((own > ALIKE_LAB).mean()), float((other < 0.6 * own - 1).mean()), float(np.linalg.norm(rest))
    )


def anchored_jump(before: F32, now: F32, render_before: F32, render_now: F32, where: Mask) -> float:
    """Lab change at the same surface points beyond the render's, of the pixels ``where``."""
    change = np.median(now[where] - before[where], axis=0)
    return float(np.linalg.norm(follow(change, np.median(render_now[where] - render_before[where], axis=0))))


def texture_change(before: F32, now: F32, where: Mask, unit: float) -> float:
    """1 - mean ZNCC of lightness in small patches on the pixels ``where``; NaN without texture. 0 is the same."""
    reach = 2 * max(1, round(PATCH_PX * unit / 2)) + 1
    size = (reach, reach)
    a, b = np.ascontiguousarray(before[..., 0]), np.ascontiguousarray(now[..., 0])
    mean_a, mean_b = cv2.blur(a, size), cv2.blur(b, size)
    var_a = cv2.blur(a * a, size) - mean_a * mean_a
    var_b = cv2.blur(b * b, size) - mean_b * mean_b
    both = cv2.blur(a * b, size) - mean_a * mean_b
    usable = where & (var_a > 1.0)
    if usable.sum() < 24:
        return float("nan")
    zncc = both[usable] / np.sqrt(np.maximum(var_a[usable] * np.maximum(var_b[usable], 0.25), 1e-6))
    return float(1 - np.clip(zncc, -1, 1).mean())
