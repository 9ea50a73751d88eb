# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts triangle meshes by planes: closed outlines in millimetres, material on their left, holes the other way round.

A corner that lies in the plane counts as above it (Edelsbrunner and Muecke 1990, simulation of simplicity), so that
every triangle is cut in none or two of its edges, and a watertight mesh gives closed outlines without special cases.
Only sums, products, quotients and square roots are used: the outlines are the same on every machine.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rigid import Array, inverse, move_points
from .units import MM

COLLINEAR_MM = 1e-4
"""Corners nearer than this to the line through their neighbours are dropped."""
GAP_MM = 0.05
"""Open ends nearer than this are joined."""
Window = tuple[float, float, float, float]
"""Left, bottom, right and top of a picture in mm."""


def cut(
    vertices: Array, triangles: NDArray[np.integer[Any]], plane: Array, gap_mm: float = GAP_MM
) -> list[Array]:
    """The outlines (N, 2) float64, in mm, of a cut through a mesh.

    ``vertices`` (V, 3) metres; ``triangles`` (T, 3) corners, counter-clockwise seen from outside; ``plane`` (4, 4)
    rigid: its x and y are the picture's, its z the normal. Outer outlines run counter-clockwise (area above 0),
    holes clockwise, each from its leftmost lowest corner. Outlines with open ends further apart than ``gap_mm``
    are left out. A mesh that is inside out as a whole is cut as if it were not.
    """
    local = move_points(inverse(plane), np.asarray(vertices, dtype=np.float64)) / MM
    above = local[:, 2] >= 0.0
    inside = above[triangles]
    crossing = triangles[inside.any(axis=1) & ~inside.all(axis=1)]
    if not len(crossing):
        return []
    used, corners = np.unique(crossing, return_inverse=True)
    points, welded = np.unique(local[used], axis=0, return_inverse=True)
    corners = welded.reshape(-1)[corners.reshape(-1)].reshape(-1, 3)
    start, end, places = _segments(points, corners)
    closed, opened = _chained(start, end, places)
    loops = [simplified(loop) for loop in closed + _joined(opened, gap_mm)]
    loops = [loop for loop in loops if len(loop) > 2 and abs(area(loop)) > COLLINEAR_MM**2]
    if sum(area(loop) for loop in loops) < 0.0:
        loops = [simplified(loop[::-1]) for loop in loops]
    return sorted(loops, key=lambda loop: (tuple(loop[0]), len(loop)))


