# SPDX-License-Identifier: GPL-3.0-or-later
"""Random parts with a peg or a bore of known place, meshed like scans and generated models, with planted faults.

Shapes are signed distances in the feature's frame (z to the tip of a peg, out of a bore; z = 0 at shoulder or rim),
meshed by surface nets (S. Gibson 1998) and pulled onto the surface. Lengths in metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

PEGS = ("peg plain", "peg with lugs", "tapered peg", "peg on figure")
SOCKETS = ("ring", "block with bore", "blob with bore", "socket with slots")
MORE = ("hollow peg", "coarse peg", "coarse bore")
KINDS = PEGS + SOCKETS + MORE
Field = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class RandomPart:
    """A mesh and the truth about it. ``axis`` points to the tip or out of the bore, ``origin`` is on shoulder or rim.

    ``angles`` are those of lugs or slots in radians, about ``axis`` from ``across``. ``hint``: where the body is.
    """

    name: str
    kind: str
    vertices: np.ndarray  # (V, 3)
    triangles: np.ndarray  # (T, 3) int64
    axis: np.ndarray  # (3,)
    across: np.ndarray  # (3,)
    origin: np.ndarray  # (3,)
    radius: float  # at half length
    length: float
    hint: tuple[float, float, float] | None
    angles: tuple[float, ...] = ()

    def local(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points in the feature's frame, in radii."""
        basis = np.stack((self.across, np.cross(self.axis, self.across), self.axis), axis=1)
        return (points - self.origin) @ basis / self.radius


def box(p: np.ndarray, middle: tuple[float, float, float], half: tuple[float, float, float]) -> np.ndarray:
    q = np.abs(p - np.array(middle)) - np.array(half)
    return np.linalg.norm(np.maximum(q, 0.0), axis=1) + np.minimum(q.max(axis=1), 0.0)


def rod(p: np.ndarray, radius: float, low: float, high: float, edge: float = 0.0, draft: float = 0.0) -> np.ndarray:  # fmt: skip
    """A rod about z with edges rounded by ``edge``; ``draft`` (radians) makes it thinner upwards from its middle."""
    middle = 0.5 * (low + high)
    side = (np.hypot(p[:, 0], p[:, 1]) - radius + np.tan(draft) * (p[:, 2] - middle)) * np.cos(draft)
    q = np.column_stack((side + edge, np.abs(p[:, 2] - middle) - 0.5 * (high - low) + edge))
    return np.linalg.norm(np.maximum(q, 0.0), axis=1) + np.minimum(q.max(axis=1), 0.0) - edge


