# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines from geometry: drawn where the scene tears or folds, of a width in the clip's own pixels.

Between the centres of four pixels lies a cell; a line enters and leaves it where a pair of neighbours is torn, as in
marching squares (Lorensen and Cline 1987) over a picture of labels. Where on the way from one centre to the other it
crosses is known to a fraction of a pixel from how much of each pixel is covered (the pass ``sure``) or from the depth of
both sides of a fold, so that lines glide with a moving part instead of jumping from pixel to pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.fitting import Fit
from ...pipeline.pictures import F32, U8
from .surface import Pairs

_FINE = 4
"""Lines are drawn this many times larger, then averaged: 17 levels of grey."""
_SHIFT = 6
"""Fractional bits of the drawn coordinates."""
_ROUNDS, _STEP = 24, 0.8
"""How often, and how far each time, lines of unknown place are smoothed: steps of up to ten pixels become ramps."""


@dataclass(frozen=True)
class Places:
    """How far from the first centre of each pair to the second its edge crosses, 0..1, NaN where nothing says it: arrays
    like those of Pairs. Those of ``firm`` pairs are exact."""

    across: F32
    down: F32
    firm: Pairs


def places(moved: Pairs, sure: F32 | None, folded: Pairs, inverse: F32) -> Places:
    """Where edges cross. Between two parts ``sure`` (H, W) knows it, the share of a pixel that its own id covers; at a fold
    1/z (H, W) does, where the planes of both sides meet."""
    found = []
    for axis, parted, fold in ((1, moved.across, folded.across), (0, moved.down, folded.down)):
        place = np.full(parted.shape, np.nan, np.float32)
        rows, columns = np.nonzero(fold)
        place[rows, columns] = _meeting(inverse, rows, columns, axis)
        if sure is not None:
            rows, columns = np.nonzero(parted)
            after = (rows, columns + 1) if axis else (rows + 1, columns)
            place[rows, columns] = np.clip(0.5 + sure[rows, columns] - sure[after], 0, 1)
        found.append(place)
    firm = moved if sure is not None else Pairs(moved.across & False, moved.down & False)
    return Places(found[0], found[1], firm)


