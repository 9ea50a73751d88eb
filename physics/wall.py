# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a part a lock has room: the part in slices across the joint's axis, as pictures of solid and void.

Slices are made by winding number, so that shells that overlap count as one solid and hollows as void.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .rigid import Array, sine_cosine
from .units import MM, PI

Mask = NDArray[np.bool_]
PIXELS = 160
"""Width and height of a slice's picture."""


@dataclass(frozen=True)
class Slices:
    """``solid`` (K, N, N) at ``heights`` (K,) from the joint's plane away; pixel (row, column) lies at
    ``corner`` + ``pixel`` * (column, row), metres."""

    solid: Mask
    heights: tuple[float, ...]
    corner: tuple[float, float]
    pixel: float

    def filled(self) -> "Slices":
        """The same without its hollows: all that the outer surface holds."""
        shut = np.stack([_fill(mask) for mask in self.solid])
        return Slices(shut, self.heights, self.corner, self.pixel)

    def room(self) -> Array:
        """(K, N, N) how far from a pixel the nearest void is, in any slice up to this one; metres, on the safe side."""
        free = [
            cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            for mask in self.solid
        ]
        least: Array = np.minimum.accumulate(np.stack(free).astype(np.float64), axis=0)
        return np.maximum(least - 1.0, 0.0) * self.pixel

    def level(self, depth: float) -> int:
        """The slice at ``depth`` or just beyond it; -1 where the slices end before."""
        return next((k for k, height in enumerate(self.heights) if abs(height) >= depth - 1e-9), -1)

    def place(self, row: int, column: int) -> tuple[float, float]:
        """Where a pixel lies, metres."""
        return self.corner[0] + self.pixel * column, self.corner[1] + self.pixel * row


def slices(points: Array, triangles: NDArray[np.int64], heights: Sequence[float],
           box: tuple[Array, Array] | None = None) -> Slices:  # fmt: skip
    """Of outward triangles over (V, 3) points in the joint's frame, metres. ``box`` (lowest, highest corner) limits the
    picture; without one it holds all points."""
    low, high = box if box is not None else (points.min(axis=0), points.max(axis=0))
    pixel = float((high - low)[:2].max()) / (PIXELS - 5)
    corner = (float(low[0]) - 2.0 * pixel, float(low[1]) - 2.0 * pixel)
    solid = np.stack([_slice(points, triangles, height, corner, pixel) for height in heights])
    return Slices(solid, tuple(float(height) for height in heights), corner, pixel)


def _slice(
    points: Array, triangles: NDArray[np.int64], height: float, corner: tuple[float, float], pixel: float
) -> Mask:
    up = points[:, 2][triangles] > height
    crossing = up.any(axis=1) & ~up.all(axis=1)
    corners, up = points[triangles[crossing]], up[crossing]
    following, rises = np.roll(corners, -1, axis=1), np.roll(up, -1, axis=1)
    share = (height - corners[..., 2]) / np.where(up == rises, 1.0, following[..., 2] - corners[..., 2])
    met = corners + share[..., None] * (following - corners)
    place = (met[..., :2] - corner) / pixel
    begin, end = place[~up & rises], place[up & ~rises]
    return _winding(begin, end) > 0


