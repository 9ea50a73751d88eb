# SPDX-License-Identifier: GPL-3.0-or-later
"""Plane polygons: area, simplification, inset, and triangulation with holes. Points (N, 2) float64."""

import numpy as np
from numpy.typing import NDArray

from .profile import thinned

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def area(points: F64) -> float:
    """Signed area, positive anticlockwise."""
    x, y = points.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def simplified(points: F64, tolerance: float) -> F64:
    """A closed polygon with the fewest corners within ``tolerance``."""
    start = int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
    ring = np.roll(points, -start, axis=0)
    half = int(np.argmax(((ring - ring[0]) ** 2).sum(axis=1)))
    one, two = thinned(ring[: half + 1], tolerance), thinned(np.vstack([ring[half:], ring[:1]]), tolerance)
    return np.vstack([one[:-1], two[:-1]])


def inset(points: F64, distance: float) -> F64:
    """Each corner moved inwards (to the left of an anticlockwise ring) so that its edges move by ``distance``; mitres end at
    twice that."""
    ahead, behind = np.roll(points, -1, axis=0) - points, points - np.roll(points, 1, axis=0)
    n1, n2 = (
        np.stack([-d[:, 1], d[:, 0]], axis=1) / np.maximum(np.linalg.norm(d, axis=1), 1e-12)[:, None]
        for d in (behind, ahead)
    )
    middle = n1 + n2
    length2 = np.maximum((middle**2).sum(axis=1), 1e-9)
    move = 2 * middle / length2[:, None]
    reach = np.linalg.norm(move, axis=1, keepdims=True)
    return points + distance * move * np.minimum(1, 2 / np.maximum(reach, 1e-12))