def _meeting(inverse: F32, rows: NDArray[np.int64], columns: NDArray[np.int64], axis: int) -> F32:
    """Where the line through 1/z of the pixels -1, 0 meets that through 1, 2 along ``axis``; NaN if not between 0 and 1."""
    down, across = (0, 1) if axis else (1, 0)
    height, width = inverse.shape
    values = [
        inverse[
            np.clip(rows + step * down, 0, height - 1), np.clip(columns + step * across, 0, width - 1)
        ].astype(np.float64)
        for step in (-1, 0, 1, 2)
    ]
    before, after = values[1] - values[0], values[3] - values[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (values[2] - values[1] - after) / (before - after)
    return np.where((place >= -0.25) & (place <= 1.25), np.clip(place, 0, 1), np.nan).astype(np.float32)


def segments(edges: Pairs, place: Places) -> NDArray[np.float64]:
    """(N, 2, 2) ends x, y of straight pieces in source pixels. Where an edge crosses between the centres of a pair is
    ``place`` says; where it is not firm, the edge runs as smoothly between the two centres as it can."""
    height, width = edges.across.shape[0], edges.down.shape[1]
    row, column = np.nonzero(_cells(edges))
    upright = height * (
        width - 1
    )  # crossings have numbers: those of across pairs first, then those of down pairs
    crossing = np.stack([
        row * (width - 1) + column, (row + 1) * (width - 1) + column,
        upright + row * width + column, upright + row * width + column + 1,
    ], 1)  # fmt: skip
    there = np.concatenate([edges.across.ravel(), edges.down.ravel()])[crossing]
    through = there.sum(1) == 2
    links = crossing[through][there[through]].reshape(-1, 2)
    many, which = crossing[~through], there[~through]
    used = np.unique(np.concatenate([links.ravel(), many[which]]))
    along = np.concatenate([place.across.ravel(), place.down.ravel()])[used].astype(np.float64)
    known = np.concatenate([place.firm.across.ravel(), place.firm.down.ravel()])[used]
    along[np.isnan(along)] = 0.5
    points = _smoothed(used, along, known, np.searchsorted(used, links), (width, upright))
    two = points[np.searchsorted(used, links)]
    spots = (
        points[np.minimum(np.searchsorted(used, many), max(len(used) - 1, 0))]
        if len(many)
        else np.zeros((0, 4, 2))
    )
    middle = (spots * which[..., None]).sum(1) / np.maximum(which.sum(1), 1)[:, None]
    spokes = np.stack([spots, np.broadcast_to(middle[:, None], spots.shape)], 2)[which]
    return np.concatenate([two, spokes])


def _smoothed(
    used: NDArray[np.int64],
    along: NDArray[np.float64],
    known: NDArray[np.bool_],
    links: NDArray[np.int64],
    grid: tuple[int, int],
) -> NDArray[np.float64]:
    """(N, 2) places of the crossings. Each lies ``along`` (0..1) the way between two pixel centres; one that is not
    ``known`` moves, on that way alone, towards the line between its two neighbours. A straight line stays as it is."""
    width, upright = grid
    flat = used < upright
    row = np.where(flat, used // (width - 1), (used - upright) // width)
    column = np.where(flat, used % (width - 1), (used - upright) % width)
    start = np.stack([column, row], 1) + 0.5
    axis = np.where(flat, 0, 1)
    every = np.arange(len(used))
    points = start.copy()
    points[every, axis] += along
    free, beside = _between(links, len(used))
    free = free & ~known
    here, (one, other), way = every[free], beside[free].T, axis[free]
    for _round in range(_ROUNDS):
        fixed = points[here, 1 - way]
        a, b = points[one, 1 - way], points[other, 1 - way]
        share = np.divide(fixed - a, b - a, out=np.full(len(here), 0.5), where=np.abs(b - a) > 0.05)
        share = np.clip(share, 0, 1)
        aim = points[one, way] * (1 - share) + points[other, way] * share
        low = start[here, way]
        points[here, way] = np.clip(
            points[here, way] + _STEP * (aim - points[here, way]), low + 0.02, low + 0.98
        )
    return points


def _between(links: NDArray[np.int64], count: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which points have exactly two neighbours, and (count, 2) their numbers."""
    ends = np.concatenate([links, links[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    number = np.bincount(ends[:, 0], minlength=count)
    first = np.cumsum(number) - number
    beside = np.zeros((count, 2), np.int64)
    two = number == 2
    beside[two, 0], beside[two, 1] = ends[first[two], 1], ends[first[two] + 1, 1]
    return two, beside


def _cells(edges: Pairs) -> NDArray[np.bool_]:
    """(H-1, W-1): the cells that a line goes through. One that only begins there belongs to the next cell."""
    count = edges.across[:-1].astype(np.uint8) + edges.across[1:] + edges.down[:, :-1] + edges.down[:, 1:]
    return np.asarray(count >= 2)


def draw(pieces: NDArray[np.float64], fit: Fit, width_px: float) -> U8:
    """(H, W) uint8 of the clip, padding included: lines 255 on 0, anti-aliased, ``width_px`` clip pixels wide."""
    wide, high = fit.clip
    canvas = np.zeros((high * _FINE, wide * _FINE), np.uint8)
    if len(pieces):
        placed = np.rint((fit.to_clip(pieces) * _FINE - 0.5) * 2**_SHIFT).astype(np.int32)
        thick = max(1, round(width_px * _FINE))
        cv2.polylines(canvas, list(placed), False, 255, thick, cv2.LINE_8, _SHIFT)
    left, top, right, bottom = (side * _FINE for side in fit.pad)
    inside = np.zeros_like(canvas)
    here = np.s_[top : canvas.shape[0] - bottom, left : canvas.shape[1] - right]
    inside[here] = canvas[here]
    return np.asarray(cv2.resize(inside, fit.clip, interpolation=cv2.INTER_AREA))
