# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture of a scene tears: between which neighbouring pixels one surface ends, another part begins, or the
surface folds. Everything is asked of pairs of neighbours, since an edge lies between pixels and not on one.

Arrays of pairs: ``across`` (H, W-1) for (row, column)-(row, column + 1), ``down`` (H-1, W) for (row, column)-(row + 1,
column).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.pictures import F32

Bool = NDArray[np.bool_]
RELATIVE = 0.1
"""A step in 1/z of this share is a tear however far behind the shot's range it is."""
FOLD, WEAK_FOLD = (15.0, 2.5), (9.0, 1.5)
"""A fold turns the normal by so many degrees between neighbours, and so many times as much as on its smoother side: a
round surface turns evenly, a folded one at once."""
CLEAR_SHARE, SHORTEST = 0.3, 12
"""What share of a fold's pixels must be clear, and how many it must have (two for each pixel of its length)."""


@dataclass(frozen=True)
class Pairs:
    """Which neighbours are torn apart."""

    across: Bool
    down: Bool

    def __or__(self, other: "Pairs") -> "Pairs":
        return Pairs(self.across | other.across, self.down | other.down)

    def pixels(self) -> Bool:
        """(H, W): the pixels that belong to a torn pair."""
        height, width = self.across.shape[0], self.down.shape[1]
        touched = np.zeros((height, width), bool)
        touched[:, :-1] |= self.across
        touched[:, 1:] |= self.across
        touched[:-1] |= self.down
        touched[1:] |= self.down
        return touched


