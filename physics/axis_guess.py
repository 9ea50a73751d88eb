# SPDX-License-Identifier: GPL-3.0-or-later
"""Guesses at cylinders from pairs of surfels: two normals give the axis, two points the centre and the radius.

On a cylinder p = c + r n, with r > 0 where the surface faces outwards (a peg), r < 0 where inwards (a bore).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .axis_surface import Indices, Patches
from .rigid import Array

SEEDS = 300
PARTNERS = 8
GROUPS = 12
"""Seeds of a group have their partners from the same random few."""
CHUNK = 256
LEAST = 1.0
"""Area in radii squared that a guess needs to be looked at."""


@dataclass(frozen=True)
class Guesses:
    """axis, centre (H, 3), radius (H,) > 0, score (H,): area in radii squared, less where it stands on one side."""

    axis: Array
    centre: Array
    radius: Array
    score: Array

    def only(self, rows: Indices) -> "Guesses":
        """The guesses of these rows."""
        return Guesses(self.axis[rows], self.centre[rows], self.radius[rows], self.score[rows])


def joined(parts: list[Guesses]) -> Guesses:
    """All guesses of several sets, best first."""
    axis, centre = (np.concatenate([getattr(p, name) for p in parts]) for name in ("axis", "centre"))
    radius, score = (np.concatenate([getattr(p, name) for p in parts]) for name in ("radius", "score"))
    return Guesses(axis, centre, radius, score).only(np.argsort(-score, kind="stable"))


def guess(patches: Patches, sign: float, edge: float, near: Array | None = None) -> Guesses:
    """Guesses from surfels ``edge`` apart; those near a point only if one is given."""
    rng = np.random.default_rng(11)
    count = len(patches.area)
    if near is None:
        share = np.cumsum(patches.area) / patches.area.sum()
        seeds = np.minimum(np.searchsorted(share, (np.arange(SEEDS) + 0.5) / SEEDS), count - 1)
    else:
        order = np.argsort(((patches.point - near) ** 2).sum(axis=1), kind="stable")
        # mostly close by, but beyond the flat of an end if that is what was clicked
        spread = np.linspace(0.0, 1.0, SEEDS // 2) ** 2 * (min(count, 500) - 1)
        seeds = order[spread.astype(np.int64)]
    first, second = _pairs(patches.point, seeds, rng)
    axis, centre, radius = _solve(patches, first, second, sign, edge)
    if near is not None:
        keep = _reaches(axis, centre, radius, near, edge)
        axis, centre, radius = axis[keep], centre[keep], radius[keep]
    return Guesses(axis, centre, radius, scores(patches, axis, centre, radius, sign))


def _pairs(point: Array, seeds: Indices, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Seeds with partners at all scales: the nearest of a random few is far off, that of many is close by."""
    count = len(point)
    places = point.astype(np.float32)
    first, second = [], []
    for group in np.array_split(seeds, GROUPS):
        apart = _distances(places[group], places)
        apart[np.arange(len(group)), group] = np.inf
        order = rng.permutation(count)
        for share in np.linspace(0.0, 1.0, PARTNERS):
            few = order[: max(2, round(count / 3.0 * (6.0 / count) ** share))]
            order = np.roll(order, -len(few))
            first.append(group)
            second.append(few[apart[:, few].argmin(axis=1)])
    return np.concatenate(first), np.concatenate(second)


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * a @ b.T
    return result


def _solve(patches: Patches, first: Indices, second: Indices, sign: float, edge: float) -> tuple[Array, Array, Array]:  # fmt: skip
    n1, n2 = patches.normal[first], patches.normal[second]
    p1, p2 = patches.point[first], patches.point[second]
    crossed = np.cross(n1, n2)
    sine = np.sqrt((crossed**2).sum(axis=1))
    good = sine > 0.3
    n1, n2, p1, p2 = n1[good], n2[good], p1[good], p2[good]
    axis = crossed[good] / sine[good, None]
    dp = p1 - p2
    dp = dp - axis * (dp * axis).sum(axis=1, keepdims=True)
    dn = n1 - n2
    radius = (dp * dn).sum(axis=1) / (dn**2).sum(axis=1)
    off = np.sqrt(((dp - radius[:, None] * dn) ** 2).sum(axis=1))
    keep = (radius * sign > 1.2 * edge) & (off < 0.5 * np.abs(radius))
    middle = 0.5 * (p1 + p2 - radius[:, None] * (n1 + n2))
    return axis[keep], middle[keep], np.abs(radius[keep])


