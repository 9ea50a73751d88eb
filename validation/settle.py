# SPDX-License-Identifier: GPL-3.0-or-later
"""From what pairs of frames say about each other to what is true of each frame.

Comparing frame t with frame r tells x(t) - x(r): of a displacement, a bend, a colour. Which of the two is off, no pair
can tell; all pairs together can. The estimate is the least absolute deviation over all pairs, with a faint pull of
every x to 0, since most frames of a take are right: a fault stands out from the others, however long it lasts, and a
comparison that failed (another side seen, an optical flow that lost its way) counts for little. The problem is convex;
it is solved by reweighted least squares in windows, so that memory and time are even in the length of the take.
"""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
WINDOW = 160
SHARED = 40
PULL = 0.08
"""Weight of the pull to 0 against one comparison: a frame with two that agree is not held back."""
ROUNDS = 12


def settle(count: int, here: NDArray[np.intp], there: NDArray[np.intp], values: F64, weight: F64, floor: float,
           scale: F64 | None = None) -> F64:  # fmt: skip
    """(count, d): x per frame from ``values`` (e, d) = x[here] - x[there] with ``weight`` (e,); NaN for a frame that no
    pair knows. ``floor``: differences below it are noise; ``scale`` (d,) weighs components in the size of a rest."""
    known = np.isfinite(values).all(1) & (weight > 0)
    here, there, values, weight = here[known], there[known], values[known], weight[known]
    out = np.full((count, values.shape[1]), np.nan)
    size = np.ones(values.shape[1]) if scale is None else scale
    for first in range(0, count, WINDOW - SHARED):
        last = min(count, first + WINDOW)
        inside = (here >= first) & (here < last) & (there >= first) & (there < last)
        found = _solve(
            last - first,
            here[inside] - first,
            there[inside] - first,
            values[inside],
            weight[inside],
            floor,
            size,
        )
        keep = 0 if first == 0 else SHARED // 2
        out[first + keep : last] = found[keep:]
        if last == count:
            break
    return out


def _solve(
    n: int, a: NDArray[np.intp], b: NDArray[np.intp], values: F64, weight: F64, floor: float, size: F64
) -> F64:
    x = np.zeros((n, values.shape[1]))
    seen = np.bincount(a, minlength=n) + np.bincount(b, minlength=n) > 0
    if not len(a):
        return np.full_like(x, np.nan)
    pull = np.full(n, PULL)
    edges = weight / floor
    free = pull / floor
    for _ in range(ROUNDS):
        matrix = np.zeros((n, n))
        np.add.at(matrix, (a, a), edges)
        np.add.at(matrix, (b, b), edges)
        np.add.at(matrix, (a, b), -edges)
        np.add.at(matrix, (b, a), -edges)
        matrix[np.arange(n), np.arange(n)] += free + 1e-9
        right = np.zeros_like(x)
        np.add.at(right, a, edges[:, None] * values)
        np.add.at(right, b, -edges[:, None] * values)
        x = np.linalg.solve(matrix, right)
        rest = np.linalg.norm((values - x[a] + x[b]) * size, axis=1)
        edges = weight / np.maximum(rest, floor)
        free = pull / np.maximum(np.linalg.norm(x * size, axis=1), floor)
    return np.where(seen[:, None], x, np.nan)
