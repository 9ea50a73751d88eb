# SPDX-License-Identifier: GPL-3.0-or-later
"""Dents and bumps of an outline: where a stretch of it lies otherwise than in the frames around.

A style draws an outline a little off everywhere, and always alike; a dent comes and goes. So the outline's profile, by
the direction from the part's middle, is compared with that of frames some way off.
"""

import numpy as np

from .motion import AROUND, STEEP
from .series import F64

LEAST_SIDES = 4
"""Frames on one side that must show a sector: fewer may be of the fault itself."""
SAME_SIDE_DEG = 6.0


def dents(profiles: F64, turned: F64, faulty: frozenset[int] = frozenset()) -> F64:
    """(F,) px: the largest offset of three sectors side by side of ``profiles`` (F, 36) from what is usual before them,
    after them and in the middle of the two, whichever is nearest to a sector. Only frames count that show the part from about the
    same side, by the degrees ``turned`` (F,) since the first, and that are not ``faulty``."""
    out = np.full(len(profiles), np.nan)
    index = np.arange(len(profiles))
    good = np.array([i not in faulty for i in index], bool)
    for i, row in enumerate(profiles):
        like = good & (np.abs(turned - turned[i]) <= SAME_SIDE_DEG)
        sides = [
            _middle(profiles[like & (index >= i - AROUND[1]) & (index <= i - AROUND[0])]),
            _middle(profiles[like & (index >= i + AROUND[0]) & (index <= i + AROUND[1])]),
        ]
        known = [side for side in sides if np.isfinite(side).any()]
        if not known or not np.isfinite(row).any():
            continue
        out[i] = largest(_nearest(row, [*known, np.mean(known, axis=0)]))
        if len(known) < 2:  # one side alone can't tell what comes slowly from what comes at once
            near = profiles[max(0, i - AROUND[1]) : i + AROUND[1]]
            steps = [largest(b - a) for a, b in zip(near[:-2], near[2:], strict=True)]
            out[i] = min(out[i], float(np.nanmax([0.0, *steps])) / STEEP)
    return out


def _nearest(row: F64, usual: list[F64]) -> F64:
    """(36,) by sector how far ``row`` lies off the nearest of what is ``usual``; NaN where nothing is known."""
    away = np.stack([row - side for side in usual])
    best = np.argmin(np.where(np.isfinite(away), np.abs(away), np.inf), axis=0)
    return np.asarray(np.take_along_axis(away, best[None], 0)[0])


def largest(offsets: F64) -> float:
    """By how much the farthest three sectors side by side all lie off to the same side; NaN where none are known."""
    three = np.stack([np.roll(offsets, 1), offsets, np.roll(offsets, -1)])
    least = np.maximum(three.min(0), (-three).min(0))
    return float(np.nanmax(np.maximum(least, 0))) if np.isfinite(least).any() else float("nan")


def _middle(rows: F64) -> F64:
    """(36,) median of the rows that are known in each sector, NaN where too few are."""
    out = np.full(rows.shape[1], np.nan)
    enough = np.isfinite(rows).sum(0) >= LEAST_SIDES
    if enough.any():
        ranked = np.sort(rows[:, enough], axis=0)  # unknown ones come last
        count = np.isfinite(ranked).sum(0)
        column = np.arange(len(count))
        out[enough] = (ranked[(count - 1) // 2, column] + ranked[count // 2, column]) / 2
    return out