def crosses_itself(rings: list[F64]) -> bool:
    """True if any two edges of the closed rings properly cross."""
    a = np.concatenate(rings)
    b = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])

    def side(p: F64, q: F64, r: F64) -> F64:
        return (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (
            r[..., 0] - p[..., 0]
        )

    for start in range(0, len(a), 200):
        p, q = a[start : start + 200, None], b[start : start + 200, None]
        one, two = (
            side(p, q, a[None]) * side(p, q, b[None]),
            side(a[None], b[None], p) * side(a[None], b[None], q),
        )
        if ((one < 0) & (two < 0)).any():
            return True
    return False


def triangulated(rings: list[F64]) -> I64:
    """Triangles (N, 3) into the concatenated rings: the first anticlockwise outside, the others clockwise holes in it.

    Ear clipping (holes joined by bridges) and edge flips towards Delaunay. Uses every corner and no others.
    """
    points = np.concatenate(rings)
    starts = np.cumsum([0, *(len(ring) for ring in rings)])
    loop = list(range(starts[1]))
    holes = sorted(range(1, len(rings)), key=lambda k: -float(rings[k][:, 0].max()))
    for k in holes:
        loop = _bridged(points, loop, list(range(starts[k], starts[k + 1])))
    return _delaunay(points, _ears(points, loop))


def _bridged(points: F64, loop: list[int], hole: list[int]) -> list[int]:
    """The loop with a hole spliced in at its rightmost corner (Eberly, "Triangulation by ear clipping")."""
    start = max(range(len(hole)), key=lambda k: points[hole[k], 0])
    m = points[hole[start]]
    ring = points[loop]
    ahead = np.roll(ring, -1, axis=0)
    spans = (ring[:, 1] <= m[1]) & (ahead[:, 1] > m[1]) | (ring[:, 1] > m[1]) & (ahead[:, 1] <= m[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        x = ring[:, 0] + (m[1] - ring[:, 1]) / (ahead[:, 1] - ring[:, 1]) * (ahead[:, 0] - ring[:, 0])
    x = np.where(spans & (x >= m[0] - 1e-12), x, np.inf)
    edge = int(np.argmin(x))
    if not np.isfinite(x[edge]):
        raise ValueError("hole outside its polygon")
    hit = np.array([x[edge], m[1]])
    best = edge if ring[edge, 0] > ahead[edge, 0] else (edge + 1) % len(loop)
    inside = _in_triangle(ring, m, hit, ring[best]) & (np.arange(len(loop)) != best)
    inside &= (ring != ring[best]).any(axis=1) & (ring[:, 0] >= m[0])
    if inside.any():
        rel = ring - m
        angle = np.where(inside, np.abs(np.arctan2(rel[:, 1], rel[:, 0])), np.inf)
        near = np.flatnonzero(angle <= angle.min() + 1e-12)
        best = int(near[np.argmin((rel[near] ** 2).sum(axis=1))])
    turned = hole[start:] + hole[:start]
    return loop[: best + 1] + turned + [turned[0]] + loop[best:]


def _in_triangle(p: F64, a: F64, b: F64, c: F64) -> NDArray[np.bool_]:
    def side(u: F64, v: F64) -> F64:
        return np.asarray((v[0] - u[0]) * (p[:, 1] - u[1]) - (v[1] - u[1]) * (p[:, 0] - u[0]))

    s = np.stack([side(a, b), side(b, c), side(c, a)])
    return np.asarray((s >= -1e-12).all(axis=0) | (s <= 1e-12).all(axis=0))


def _ears(points: F64, loop: list[int]) -> list[tuple[int, int, int]]:
    loop = list(loop)
    out: list[tuple[int, int, int]] = []
    at, tries = 0, 0
    while len(loop) > 3:
        n = len(loop)
        a, b, c = loop[at % n - 1], loop[at % n], loop[(at + 1) % n]
        if tries > n or _is_ear(points, loop, a, b, c):
            out.append((a, b, c))
            loop.pop(at % n)
            at, tries = (at % n) + (0 if at % n < n - 1 else -1), 0
            at += 1  # skip one: fewer slivers
        else:
            at, tries = at + 1, tries + 1
        at %= max(len(loop), 1)
    out.append((loop[0], loop[1], loop[2]))
    return out


def _turn(points: F64, a: int, b: int, c: int) -> float:
    p, q, r = points[a], points[b], points[c]
    return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))


def _is_ear(points: F64, loop: list[int], a: int, b: int, c: int) -> bool:
    if _turn(points, a, b, c) <= 1e-14:
        return False
    others = points[loop]
    p, q, r = points[a], points[b], points[c]
    s1 = (q[0] - p[0]) * (others[:, 1] - p[1]) - (q[1] - p[1]) * (others[:, 0] - p[0])
    s2 = (r[0] - q[0]) * (others[:, 1] - q[1]) - (r[1] - q[1]) * (others[:, 0] - q[0])
    s3 = (p[0] - r[0]) * (others[:, 1] - r[1]) - (p[1] - r[1]) * (others[:, 0] - r[0])
    inside = (s1 >= 0) & (s2 >= 0) & (s3 >= 0)
    for corner in (p, q, r):
        inside &= (others != corner).any(axis=1)
    return not bool(inside.any())


def _delaunay(points: F64, triangles: list[tuple[int, int, int]]) -> I64:
    """Lawson's flips; edges of the outline have one triangle and stay."""
    tris = [list(t) for t in triangles]
    where: dict[tuple[int, int], int] = {}
    for index, t in enumerate(tris):
        for k in range(3):
            where[t[k], t[(k + 1) % 3]] = index
    stack = [edge for edge in where if edge[0] < edge[1] and (edge[1], edge[0]) in where]
    budget = 60 * len(tris)
    while stack and budget:
        budget -= 1
        a, b = stack.pop()
        one, two = where.get((a, b)), where.get((b, a))
        if one is None or two is None:
            continue
        c = next(v for v in tris[one] if v not in (a, b))
        d = next(v for v in tris[two] if v not in (a, b))
        if (c, d) in where or (d, c) in where or not _better_flipped(points, a, b, c, d):
            continue
        del where[a, b], where[b, a]
        tris[one], tris[two] = [a, d, c], [d, b, c]
        for index in (one, two):
            t = tris[index]
            for k in range(3):
                where[t[k], t[(k + 1) % 3]] = index
        stack += [(a, d), (d, b), (b, c), (c, a)]
    return np.asarray(tris, np.int64).reshape(-1, 3)


def _better_flipped(points: F64, a: int, b: int, c: int, d: int) -> bool:
    if _turn(points, a, d, c) <= 1e-13 or _turn(points, d, b, c) <= 1e-13:
        return False

    def cosine(at: int, u: int, v: int) -> float:
        x, y = points[u] - points[at], points[v] - points[at]
        return float(x @ y / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-18))

    angle = np.arccos(np.clip(cosine(c, a, b), -1, 1)) + np.arccos(np.clip(cosine(d, a, b), -1, 1))
    return bool(angle > np.pi + 1e-7)