def area(loop: Array) -> float:
    """Signed area of an outline (N, 2), in the square of its unit; above 0 where it runs counter-clockwise."""
    x, y = loop[:, 0] - loop[0, 0], loop[:, 1] - loop[0, 1]
    return float(0.5 * (x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _segments(points: Array, corners: NDArray[np.integer[Any]]) -> tuple[list[int], list[int], Array]:
    """Of every cut triangle the edge where the outline enters and the one where it leaves, as numbers of ``places``.

    The outline leaves where the triangle's own direction goes up through the plane: so material is on its left.
    """
    high = points[:, 2] >= 0.0
    a, b = corners, np.roll(corners, -1, axis=1)
    up, down = ~high[a] & high[b], high[a] & ~high[b]
    count = len(points)
    key = np.minimum(a, b).astype(np.int64) * count + np.maximum(a, b)
    edges, number = np.unique(np.concatenate((key[down], key[up])), return_inverse=True)
    p, q = points[edges // count], points[edges % count]
    share = p[:, 2] / (p[:, 2] - q[:, 2])
    places = p[:, :2] + share[:, None] * (q[:, :2] - p[:, :2])
    number = number.reshape(-1)
    half = len(corners)
    return number[:half].tolist(), number[half:].tolist(), places


def _chained(start: Sequence[int], end: Sequence[int], places: Array) -> tuple[list[Array], list[Array]]:
    """Segments as (closed outlines, open runs) of points."""
    after: dict[int, list[int]] = defaultdict(list)
    surplus: dict[int, int] = defaultdict(int)
    for a, b in zip(start, end, strict=True):
        after[a].append(b)
        surplus[a] += 1
        surplus[b] -= 1
    loose = [node for node in sorted(surplus) for _ in range(surplus[node])]
    closed, opened = [], []
    for first in [*loose, *sorted(after)]:
        while after.get(first):
            run = [first]
            while after.get(run[-1]):
                run.append(after[run[-1]].pop())
            if run[0] == run[-1]:
                closed.append(places[run[:-1]])
            else:
                opened.append(places[run])
                break
    return closed, opened


def _joined(runs: Sequence[Array], gap: float) -> list[Array]:
    """The closed outlines that open runs make when their nearest ends, no more than ``gap`` apart, are joined."""
    if not runs:
        return []
    ends = np.stack([end for run in runs for end in (run[0], run[-1])])
    away = np.sqrt(((ends[:, None] - ends[None]) ** 2).sum(axis=2))
    first, second = np.nonzero(np.triu(away <= gap, 1))
    mate: dict[int, int] = {}
    for k in np.lexsort((second, first, away[first, second])):
        a, b = int(first[k]), int(second[k])
        if a not in mate and b not in mate:
            mate[a], mate[b] = b, a
    loops: list[Array] = []
    left = set(range(len(runs)))
    for index in range(len(runs)):
        if index not in left:
            continue
        pieces, at = [], 2 * index
        while at // 2 in left:
            left.discard(at // 2)
            run = runs[at // 2]
            pieces.append(run if at % 2 == 0 else run[::-1])
            at = mate.get(at ^ 1, -2)
        if at == 2 * index:
            loops.append(np.concatenate(pieces))
    return loops


def simplified(loop: Array, tolerance: float = COLLINEAR_MM) -> Array:
    """The outline (N, 2) from its leftmost lowest corner on, without points that lie within ``tolerance`` of the line
    through those that stay (Douglas and Peucker 1973).
    """
    left = np.flatnonzero(loop[:, 0] <= loop[:, 0].min() + tolerance)
    begin = int(left[loop[left, 1].argmin()])
    ring = np.concatenate((loop[begin:], loop[: begin + 1]))
    far = int(((ring - ring[0]) ** 2).sum(axis=1).argmax())
    kept = {0, far, len(ring) - 1}
    spans = [(0, far), (far, len(ring) - 1)]
    while spans:
        low, high = spans.pop()
        middle = _farthest(ring, low, high, tolerance)
        if middle is not None:
            kept.add(middle)
            spans += [(low, middle), (middle, high)]
    return ring[_needed(ring, sorted(kept), tolerance)]


def _needed(ring: Array, kept: Sequence[int], tolerance: float) -> list[int]:
    """``kept`` without those on a straight run, where a split fell by chance; and without the last, which is the first."""
    corners = ring[kept]
    (x, y), (dx, dy) = (corners[1:-1] - corners[:-2]).T, (corners[2:] - corners[:-2]).T
    off = np.abs(x * dy - y * dx) > tolerance * np.sqrt(dx * dx + dy * dy)
    result = [kept[0]]
    for place, after, clear in zip(kept[1:-1], kept[2:], off.tolist(), strict=True):
        if clear or _farthest(ring, result[-1], after, tolerance) is not None:
            result.append(place)
    return result


def _farthest(ring: Array, low: int, high: int, tolerance: float) -> int | None:
    """The point between two that lies furthest off their chord, None where none is ``tolerance`` off."""
    if high - low < 2:
        return None
    away = _from_chord(ring[low + 1 : high], ring[low], ring[high])
    most = int(away.argmax())
    return low + 1 + most if away[most] > tolerance * tolerance else None


def _from_chord(points: Array, a: Array, b: Array) -> Array:
    """Squared distances (N,) of points to the segment from ``a`` to ``b``."""
    (ax, ay), (dx, dy) = a.tolist(), (b - a).tolist()
    x, y = points[:, 0] - ax, points[:, 1] - ay
    square = dx * dx + dy * dy
    if square > 0.0:
        along = np.minimum(np.maximum((x * dx + y * dy) / square, 0.0), 1.0)
        x, y = x - along * dx, y - along * dy
    away: Array = x * x + y * y
    return away


def clipped(loops: Sequence[Array], window: Window) -> list[Array]:
    """The outlines inside a window (Sutherland and Hodgman 1974); what is cut off is closed along its border."""
    result = []
    for loop in loops:
        for axis, limit, sign in ((0, 0, 1.0), (1, 1, 1.0), (0, 2, -1.0), (1, 3, -1.0)):
            loop = _half(loop, axis, window[limit], sign)
        if len(loop) > 2 and abs(area(loop)) > COLLINEAR_MM**2:
            result.append(loop)
    return result


def _half(loop: Array, axis: int, limit: float, sign: float) -> Array:
    """The part of an outline on one side of a line parallel to a picture axis."""
    if not len(loop):
        return loop
    following = np.roll(loop, -1, axis=0)
    here, there = sign * (loop[:, axis] - limit), sign * (following[:, axis] - limit)
    inside, crossed = here >= 0.0, (here >= 0.0) != (there >= 0.0)
    share = here / np.where(crossed, here - there, 1.0)
    border = loop + share[:, None] * (following - loop)
    border[:, axis] = limit
    both = np.stack((loop, border), axis=1).reshape(-1, 2)
    result: Array = both[np.stack((inside, crossed), axis=1).reshape(-1)]
    return result


def spans(loops: Sequence[Array], axis: int, at: float) -> list[tuple[float, float]]:
    """Where the line ``at`` across picture axis ``axis`` (0: a vertical line at x) runs through material, in order."""
    found: list[float] = []
    for loop in loops:
        following = np.roll(loop, -1, axis=0)
        a, b = loop[:, axis] - at, following[:, axis] - at
        crossed = (a >= 0.0) != (b >= 0.0)
        share = a[crossed] / (a[crossed] - b[crossed])
        other = loop[crossed, 1 - axis]
        found += (other + share * (following[crossed, 1 - axis] - other)).tolist()
    found.sort()
    return list(zip(found[::2], found[1::2], strict=True))
