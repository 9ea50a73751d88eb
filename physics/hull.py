# SPDX-License-Identifier: GPL-3.0-or-later
"""Convex hulls with few corners: quickhull that takes the farthest point first and stops at a budget.

The corners are points of the part, so that what it rests on is met exactly; ``gap`` says how far the rest stands out.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rigid import Array

LIMIT = 64
"""Corners of a hull that Bullet still handles quickly."""
_EPSILON = 1e-8
_PRUNE_AT = 12


@dataclass(frozen=True)
class Hull:
    """``points`` (H, 3) corners, ``faces`` (F, 3) outward, ``gap`` the farthest that any point given stands outside."""

    points: Array
    faces: NDArray[np.int64]
    gap: float

    @property
    def volume(self) -> float:
        """In cubic metres."""
        a, b, c = (self.points[self.faces[:, k]] - self.points[0] for k in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6.0

    def planes(self) -> tuple[Array, Array]:
        """Unit normals (F, 3) and distances (F,) from the origin of the faces."""
        return _planes(self.points, self.faces)


def hull(points: Array, limit: int | None = LIMIT, tolerance: float = 1e-6) -> Hull | None:
    """The hull of (N, 3) points with at most ``limit`` corners, exact to ``tolerance`` of the largest extent.

    None if the points lie in a plane. After Barber, Dobkin and Huhdanpaa (1996), farthest point of all first.
    """
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    start = _tetrahedron(points, 1e-7 * extent) if extent > 0.0 else None
    if start is None:
        return None
    faces = np.array([(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)])
    faces = np.array(start)[faces]
    normals, offsets = _planes(points, faces)
    alive = points
    far, best = _farthest(alive, normals, offsets)
    best_point = alive[best]
    ids = np.arange(len(points))
    best = ids[best]
    used = 4
    while used < (limit or len(points)) and far.max() > tolerance * extent:
        chosen = int(np.argmax(far))
        apex = best_point[chosen]
        seen = normals @ apex - offsets > -_EPSILON * extent
        seen[chosen] = True
        new = _cone(faces[seen], int(best[chosen]))
        kept = ~seen
        more, shift = _planes(points, new)
        reach, which = _farthest(alive, more, shift)
        faces = np.concatenate((faces[kept], new))
        normals, offsets = np.concatenate((normals[kept], more)), np.concatenate((offsets[kept], shift))
        far, best = np.concatenate((far[kept], reach)), np.concatenate((best[kept], ids[which]))
        best_point = np.concatenate((best_point[kept], alive[which]))
        used += 1
        if used % _PRUNE_AT == 0 and len(alive) > 256:
            outside = (alive @ normals.T > offsets + 0.5 * tolerance * extent).any(axis=1)
            outside[0] = True  # never empty
            alive, ids = alive[outside], ids[outside]
    corners, renumbered = np.unique(faces, return_inverse=True)
    return Hull(points[corners], renumbered.reshape(-1, 3), max(0.0, float(far.max())))


def _tetrahedron(points: Array, least: float) -> list[int] | None:
    """Four points that hold a volume, far apart, in the order that winds ``hull``'s first faces outwards."""
    axis = int(np.argmax(np.ptp(points, axis=0)))
    a, b = int(np.argmin(points[:, axis])), int(np.argmax(points[:, axis]))
    along = points[b] - points[a]
    across = np.cross(points - points[a], along / np.sqrt((along * along).sum()))
    c = int(np.argmax((across * across).sum(axis=1)))
    normal = np.cross(along, points[c] - points[a])
    length = float(np.sqrt((normal * normal).sum()))
    if length <= least * least:
        return None
    height = (points - points[a]) @ (normal / length)
    d = int(np.argmax(np.abs(height)))
    if abs(height[d]) <= least:
        return None
    return [a, b, c, d] if height[d] > 0.0 else [a, c, b, d]


def _planes(points: Array, faces: NDArray[np.int64]) -> tuple[Array, Array]:
    a, b, c = (points[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    lengths = np.sqrt((normals * normals).sum(axis=1))
    normals = normals / np.maximum(lengths, 1e-300)[:, None]
    return normals, np.einsum("ij,ij->i", normals, (a + b + c) / 3.0)


def _farthest(points: Array, normals: Array, offsets: Array) -> tuple[Array, NDArray[np.int64]]:
    """How far the farthest point stands outside each plane, and which it is."""
    heights = normals @ points.T
    which = np.argmax(heights, axis=1)
    return heights[np.arange(len(which)), which] - offsets, which


def _cone(seen: NDArray[np.int64], apex: int) -> NDArray[np.int64]:
    """Faces from the rim of the seen ones to the apex."""
    edges = {(int(f[k]), int(f[(k + 1) % 3])) for f in seen for k in range(3)}
    rim = sorted(edge for edge in edges if (edge[1], edge[0]) not in edges)
    return np.array([(a, b, apex) for a, b in rim], dtype=np.int64)


def shrunk(shape: Hull, margin: float) -> Array:
    """The corners (H, 3), moved inwards so that all faces stand back by ``margin`` metres.

    Exact where three planes meet; elsewhere the least-squares corner, never moved by more than three margins.
    """
    normals, _ = shape.planes()
    around: dict[int, list[int]] = defaultdict(list)
    for index, face in enumerate(shape.faces):
        for corner in face:
            around[int(corner)].append(index)
    moved = shape.points.copy()
    for corner, faces in around.items():
        rows = _distinct(normals[faces])
        step = np.linalg.lstsq(rows, np.full(len(rows), -margin), rcond=1e-3)[0]
        length = float(np.sqrt((step * step).sum()))
        moved[corner] += step * min(1.0, 3.0 * margin / max(length, 1e-300))
    return moved


def _distinct(normals: Array) -> Array:
    """Unit normals without those within half a degree of an earlier one."""
    kept: list[Array] = []
    for normal in normals:
        if all(float(normal @ other) < 0.99996 for other in kept):
            kept.append(normal)
    return np.array(kept)


def footing(shape: Hull, com: Array) -> tuple[Array, float, float]:
    """How the hull rests most firmly: (down (3,), height of ``com`` over the floor, how far inside its footing it is).

    The face nearest to the centre of mass always has it above itself, so that the solid stays on it. Lengths in metres;
    ``down`` is the unit outward normal of that face.
    """
    normals, offsets = shape.planes()
    heights = offsets - normals @ com
    down = normals[int(np.argmin(heights))]
    reach = shape.points @ down
    touching = shape.points[reach > reach.max() - 2e-4 * float(np.ptp(shape.points, axis=0).max())]
    first = touching[int(np.argmax(((touching - com) ** 2).sum(axis=1)))] - com
    x = first - down * (first @ down)
    x = x / max(float(np.sqrt((x * x).sum())), 1e-300)
    flat = np.stack(((touching - com) @ x, (touching - com) @ np.cross(down, x)), axis=1)
    return down, float(reach.max() - com @ down), _inside(flat)


def _inside(flat: Array) -> float:
    """Distance of the origin from the edge of the hull of (N, 2) points; 0 outside and for fewer than three."""
    angles = np.linspace(0.0, np.pi * 2.0, 360, endpoint=False)
    directions = np.stack((np.cos(angles), np.sin(angles)))
    return max(0.0, float((flat @ directions).max(axis=0).min())) if len(flat) > 2 else 0.0
