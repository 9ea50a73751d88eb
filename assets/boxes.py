# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of many boxes overlap, in numpy: a grid for each size of box, joined by sorted keys of cells.

A box lies in the finest grid of which it touches few cells, so that long thin ones don't lie in coarse grids, and small
boxes look large ones up in the large ones' grid. A pair is told once: in the cell that holds the lower corner of what
they share.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .mesh import F64, I64

CHUNK = 2_000_000
_CELLS = 1 << 20
"""Most cells along an axis: three numbers of 20 bits and a bit to spare are one key."""
_PACK = np.array([1, _CELLS, _CELLS * _CELLS])
_TOUCHED = 48.0
_REACH = 16.0
"""Asking boxes up to so many cells wide walk over the cells; larger ones get a grid of their own."""


class Boxes:
    """(N, 3) lower and upper corners, sorted into grids. ``margin`` is added on every side."""

    def __init__(self, low: F64, high: F64, margin: float = 0.0) -> None:
        self.low, self.high = low - margin, high + margin
        self.size = (self.high - self.low).max(axis=1) if len(low) else np.zeros(0)
        middle = np.sort(self.high - self.low, axis=1)[:, 1] if len(low) else self.size
        usual = [float(np.median(part)) for part in (middle, self.size)] if len(low) else [1.0, 1.0]
        self.finest = max(usual[0], usual[1] / 32.0, 1e-300)
        self.level = self._levels()
        self.origin = self.low.min(axis=0) if len(low) else np.zeros(3)
        self._grids: dict[int, tuple[I64, I64]] = {}

    def _levels(self) -> I64:
        """The finest grid in which each box touches few cells; none finer than the usual box, so that there are few grids."""
        level = np.zeros(len(self.low), np.int64)
        left = np.flatnonzero(self.size > self.finest)
        while len(left):
            level[left] += 1
            wide = (self.high[left] - self.low[left]) / self.cell(int(level[left[0]]))
            left = left[(wide + 1.0).prod(axis=1) > _TOUCHED]
        return level

    def cell(self, level: int) -> float:
        """Edge of a cell, metres."""
        return self.finest * 2.0**level

    def grid(self, level: int) -> tuple[I64, I64]:
        """(box, key) of each cell that the boxes of one level touch, sorted by key; made once."""
        if level not in self._grids:
            owners, keys = cells(self, np.flatnonzero(self.level == level), self.cell(level), self.origin)
            order = np.argsort(keys, kind="stable")
            self._grids[level] = owners[order], keys[order]
        return self._grids[level]


def cells(boxes: Boxes, which: I64, cell: float, origin: F64) -> tuple[I64, I64]:
    """(box, key) of each cell that each box touches; cells before the origin hold nothing and are left out."""
    first = np.clip((boxes.low[which] - origin) / cell, 0, _CELLS - 2).astype(np.int64)
    last = np.clip((boxes.high[which] - origin) / cell, -1, _CELLS - 1)
    size = np.maximum(np.floor(last).astype(np.int64) - first + 1, 0)
    count = size.prod(axis=1)
    box = np.repeat(np.arange(len(which)), count)
    step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    wide, deep = size[box, 0], size[box, 1]
    there = first[box] + np.column_stack([step % wide, step // wide % deep, step // (wide * deep)])
    return which[box], there @ _PACK


def overlapping(a: Boxes, b: Boxes) -> Iterator[tuple[I64, I64]]:
    """Every pair (of a, of b) of boxes that overlap or touch, some at a time."""
    if not len(a.low) or not len(b.low):
        return
    for level in np.unique(b.level).tolist():
        yield from _join(a, np.flatnonzero(a.size <= _REACH * b.cell(level)), b, level, turned=False)
    for level in np.unique(a.level[a.size > _REACH * b.finest]).tolist():
        for them, us in _join(b, np.arange(len(b.low)), a, level, turned=True):
            yield us, them


def overlapping_self(a: Boxes) -> Iterator[tuple[I64, I64]]:
    """Every pair of overlapping boxes of one set, each once."""
    for level in np.unique(a.level).tolist():
        for i, j in _join(a, np.flatnonzero(a.level <= level), a, level, turned=False):
            once = (a.level[i] < level) | (i < j)
            yield i[once], j[once]


def _join(small: Boxes, some: I64, large: Boxes, level: int, *, turned: bool) -> Iterator[tuple[I64, I64]]:
    """Pairs (small, large) with the large boxes of one level. ``turned``: without what the other way round told."""
    owners, keys = large.grid(level)
    cell = large.cell(level)
    asking, wanted = cells(small, some, cell, large.origin)
    begin, end = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    found = end > begin
    asking, wanted, begin, count = asking[found], wanted[found], begin[found], (end - begin)[found]
    cuts = np.searchsorted(np.cumsum(count), np.arange(CHUNK, int(count.sum()) + CHUNK, CHUNK), "left") + 1
    at = 0
    for cut in np.unique(np.minimum(cuts, len(count))).tolist():
        n = count[at:cut]
        i = np.repeat(asking[at:cut], n)
        j = owners[np.repeat(begin[at:cut] - (np.cumsum(n) - n), n) + np.arange(int(n.sum()))]
        low = np.maximum(small.low[i], large.low[j])
        keep = (low <= np.minimum(small.high[i], large.high[j])).all(axis=1)
        if turned:
            keep &= large.size[j] > _REACH * small.finest * 2.0 ** small.level[i]
        corner = np.clip((low - large.origin) / cell, 0, _CELLS - 2).astype(np.int64)
        keep &= corner @ _PACK == np.repeat(wanted[at:cut], n)
        yield i[keep], j[keep]
        at = cut


def triangle_boxes(points: F64, triangles: I64) -> Boxes:
    """The boxes around (M, 3) triangles."""
    corners = points[triangles]
    return Boxes(corners.min(axis=1), corners.max(axis=1))
