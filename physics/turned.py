# SPDX-License-Identifier: GPL-3.0-or-later
"""Solids of revolution for the fit: shafts, bores, rings and plugs; z along the joint's axis, metres."""

from collections.abc import Sequence

import numpy as np

from .rigid import Array, sine_cosine
from .solids import Solid
from .units import PI

SIDES = 96
"""Sides of a round tool."""


def shaft(radius: float, low: float, high: float, *, inside: bool = False, sides: int = SIDES) -> Solid:
    """A round solid between two heights. Its corners lie on ``radius``; with ``inside`` its flats do, so that a bore
    cut with it is nowhere narrower."""
    outer = radius / sine_cosine(PI / 2 - PI / sides)[0] if inside else radius
    return loft(np.array([_circle(outer, low, sides), _circle(outer, high, sides)]))


def ring(inner: float, outer: float, low: float, high: float, sides: int = SIDES) -> Solid:
    """A round ring; the corners of both its walls lie on the radii."""
    loops = [_circle(r, z, sides) for r, z in ((outer, low), (outer, high), (inner, high), (inner, low))]
    return Solid(np.concatenate(loops), tuple(_bands(4, sides, closed=True)))


def loft(loops: Array) -> Solid:
    """A closed solid through (L, S, 3) loops, each counter-clockwise seen from +z, from the lowest to the highest."""
    count, sides = loops.shape[:2]
    ends = (tuple(reversed(range(sides))), tuple(range((count - 1) * sides, count * sides)))
    return Solid(loops.reshape(-1, 3), (*_bands(count, sides, closed=False), *ends))


def circle_volume(radius: float, height: float, sides: int = SIDES, *, inside: bool = False) -> float:
    """Volume of what ``shaft`` makes, in metres cubed."""
    sine, cosine = sine_cosine(PI / sides)
    outer = radius / cosine if inside else radius
    return sides * sine * cosine * outer**2 * height


def _circle(radius: float, z: float, sides: int) -> Array:
    turns = [sine_cosine(2.0 * PI * k / sides) for k in range(sides)]
    return np.array([(radius * cosine, radius * sine, z) for sine, cosine in turns])


def _bands(count: int, sides: int, *, closed: bool) -> Sequence[tuple[int, ...]]:
    faces = []
    for level in range(count if closed else count - 1):
        above = (level + 1) % count
        for k in range(sides):
            n = (k + 1) % sides
            faces.append((level * sides + k, level * sides + n, above * sides + n, above * sides + k))
    return faces
