# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts a solid into convex pieces, the emptiest hull first: along inner corners, in halves, or in sectors of a ring.

Only the surface is clipped: the hull of a piece of a solid is the hull of its clipped surface and of those corners of
its cell that lie inside the solid. Caps are signed fans that close the piece for its volume and take no other part.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .hull import Hull, cross, hull
from .rigid import Array

PIECES = 12
ENOUGH = 0.03
"""Share of the solid's volume that the hulls may hold beyond it before cutting goes on."""
CORNERS, BUDGET = (48, 64), 288
"""Corners of a piece's hull, fewest and most; of all pieces together, where that allows more than the fewest."""
_COARSE = 40
_MANY = 1500
_TRIAL_CORNERS = 16
_GAIN = 0.05
"""Share of a cell's waste that a cut must save more than one across a longer side."""
_PLENTY = 0.4
"""Share of a cell's waste that a cut may leave to be taken without trying others."""
_CONCAVE = 0.34
"""Sine of the least angle, 20 degrees, at which an edge counts as an inner corner."""


@dataclass(frozen=True)
class Cell:
    """``triangles`` (T, 3, 3) clipped to below the ``planes`` (P, 4); the first ``surface`` of them are no caps."""

    triangles: Array
    surface: int
    planes: Array

    @property
    def points(self) -> Array:
        """(N, 3) corners of the surface."""
        return self.triangles[: self.surface].reshape(-1, 3)

    @property
    def volume(self) -> float:
        """By signed tetrahedra, caps included."""
        a, b, c = (self.triangles[:, k] - self.triangles[0, 0] for k in range(3))
        return float(np.einsum("ij,ij->i", a, cross(b, c)).sum()) / 6.0


@dataclass(frozen=True)
class Solid:
    """What is cut: (T, 3, 3) ``triangles``, its ``volume``, and its inner corners: places (E, 3), axis to cut, weight."""

    triangles: Array
    volume: float
    centre: Array
    inner: tuple[Array, NDArray[np.int64], Array]

    @property
    def whole(self) -> Cell:
        """The cell without planes."""
        return Cell(self.triangles, len(self.triangles), np.zeros((0, 4)))


