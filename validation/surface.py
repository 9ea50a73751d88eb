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
NOISE_POWER = 2.0
"""Variance of the change in L of the render's own patches from which they are noise."""
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
    square = (colours**2).sum(1)[:, None] + (palette**2).sum(1)[None]
    square -= (2 * colours) @ palette.T
    return np.asarray(np.sqrt(np.maximum(square.min(1), 0)), np.float32)


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
    patches that are other patches, both beyond what the render's own noise does; ``strange`` the latter, noise
    included; ``noise`` 0..1 how much of what is seen is the render's noise; NaN without texture."""

    change: float = np.nan
    garbled: float = np.nan
    strange: float = np.nan
    noise: float = np.nan


class Patches:
    """Correlation of small patches (ZNCC, blind to gain and offset) between two lightness pictures (h, w) of the take,
    as far as the render's own patches agree: what a render with few samples boils, a take of it may boil too."""

    def __init__(self, before: F32, now: F32, render_before: F32, render_now: F32, unit: float) -> None:
        reach = 2 * max(1, round(PATCH_PX * unit / 2)) + 1
        self.zncc, self.power, _ = _correlation(before, now, (reach, reach))
        own, _, apart = _correlation(render_before, render_now, (reach, reach))
        self.excused = (1 - own) * np.clip(apart / NOISE_POWER, 0, 1)

    def of(self, where: Mask) -> Texture:
        """Of the patches ``where`` (h, w)."""
        usable = where & (self.power > 1.0)
        if usable.sum() < 24:
            return Texture()
        plain, excused = self.zncc[usable], self.excused[usable]
        found = np.clip(plain + excused, -1, 1)
        shares = float((found < UNLIKE).mean()), float((plain < UNLIKE).mean())
        return Texture(float(1 - found.mean()), *shares, float(excused.mean()))


def _correlation(a: F32, b: F32, size: tuple[int, int]) -> tuple[F32, F32, F32]:
    """(zncc, power of ``a``, power of ``b - a``), (h, w) each, of all patches of ``size``."""
    mean_a, mean_b = cv2.blur(a, size), cv2.blur(b, size)
    power_a = cv2.blur(a * a, size) - mean_a * mean_a
    power_b = cv2.blur(b * b, size) - mean_b * mean_b
    both = cv2.blur(a * b, size) - mean_a * mean_b
    zncc = both / np.sqrt(np.maximum(power_a * np.maximum(power_b, 0.25), 1e-6))
    return zncc, power_a, power_a + power_b - 2 * both


def energy(lightness: F32, where: Mask) -> float:
    """log of the deviation of fine lightness (a 5 px high pass) on ``where``: how textured a surface is."""
    fine = lightness - cv2.blur(lightness, (5, 5))
    return float(np.log(float(fine[where].std()) + 0.5))