def capsule(p: np.ndarray, a: np.ndarray, b: np.ndarray, ra: float, rb: float) -> np.ndarray:
    along = np.clip((p - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0.0, 1.0)
    return np.linalg.norm(p - a - along[:, None] * (b - a), axis=1) - ra - (rb - ra) * along


def blend(a: np.ndarray, b: np.ndarray, reach: float) -> np.ndarray:
    """Smooth union."""
    h = np.maximum(reach - np.abs(a - b), 0.0) / reach
    return np.minimum(a, b) - 0.25 * reach * h * h


def turned(p: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.column_stack((c * p[:, 0] + s * p[:, 1], c * p[:, 1] - s * p[:, 0], p[:, 2]))


def ball(p: np.ndarray, middle: np.ndarray, radius: float) -> np.ndarray:
    return np.linalg.norm(p - middle, axis=1) - radius


def surface_nets(field: Field, low: np.ndarray, high: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Vertices and outward triangles of field = 0; only where a four times coarser grid is near the surface."""
    count = (np.ceil((high - low) / (4 * cell)).astype(int) + 2) * 4
    low = low - 2 * cell
    blocks = np.stack(np.meshgrid(*(np.arange(0, n, 4) for n in count), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    near = np.abs(field(low + cell * (blocks + 1.5))) < 4.5 * cell
    inner = np.stack(np.meshgrid(*(np.arange(4),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    index = (blocks[near, None, :] + inner).reshape(-1, 3)
    value = np.full(tuple(count), np.nan)
    value[tuple(index.T)] = field(low + cell * index)
    total, hits = np.zeros((*count, 3)), np.zeros(tuple(count))
    edges = []
    for axis in range(3):
        a = value[tuple(slice(0, -1) if k == axis else slice(None) for k in range(3))]
        b = value[tuple(slice(1, None) if k == axis else slice(None) for k in range(3))]
        with np.errstate(invalid="ignore"):
            at = np.argwhere((a < 0) != (b < 0))
        fa, fb = value[tuple(at.T)], value[tuple((at + np.eye(3, dtype=int)[axis]).T)]
        good = np.isfinite(fa) & np.isfinite(fb) & (at > 0).all(axis=1)
        at, fa, fb = at[good], fa[good], fb[good]
        cross = at.astype(float)
        cross[:, axis] += fa / (fa - fb)
        u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
        ring = [at - u - v, at - v, at, at - u]
        for corner in ring:
            np.add.at(total, tuple(corner.T), cross)
            np.add.at(hits, tuple(corner.T), 1.0)
        edges.append((ring, fa < 0))
    number = np.cumsum(hits.ravel() > 0).reshape(hits.shape) - 1
    points = low + cell * (total[hits > 0] / hits[hits > 0][:, None])
    faces = []
    for ring, outwards in edges:
        a, b, c, d = (number[tuple(corner.T)] for corner in ring)
        b, d = np.where(outwards, b, d), np.where(outwards, d, b)
        faces += [np.column_stack((a, b, c)), np.column_stack((a, c, d))]
    for _ in range(3):
        slope = np.stack([field(points + step) - field(points - step) for step in 1e-3 * cell * np.eye(3)], axis=1) / (2e-3 * cell)  # fmt: skip
        move = field(points)[:, None] * slope / np.maximum((slope**2).sum(axis=1, keepdims=True), 0.25)
        points = points - np.clip(move, -0.5 * cell, 0.5 * cell)
    return points, np.concatenate(faces).astype(np.int64)


def make(name: str, seed: int) -> RandomPart:
    """The part of that name and seed, clean."""
    rng = np.random.default_rng((KINDS.index(name), seed))
    length, angles = float(rng.uniform(1.2, 2.8)), ()
    kind = "peg" if name in PEGS or name.endswith("peg") else "socket"
    if kind == "peg":
        field, reach, angles = _peg(name, length, rng)
    else:
        field, reach, angles = _socket(name, length, rng)
    cell = float(rng.uniform(0.085, 0.115)) * (
        1.4 if name == "peg on figure" else 2.5 if "coarse" in name else 1.0
    )
    points, triangles = surface_nets(field, *reach, cell)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn[:, 2] *= np.sign(np.linalg.det(turn))
    radius, origin = float(np.exp(rng.uniform(np.log(0.002), np.log(0.03)))), rng.uniform(-0.2, 0.2, 3)
    hint = None
    if kind == "peg" and name != "peg on figure":
        hint = tuple(float(x) for x in origin - radius * turn[:, 2] * rng.uniform(1, 4) + radius * turn[:, 0])
    return RandomPart(
        name, kind, points @ turn.T * radius + origin, triangles, turn[:, 2],
        turn[:, 0], origin, radius, length * radius, hint, angles,
    )  # fmt: skip


def _peg(name: str, length: float, rng: np.random.Generator) -> tuple[Field, tuple, tuple]:
    if name == "peg on figure":
        return (*_figure(length, rng), ())
    edge, draft = float(rng.uniform(0, 0.08)), 0.0
    if name == "tapered peg":
        draft = float(np.radians(rng.uniform(0.5, 3.0)))
    body = str(rng.choice(("free", "disc", "block", "dome")))
    size = rng.uniform(1.3, 2.2, 3)
    aside = rng.uniform(-0.25, 0.25, 2)
    hollow = float(rng.uniform(0.55, 0.8)) if name == "hollow peg" else 0.0
    lugs: list[tuple[float, float, float, float]] = []
    if name == "peg with lugs":
        count = int(rng.integers(2, 5))
        z = length * rng.uniform(0.5, 0.8)
        shape = (rng.uniform(0.18, 0.3), rng.uniform(0.2, 0.32), rng.uniform(0.15, 0.25))
        lugs = [(rng.uniform(0, 0.2) + 2 * np.pi * k / count, z, *shape) for k in range(1, count + 1)]  # type: ignore[misc]
        lugs = [(float(lugs[0][0] + 2 * np.pi * k / count), *lugs[0][1:]) for k in range(count)]

    def field(p: np.ndarray) -> np.ndarray:
        # the taper is about the middle of what is seen of the peg, so that its radius there is 1
        root = 0.0 if body == "free" else 0.3
        value = rod(p, 1.0 + np.tan(draft) * 0.5 * root, -root, length, edge, draft)
        for angle, z, out, wide, high in lugs:
            value = np.minimum(value, box(turned(p, angle), (0.9, 0.0, z), (0.1 + out, wide, high)))
        if hollow:
            value = np.maximum(value, -rod(p, hollow, 0.2, length + 1.0))
        if body == "disc":
            value = np.minimum(value, rod(p, size[0] + 0.1, -0.3, 0.0, 0.03))
        if body == "block":
            value = np.minimum(value, box(p, (aside[0], aside[1], -0.5 * size[2]), (size[0] + 0.1, size[1] + 0.1, 0.5 * size[2])))  # fmt: skip
        if body == "dome":
            dome = ball(p, np.array((0.0, 0.0, -0.3)), size[0] + 0.3)
            value = np.minimum(value, np.maximum(dome, p[:, 2]))
        return value

    return field, (np.array((-2.7, -2.7, -2.8)), np.array((2.7, 2.7, length))), tuple(a[0] for a in lugs)


def _figure(length: float, rng: np.random.Generator) -> tuple[Field, tuple]:
    """A peg under a bumpy body with a head and limbs, several times its size."""
    size = float(rng.uniform(2.5, 4.0))
    torso = np.array((rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), -size * 0.97))
    bumps = [(torso + size * 0.85 * w, size * rng.uniform(0.25, 0.45)) for w in _ways(rng, 6, 0.3)]
    head = torso + np.array((rng.uniform(-1, 1), rng.uniform(-1, 1), -size * 1.35))
    limbs = []
    for way in _ways(rng, 4, 0.35):
        elbow = torso + way * size * 1.4
        bent = way + 0.5 * rng.normal(size=3)
        bent[2] = min(bent[2], 0.3)
        hand = elbow + bent / np.linalg.norm(bent) * size * rng.uniform(0.5, 1.0)
        thick = rng.uniform(0.7, 1.3, 3)
        limbs.append((torso + 0.5 * way * size, elbow, hand, thick))
    ends = np.array([torso - 1.1 * size, torso + 1.1 * size, head - size * 0.75, head + size * 0.75]
                    + [p + s * 1.4 for limb in limbs for p in limb[1:3] for s in (-1, 1)])  # fmt: skip

    def field(p: np.ndarray) -> np.ndarray:
        value = ball(p, torso, size)
        for middle, radius in bumps:
            value = blend(value, ball(p, middle, radius), 0.5)
        value = blend(value, ball(p, head, size * 0.65), 0.6)
        for a, b, c, thick in limbs:
            value = blend(value, capsule(p, a, b, thick[0], thick[1]), 0.6)
            value = blend(value, capsule(p, b, c, thick[1], thick[2]), 0.3)
        return np.minimum(value, rod(p, 1.0, -1.0, length, 0.04))

    low, high = ends.min(axis=0), ends.max(axis=0)
    high[2] = max(high[2], length)
    return field, (low - 0.3, high + 0.3)


def _ways(rng: np.random.Generator, count: int, most: float) -> list[np.ndarray]:
    """Directions that keep away from +z."""
    found: list[np.ndarray] = []
    apart = 0.6
    while len(found) < count:
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        apart += 0.01  # asks for less the longer it takes
        if way[2] < most and all(float(way @ other) < apart for other in found):
            found.append(way)
    return found


def _socket(name: str, depth: float, rng: np.random.Generator) -> tuple[Field, tuple, tuple]:
    wall, floor = float(rng.uniform(0.25, 0.6)), float(rng.uniform(0.25, 0.5))
    body = {"ring": "ring", "block with bore": "block", "coarse bore": "block", "blob with bore": "blob"}.get(name) or str(rng.choice(("ring", "block")))  # fmt: skip
    if name == "socket with slots":
        wall += 0.3
    half = 1.1 + wall + rng.uniform(0, 1.5, 2)
    aside = rng.uniform(-1, 1, 2) * (half - 1.1 - wall)
    spin = float(rng.uniform(0, 3.0))
    size = float(rng.uniform(2.2, 3.5))
    bumps = [(size * 0.8 * w - (0, 0, size), size * rng.uniform(0.3, 0.5)) for w in _ways(rng, 7, 0.2)]
    count, first = int(rng.integers(2, 5)), float(rng.uniform(0, 1))
    slots = tuple(first + 2 * np.pi * k / count for k in range(count)) if name == "socket with slots" else ()
    deep, wide, out = depth * float(rng.uniform(0.5, 0.8)), float(rng.uniform(0.2, 0.3)), float(rng.uniform(1.2, 1.3))  # fmt: skip

    def field(p: np.ndarray) -> np.ndarray:
        if body == "ring":
            value = rod(p, 1.0 + wall, -depth - floor, 0.0, 0.04)
        elif body == "block":
            value = box(turned(p - np.array((*aside, 0.0)), spin), (0.0, 0.0, -0.5 * (depth + floor)), (half[0], half[1], 0.5 * (depth + floor)))  # fmt: skip
        else:
            value = ball(p, np.array((0.0, 0.0, -size)), size + 0.15)
            for middle, radius in bumps:
                value = blend(value, ball(p, middle, radius), 0.5)
            value = np.maximum(
                value, -capsule(p, np.array((0, 0, -depth)), np.array((0, 0, -depth)), 0.2, 0.2)
            )
        hole = rod(p, 1.0, -depth, 4.0)
        for angle in slots:
            hole = np.minimum(hole, box(turned(p, angle), (0.5 * out, 0.0, 2.0 - 0.5 * deep), (0.5 * out, wide, 2.0 + 0.5 * deep)))  # fmt: skip
            for k in range(1, 4):
                at = turned(p, angle + 0.28 * k)
                hole = np.minimum(hole, box(at, (0.5 * out, 0.0, 0.18 - deep), (0.5 * out, wide, 0.18)))
        return np.maximum(value, -hole)

    wide_most = float(max(np.hypot(*half) + np.abs(aside).max(), size * 1.5 if body == "blob" else 0.0))
    low = -size * 2.6 if body == "blob" else -depth - floor
    return field, (np.array((-wide_most, -wide_most, low)), np.array((wide_most, wide_most, 0.4))), slots


def spoil(part: RandomPart, noise: float, seed: int) -> RandomPart:
    """The part with noise of ``noise`` radii along its normals, 4 % of the faces gone in patches and 1 % flipped.

    0.87 of the noise is white per vertex, 0.5 a smooth field of waves 0.3 to 1 radius long (squares add to 1).
    """
    rng = np.random.default_rng((17, seed))
    points, faces = part.vertices, part.triangles
    normal = np.zeros_like(points)
    flat = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    for k in range(3):
        np.add.at(normal, faces[:, k], flat)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    wave = rng.normal(size=(40, 3))
    wave *= (2 * np.pi / (part.radius * rng.uniform(0.3, 1.0, 40)) / np.linalg.norm(wave, axis=1))[:, None]
    smooth = np.sin(points @ wave.T + rng.uniform(0, 7, 40)).sum(axis=1) / np.sqrt(20.0)
    move = noise * part.radius * (0.87 * rng.normal(size=len(points)) + 0.5 * smooth)
    middle = points[faces].mean(axis=1)
    keep = np.ones(len(faces), dtype=bool)
    while keep.mean() > 0.96:
        at = middle[rng.integers(len(faces))]
        keep &= np.linalg.norm(middle - at, axis=1) > part.radius * rng.uniform(0.1, 0.25)
    faces = faces[keep]
    flip = rng.random(len(faces)) < 0.01
    faces = np.where(flip[:, None], faces[:, ::-1], faces)
    return replace(part, vertices=points + move[:, None] * normal, triangles=faces)


def click(part: RandomPart, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A point on the mesh within 0.3 radii of the feature's side, and the normal of the face it lies on."""
    rng = np.random.default_rng((23, seed))
    corners = part.vertices[part.triangles]
    p = part.local(corners.mean(axis=1))
    beyond = np.maximum(
        np.abs(np.abs(p[:, 2]) - 0.5 * part.length / part.radius) - 0.5 * part.length / part.radius, 0
    )
    side = 1.0 if part.kind == "peg" else -1.0
    beyond = np.where(p[:, 2] * side < 0, np.maximum(beyond, np.abs(p[:, 2])), beyond)
    near = np.flatnonzero(np.hypot(np.hypot(p[:, 0], p[:, 1]) - 1.0, beyond) < 0.3)
    flat = np.cross(corners[near, 1] - corners[near, 0], corners[near, 2] - corners[near, 0])
    area = np.linalg.norm(flat, axis=1)
    chosen = int(rng.choice(len(near), p=area / area.sum()))
    return corners[near[chosen]].mean(axis=0), flat[chosen] / max(float(area[chosen]), 1e-30)


def end_click(part: RandomPart) -> np.ndarray:
    """A point at the tip's or the rim's edge."""
    far = part.length if part.kind == "peg" else 0.0
    return part.origin + far * part.axis + 0.9 * part.radius * part.across