def pieces(
    points: Array, triangles: NDArray[np.int64], limit: int = PIECES
) -> Generator[None, None, list[Hull]]:
    """Convex hulls that cover the solid of (V, 3) points and (T, 3) outward triangles; the best axes are the coordinates'.

    The planes are chosen on a coarser mesh where there are many triangles; the hulls are of the mesh itself.
    Yields after every cut that it tries.
    """
    coarse = _solid(*(_clustered(points, triangles) if len(triangles) > _MANY else (points, triangles)))
    cuts = yield from _plan(coarse, limit)
    fine = _solid(points, triangles)
    result = []
    cells = _cut(fine, cuts)
    corners = min(max(BUDGET // len(cells), CORNERS[0]), CORNERS[1])
    for cell in cells:
        made = hull(_hull_points(fine, cell), corners)
        yield
        if made is not None:
            result.append(made)
    return result


def _solid(points: Array, triangles: NDArray[np.int64]) -> Solid:
    corners = points[triangles]
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    volume = Cell(corners, len(corners), np.zeros((0, 4))).volume
    return Solid(corners, volume, middle, _inner_corners(points, triangles))


def _clustered(points: Array, triangles: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """The mesh with all vertices of one cell of a coarse grid made one, at the first of them."""
    step = float(np.ptp(points, axis=0).max()) / _COARSE
    keys = np.floor((points - points.min(axis=0)) / step + 0.25).astype(np.int64)
    _, first, where = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    merged = where.reshape(-1)[triangles]
    a, b, c = merged.T
    return points[first], merged[(a != b) & (b != c) & (c != a)]


Plane = tuple[float, float, float, float]
"""Unit normal and distance from the origin."""
Cut = tuple[int, Plane]
"""Which cell is cut and where; what lies above becomes the last cell."""


@dataclass(frozen=True)
class _Try:
    plane: Plane
    halves: tuple[Cell, Cell]
    waste: tuple[float, float]


def _plan(solid: Solid, limit: int) -> Generator[None, None, list[Cut]]:
    cells, cuts = [solid.whole], list[Cut]()
    wastes = [_waste(solid, cells[0])]
    while len(cells) < limit and sum(wastes) > ENOUGH * solid.volume:
        worst = int(np.argmax(wastes))
        best: _Try | None = None
        for plane in _candidates(solid, cells[worst]):
            halves = _split(cells[worst], plane)
            found = _Try(plane, halves, (_waste(solid, halves[0]), _waste(solid, halves[1])))
            if best is None or sum(found.waste) < sum(best.waste) - _GAIN * wastes[worst]:
                best = found
            yield
            if sum(found.waste) < _PLENTY * wastes[worst]:
                break
        if best is None:
            wastes[worst] = 0.0  # too small to cut
            continue
        cuts.append((worst, best.plane))
        cells[worst], wastes[worst] = best.halves[0], best.waste[0]
        cells.append(best.halves[1])
        wastes.append(best.waste[1])
    return cuts


def _cut(solid: Solid, cuts: Sequence[Cut]) -> list[Cell]:
    cells = [solid.whole]
    for which, plane in cuts:
        cells[which], upper = _split(cells[which], plane)
        cells.append(upper)
    return cells


def _waste(solid: Solid, cell: Cell) -> float:
    """Volume that the hull of a cell has beyond the cell's own."""
    if cell.surface < 4:
        return 0.0
    around = hull(_hull_points(solid, cell), _TRIAL_CORNERS, 1e-3)
    return max(0.0, around.reach - cell.volume) if around is not None else 0.0


def _candidates(solid: Solid, cell: Cell) -> list[Plane]:
    """Planes worth trying in a cell: the heaviest inner corner across each axis, then middles and halves of turns."""
    low, high = cell.points.min(axis=0), cell.points.max(axis=0)
    slack = 0.02 * float((high - low).max())
    places, axes, weights = solid.inner
    corners: list[Plane] = []
    others: list[Plane] = []
    for axis in np.argsort(low - high, kind="stable"):
        if high[axis] - low[axis] < 4.0 * slack:
            continue
        near = ((places > low - slack) & (places < high + slack)).all(axis=1) & (axes == axis)
        near &= (places[:, axis] > low[axis] + slack) & (places[:, axis] < high[axis] - slack)
        unit = np.eye(3)[axis].tolist()
        if near.any():
            at = np.round(places[near, axis] / (0.1 * slack)).astype(np.int64)
            values, where = np.unique(at, return_inverse=True)
            heaviest = values[int(np.argmax(np.bincount(where.reshape(-1), weights[near])))]
            corners.append((*unit, float(np.median(places[near, axis][at == heaviest]))))
        others.append((*unit, 0.5 * float(low[axis] + high[axis])))
        others += _bisector(cell.points - solid.centre, int(axis), solid.centre)
    return corners + others


def _bisector(points: Array, axis: int, centre: Array) -> list[Plane]:
    """The plane through an axis of the solid's middle that halves the angle of a cell which goes around at most half of it."""
    flat = points[:, ((axis + 1) % 3, (axis + 2) % 3)]
    mean = flat.mean(axis=0)
    length = float(np.sqrt((mean * mean).sum()))
    if not length > 0.0:
        return []
    along, across = flat @ mean, flat @ np.array((-mean[1], mean[0]))
    if along.min() < -1e-6 * length * float(np.abs(flat).max()) or (np.abs(flat).max(axis=1) < 1e-9).any():
        return []
    turn = np.arctan2(across, along)
    middle = 0.5 * float(turn.min() + turn.max()) + float(np.arctan2(mean[1], mean[0]))
    normal = np.zeros(3)
    normal[(axis + 1) % 3], normal[(axis + 2) % 3] = -np.sin(middle), np.cos(middle)
    return [(*normal.tolist(), float(normal @ centre))]


def _inner_corners(points: Array, triangles: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64], Array]:
    """Edges where the surface turns inwards and that lie in a coordinate plane: middle, that plane's axis, weight."""
    edges = np.concatenate((triangles[:, (0, 1)], triangles[:, (1, 2)], triangles[:, (2, 0)]))
    owner = np.tile(np.arange(len(triangles)), 3)
    apex = np.concatenate((triangles[:, 2], triangles[:, 0], triangles[:, 1]))
    key = np.sort(edges, axis=1)
    order = np.lexsort((key[:, 1], key[:, 0]))
    same = (key[order][1:] == key[order][:-1]).all(axis=1)
    one, two = order[:-1][same], order[1:][same]
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normals = cross(b - a, c - a)
    normals /= np.maximum(np.sqrt((normals * normals).sum(axis=1)), 1e-300)[:, None]
    start, end = points[edges[one, 0]], points[edges[one, 1]]
    into = points[apex[two]] - start
    into /= np.maximum(np.sqrt((into * into).sum(axis=1)), 1e-300)[:, None]
    sine = np.cross(normals[owner[one]], normals[owner[two]])
    sine = np.sqrt((sine * sine).sum(axis=1))
    inward = (np.einsum("ij,ij->i", normals[owner[one]], into) > 1e-4) & (sine > _CONCAVE)
    along = np.abs(end - start)
    length = np.sqrt((along * along).sum(axis=1))
    flat = along <= 0.02 * length[:, None]
    edge, axis = np.nonzero(flat & inward[:, None])
    return 0.5 * (start + end)[edge], axis, (sine * length)[edge]


def _hull_points(solid: Solid, cell: Cell) -> Array:
    """The points whose hull is that of a cell: its surface, and the corners of its planes inside the solid."""
    found = [cell.points]
    normals, offsets = cell.planes[:, :3], cell.planes[:, 3]
    slack = 1e-6 * float(np.abs(solid.triangles).max())
    for three in combinations(range(len(cell.planes)), 3):
        rows = normals[list(three)]
        if abs(np.linalg.det(rows)) < 1e-3:
            continue
        corner = np.linalg.solve(rows, offsets[list(three)])
        if (normals @ corner <= offsets + slack).all() and _winding(solid.triangles, corner) > 0.4:
            found.append(corner[None])
    return np.concatenate(found)


def _winding(triangles: Array, point: Array) -> float:
    """How often the surface winds around a point: 1 inside, 0 outside (van Oosterom and Strackee 1983)."""
    a, b, c = (triangles[:, k] - point for k in range(3))
    la, lb, lc = (np.sqrt((v * v).sum(axis=1)) for v in (a, b, c))
    numerator = np.einsum("ij,ij->i", a, cross(b, c))
    dots = [np.einsum("ij,ij->i", p, q) for p, q in ((a, b), (b, c), (c, a))]
    denominator = la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb
    return float(np.arctan2(numerator, denominator).sum()) / (2.0 * np.pi)


def _split(cell: Cell, plane: Plane) -> tuple[Cell, Cell]:
    """The halves of a cell below and above a plane."""
    triangles, normal = cell.triangles, np.array(plane[:3])
    heights = triangles @ normal - plane[3]
    tolerance = 1e-7 * float(np.ptp(triangles.reshape(-1, 3), axis=0).max())
    side = np.where(np.abs(heights) <= tolerance, 0, np.sign(heights)).astype(np.int64)
    heights[side == 0] = 0.0
    low, high = side.min(axis=1), side.max(axis=1)
    flat = (low == 0) & (high == 0)
    a, b, c = (triangles[:, k] for k in range(3))
    up = cross(b - a, c - a) @ normal > 0.0
    surface = np.arange(len(triangles)) < cell.surface
    below, above = ((high <= 0) & ~flat) | (flat & up), ((low >= 0) & ~flat) | (flat & ~up)
    mixed = (low < 0) & (high > 0)
    cut, is_low, owner, on = _clip(triangles[mixed], side[mixed], heights[mixed])
    halves = []
    for whole, part, sign in ((below, is_low, 1.0), (above, ~is_low, -1.0)):
        parts = np.concatenate((triangles[whole], cut[part]))
        outer = np.concatenate((surface[whole], surface[mixed][owner[part]]))
        rim = np.concatenate((side[whole] == 0, on[part]))
        planes = np.concatenate((cell.planes, sign * np.array([plane])))
        halves.append(_closed(parts, outer, rim, planes))
    return halves[0], halves[1]


def _clip(
    triangles: Array, side: NDArray[np.int64], heights: Array
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:
    """Triangles that cross the plane, cut: the parts, whether below, of which triangle, which corners are in the plane."""
    rows = np.arange(len(triangles))
    total = side.sum(axis=1)
    through = (side == 0).any(
        axis=1
    )  # the plane goes through a corner: two parts, else one corner and two parts
    alone = np.where(
        through, np.argmax(side == 0, axis=1), np.argmax(side == -np.sign(total)[:, None], axis=1)
    )
    p, q, r = (triangles[rows, (alone + k) % 3] for k in range(3))
    hp, hq, hr = (heights[rows, (alone + k) % 3] for k in range(3))

    def meet(a: Array, b: Array, ha: Array, hb: Array) -> Array:
        share = ha / np.where(ha == hb, 1.0, ha - hb)
        point: Array = a + share[:, None] * (b - a)
        return point

    middle, pq, pr = meet(q, r, hq, hr), meet(p, q, hp, hq), meet(p, r, hp, hr)
    whole = ~through
    parts = (
        ((p, q, middle), (True, False, True), hq < 0, through), ((p, middle, r), (True, True, False), hr < 0, through),
        ((p, pq, pr), (False, True, True), hp < 0, whole), ((pq, q, r), (True, False, False), hp > 0, whole),
        ((pq, r, pr), (True, False, True), hp > 0, whole),
    )  # fmt: skip
    cut = np.concatenate([np.stack(corners, axis=1)[used] for corners, _, _, used in parts])
    is_low = np.concatenate([below[used] for _, _, below, used in parts])
    owner = np.concatenate([rows[used] for *_, used in parts])
    on = np.concatenate([np.tile(rim, (int(used.sum()), 1)) for _, rim, _, used in parts])
    return cut, is_low, owner, on


def _closed(triangles: Array, surface: NDArray[np.bool_], rim: NDArray[np.bool_], planes: Array) -> Cell:
    """The cell with a cap over its opening, whose corners are in the ``rim``; surface first."""
    ends = [(k, (k + 1) % 3) for k in range(3)]
    edges = np.concatenate([triangles[rim[:, a] & rim[:, b]][:, (b, a)] for a, b in ends])
    apex = np.broadcast_to(edges[:1, :1], (len(edges), 1, 3))
    caps = np.concatenate((apex, edges), axis=1)
    ordered = np.concatenate((triangles[surface], triangles[~surface], caps))
    return Cell(ordered, int(surface.sum()), planes)
