# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines from geometry: drawn where the scene tears or folds, of a width in the clip's own pixels.

Between the centres of four pixels lies a cell; a line enters and leaves it where a pair of neighbours is torn, as in
marching squares (Lorensen and Cline 1987) over a picture of labels. Where on the way from one centre to the other it
crosses is known to a fraction of a pixel from how much of each pixel is covered (the pass ``sure``), so that lines
glide with a moving part instead of jumping from pixel to pixel.
"""

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


def segments(edges: Pairs, moved: Pairs, sure: F32 | None) -> NDArray[np.float64]:
    """(N, 2, 2) ends x, y of straight pieces in source pixels. ``moved`` are the pairs between two parts (or a part and
    none), where ``sure`` (H, W), the share of a pixel that its own id covers, places the edge; other edges lie midway."""
    height, width = edges.across.shape[0], edges.down.shape[1]
    row, column = np.nonzero(_cells(edges))
    across = np.full((height, width - 1), 0.5) if sure is None else _crossing(sure, moved.across)
    down = np.full((height - 1, width), 0.5) if sure is None else _crossing(sure.T, moved.down.T).T
    x, y = column + 0.5, row + 0.5
    points = np.stack([
        np.stack([x + across[row, column], y], 1),
        np.stack([x + across[row + 1, column], y + 1], 1),
        np.stack([x, y + down[row, column]], 1),
        np.stack([x + 1, y + down[row, column + 1]], 1),
    ], 1)  # fmt: skip
    there = np.stack([
        edges.across[row, column], edges.across[row + 1, column], edges.down[row, column], edges.down[row, column + 1],
    ], 1)  # fmt: skip
    through = there.sum(1) == 2
    two = points[through][there[through]].reshape(-1, 2, 2)
    many, which = points[~through], there[~through]
    middle = (many * which[..., None]).sum(1) / np.maximum(which.sum(1), 1)[:, None]
    spokes = np.stack([many, np.broadcast_to(middle[:, None], many.shape)], 2)[which]
    return np.concatenate([two, spokes])


def _cells(edges: Pairs) -> NDArray[np.bool_]:
    """(H-1, W-1): the cells that a line goes through. One that only begins there belongs to the next cell."""
    count = edges.across[:-1].astype(np.uint8) + edges.across[1:] + edges.down[:, :-1] + edges.down[:, 1:]
    return np.asarray(count >= 2)


def _crossing(sure: F32, moved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far from the left centre to the right one a border crosses, 0..1: half a pixel, and what the left one covers
    more than the right one."""
    place = np.full(moved.shape, 0.5)
    rows, columns = np.nonzero(moved)
    more = sure[rows, columns].astype(np.float64) - sure[rows, columns + 1]
    place[rows, columns] = np.clip(0.5 + more, 0, 1)
    return place


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
