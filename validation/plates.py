# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of truth and take side by side, at working size, and a small window of such frames.

Lengths in pixels are at working size here; ``unit`` is one pixel of a picture 640 wide, so limits hold at any size.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8

WORK_WIDTH = 700
"""Wider pictures are measured at half, a third ... of their size."""
NEIGHBOURHOOD_PX = 8.5
F64 = NDArray[np.float64]


class TruthFrames(Protocol):
    """What Validate asks of a ground truth; `pipeline.truth.GroundTruth` gives it."""

    @property
    def size(self) -> tuple[int, int]: ...
    def beauty(self, frame: int) -> U8: ...
    def ids(self, frame: int) -> NDArray[np.generic]: ...
    def depth(self, frame: int) -> F32: ...


class TakeFrames(Protocol):
    """What Validate asks of a take; `pipeline.take.TakeFolder` gives it."""

    def frame(self, frame: int) -> U8: ...


@dataclass(frozen=True)
class Plate:
    """One frame at working size, (h, w) everywhere; ``frame`` is the truth's.

    ``take_lab``/``beauty_lab`` (h, w, 3) float32 Lab; ``structure`` (h, w) uint8 locally normalised lightness of the
    take; ``ids`` (h, w) int32; ``depth`` (h, w) float32 metres.
    """

    frame: int
    take_lab: F32
    beauty_lab: F32
    structure: U8
    ids: NDArray[np.int32]
    depth: F32

    @property
    def unit(self) -> float:
        """Working pixels in one pixel of a picture 640 wide."""
        return self.ids.shape[1] / 640.0


def divisor(width: int) -> int:
    """By how much pictures of this width are reduced for measuring."""
    return max(1, -(-width // WORK_WIDTH))


def to_lab(rgb: U8) -> F32:
    """(H, W, 3) uint8 sRGB -> float32 CIE Lab, L 0..100, to half a unit (the 8-bit conversion is ten times faster)."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab *= np.array([100 / 255, 1, 1], np.float32)
    lab -= np.array([0, 128, 128], np.float32)
    return np.asarray(lab, np.float32)


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


def _shrink(array: NDArray[np.generic], size: tuple[int, int], smooth: bool) -> NDArray[np.generic]:
    if array.shape[1::-1] == size:
        return array
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA if smooth else cv2.INTER_NEAREST))


def middles(array: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    """``array`` (H, W, ...) at the full-size pixels that lie nearest to the centres of the working ones."""
    height, width = array.shape[:2]
    if (width, height) == size:
        return array
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(np.intp)
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(np.intp)
    return np.ascontiguousarray(array[rows[:, None], columns[None]])


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) at which pictures of ``size`` are measured."""
    return max(1, size[0] // divisor(size[0])), max(1, size[1] // divisor(size[0]))


def fitted(styled: U8, matrix: F64, size: tuple[int, int], full: tuple[int, int]) -> U8:
    """The take's picture on the working grid: ``matrix`` (2, 3) maps pixel coordinates of the shot at ``full`` size
    to those of the take in its own size (pixel centres at halves)."""
    if np.allclose(matrix, np.eye(2, 3), atol=1e-9) and styled.shape[1::-1] == full:
        return np.asarray(_shrink(styled, size, True), np.uint8)
    grow = np.array([[full[0] / size[0], 0, 0], [0, full[1] / size[1], 0], [0, 0, 1.0]])
    whole = np.vstack([matrix, [0, 0, 1]]) @ grow
    shrink = max(1, round(min(whole[0, 0], whole[1, 1])))
    if shrink > 1:
        height, width = styled.shape[:2]
        small = (max(1, width // shrink), max(1, height // shrink))
        styled = np.asarray(cv2.resize(styled, small, interpolation=cv2.INTER_AREA), np.uint8)
        whole = np.diag([small[0] / width, small[1] / height, 1.0]) @ whole
    whole = (
        np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
        @ whole
        @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(styled, whole[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


Truth = tuple[U8, NDArray[np.generic], F32]
"""The truth of a frame at working size: beauty (h, w, 3) uint8 RGB, ids (h, w) as stored, depth (h, w) metres."""


def truth_side(
    truth: TruthFrames, source: int, beauty: U8 | None = None, ids: NDArray[np.generic] | None = None
) -> Truth:
    """Reads frame ``source`` of the truth, less what has been read. Raises InputError."""
    size = working_size(truth.size)
    beauty = truth.beauty(source) if beauty is None else beauty
    ids = truth.ids(source) if ids is None else ids
    small = np.asarray(_shrink(beauty, size, True), np.uint8)
    return small, middles(ids, size), np.asarray(middles(truth.depth(source), size), np.float32)


def take_side(styled: U8, matrix: F64 | tuple[float, float] | None, full: tuple[int, int]) -> U8:
    """(h, w, 3) uint8 RGB: a frame of the take through ``matrix`` (see ``load_plate``) on the working grid of a shot of
    the size ``full``."""
    if not isinstance(matrix, np.ndarray):
        x, y = matrix or (0.0, 0.0)
        across, down = styled.shape[1] / full[0], styled.shape[0] / full[1]
        matrix = np.array([[across, 0, across * x], [0, down, down * y]])
    return fitted(styled, matrix, working_size(full), full)


def plate_of(source: int, truth: Truth, styled: U8) -> Plate:
    """The plate of what was read at working size."""
    beauty, ids, depth = truth
    take_lab = to_lab(styled)
    structure = local_structure(np.ascontiguousarray(take_lab[..., 0]), styled.shape[1] / 640.0)
    return Plate(source, take_lab, to_lab(beauty), structure, ids.astype(np.int32), depth)


def load_plate(
    truth: TruthFrames,
    take: TakeFrames,
    source: int,
    out: int,
    matrix: F64 | tuple[float, float] | None = None,
) -> Plate:
    """Reads frame ``source`` of the truth and ``out`` of the take through ``matrix`` (see ``fitted``; None: as it
    is, resized to the shot's size; a pair: that many of the shot's pixels off). Raises InputError for a picture that can't be read."""
    return plate_of(source, truth_side(truth, source), take_side(take.frame(out), matrix, truth.size))


class Window:
    """Plates by position, loaded once and kept while they may be needed: the ``keep`` used last stay in memory."""

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