def _reaches(axis: Array, centre: Array, radius: Array, point: Array, edge: float) -> Array:
    off = point - centre
    along = (off * axis).sum(axis=1)
    aside = np.sqrt(((off - along[:, None] * axis) ** 2).sum(axis=1))
    kept: Array = (aside < 1.5 * radius + edge) & (np.abs(along) < 4.0 * radius)
    return kept


def scores(patches: Patches, axis: Array, centre: Array, radius: Array, sign: float) -> Array:
    """(H,) how much of the surface lies on each guess, in radii squared (at most 15).

    Less where it stands on one side only, and of a peg whose tip is not flat, as limbs are.
    """
    point, normal = patches.point.astype(np.float32), patches.normal.astype(np.float32)
    area = patches.area.astype(np.float32)
    parts = [np.zeros(0)]
    for start in range(0, len(radius), CHUNK):
        a, c = (v[start : start + CHUNK].astype(np.float32) for v in (axis, centre))
        r = radius[start : start + CHUNK, None].astype(np.float32)
        basis = _across(a)
        x, y, t = (u @ point.T - (u * c).sum(axis=1)[:, None] for u in (*basis, a))
        out = np.sqrt(x * x + y * y) + np.float32(1e-30)
        facing = (x * (basis[0] @ normal.T) + y * (basis[1] @ normal.T)) * np.float32(sign) / out
        weight = np.maximum(1.0 - ((out - r) / (0.2 * r)) ** 2, 0.0)
        weight *= np.clip((facing - 0.7) / 0.22, 0.0, 1.0) * (np.abs(t) < 2.0 * r)
        weight *= area
        total = weight.sum(axis=1)
        parts.append(np.minimum(total / r[:, 0] ** 2, 15.0).astype(np.float64))
        if sign > 0.0:
            flat = (out < 0.85 * r) & (np.abs(a @ normal.T) > 0.88) & (np.abs(t) < 3.5 * r)
            parts[-1] *= 0.4 + 0.6 * np.minimum((flat * area).sum(axis=1) / (2.0 * r[:, 0] ** 2), 1.0)
        rows = np.flatnonzero(parts[-1] > LEAST)
        weight, turn, total = weight[rows], ((x + np.complex64(1j) * y) / out)[rows], total[rows]
        # two flats that face apart, or the four of a box, are even on the turn's first wave, not on its second or fourth
        for _ in range(3):
            parts[-1][rows] *= 1.0 - np.abs((weight * turn).sum(axis=1)) / np.maximum(total, 1e-30)
            turn = turn * turn
    return np.concatenate(parts)


def _across(axis: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two unit vectors (H, 3) square to each axis and to each other."""
    helper = np.zeros_like(axis)
    helper[np.arange(len(axis)), np.abs(axis).argmin(axis=1)] = 1.0
    x = np.cross(axis, helper)
    x /= np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x, np.cross(axis, x)


def distinct(found: Guesses, most: int) -> list[int]:
    """Rows of the best guesses that differ from each other, at most ``most``."""
    chosen: list[int] = []
    for row in range(len(found.score)):
        if len(chosen) == most or found.score[row] <= 0.5:
            break
        if not any(_alike(found, row, other) for other in chosen):
            chosen.append(row)
    return chosen


def _alike(found: Guesses, a: int, b: int) -> bool:
    if abs(float(found.axis[a] @ found.axis[b])) < 0.97:
        return False
    big = max(float(found.radius[a]), float(found.radius[b]))
    off = found.centre[a] - found.centre[b]
    along = float(off @ found.axis[b])
    aside = float(np.linalg.norm(off - along * found.axis[b]))
    return (
        abs(float(found.radius[a] - found.radius[b])) < 0.15 * big
        and aside < 0.25 * big
        and abs(along) < 2.0 * big
    )
