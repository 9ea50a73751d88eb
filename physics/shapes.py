# SPDX-License-Identifier: GPL-3.0-or-later
"""The cheapest collision shape that is right: box, cylinder or sphere, turned as need be; a hull; a compound of hulls.

Every shape is made about the centre of mass, because Bullet takes the origin for it. No cone (Bullet's sits half its
height off its own centre of mass) and no active mesh shape (unstable).
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import cutting
from .hull import LIMIT, Hull, along, balanced, hull, shrunk
from .mass import MassProperties, Weighed
from .rigid import Array
from .units import PI

MARGIN_LIMITS = (5e-6, 2e-4)
DEVIATION = 5e-3
"""How far the surface may lie from a primitive's, over the largest extent."""
FILL = 0.97
"""Least share of a primitive that the part fills."""
SOLIDITY = 0.9
"""Least share of its hull that a part fills for the hull to be its shape."""
SLIVER = 1e-4
"""Least share of the part's volume that a piece of a compound has."""
MOST_STEPS = 400
ITERATIONS = 50
_BETTER = 0.03


@dataclass(frozen=True)
class Shape:
    """A collision shape: ``kind`` in Bullet's words, and ``frame`` (4, 4), rigid, in the part's metres, origin = COM.

    ``pieces`` are convex, in the frame; those of hulls are shrunk by ``margin``, primitives embed it themselves.
    ``volume_error`` is the shape's volume over the part's, minus 1; ``stands_out`` how many metres of the part show
    beyond the shape; ``inertia_error`` the largest relative error of the moments that Bullet gives it.
    """

    kind: str
    frame: Array
    pieces: tuple[Hull, ...]
    margin: float
    volume_error: float
    stands_out: float
    inertia_error: float
    thinnest: float

    @property
    def points(self) -> tuple[Array, ...]:
        """The corners of each piece."""
        return tuple(piece.points for piece in self.pieces)


def margin_for(extent: float) -> float:
    """Collision margin in metres: a thousandth of the smallest extent, between 0.005 and 0.2 mm."""
    return float(np.clip(1e-3 * extent, *MARGIN_LIMITS))


def choose(part: Weighed) -> Generator[None, None, Shape]:
    """The shape of a weighed part. Yields in between."""
    frames = _frames(part)
    yield
    fits = [fit for axes in frames for fit in _primitives(part, axes)]
    if fits:
        return min(fits, key=lambda fit: (round(fit.stands_out, 7), fit.inertia_error))
    yield
    found = hull(part.points)
    if found is None:
        raise ValueError("a part with volume has a hull")
    yield
    around = _hull_volume(part, found)
    axes = _inertia_axes(part.mass)
    single = yield from _hulled(part, axes, "CONVEX_HULL", [found])
    if part.mass.volume > SOLIDITY * around:
        return single
    yield
    turned = min(
        frames,
        key=lambda basis: round(float(np.prod(np.ptp(along(part.points, basis.T), axis=0))) / around, 6),
    )
    cut = yield from cutting.pieces(along(part.points, turned.T), part.triangles)
    least = SLIVER * part.mass.volume
    cut = [
        Hull(along(piece.points, turned), piece.faces, piece.gaps) for piece in cut if piece.volume > least
    ]
    several = yield from _hulled(part, axes, "COMPOUND", cut)
    if len(cut) < 2 or abs(several.volume_error) > abs(single.volume_error) - _BETTER:
        return single
    return several


def _hull_volume(part: Weighed, few: Hull) -> float:
    """Volume of the part's hull: of the one with few corners, or of a finer one where that leaves the choice open."""
    if part.mass.volume > SOLIDITY * few.reach or part.mass.volume < SOLIDITY * few.volume:
        return few.reach
    finer = hull(part.points, 3 * LIMIT, 1e-3)
    return max(few.volume, finer.volume if finer is not None else 0.0)


def steps_for(thinnest: float, speed: float, fps: float) -> int:
    """Solver steps a frame for bodies of ``thinnest`` metres that reach ``speed`` m/s: a multiple of 10.

    A step is at most a tenth of the time in which the thinnest falls its own height, and the part moves at most a
    quarter of it in one.
    """
    step = min(0.1 * float(np.sqrt(thinnest / 9.81)), 0.25 * thinnest / max(speed, 1e-9))
    return int(min(max(10 * np.ceil(0.1 / (fps * step) - 1e-9), 10), MOST_STEPS))


def _frames(part: Weighed) -> list[Array]:
    """Axes (columns, right-handed) along which a part may have been built: its own, those of its faces, its inertia's."""
    return [np.eye(3), *_face_axes(part.points, part.triangles), _principal(part.mass)]