def _along(values: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each pixel of a pair: the first and the second along ``axis`` (1 across, 0 down)."""
    return (values[:, :-1], values[:, 1:]) if axis else (values[:-1], values[1:])


def tears(inverse: F32, least: float) -> Pairs:
    """Steps of 1/z (H, W) in 1/m by more than ``least`` (or RELATIVE) that no plane on either side goes on to.

    1/z is linear over the picture of a plane, so a slanted floor has no second difference however steep it is.
    """
    return Pairs(_torn(inverse, least, 1), _torn(inverse, least, 0))


def _torn(inverse: F32, least: float, axis: int) -> Bool:
    first, second = _along(inverse, axis)
    step = second - first
    beyond = np.minimum(np.float32(least), RELATIVE * np.maximum(first, second))
    result = np.abs(step) > beyond
    if result.any():
        rows, columns = np.nonzero(result)
        unlike = np.abs(np.diff(step, axis=axis))
        back = (rows, columns - 1) if axis else (rows - 1, columns)
        bend = np.fmin(_at(unlike, *back), _at(unlike, rows, columns))
        result[rows, columns] = ~(bend <= beyond[rows, columns])
    return np.asarray(result | ((first == 0) != (second == 0)))


def sharpest(torn: Pairs, inverse: F32) -> Pairs:
    """Of tears side by side, as where a round surface turns away before what is behind it, the largest step of 1/z."""
    return Pairs(_sharpest(torn.across, inverse, 1), _sharpest(torn.down, inverse, 0))


def _sharpest(torn: Bool, inverse: F32, axis: int) -> Bool:
    first, second = _along(inverse, axis)
    rows, columns = np.nonzero(torn)
    step = np.where(torn, second - first, 0)
    here, (down, across) = step[rows, columns], ((0, 1) if axis else (1, 0))
    before, after = _at(step, rows - down, columns - across), _at(step, rows + down, columns + across)
    smaller = (before * here > 0) & (np.abs(before) > np.abs(here))
    smaller |= (after * here > 0) & (np.abs(after) >= np.abs(here))
    result = torn.copy()
    result[rows[smaller], columns[smaller]] = False
    return result


def borders(ids: NDArray[Any]) -> Pairs:
    """Where another part, or none, begins."""
    return Pairs(*(np.asarray(np.not_equal(*_along(ids, axis))) for axis in (1, 0)))


def folds(normal: F32, torn: Pairs) -> Pairs:
    """Where the unit normals (H, W, 3; 0 where nothing is) of one surface turn at once (see FOLD); not across ``torn``.

    A fold near the limit would come and go from pixel to pixel and frame to frame. So, as in Canny's edges (1986), a
    weaker one counts where it goes on from a clear one; but here most of a line must not be guessed.
    """
    planes = cv2.split(normal)
    across, down = _turns(planes, torn.across, 1), _turns(planes, torn.down, 0)
    clear, weak = (Pairs(_peaks(across, 1, *limit), _peaks(down, 0, *limit)) for limit in (FOLD, WEAK_FOLD))
    if not clear.across.any() and not clear.down.any():
        return clear
    count, line = cv2.connectedComponents(weak.pixels().astype(np.uint8), connectivity=8)
    whole = np.bincount(line.ravel(), minlength=count)
    sure = np.bincount(line[clear.pixels()], minlength=count)
    kept = (sure >= CLEAR_SHARE * whole) & (whole >= SHORTEST)
    kept[0] = False
    return Pairs(weak.across & kept[line[:, :-1]], weak.down & kept[line[:-1]])


def tidied(pairs: Pairs) -> Pairs:
    """``pairs`` with one more wherever two ends of lines face each other across it (a rounded fold that runs a little off
    the rows turns too slowly along them to be seen where it goes from one row to the next), and without the stubs of one
    pair that stick out of a line."""
    across, down = pairs.across.copy(), pairs.down.copy()
    end = _lines_in_cells(pairs) == 1
    across[1:-1] |= end[:-1] & end[1:]
    down[:, 1:-1] |= end[:, :-1] & end[:, 1:]
    count = _lines_in_cells(Pairs(across, down))
    end, fork = count == 1, count >= 3
    across[1:-1] &= ~(end[:-1] & fork[1:] | fork[:-1] & end[1:])
    down[:, 1:-1] &= ~(end[:, :-1] & fork[:, 1:] | fork[:, :-1] & end[:, 1:])
    return Pairs(across, down)


def _lines_in_cells(pairs: Pairs) -> NDArray[np.uint8]:
    """(H-1, W-1): how many torn pairs there are around the cell between four pixel centres."""
    across, down = pairs.across, pairs.down
    return np.asarray(across[:-1].astype(np.uint8) + across[1:] + down[:, :-1] + down[:, 1:])


def _turns(planes: Sequence[NDArray[Any]], torn: Bool, axis: int) -> F32:
    """The squared chords between neighbours' unit normals, 2 - 2 cos(angle); NaN across tears and where nothing is."""
    pairs = [_along(plane, axis) for plane in planes]
    turn = sum((first * second for first, second in pairs), start=np.float32(0))
    chord = 2 - 2 * np.asarray(turn, np.float32)
    chord[torn | (chord == 2) & (pairs[0][0] == 0) & (pairs[1][0] == 0) & (pairs[2][0] == 0)] = np.nan
    return chord


def _peaks(chord: F32, axis: int, angle_deg: float, peak: float) -> Bool:
    """Where a turn is that large, that much larger than the smaller of the turns beside it, and the sharpest of them."""
    least = (2 * np.sin(np.radians(angle_deg) / 2)) ** 2
    with np.errstate(invalid="ignore"):
        result = np.asarray(chord > least)
    rows, columns = np.nonzero(result)
    ways = ((0, -1), (0, 1)) if axis else ((-1, 0), (1, 0))
    beside = [_at(chord, rows + down, columns + across) for down, across in ways]
    here, calm = chord[rows, columns], np.minimum(*beside)  # NaN beside a tear, whose line is drawn anyway
    ridge = (here >= beside[0]) & (here > beside[1])  # of a rounded fold the sharpest turn alone
    result[rows, columns] = ridge & (here > peak * peak * calm)
    return result


def _at(values: F32, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> F32:
    """Values at places, NaN outside."""
    inside = (rows >= 0) & (columns >= 0) & (rows < values.shape[0]) & (columns < values.shape[1])
    found = np.full(len(rows), np.nan, np.float32)
    found[inside] = values[rows[inside], columns[inside]]
    return found
