# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture of a scene tears: between which neighbouring pixels one surface ends, another part begins, or the
surface folds. Everything is asked of pairs of neighbours, since an edge lies between pixels and not on one.

Arrays of pairs: ``across`` (H, W-1) for (row, column)-(row, column + 1), ``down`` (H-1, W) for (row, column)-(row + 1,
column).
"""

from collections.abc import Callable
from dataclasses import dataclass

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
CLEAR_SHARE = 0.3


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


def _both(rows: Callable[[NDArray[np.generic]], Bool], values: NDArray[np.generic]) -> Pairs:
    """``rows`` finds pairs along rows; columns are rows of the transposed picture."""
    return Pairs(rows(values), rows(np.swapaxes(values, 0, 1)).T)


def tears(inverse: F32, least: float) -> Pairs:
    """Steps of 1/z (H, W) in 1/m by more than ``least`` (or RELATIVE) that no plane on either side goes on to.

    1/z is linear over the picture of a plane, so a slanted floor has no second difference however steep it is.
    """

    def rows(picture: NDArray[np.generic]) -> Bool:
        values = picture.astype(np.float32)
        left, right = values[:, :-1], values[:, 1:]
        step = right - left
        beyond = np.minimum(least, RELATIVE * np.maximum(left, right))
        unlike = np.abs(np.diff(step, axis=1))
        edge = np.full((len(step), 1), np.inf, np.float32)
        bend = np.minimum(np.hstack([edge, unlike]), np.hstack([unlike, edge]))
        return np.asarray((np.abs(step) > beyond) & (bend > beyond) | ((left == 0) != (right == 0)))

    return _both(rows, inverse)


def borders(ids: NDArray[np.generic]) -> Pairs:
    """Where another part, or none, begins."""
    return _both(lambda rows: np.asarray(rows[:, 1:] != rows[:, :-1]), ids)


def folds(normal: F32, torn: Pairs) -> Pairs:
    """Where the normals (H, W, 3) of one surface turn at once (see FOLD); not across ``torn`` pairs.

    A fold near the limit would come and go from pixel to pixel and frame to frame. So, as in Canny's edges (1986), a
    weaker one counts where it goes on from a clear one; but here most of a line must not be guessed.
    """
    clear, weak = (
        Pairs(_folded(normal, torn.across, *limit), _folded(np.swapaxes(normal, 0, 1), torn.down.T, *limit).T)
        for limit in (FOLD, WEAK_FOLD)
    )
    count, line = cv2.connectedComponents(weak.pixels().astype(np.uint8), connectivity=8)
    whole = np.bincount(line.ravel(), minlength=count)
    sure = np.bincount(line[clear.pixels()], minlength=count)
    kept = sure >= CLEAR_SHARE * whole
    kept[0] = False
    return Pairs(weak.across & kept[line[:, :-1]], weak.down & kept[line[:-1]])


def _folded(normal: F32, torn: Bool, angle_deg: float, peak: float) -> Bool:
    turn = np.linalg.norm(normal[:, 1:] - normal[:, :-1], axis=2)  # chord: 2 sin(angle / 2)
    there = np.any(normal != 0, axis=2)
    torn = torn | ~there[:, 1:] | ~there[:, :-1]
    known = np.where(torn, np.inf, turn)
    edge = np.full((len(turn), 1), np.inf, turn.dtype)
    beside = np.minimum(np.hstack([edge, known[:, :-1]]), np.hstack([known[:, 1:], edge]))
    calm = np.where(np.isfinite(beside), beside, 0)
    least = 2 * np.sin(np.radians(angle_deg) / 2)
    return np.asarray(~torn & (turn > least) & (turn > peak * calm))
