# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a tilting part must stand off: what of it hangs lowest around the axis of its peg. Pure: no Blender."""

from collections.abc import Sequence

import numpy as np

from .rigid import Array
from .units import MM

Profile = tuple[tuple[float, float], ...]


def underside(points: Array, wide: float) -> Profile:
    """(radius, height) in mm of the convex lower outline of (N, 3) points around z, out to ``wide``; metres in.

    A part that tilts clears a plane where the corners of this outline clear it, whatever the tilt. Beyond ``wide``
    there is nothing that it could meet.
    """
    # of points at one radius, which differ by rounding, the lowest comes first
    r, z = np.round(np.hypot(points[:, 0], points[:, 1]), 9), points[:, 2]
    hull: list[tuple[float, float]] = []
    for point in sorted(zip(r.tolist(), z.tolist(), strict=True)):
        if hull and point[0] - hull[-1][0] < 1e-9:
            continue
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0.0:
            hull.pop()
        hull.append(point)
    return tuple((round(x / MM, 4), round(y / MM, 4)) for x, y in _cut(hull, wide))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cut(outline: Sequence[tuple[float, float]], wide: float) -> list[tuple[float, float]]:
    kept = [point for point in outline if point[0] <= wide]
    beyond = [point for point in outline if point[0] > wide]
    if kept and beyond:
        (r0, z0), (r1, z1) = kept[-1], beyond[0]
        kept.append((wide, z0 + (z1 - z0) * (wide - r0) / (r1 - r0)))
    return kept


def clearance(profile: Profile, under: float, sine: float, cosine: float) -> float:
    """Height in metres that the profile's plane must keep above one ``under`` metres over the centre of the tilt, so that
    no corner goes below it at the tilt whose sine and cosine are given."""
    needs = [(under + r * MM * sine) / cosine - z * MM - under for r, z in profile]
    return max(needs, default=0.0)
