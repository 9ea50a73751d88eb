# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills a mesh that has small holes: rays along three axes vote on what is inside.

A ray that enters and leaves unequally often has gone through a hole and has no vote. Where that are too many, or the
votes disagree too often, a solid with holes and a shell without thickness can't be told apart: the mesh is refused.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rigid import Array

CELLS = 96
"""Cells along the longest extent."""
DOUBT = 0.02
"""Share of the filled cells on which the axes may disagree, or have no vote."""
HOLES = 0.12
"""Share of the rays that may go through a hole, of those along one axis that meet the mesh."""
_PAIRS = 2_000_000


@dataclass(frozen=True)
class Fill:
    """``volume`` m3, ``com`` (3,) m, ``second`` (3, 3): inertia about it at a density of 1; ``doubt`` 0..1."""

    volume: float
    com: Array
    second: Array
    doubt: float


def fill(points: Array, triangles: NDArray[np.int64]) -> Fill | None:
    """Of (V, 3) points in metres and (T, 3) triangles. None if inside and outside can't be told apart, or nothing is inside."""
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    step = float(size.max()) / CELLS
    if not step > 0.0:
        return None
    shape = np.maximum(np.ceil(size / step).astype(np.int64), 1) + 1
    origin = low + step * np.array((0.0007, 0.0013, 0.0009))  # cell centres off the planes that modellers use
    yes = np.zeros(shape, dtype=np.int8)
    votes = np.zeros(shape, dtype=np.int8)
    for axis in range(3):
        inside, valid, lost = _along(axis, (points - origin) / step - 0.5, triangles, shape)
        if lost > HOLES:
            return None
        yes += inside & valid
        votes += valid
    filled = 2 * yes > votes
    count = int(filled.sum())
    if count == 0:
        return None
    split = (yes > 0) & (yes < votes)
    unknown = (votes == 0) & _near(filled)
    doubt = float((split | unknown).sum()) / count
    return None if doubt > DOUBT else _measure(filled, origin, step, doubt)


def _near(filled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells beside a filled one."""
    near = np.zeros_like(filled)
    for axis in range(3):
        near |= np.roll(filled, 1, axis) | np.roll(filled, -1, axis)
    return near


def _along(axis: int, points: Array, triangles: NDArray[np.int64],
           shape: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float]:  # fmt: skip
    """Which cells a ray along the axis finds inside, which rays left as often as they entered, the share that did not."""
    u, v, w = (axis + 1) % 3, (axis + 2) % 3, axis
    crossings = np.zeros((shape[u], shape[v], shape[w] + 1), dtype=np.int16)
    corners = points[triangles]
    flat = corners[:, :, (u, v)]
    low = np.maximum(np.ceil(flat.min(axis=1)).astype(np.int64), 0)
    high = np.minimum(np.floor(flat.max(axis=1)).astype(np.int64), shape[[u, v]] - 1)
    wide = np.maximum(high - low + 1, 0)
    counts = wide[:, 0] * wide[:, 1]
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _PAIRS, "right")))
        _cross(crossings, corners[start:stop], low[start:stop], wide[start:stop], (u, v, w))
        start = stop
    winding = np.cumsum(crossings, axis=2)
    met = int((crossings != 0).any(axis=2).sum())
    even = winding[:, :, -1:] == 0
    valid = np.broadcast_to(even, winding.shape)[:, :, :-1]
    lost = float((~even).sum()) / max(met, 1)
    back = np.argsort((u, v, w))
    return (winding[:, :, :-1] != 0).transpose(back), valid.transpose(back), lost


def _cross(crossings: NDArray[np.int16], corners: Array, low: NDArray[np.int64], wide: NDArray[np.int64],
           axes: tuple[int, int, int]) -> None:  # fmt: skip
    """Adds to the cell behind it each crossing of a ray with a triangle: +1 where it faces down the ray, -1 up."""
    u, v, w = axes
    counts = wide[:, 0] * wide[:, 1]
    owner = np.repeat(np.arange(len(counts)), counts)
    if not len(owner):
        return
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    i, j = low[owner, 0] + rank // wide[owner, 1], low[owner, 1] + rank % wide[owner, 1]
    a, b, c = (corners[:, k] for k in range(3))
    area: Array = (b[:, u] - a[:, u]) * (c[:, v] - a[:, v]) - (b[:, v] - a[:, v]) * (c[:, u] - a[:, u])

    def side(p: Array, q: Array) -> Array:
        return (q[owner, u] - p[owner, u]) * (j - p[owner, v]) - (q[owner, v] - p[owner, v]) * (
            i - p[owner, u]
        )

    s, t, r = side(b, c), side(c, a), side(a, b)
    signs = np.sign(area)[owner]
    hit = (signs != 0) & (s * signs >= 0) & (t * signs >= 0) & (r * signs >= 0)
    owner, i, j, s, t, r = owner[hit], i[hit], j[hit], s[hit], t[hit], r[hit]
    height = (s * a[owner, w] + t * b[owner, w] + r * c[owner, w]) / area[owner]
    k = np.clip(np.ceil(height).astype(np.int64), 0, crossings.shape[2] - 1)
    np.add.at(crossings, (i, j, k), -signs[hit].astype(np.int16))


def _measure(filled: NDArray[np.bool_], origin: Array, step: float, doubt: float) -> Fill:
    cells = np.argwhere(filled).astype(np.float64)
    centre = cells.mean(axis=0)
    cells -= centre
    covariance = (cells.T @ cells / len(cells) + np.eye(3) / 12.0) * step**2
    volume = len(cells) * step**3
    second = volume * (np.trace(covariance) * np.eye(3) - covariance)
    return Fill(volume, origin + (centre + 0.5) * step, second, doubt)
