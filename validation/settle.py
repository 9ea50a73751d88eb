# SPDX-License-Identifier: GPL-3.0-or-later
"""From what pairs of frames say about each other to what is true of each frame.

Comparing frame t with frame r tells x(t) - x(r): of a displacement, a bend, a colour. Which of the two is off, no pair
can tell; all pairs together can. The estimate is the least absolute deviation over all pairs, with a faint pull of
every x to 0, since most frames of a take are right: a fault stands out from the others, however long it lasts, and a
comparison that failed (another side seen, an optical flow that lost its way) counts for little. Frames that are known
to be at fault are told from the others, and tell them nothing. What is measured of a frame by itself counts beside the
pairs: a part that is wrong in most of its frames can't be told by pairs alone. The problem is convex;
it is solved by reweighted least squares in windows, so that memory and time are even in the length of the take.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
WINDOW = 160
SHARED = 40
PULL = 0.08
"""Weight of the pull to 0 against one comparison: a frame with two that agree is not held back."""
ROUNDS = 12
DOUBT = 0.02
"""Weight of what a frame at fault says, against a good one."""
ALONE = 0.15
"""Weight of what is measured of a frame by itself, against one comparison."""


def settle(count: int, here: NDArray[np.intp], there: NDArray[np.intp], values: F64, weight: F64, floor: float,
           faulty: frozenset[int] = frozenset(), alone: F64 | None = None) -> F64:  # fmt: skip
    """(count, d): x per frame from ``values`` (e, d) = x[here] - x[there] with ``weight`` (e,); NaN for a frame that no
    pair knows. ``floor``: differences below it are noise; frames ``faulty`` have no say; ``alone`` (count, d) what
    each frame says of its x by itself, NaN where nothing."""
    known = np.isfinite(values).all(1) & (weight > 0)
    here, there, values, weight = here[known], there[known], values[known], weight[known]
    trust = np.ones(count)
    trust[sorted(faulty)] = DOUBT
    weight = weight * np.minimum(trust[here], trust[there])
    alone = np.full((count, values.shape[1]), np.nan) if alone is None else alone
    out = np.full((count, values.shape[1]), np.nan)
    for first in range(0, count, WINDOW - SHARED):
        last = min(count, first + WINDOW)
        inside = (here >= first) & (here < last) & (there >= first) & (there < last)
        pairs = Pairs(here[inside] - first, there[inside] - first, values[inside], weight[inside])
        found = _solve(pairs, trust[first:last], alone[first:last], floor)
        keep = 0 if first == 0 else SHARED // 2
        out[first + keep : last] = found[keep:]
        if last == count:
            break
    return out


class Pairs(NamedTuple):
    """x[a] - x[b] = values (e, d), by ``weight`` (e,)."""

    a: NDArray[np.intp]
    b: NDArray[np.intp]
    values: F64
    weight: F64


def _solve(pairs: Pairs, trust: F64, alone: F64, floor: float) -> F64:
    a, b, values, weight = pairs
    n = len(trust)
    seen = np.bincount(a, minlength=n) + np.bincount(b, minlength=n) > 0
    if not len(a):
        return np.full((n, values.shape[1]), np.nan)
    told = np.isfinite(alone).all(1)
    wanted = np.where(told[:, None], alone, 0.0)
    edges, free, own = weight / floor, PULL * trust / floor, ALONE * trust * told / floor
    x = np.zeros((n, values.shape[1]))
    for _ in range(ROUNDS):
        matrix = np.zeros((n, n))
        np.add.at(matrix, (a, a), edges)
        np.add.at(matrix, (b, b), edges)
        np.add.at(matrix, (a, b), -edges)
        np.add.at(matrix, (b, a), -edges)
        matrix[np.arange(n), np.arange(n)] += free + own + 1e-9
        right = own[:, None] * wanted
        np.add.at(right, a, edges[:, None] * values)
        np.add.at(right, b, -edges[:, None] * values)
        # not numpy's: its threads cost more than such a small system, and on a busy machine a hundred times more
        x = np.asarray(cv2.solve(matrix, right, flags=cv2.DECOMP_CHOLESKY)[1])
        edges = weight / np.maximum(np.linalg.norm(values - x[a] + x[b], axis=1), floor)
        free = PULL * trust / np.maximum(np.linalg.norm(x, axis=1), floor)
        own = ALONE * trust * told / np.maximum(np.linalg.norm(x - wanted, axis=1), floor)
    return np.where(seen[:, None], x, np.nan)
