# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn lines of a flat sheet: shade, stains, ruling and specks go, the strokes stay."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import InputError

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
MARGIN = 0.018  # of the sheet's sides: desk that shows beside a curled border


@dataclass(frozen=True)
class Ink:
    """``mask`` (H, W) bool of the strokes, ``tone`` (H, W) float32 0..1 soft line picture, median stroke width in px."""

    mask: Mask
    tone: F32
    stroke_px: float


def distance(mask: Mask) -> F32:
    """Distance (px) of every True pixel to the nearest False one."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def grow(mask: Mask, radius: float) -> Mask:
    """Dilation by a disc of ``radius`` px."""
    return np.asarray(distance(~mask) <= radius)


def shrink(mask: Mask, radius: float) -> Mask:
    """Erosion by a disc of ``radius`` px."""
    return np.asarray(distance(mask) > radius)


def close_gaps(mask: Mask, radius: float) -> Mask:
    """Closing by a disc of ``radius`` px: bridges gaps up to twice that."""
    pad = int(radius) + 2
    padded = np.pad(mask, pad)
    return shrink(grow(padded, radius), radius)[pad:-pad, pad:-pad]


def relative_light(rgb: U8) -> F32:
    """(H, W, 3) float32: each channel divided by the light of the bare paper around it, 0..1.1."""
    quarter = cv2.resize(rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    size = max(9, round(max(quarter.shape[:2]) * 0.032)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    paper = cv2.morphologyEx(cv2.medianBlur(quarter, 3), cv2.MORPH_CLOSE, kernel)
    paper = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), size * 0.35)
    paper = cv2.resize(paper, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(rgb.astype(np.float32) / np.maximum(paper, 8), 0, 1.1)


def find_ink(rgb: U8, *, coloured: bool = False) -> Ink:
    """The strokes on a flat sheet (H, W, 3) uint8.

    Grey marks only, unless ``coloured``: coffee, ruling and a yellowed fold keep at least one channel bright.
    Raises InputError if the sheet is blank.
    """
    ratio = relative_light(rgb)
    dark = 1 - (ratio.min(axis=2) if coloured else ratio.max(axis=2))
    dark = _clear_margin(np.asarray(dark, np.float32))
    fine = cv2.GaussianBlur(dark, (0, 0), max(0.7, max(dark.shape) / 1600))
    noise = 1.4826 * float(np.median(np.abs(fine - np.median(fine))))
    strong = float(np.percentile(fine, 99.75))
    if strong < max(0.055, 6 * noise):
        todo = "Draw with a softer pencil or take the photo in better light."
        raise InputError("The sheet is blank: no pencil line stands out from the paper", todo=todo)
    base = float(np.median(fine))
    rise = strong - base
    low, high = base + max(0.075 * rise, 4.5 * noise), base + max(0.15 * rise, 8 * noise)
    mask = _hysteresis(fine, low, high)
    stroke = stroke_width(mask)
    mask = _without_specks(mask, stroke)
    tone = np.clip((fine - 0.6 * low) / (0.5 * rise), 0, 1) ** 0.8
    near = grow(mask, 1.5)
    return Ink(mask, np.asarray(np.where(near, tone, 0), np.float32), stroke)


def stroke_width(mask: Mask) -> float:
    """Median width (px) of the strokes: twice the distance on their ridge."""
    depth = distance(mask)
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & mask
    values = depth[ridge]
    return float(np.clip(2 * np.median(values) - 0.5, 1.5, 40)) if values.size else 1.5


def _clear_margin(dark: F32) -> F32:
    edge = max(2, round(MARGIN * max(dark.shape)))
    out = np.zeros_like(dark)
    out[edge:-edge, edge:-edge] = dark[edge:-edge, edge:-edge]
    return out


def _hysteresis(tone: F32, low: float, high: float) -> Mask:
    _, labels = cv2.connectedComponents((tone > low).astype(np.uint8), connectivity=8)
    strong = np.bincount(labels.ravel(), weights=(tone > high).ravel())
    keep = strong >= 3
    keep[0] = False
    return np.asarray(keep[labels])


def _without_specks(mask: Mask, stroke: float) -> Mask:
    """Drops marks not twice as long as a stroke is wide and soft patches much wider than a stroke (smudges)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    reach = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    keep = (reach > 1.9 * stroke) & (stats[:, cv2.CC_STAT_AREA] > 1.6 * stroke)
    keep[0] = False
    out = keep[labels] if count > 1 else mask
    return np.asarray(out & ~grow(shrink(out, 3.0 * stroke), 3.4 * stroke))


def clean_picture(tone: F32) -> U8:
    """(H, W, 3) uint8: anti-aliased dark lines on white."""
    smooth = tone * tone * (3 - 2 * tone)
    line = np.array([34, 36, 42], np.float32)
    return np.asarray(255 + (line - 255) * smooth[..., None] + 0.5, np.uint8)
