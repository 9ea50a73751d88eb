# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of truth and take side by side, at working size, and a small window of such frames.

Lengths in pixels are at working size here; ``unit`` is one pixel of a picture 640 wide, so limits hold at any size.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8

WORK_WIDTH = 1000
"""Wider pictures are measured at half, a third ... of their size."""
NEIGHBOURHOOD_PX = 8.5


class TruthFrames(Protocol):
    """What Validate asks of a ground truth; `pipeline.truth.GroundTruth` gives it."""

    @property
    def size(self) -> tuple[int, int]: ...
    def beauty(self, frame: int) -> U8: ...
    def ids(self, frame: int) -> U8: ...
    def depth(self, frame: int) -> F32: ...
    def normal(self, frame: int) -> F32: ...


class TakeFrames(Protocol):
    """What Validate asks of a take; `pipeline.take.TakeFolder` gives it."""

    def frame(self, frame: int) -> U8: ...


@dataclass(frozen=True)
class Plate:
    """One frame at working size, (h, w) everywhere; ``frame`` is the truth's.

    ``take_lab``/``beauty_lab`` (h, w, 3) float32 Lab; ``structure`` (h, w) uint8 locally normalised lightness of the
    take; ``probe()`` (h, w) uint8 a pattern that depends on the camera-space normal alone, read when first asked
    for; ``ids`` (h, w) uint8; ``depth`` (h, w) float32 metres.
    """

    frame: int
    take_lab: F32
    beauty_lab: F32
    structure: U8
    probe: Callable[[], U8]
    ids: U8
    depth: F32

    @property
    def unit(self) -> float:
        """Working pixels in one pixel of a picture 640 wide."""
        return self.ids.shape[1] / 640.0


def divisor(width: int) -> int:
    """By how much pictures of this width are reduced for measuring."""
    return max(1, -(-width // WORK_WIDTH))


def to_lab(rgb: U8) -> F32:
    """(H, W, 3) uint8 sRGB -> float32 CIE Lab, L 0..100."""
    scaled = rgb.astype(np.float32) * np.float32(1 / 255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)


def edge_tensor(lab: F32, unit: float) -> F32:
    """(h, w, 3) sums over L, a, b of gx*gx, gx*gy, gy*gy per working pixel, after a blur of 0.8 units."""
    soft = cv2.GaussianBlur(lab, (0, 0), max(0.6, 0.8 * unit))
    gx = cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 32)
    total = np.ones((1, lab.shape[2]), np.float32)
    planes = [cv2.transform(cv2.multiply(a, b), total) for a, b in ((gx, gx), (gx, gy), (gy, gy))]
    return np.asarray(cv2.merge(planes), np.float32)


def local_structure(lightness: F32, unit: float) -> U8:
    """(h, w) uint8: lightness less its local mean over its local deviation; blind to light, contrast and drift."""
    reach = 2 * max(1, round(NEIGHBOURHOOD_PX * unit)) + 1
    mean = cv2.blur(lightness, (reach, reach))
    power = cv2.blur(lightness * lightness, (reach, reach))
    spread = np.sqrt(np.maximum(power - mean * mean, 0))
    flat = 128 + 40 * (lightness - mean) / (spread + 1.5)
    return np.clip(flat, 0, 255).astype(np.uint8)


def normal_pattern(normal: F32) -> U8:
    """(h, w) uint8 pattern locked to the normal, as shading, highlights and contour lines of a style are."""
    wave = np.sin(11 * normal[..., 0]) + np.sin(11 * normal[..., 1] + 1)
    return (128 + 55 * wave).astype(np.uint8)


def _shrink(array: NDArray[np.generic], size: tuple[int, int], smooth: bool) -> NDArray[np.generic]:
    if array.shape[1::-1] == size:
        return array
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA if smooth else cv2.INTER_NEAREST))


def load_plate(
    truth: TruthFrames, take: TakeFrames, source: int, out: int, offset_px: tuple[float, float]
) -> Plate:
    """Reads frame ``source`` of the truth and ``out`` of the take; ``offset_px`` (full size) is taken out of the take.

    A take of another size than the truth is resized to it. Raises InputError for a picture that can't be read.
    """
    width, height = truth.size
    size = (width // divisor(width), height // divisor(width))
    styled = take.frame(out)
    if styled.shape[1::-1] != (width, height):
        styled = np.asarray(cv2.resize(styled, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if offset_px != (0.0, 0.0):
        back = np.array([[1, 0, -offset_px[0]], [0, 1, -offset_px[1]]], np.float32)
        styled = np.asarray(
            cv2.warpAffine(styled, back, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
    take_lab = to_lab(np.asarray(_shrink(styled, size, True), np.uint8))
    beauty_lab = to_lab(np.asarray(_shrink(truth.beauty(source), size, True), np.uint8))
    unit = size[0] / 640.0
    ids = np.asarray(_shrink(truth.ids(source), size, False), np.uint8)
    depth = np.asarray(_shrink(truth.depth(source), size, False), np.float32)

    @cache
    def probe() -> U8:
        return normal_pattern(np.asarray(_shrink(truth.normal(source), size, False), np.float32))

    structure = local_structure(np.ascontiguousarray(take_lab[..., 0]), unit)
    return Plate(source, take_lab, beauty_lab, structure, probe, ids, depth)


class Window:
    """Plates by position in the take, loaded when first asked for; only the ``keep`` used last stay in memory."""

    def __init__(self, load: Callable[[int], Plate], keep: int) -> None:
        self._load, self._keep = load, keep
        self._plates: OrderedDict[int, Plate] = OrderedDict()

    def __getitem__(self, index: int) -> Plate:
        if index in self._plates:
            self._plates.move_to_end(index)
        else:
            self._plates[index] = self._load(index)
            while len(self._plates) > self._keep:
                self._plates.popitem(last=False)
        return self._plates[index]