def _winding(begin: Array, end: Array) -> NDArray[np.int64]:
    """(N, N) how often directed segments (S, 2) in pixels, which close, go around each pixel's middle."""
    first = np.ceil(np.minimum(begin[:, 1], end[:, 1])).astype(np.int64).clip(0, PIXELS)
    last = np.ceil(np.maximum(begin[:, 1], end[:, 1])).astype(np.int64).clip(0, PIXELS)
    count = last - first
    owner = np.repeat(np.arange(len(begin)), count)
    row = first[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    run, rise = end[owner, 0] - begin[owner, 0], end[owner, 1] - begin[owner, 1]
    column = np.ceil(begin[owner, 0] + run * (row - begin[owner, 1]) / rise).astype(np.int64).clip(0, PIXELS)
    steps = np.zeros((PIXELS, PIXELS + 1), dtype=np.int64)
    np.add.at(steps, (row, column), np.where(rise > 0.0, 1, -1))
    return np.cumsum(steps, axis=1)[:, :PIXELS]


def _fill(mask: Mask) -> Mask:
    _, labels = cv2.connectedComponents(
        np.pad(~mask, 1, constant_values=True).astype(np.uint8), connectivity=4
    )
    outside: Mask = (labels == labels[0, 0])[1:-1, 1:-1]
    return ~outside


@dataclass(frozen=True)
class Need:
    """What a peg of ``radius`` asks for, metres: ``wall`` around the axis down to ``depth``, ``root`` above up to
    ``height``."""

    radius: float
    wall: float
    depth: float
    root: float
    height: float


def largest(below: Slices, above: Slices, needs: Sequence[Need],
            at: tuple[float, float] | None = None) -> tuple[Need, tuple[float, float]] | None:  # fmt: skip
    """The first of ``needs``, largest first, that finds room, and where: at ``at`` or where most is left, else None."""
    under, over = below.room(), above.room()
    for need in needs:
        deep, high = below.level(need.depth), above.level(need.height)
        if deep < 0 or high < 0:
            continue
        spare = np.minimum(under[deep] - need.wall, over[high] - need.root)
        if at is not None:
            spare = np.where(_disc(below, at, 1.5 * below.pixel), spare, -1.0)
        best = int(np.argmax(spare))
        if spare.flat[best] >= 0.0:
            return need, at if at is not None else below.place(*divmod(best, PIXELS))
    return None


def _disc(picture: Slices, at: tuple[float, float], radius: float) -> Mask:
    rows, columns = np.mgrid[0:PIXELS, 0:PIXELS]
    x, y = picture.corner[0] + picture.pixel * columns, picture.corner[1] + picture.pixel * rows
    inside: Mask = np.hypot(x - at[0], y - at[1]) <= radius
    return inside


def plug(picture: Slices, at: tuple[float, float], radius: float, depth: float, sides: int = 48) -> Array:
    """(L, sides, 3) loops of a solid that fills a hollow around an axis down to ``depth``, lowest first.

    At least of ``radius``, and rooted up to 1 mm deep in whatever wall there is around it.
    """
    loops = []
    for k, z in [(0, 0.0), *enumerate(picture.heights[: picture.level(depth) + 1])]:
        look = _looker(picture, at, k)
        ring = []
        for side in range(sides):
            sine, cosine = sine_cosine(2.0 * PI * side / sides)
            reach = _rooted(look, cosine, sine, radius, picture.pixel)
            ring.append((reach * cosine, reach * sine, z))
        loops.append(ring)
    result = np.array(loops)
    return result if result[-1, 0, 2] > 0.0 else result[::-1]


def _looker(picture: Slices, at: tuple[float, float], level: int) -> Callable[[Array, Array], Mask]:
    def look(x: Array, y: Array) -> Mask:
        column = np.rint((at[0] + x - picture.corner[0]) / picture.pixel).astype(np.int64).clip(0, PIXELS - 1)
        row = np.rint((at[1] + y - picture.corner[1]) / picture.pixel).astype(np.int64).clip(0, PIXELS - 1)
        seen: Mask = picture.solid[level][row, column]
        return seen

    return look


def _rooted(
    look: Callable[[Array, Array], Mask], cosine: float, sine: float, radius: float, pixel: float
) -> float:
    """How far out a plug goes in one direction: to the middle of the first wall at or beyond ``radius``."""
    distances = np.arange(radius, PIXELS * pixel, 0.5 * pixel)
    seen = look(distances * cosine, distances * sine)
    hits = np.flatnonzero(seen)
    if len(hits) == 0 or hits[0] == 0:
        return radius
    ends = np.flatnonzero(~seen[hits[0] :])
    thick = (ends[0] if len(ends) else len(seen) - hits[0]) * 0.5 * pixel
    return float(distances[hits[0]] + 0.5 * min(thick, 2.0 * MM))
