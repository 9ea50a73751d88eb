# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges with more than two faces: fins and inner walls go, what is left is parted into surfaces that only touch."""

from __future__ import annotations

import numpy as np

from .mesh import F64, I64, Mask, areas, components
from .topology import Topology

_ROUNDS = 12
_SMALL = 0.25
"""A fin or wall is at most this part of the area; more is no flaw but the model."""


def without_fins(points: F64, triangles: I64) -> Mask:
    """(M,) which triangles stay when patches go that end at nothing, or only part the inside of a solid.

    A patch hangs together by edges of just two faces. It goes if all its rim lies on crowded edges, or some of it on
    those and the rest is open, smallest first, as long as an edge has an odd number of faces.
    """
    keep = np.ones(len(triangles), np.bool_)
    total = float(areas(points, triangles).sum())
    for _ in range(_ROUNDS):
        left = np.flatnonzero(keep)
        topology = Topology(len(points), triangles[left])
        if not (topology.faces_at[topology.crowded] % 2).any():
            break
        gone = _superfluous(points, topology, _SMALL * total)
        if not len(gone):
            break
        keep[left[gone]] = False
    return keep


def _superfluous(points: F64, topology: Topology, most: float) -> I64:
    """Triangles of the patches that go in one round: each of them the smallest at some crowded edge."""
    triangles = topology.triangles
    _edges, a, b = topology.pairs
    patch = components(len(triangles), a // 3, b // 3)
    area = np.bincount(patch, areas(points, triangles))
    at_rim = topology.faces_at[topology.edge_of] != 2
    owner = np.repeat(patch, 3)
    odd_here = (topology.faces_at[topology.edge_of] > 2) & (topology.faces_at[topology.edge_of] % 2 == 1)
    odd = np.bincount(owner, odd_here, len(area))
    even = np.bincount(owner, at_rim & (topology.faces_at[topology.edge_of] > 2) & ~odd_here, len(area))
    fit = (odd > 0) & (even <= 0.1 * odd) & (area < most)
    halves = np.flatnonzero(odd_here & fit[owner])
    if not len(halves):
        return np.zeros(0, np.int64)
    order = np.lexsort((owner[halves], area[owner[halves]], topology.edge_of[halves]))
    edges = topology.edge_of[halves[order]]
    first = np.ones(len(edges), np.bool_)
    first[1:] = edges[1:] != edges[:-1]
    chosen = np.unique(owner[halves[order[first]]])
    return np.flatnonzero(np.isin(patch, chosen))


def parted(points: F64, triangles: I64) -> tuple[I64, I64]:
    """(triangles (M, 3), vertex (V,) of the old mesh for each new one): no edge has more than two faces, no vertex
    two closed fans.

    Faces at a crowded edge are joined by twos, neighbours in angle that bound the same solid.
    """
    topology = Topology(len(points), triangles)
    _edges, a, b = topology.pairs
    if len(topology.crowded):
        extra = [_by_angle(points, topology, edge) for edge in topology.crowded.tolist()]
        pairs = np.array([pair for some in extra for pair in some], np.int64).reshape(-1, 2)
        a, b = np.concatenate([a, pairs[:, 0]]), np.concatenate([b, pairs[:, 1]])
    fans = topology.fans(a, b)
    corner = triangles.ravel()
    # open fans stay together where they only touch: the holes between them are then told apart, and closed one by one
    rim = np.ones(triangles.size, np.bool_)
    rim[a] = rim[b] = False
    halves = np.flatnonzero(rim)
    open_ = np.concatenate([halves, halves - halves % 3 + (halves % 3 + 1) % 3])
    open_ = open_[~np.isin(corner[open_], topology.edges[topology.crowded])]
    is_open = np.zeros(int(fans.max()) + 1 if len(fans) else 0, np.bool_)
    is_open[fans[open_]] = True
    fans = np.unique(np.where(is_open[fans], len(corner) + corner, fans), return_inverse=True)[1].reshape(-1)
    first = np.full(int(fans.max()) + 1 if len(fans) else 0, len(corner), np.int64)
    np.minimum.at(first, fans, np.arange(len(corner)))
    # fans are numbered so that the vertices keep their order
    order = np.argsort(corner[first], kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[fans].reshape(-1, 3), corner[first][order]


def _by_angle(points: F64, topology: Topology, edge: int) -> list[tuple[int, int]]:
    """Pairs of half-edges at a crowded edge. Seen along the edge, going round, a face that runs along it has its solid
    behind it and is joined with the one before; where they don't alternate, neighbours are joined as they come."""
    halves = topology.order[topology.firsts[edge] : topology.firsts[edge] + topology.faces_at[edge]]
    start, end = (points[v] for v in topology.edges[edge])
    axis = (end - start) / max(float(np.linalg.norm(end - start)), 1e-300)
    tip = points[topology.triangles.ravel()[halves - halves % 3 + (halves % 3 + 2) % 3]] - start
    side = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    side /= max(float(np.linalg.norm(side)), 1e-300)
    order = np.argsort(np.arctan2(tip @ np.cross(axis, side), tip @ side), kind="stable")
    halves = halves[order]
    along = topology.forward[halves]
    if len(halves) % 2 == 0 and (along[::2] == along[0]).all() and (along[1::2] != along[0]).all():
        shift = 0 if not along[0] else 1
        halves = np.roll(halves, -shift)
    return [(int(halves[n]), int(halves[n + 1])) for n in range(0, len(halves) - 1, 2)]
