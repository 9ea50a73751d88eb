# SPDX-License-Identifier: GPL-3.0-or-later
"""Convex hulls with few corners: quickhull that takes the farthest point first and stops at a budget.

The corners are points of the part, so that flat faces are met exactly; ``gaps`` say how far the rest stands out.
"""

from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rigid import Array

LIMIT = 64
"""Corners of a hull that Bullet still handles quickly."""
STAYS, FIRM, RANK = 1e-3, 100.0, 1e-5
"""Share of the most below which a face stays; its weight against one that moves; rank of the corner's equations."""
NEAR, LEVEL = 0.03, 0.9
"""Share of the size within which points may be of a face; cosine to the face that was found with few corners."""
_EPSILON = 1e-8
_PRUNE_AT = 12


@dataclass(frozen=True)
class Hull:
    """``points`` (H, 3) corners, ``faces`` (F, 3) outward, ``gaps`` (F,) how far points given stand outside of each."""

    points: Array
    faces: NDArray[np.int64]
    gaps: Array

    @property
    def gap(self) -> float:
        """The farthest that any point given stands outside."""
        return float(self.gaps.max())

    @property
    def volume(self) -> float:
        """In cubic metres."""
        a, b, c = (self.points[self.faces[:, k]] - self.points[0] for k in range(3))
        return float((a * cross(b, c)).sum()) / 6.0

    @property
    def reach(self) -> float:
        """Volume with the caps that stand outside of the faces, about two thirds of their height times the face."""
        a, b, c = (self.points[self.faces[:, k]] for k in range(3))
        normals = cross(b - a, c - a)
        areas = 0.5 * np.sqrt((normals * normals).sum(axis=1))
        return self.volume + float((areas * self.gaps).sum()) * 2.0 / 3.0

    def planes(self) -> tuple[Array, Array]:
        """Unit normals (F, 3) and distances (F,) from the origin of the faces."""
        return _planes(self.points, self.faces)


def along(points: Array, directions: Array) -> Array:
    """(N, D): how far each of (N, 3) points lies along each of (D, 3) directions, summed in one order everywhere."""
    x, y, z = np.ascontiguousarray(directions.T)
    found: Array = points[:, 0, None] * x
    found += points[:, 1, None] * y
    found += points[:, 2, None] * z
    return found


def cross(a: Array, b: Array) -> Array:
    """(N, 3) cross products of rows; several times quicker than numpy's for short arrays."""
    found = np.empty_like(a)
    found[:, 0] = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    found[:, 1] = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    found[:, 2] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return found


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
        seen = along(normals, apex[None])[:, 0] - offsets > -_EPSILON * extent
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
            outside = (along(alive, normals) > offsets + 0.5 * tolerance * extent).any(axis=1)
            outside[0] = True  # never empty
            alive, ids = alive[outside], ids[outside]
    corners, renumbered = np.unique(faces, return_inverse=True)
    return Hull(points[corners], renumbered.reshape(-1, 3), np.maximum(far, 0.0))


def _tetrahedron(points: Array, least: float) -> list[int] | None:
    """Four points that hold a volume, far apart, in the order that winds ``hull``'s first faces outwards."""
    axis = int(np.argmax(np.ptp(points, axis=0)))
    a, b = int(np.argmin(points[:, axis])), int(np.argmax(points[:, axis]))
    edge = points[b] - points[a]
    across = np.cross(points - points[a], edge / np.sqrt((edge * edge).sum()))
    c = int(np.argmax((across * across).sum(axis=1)))
    normal = np.cross(edge, points[c] - points[a])
    length = float(np.sqrt((normal * normal).sum()))
    if length <= least * least:
        return None
    height = along(points - points[a], (normal / length)[None])[:, 0]
    d = int(np.argmax(np.abs(height)))
    if abs(height[d]) <= least:
        return None
    return [a, b, c, d] if height[d] > 0.0 else [a, c, b, d]


def _planes(points: Array, faces: NDArray[np.int64]) -> tuple[Array, Array]:
    a, b, c = (points[faces[:, k]] for k in range(3))
    normals = cross(b - a, c - a)
    lengths = np.sqrt((normals * normals).sum(axis=1))
    normals = normals / np.maximum(lengths, 1e-300)[:, None]
    return normals, (normals * ((a + b + c) / 3.0)).sum(axis=1)


def _farthest(points: Array, normals: Array, offsets: Array) -> tuple[Array, NDArray[np.int64]]:
    """How far the farthest point stands outside each plane, and which it is."""
    heights = along(normals, points)
    which = np.argmax(heights, axis=1)
    return heights[np.arange(len(which)), which] - offsets, which


def _cone(seen: NDArray[np.int64], apex: int) -> NDArray[np.int64]:
    """Faces from the rim of the seen ones to the apex."""
    edges = {(int(f[k]), int(f[(k + 1) % 3])) for f in seen for k in range(3)}
    rim = sorted(edge for edge in edges if (edge[1], edge[0]) not in edges)
    return np.array([(a, b, apex) for a, b in rim], dtype=np.int64)


