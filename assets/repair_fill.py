# SPDX-License-Identifier: GPL-3.0-or-later
"""Holes closed by triangles between the vertices of their rims."""

from __future__ import annotations

import numpy as np

from .mesh import F64, I64, Mask
from .topology import Topology

_BY_AREA = 120
"""Edges of a rim up to which the least area is sought: its cost grows with the cube."""


def patch(rim: F64, taken: Mask | None = None) -> I64:
    """(n - 2, 3) triangles over a closed rim (n, 3), in the order of the rim; ``taken`` (n, n) diagonals that are edges
    already. Least area for small rims (G. Barequet and M. Sharir, Filling Gaps in the Boundary of a Polyhedron, 1995),
    ears of the flattened rim for large ones.
    """
    count = len(rim)
    if count < 3:
        return np.zeros((0, 3), np.int64)
    if count == 3:
        return np.array([[0, 1, 2]])
    if count <= _BY_AREA:
        return _least_area(rim, taken)
    return _ears(rim)


def _least_area(rim: F64, taken: Mask | None) -> I64:
    count = len(rim)
    cost, split = np.zeros((count, count)), np.zeros((count, count), np.int64)
    for span in range(2, count):
        i = np.arange(count - span)
        k = i + span
        middle = i[:, None] + np.arange(1, span)
        area = np.linalg.norm(
            np.cross(rim[middle] - rim[i][:, None], rim[k][:, None] - rim[i][:, None]), axis=2
        )
        sums = cost[i[:, None], middle] + cost[middle, k[:, None]] + area
        best = sums.argmin(axis=1)
        cost[i, k], split[i, k] = sums[np.arange(len(i)), best], middle[np.arange(len(i)), best]
        if taken is not None and span < count - 1:
            cost[i, k] += np.where(taken[i, k], 1e3 * (1.0 + cost[i, k]), 0.0)
    triangles, todo = list[tuple[int, int, int]](), [(0, count - 1)]
    while todo:
        first, last = todo.pop()
        if last - first >= 2:
            m = int(split[first, last])
            triangles.append((first, m, last))
            todo += [(first, m), (m, last)]
    return np.array(triangles, np.int64)


def _ears(rim: F64) -> I64:
    """Ears of the rim seen along its mean normal (Newell's), the best-shaped first; any where none is proper."""
    normal = np.cross(rim - rim.mean(axis=0), np.roll(rim, -1, axis=0) - rim.mean(axis=0)).sum(axis=0)
    normal /= max(float(np.linalg.norm(normal)), 1e-300)
    side = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    side /= np.linalg.norm(side)
    flat = np.column_stack([rim @ side, rim @ np.cross(normal, side)])
    left, triangles = np.arange(len(rim)), []
    while len(left) > 3:
        a, b, c = flat[np.roll(left, 1)], flat[left], flat[np.roll(left, -1)]
        turn = _cross(b - a, c - b)
        longest = np.maximum(np.linalg.norm(c - a, axis=1), 1e-300)
        order = np.argsort(-np.where(turn > 0.0, turn / longest**2, -np.inf), kind="stable")
        best = next(
            (int(n) for n in order[:64] if turn[n] > 0.0 and _empty(flat[left], int(n))), int(order[0])
        )
        before, after = (best - 1) % len(left), (best + 1) % len(left)
        triangles.append((left[before], left[best], left[after]))
        left = np.delete(left, best)
    return np.array([*triangles, tuple(left)], np.int64)


def _cross(a: F64, b: F64) -> F64:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _empty(rim: F64, n: int) -> bool:
    """Whether no other corner lies in the ear at corner n."""
    count = len(rim)
    a, b, c = rim[(n - 1) % count], rim[n], rim[(n + 1) % count]
    rest = np.delete(rim, [(n - 1) % count, n, (n + 1) % count], axis=0)
    inside = (_cross(b - a, rest - a) > 0) & (_cross(c - b, rest - b) > 0) & (_cross(a - c, rest - c) > 0)
    return not inside.any()


class _Edges:
    """Which pairs of places are joined by an edge, those put in since too."""

    def __init__(self, topology: Topology, places: I64) -> None:
        self.places, self.count = places, int(places.max(initial=0)) + 1
        ends = places[topology.edges]
        self.keys = np.sort(ends.min(axis=1) * self.count + ends.max(axis=1))
        self.added: set[int] = set()

    def between(self, rim: I64) -> Mask:
        """(n, n) whether two corners of a rim are joined."""
        place = self.places[rim]
        wanted = np.minimum(place[:, None], place) * self.count + np.maximum(place[:, None], place)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        taken = self.keys[at] == wanted
        if self.added:
            taken |= np.array([key in self.added for key in wanted.ravel().tolist()]).reshape(wanted.shape)
        return taken

    def add(self, triangles: I64) -> None:
        """Takes note of the edges of new triangles."""
        place = self.places[triangles]
        for a, b in ((0, 1), (1, 2), (2, 0)):
            low, high = np.minimum(place[:, a], place[:, b]), np.maximum(place[:, a], place[:, b])
            self.added |= set((low * self.count + high).tolist())


def fill(
    points: F64, triangles: I64, places: I64, most_edges: int, most_width: float
) -> tuple[I64, I64, list[str]]:
    """(new triangles (K, 3), a neighbouring old triangle of each (K,), sentences about the holes left open).

    ``places`` (V,) is equal for vertices in one place: an edge that is there already is not made again, since it would
    be one with the other when vertices are joined. ``most_width`` in metres.
    """
    topology = Topology(len(points), triangles)
    new, beside, left = [], list[int](), list[str]()
    edges = _Edges(topology, places)
    rim_half = topology.order[topology.firsts[topology.boundary]]
    neighbour = dict(zip(triangles.ravel()[rim_half].tolist(), (rim_half // 3).tolist(), strict=True))
    for loop in topology.loops(points)[::-1]:
        count = len(loop.vertices)
        if not loop.simple:
            left.append(f"A rim of {count} edges goes nowhere and stays open.")
        elif count > most_edges or loop.width > most_width:
            left.append(
                f"A hole of {count} edges, {loop.width * 1000:.4g} mm wide, is too large to guess and stays open."
            )
        elif count > 2:
            rim = loop.vertices[::-1]
            made = rim[patch(points[rim], edges.between(rim) if 3 < count <= _BY_AREA else None)]
            edges.add(made)
            new.append(made)
            beside += [neighbour[int(loop.vertices[0])]] * len(made)
    return np.concatenate([np.zeros((0, 3), np.int64), *new]), np.array(beside, np.int64), left[::-1]
