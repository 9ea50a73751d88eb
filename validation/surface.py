# SPDX-License-Identifier: GPL-3.0-or-later
"""What the surface of a part looks like: its colour, its texture, and whether it is what other frames show there."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import Mask
from .plates import Plate

PATCH_PX = 7
ALIKE_LAB = 9.0
RING_PX = (3.0, 12.0)
SAMPLES = 96
UNLIKE = 0.35
"""Correlation below which a patch is another patch."""
F64 = NDArray[np.float64]


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


def sampled(values: NDArray[np.generic], most: int = SAMPLES) -> F32:
    """At most ``most`` rows of ``values`` (n, ...), evenly taken."""
    return np.asarray(values[:: max(1, -(-len(values) // most))], np.float32)


def around(plate: Plate, mask: Mask, box: tuple[slice, slice]) -> F32:
    """Colours (n, 3) of the take in a ring around the part, whatever is there."""
    kernels = [np.ones((2 * max(1, round(px * plate.unit)) + 1,) * 2, np.uint8) for px in RING_PX]
    inner, outer = (cv2.dilate(mask.astype(np.uint8), kernel) for kernel in kernels)
    return sampled(plate.take_lab[box][(outer > 0) & (inner == 0)])


def nearest(colours: F32, palette: F32) -> F32:
    """(n,) Lab distance of ``colours`` (n, 3) to the nearest of ``palette`` (m, 3)."""
    if not len(palette):
        return np.full(len(colours), 99, np.float32)
    square = (colours**2).sum(1)[:, None] + (palette**2).sum(1)[None] - 2 * colours @ palette.T
    return np.sqrt(np.maximum(square.min(1), 0)).astype(np.float32)


def follow(take: NDArray[Any], render: NDArray[Any]) -> F64:
    """The part of ``take`` (3,) that no share 0..1.2 of the render's own change explains."""
    power = float(render @ render)
    share = float(np.clip((take @ render) / power, 0, 1.2)) if power > 1e-9 else 0.0
    return np.asarray(take - share * render, np.float64)


@dataclass(frozen=True)
class Look:
    """Of one part against one other frame: ``colour`` (3,) Lab change at the same surface points beyond what the
    render's light does, ``gone`` share of the surface in colours of what is around rather than its own, ``unlike``
    share of it in colours that it has nowhere in the other frame, ``at`` (x, y) middle of what is gone."""

    colour: F64
    gone: float
    unlike: float
    at: tuple[float, float]


def compare(now: F32, before: F32, render_now: F32, render_before: F32, palette: F32, ring: F32,
            pixels: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Look:  # fmt: skip
    """``now``, ``before`` (n, 3) Lab of the take at the same surface points here and in the other frame, ``render_*``
    the same of the render, ``palette`` (m, 3) colours of the whole part there, ``ring`` (k, 3) around it here."""
    change = np.median(now - before, axis=0)
    colour = follow(change, np.median(render_now - render_before, axis=0))
    own, other = nearest(now, palette), nearest(now, ring)
    gone = (own > ALIKE_LAB) & (other < 0.6 * own - 1)
    unlike = own > ALIKE_LAB
    x, y = pixels
    at = (float(x[gone].mean()), float(y[gone].mean())) if gone.any() else (float("nan"), float("nan"))
    return Look(colour, float(gone.mean()), float(unlike.mean()), at)


@dataclass(frozen=True)
class Texture:
    """Of one part against one other frame: ``change`` 1 - mean correlation of its patches, ``garbled`` share of its
    patches that are other patches; NaN without texture."""

    change: float = np.nan
    garbled: float = np.nan


class Patches:
    """Correlation of small patches (ZNCC, blind to gain and offset) between two lightness pictures (h, w)."""

    def __init__(self, before: F32, now: F32, unit: float) -> None:
        reach = 2 * max(1, round(PATCH_PX * unit / 2)) + 1
        size = (reach, reach)
        mean_a, mean_b = cv2.blur(before, size), cv2.blur(now, size)
        self.power = cv2.blur(before * before, size) - mean_a * mean_a
        var_b = cv2.blur(now * now, size) - mean_b * mean_b
        both = cv2.blur(before * now, size) - mean_a * mean_b
        self.zncc = both / np.sqrt(np.maximum(self.power * np.maximum(var_b, 0.25), 1e-6))

    def of(self, where: Mask, cut: tuple[slice, slice]) -> Texture:
        """Of the patches ``where`` in the crop ``cut``."""
        usable = where & (self.power[cut] > 1.0)
        if usable.sum() < 24:
            return Texture()
        found = np.clip(self.zncc[cut][usable], -1, 1)
        return Texture(float(1 - found.mean()), float((found < UNLIKE).mean()))


def energy(lightness: F32, where: Mask) -> float:
    """log of the deviation of fine lightness (a 5 px high pass) on ``where``: how textured a surface is."""
    fine = lightness - cv2.blur(lightness, (5, 5))
    return float(np.log(float(fine[where].std()) + 0.5))