def moved(shape: Hull, outwards: Array) -> Hull:
    """The hull with each face pushed by ``outwards`` (F,) metres, and what then still stands outside.

    Exact where three planes meet; elsewhere the least-squares corner, never moved by more than three times the most,
    which hardly leaves the faces that stay: what is flat remains flat, so that the part stands on it.
    """
    normals, offsets = shape.planes()
    around: dict[int, list[int]] = defaultdict(list)
    for index, face in enumerate(shape.faces):
        for corner in face:
            around[int(corner)].append(index)
    most = 3.0 * float(np.abs(outwards).max())
    firm = np.where(np.abs(outwards) < STAYS * most, FIRM, 1.0)
    points = shape.points.copy()
    for corner, faces in around.items():
        rows, steps, firmness = _distinct(normals[faces], outwards[faces], firm[faces])
        step = np.linalg.lstsq(firmness[:, None] * rows, firmness * steps, rcond=RANK)[0]
        length = float(np.sqrt((step * step).sum()))
        points[corner] += step * min(1.0, most / max(length, 1e-300))
    reach = along(normals, points).max(axis=1)
    return Hull(points, shape.faces, np.maximum(offsets + shape.gaps - reach, 0.0))


def balanced(shape: Hull) -> Hull:
    """The hull pushed out by half of what stands out of each face: round parts keep their size, flat faces stay."""
    least = 1e-5 * float(np.ptp(shape.points, axis=0).max())
    return moved(shape, 0.5 * shape.gaps) if shape.gap > least else shape


def shrunk(shape: Hull, margin: float) -> Hull:
    """The hull with all faces moved inwards by ``margin`` metres, which Bullet adds again."""
    return Hull(moved(shape, np.full(len(shape.faces), -margin)).points, shape.faces, shape.gaps)


def _distinct(normals: Array, values: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Unit normals without those within half a degree of a firmer or earlier one, and the largest value of each."""
    kept: list[int] = []
    largest: list[float] = []
    for index in np.argsort(-weights, kind="stable").tolist():
        same = [k for k, other in enumerate(kept) if float(normals[index] @ normals[other]) > 0.99996]
        if same and weights[index] == weights[kept[same[0]]]:
            largest[same[0]] = max(largest[same[0]], float(values[index]))
        elif not same:
            kept.append(index)
            largest.append(float(values[index]))
    return normals[kept], np.array(largest), weights[kept]


def footing(shape: Hull, com: Array) -> tuple[Array, float, float]:
    """How the hull rests most firmly: (down (3,), height of ``com`` over the floor, how far inside its footing it is).

    Of the faces that ``com`` stands over, the one over whose edge it has to be lifted most. Lengths in metres; ``down``
    is the unit outward normal of that face. The face nearest to ``com`` is always one of them.
    """
    normals, offsets = shape.planes()
    seen = np.unique(np.round(normals, 4), axis=0, return_index=True)[1]
    nearest = int(np.argmin(offsets - normals @ com))
    best = (normals[nearest], float(offsets[nearest] - normals[nearest] @ com), 0.0)
    for index in sorted({*seen.tolist(), nearest}):
        height, inside = stand(shape.points, com, normals[index])
        if _lift(height, inside) > _lift(*best[1:]):
            best = (normals[index], height, inside)
    return best


def firmest(points: Array, com: Array) -> Generator[None, None, tuple[Array, float, float] | None]:
    """``footing`` of (P, 3) points: chosen on a hull with few corners, then found exactly from the points near that face.

    None if the points lie in a plane. Yields in between.
    """
    around = hull(points)
    yield
    if around is None:
        return None
    best = footing(around, com)
    yield
    size = float(np.ptp(points, axis=0).max())
    reach = along(points, best[0][None])[:, 0]
    near = np.concatenate((points[reach > reach.max() - NEAR * size], com[None] - size * best[0]))
    face = hull(near, 3 * LIMIT)
    if face is None:
        return best
    best = (best[0], *stand(points, com, best[0]))
    for index, normal in enumerate(np.unique(face.planes()[0].round(9), axis=0)):
        if index % 16 == 0:
            yield
        if float((normal * best[0]).sum()) > LEVEL:
            height, inside = stand(points, com, normal)
            if _lift(height, inside) > _lift(*best[1:]):
                best = (normal, height, inside)
    return best


def _lift(height: float, inside: float) -> float:
    """How far the centre of mass rises when the body tips over the nearest edge."""
    return float(np.sqrt(height * height + inside * inside)) - height


def stand(points: Array, com: Array, down: Array, slack: float = 2e-4) -> tuple[float, float]:
    """Height of ``com`` over a floor across ``down`` under (P, 3) points, and how far inside the footing it is, or 0.

    What is within ``slack`` of the largest extent of the floor counts as touching it.
    """
    reach = points @ down
    touching = points[reach > reach.max() - slack * float(np.ptp(points, axis=0).max())] - com
    first = touching[int(np.argmax((touching * touching).sum(axis=1)))]
    x = first - down * (first @ down)
    x = x / max(float(np.sqrt((x * x).sum())), 1e-300)
    flat = np.stack((touching @ x, touching @ np.cross(down, x)), axis=1)
    return float(reach.max() - com @ down), _inside(flat)


def _inside(flat: Array) -> float:
    """Distance of the origin from the edge of the hull of (N, 2) points; 0 outside and for fewer than three."""
    if len(flat) < 3:
        return 0.0
    steps = (flat[None] - flat[:, None]).reshape(-1, 2)
    lengths = np.sqrt((steps * steps).sum(axis=1))
    normals = np.stack((steps[:, 1], -steps[:, 0]), axis=1) / np.maximum(lengths, 1e-300)[:, None]
    reach = (normals[:, 0, None] * flat[:, 0] + normals[:, 1, None] * flat[:, 1]).max(axis=1)
    own = (normals * np.repeat(flat, len(flat), axis=0)).sum(axis=1)
    edges = (lengths > 0.0) & (
        reach <= own + 1e-6 * lengths.max()
    )  # nothing lies beyond: an edge of the hull
    return max(0.0, float(own[edges].min()))
