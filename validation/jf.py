# SPDX-License-Identifier: GPL-3.0-or-later
"""J and F of a mask against another one: region and contour as the DAVIS benchmark defines them, bit for bit.

(Perazzi et al. 2016; Pont-Tuset et al. 2017: J = |M and G| / |M or G|, F from boundaries that lie within a radius of
each other.) The definition dilates whole pictures by a disk. Here only the boundary pixels are looked at: whether
another one lies in the disk around them is a search in their sorted positions, in whole numbers, so any radius gives
the definition's own value.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import UsageError

Mask = NDArray[np.bool_]
Keys = NDArray[np.int64]
TOLERANCE = 0.008
"""The benchmark's: share of the picture's diagonal, 18 px at 1920x1080."""
RECALL = 0.5


@dataclass(frozen=True)
class Spot:
    """A mask cut to what it holds: ``mask`` (h, w) with its upper left pixel at row ``top``, column ``left``."""

    top: int
    left: int
    mask: Mask

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))

    @classmethod
    def of(cls, mask: NDArray[Any]) -> "Spot":
        """Of a whole picture (H, W); what is not 0 is in."""
        held = mask if mask.dtype == np.bool_ else mask != 0
        rows = np.flatnonzero(held.any(1))
        if not len(rows):
            return NOTHING
        columns = np.flatnonzero(held[rows[0] : rows[-1] + 1].any(0))
        return cls(int(rows[0]), int(columns[0]), held[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


NOTHING = Spot(0, 0, np.zeros((0, 0), np.bool_))


def spots(ids: NDArray[Any]) -> dict[int, Spot]:
    """Every number but 0 of an id map (H, W) as a mask. One pass over the picture, however many there are."""
    width = ids.shape[1]
    begins = np.empty(ids.shape, np.bool_)
    begins[:, :1] = True
    np.not_equal(ids[:, 1:], ids[:, :-1], out=begins[:, 1:])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], ids.size) - 1
    number = ids.ravel()[first]
    held = np.flatnonzero(number)
    order = held[np.argsort(number[held], kind="stable")]
    if not len(order):
        return {}
    first, last, number = first[order], last[order], number[order]
    at = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    rows, lefts, rights = first // width, first % width, last % width
    tops, bottoms = np.minimum.reduceat(rows, at), np.maximum.reduceat(rows, at)
    boxes = zip(
        number[at],
        tops,
        bottoms,
        np.minimum.reduceat(lefts, at),
        np.maximum.reduceat(rights, at),
        strict=True,
    )
    return {int(n): Spot(int(y), int(x), ids[y : b + 1, x : r + 1] == n) for n, y, b, x, r in boxes}


def radius(shape: tuple[int, int], tolerance: float = TOLERANCE) -> int:
    """Pixels for a picture (H, W): ``tolerance`` is a share of the diagonal if below 1, else whole pixels.

    Raises UsageError for one that is neither.
    """
    if not 0 <= tolerance < math.inf or (tolerance >= 1 and tolerance != int(tolerance)):
        todo = "Give a share of the diagonal below 1, or whole pixels."
        raise UsageError(f"A boundary tolerance of {tolerance} makes no sense", todo=todo)
    return int(tolerance) if tolerance >= 1 else int(np.ceil(tolerance * np.linalg.norm(shape)))


def boundary(seg: Mask) -> Mask:
    """(H, W): pixels that differ from the one to the right, below, or below to the right. At the picture's lower and
    right rim only the neighbour that is there counts; the corner is none (Martin's seg2bmap, as in DAVIS)."""
    out = np.zeros(seg.shape, np.bool_)
    here = seg[:-1, :-1]
    out[:-1, :-1] = (here ^ seg[:-1, 1:]) | (here ^ seg[1:, :-1]) | (here ^ seg[1:, 1:])
    out[-1, :-1] = seg[-1, :-1] ^ seg[-1, 1:]
    out[:-1, -1] = seg[:-1, -1] ^ seg[1:, -1]
    return out


def region(mask: Spot, truth: Spot) -> float:
    """J; 1 where both are empty."""
    top, left = max(mask.top, truth.top), max(mask.left, truth.left)
    bottom = min(mask.top + mask.mask.shape[0], truth.top + truth.mask.shape[0])
    right = min(mask.left + mask.mask.shape[1], truth.left + truth.mask.shape[1])
    both = 0
    if top < bottom and left < right:
        a, b = (s.mask[top - s.top : bottom - s.top, left - s.left : right - s.left] for s in (mask, truth))
        both = int(np.count_nonzero(a & b))
    union = mask.area + truth.area - both
    return both / union if union else 1.0


def contour(mask: Spot, truth: Spot, shape: tuple[int, int], reach: int) -> float:
    """F within ``reach`` pixels, in a picture (H, W)."""
    stride = shape[1] + 2 * reach + 2
    a, b = _points(mask, shape, stride, reach), _points(truth, shape, stride, reach)
    if not len(a) or not len(b):
        return float(len(a) == len(b))
    precision = _near(a, b, stride, reach) / len(a)
    recall = _near(b, a, stride, reach) / len(b)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _points(spot: Spot, shape: tuple[int, int], stride: int, reach: int) -> Keys:
    """Sorted boundary pixels as row x stride + column + reach: a disk around one never wraps into another row."""
    rows, columns = spot.mask.shape
    if not rows:
        return np.zeros(0, np.int64)
    up, back = min(1, spot.top), min(1, spot.left)
    low, out = min(1, shape[0] - spot.top - rows), min(1, shape[1] - spot.left - columns)
    edges = boundary(np.pad(spot.mask, ((up, low), (back, out))))
    flat = np.flatnonzero(edges)
    y, x = np.divmod(flat, edges.shape[1])
    return np.asarray((y + spot.top - up) * stride + x + (spot.left - back + reach), np.int64)


def _near(points: Keys, others: Keys, stride: int, reach: int) -> int:
    """How many of ``points`` have one of ``others`` within ``reach``: row by row outwards, those found drop out."""
    rows = points // stride
    left = points[(rows >= others[0] // stride - reach) & (rows <= others[-1] // stride + reach)]
    count = 0
    for away in range(reach + 1):
        half = math.isqrt(reach * reach - away * away)
        for row in (away, -away) if away else (0,):
            if not len(left):
                return count
            centre = left + row * stride
            at = np.searchsorted(others, centre - half)
            missed = others[np.minimum(at, len(others) - 1)] > centre + half
            missed |= at == len(others)
            count += len(left) - int(np.count_nonzero(missed))
            left = left[missed]
    return count


@dataclass(frozen=True)
class Statistics:
    """Of one measure over the frames: ``mean``, ``recall`` share of frames above 0.5, ``decay`` how much the first
    quarter's mean is above the last one's."""

    mean: float
    recall: float
    decay: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Statistics":
        """As DAVIS' db_statistics, with frame numbers that hold beyond 255. Raises UsageError for no value."""
        if not len(values):
            raise UsageError("There is no frame to take the mean of")
        array = np.asarray(values, np.float64)
        ends = (np.round(np.linspace(1, len(array), 5) + 1e-10) - 1).astype(np.int64)
        first, last = array[ends[0] : ends[1] + 1], array[ends[3] : ends[4] + 1]
        return cls(float(array.mean()), float((array > RECALL).mean()), float(first.mean() - last.mean()))