def _face_axes(points: Array, triangles: NDArray[np.int64]) -> list[Array]:
    """The direction with most flat area, with the one across it that has most."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    areas = np.sqrt((normals * normals).sum(axis=1))
    normals = normals / np.maximum(areas, 1e-300)[:, None]
    first = _heaviest(normals, areas)
    if first is None:
        return []
    across = normals - np.outer(normals @ first, first)
    level = np.abs(normals @ first) < 0.02
    second = _heaviest(across[level], areas[level]) if level.any() else None
    if second is None:
        second = np.eye(3)[int(np.argmin(np.abs(first)))]
        second = second - first * (second @ first)
    second = second / np.sqrt((second * second).sum())
    return [np.stack((second, np.cross(first, second), first), axis=1)]


def _heaviest(normals: Array, areas: Array) -> Array | None:
    """The unit mean of the directions, either way along it, that carry the most area."""
    forward = normals * np.where(normals @ np.array((0.83, 0.47, 0.31)) < 0.0, -1.0, 1.0)[:, None]
    _, where = np.unique(np.round(forward * 50.0), axis=0, return_inverse=True)
    mass = np.bincount(where.reshape(-1), areas)
    best = forward[where.reshape(-1) == int(np.argmax(mass))]
    weight = areas[where.reshape(-1) == int(np.argmax(mass))]
    mean = (best * weight[:, None]).sum(axis=0)
    length = float(np.sqrt((mean * mean).sum()))
    return mean / length if length > 0.0 else None


def _principal(mass: MassProperties) -> Array:
    """The principal axes of inertia, right-handed, each pointing to where its largest component is positive."""
    _, axes = np.linalg.eigh(mass.inertia)
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), range(3)] < 0.0, -1.0, 1.0)
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    return np.asarray(axes, dtype=np.float64)


def _inertia_axes(mass: MassProperties) -> Array:
    """The part's own axes where they are those of its inertia, else the principal ones: Bullet knows no products of inertia."""
    off = np.abs(mass.inertia - np.diag(np.diag(mass.inertia))).max()
    return np.eye(3) if off < 2e-3 * np.trace(mass.inertia) else _principal(mass)


def _primitives(part: Weighed, axes: Array) -> list[Shape]:
    """The primitives about the centre of mass, along these axes, that the part fills and whose surface it has."""
    points = along(part.points - part.mass.com, axes.T)
    largest = float(np.ptp(points, axis=0).max())
    half = 0.5 * np.ptp(points, axis=0)
    lies_off = [
        np.abs(np.abs(points) - half).min(axis=1).max() + np.maximum(np.abs(points) - half, 0.0).max()
    ]
    found = [_primitive(part, "BOX", axes, half, float(lies_off[0]), 8.0 * float(np.prod(half)))]
    radius = np.sqrt((points * points).sum(axis=1))
    reach = float(radius.max())
    found.append(
        _primitive(part, "SPHERE", axes, np.full(3, reach), float(np.ptp(radius)), 4.0 / 3.0 * PI * reach**3)
    )
    for axis in range(3):
        turned = np.roll(axes, 2 - axis, axis=1)
        own = np.roll(points, 2 - axis, axis=1)
        out = np.sqrt((own[:, :2] ** 2).sum(axis=1))
        wide, high = float(out.max()), 0.5 * float(np.ptp(own[:, 2]))
        off = np.minimum(wide - out, np.abs(np.abs(own[:, 2]) - high)).max()
        off += max(0.0, float(np.abs(own[:, 2]).max()) - high)
        found.append(
            _primitive(
                part, "CYLINDER", turned, np.array((wide, wide, high)), float(off), 2.0 * PI * wide**2 * high
            )
        )
    return [
        shape
        for shape in found
        if shape.stands_out <= DEVIATION * largest and shape.volume_error < 1.0 / FILL - 1.0
    ]


def _primitive(part: Weighed, kind: str, axes: Array, half: Array, off: float, volume: float) -> Shape:
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = axes, part.mass.com
    x, y, z = (half * half).tolist()
    per_mass = {
        "BOX": ((y + z) / 3.0, (x + z) / 3.0, (x + y) / 3.0), "SPHERE": (0.4 * x,) * 3,
        "CYLINDER": ((3.0 * x + 4.0 * z) / 12.0, (3.0 * x + 4.0 * z) / 12.0, x / 2.0),
    }[kind]  # fmt: skip
    error = _inertia_error(part.mass, axes, np.array(per_mass) * part.mass.mass)
    corners = half * np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    faces = np.array([face for a, b, c, d in _QUADS for face in ((a, b, c), (a, c, d))])
    piece = Hull(corners, faces, np.full(len(faces), off))
    least = 2.0 * float(half.min())
    return Shape(kind, frame, (piece,), margin_for(least), volume / part.mass.volume - 1.0, off, error, least)


_QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def _hulled(part: Weighed, axes: Array, kind: str, hulls: list[Hull]) -> Generator[None, None, Shape]:
    """A shape of one or more hulls, given in the part's metres. Yields after each."""
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = axes, part.mass.com
    even, moved = [], []
    for piece in hulls:
        even.append(balanced(piece))
        points = along(even[-1].points - part.mass.com, axes.T).round(9)
        moved.append(Hull(points, piece.faces, even[-1].gaps))
        yield
    size = np.ptp(np.concatenate([piece.points for piece in moved]), axis=0)
    thinnest = min(float(np.ptp(piece.points, axis=0).min()) for piece in moved)
    margin = min(margin_for(float(size.min())), max(0.1 * thinnest, 1e-6))
    pieces = []
    for piece in moved:
        pieces.append(shrunk(piece, margin))
        yield
    square = size * size
    box = part.mass.mass / 12.0 * (square.sum() - square)
    error = _inertia_error(part.mass, axes, box)
    volume = sum(piece.volume for piece in even)
    out = max(piece.gap for piece in even)
    return Shape(
        kind, frame, tuple(pieces), margin, volume / part.mass.volume - 1.0, out, error, float(size.min())
    )


def _inertia_error(mass: MassProperties, axes: Array, moments: Array) -> float:
    """The largest relative error of Bullet's moments about these axes against the exact tensor."""
    exact = np.diag(axes.T @ mass.inertia @ axes)
    return float(np.abs(moments / exact - 1.0).max())
