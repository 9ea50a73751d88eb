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
    """Pairs of half-edges at a crowded edge, neighbours in angle around it; one is left over of an odd number."""
    halves = topology.order[topology.firsts[edge] : topology.firsts[edge] + topology.faces_at[edge]]
    start, end = (points[v] for v in topology.edges[edge])
    axis = (end - start) / max(float(np.linalg.norm(end - start)), 1e-300)
    tip = points[topology.triangles.ravel()[halves - halves % 3 + (halves % 3 + 2) % 3]] - start
    side = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    side /= max(float(np.linalg.norm(side)), 1e-300)
    order = np.argsort(np.arctan2(tip @ np.cross(axis, side), tip @ side), kind="stable")
    ring = halves[order].tolist()
    # faces that run opposite ways go together; where they alternate, those with the solid between them
    shift = 0 if not topology.forward[ring[0]] else 1
    ring = ring[shift:] + ring[:shift]
    pairs, at = list[tuple[int, int]](), 0
    while len(ring) > 1 and at < len(ring):
        one, two = ring[at], ring[(at + 1) % len(ring)]
        if topology.forward[one] != topology.forward[two]:
            pairs.append((one, two))
            ring = [half for half in ring if half not in (one, two)]
            at = 0
        else:
            at += 1
    return pairs + [(ring[n], ring[n + 1]) for n in range(0, len(ring) - 1, 2)]


def halved(points: F64, triangles: I64, places: I64) -> tuple[F64, I64, I64, I64]:
    """(points, triangles, places, old triangle of each): crowded edges that parting left, since their ends hang
    together elsewhere, get a vertex in the middle for all but the first two of their faces. The form stays as it is.
    """
    source = np.arange(len(triangles))
    fresh = int(places.max(initial=0)) + 1
    for _ in range(_ROUNDS):
        topology = Topology(len(points), triangles)
        touched, edits = set[int](), list[tuple[int, int]]()
        added = list[F64]()
        for edge in topology.crowded.tolist():
            halves = topology.order[
                topology.firsts[edge] : topology.firsts[edge] + topology.faces_at[edge]
            ].tolist()
            faces = {half // 3 for half in halves}
            if faces & touched:
                continue
            touched |= faces
            pairs = _by_angle(points, topology, edge)
            rest = [(half,) for half in halves if not any(half in pair for pair in pairs)]
            for group in [*pairs[1:], *rest]:
                edits += [(half, len(points) + len(added)) for half in group]
                added.append(points[topology.edges[edge]].mean(axis=0))
        if not edits:
            break
        half, middle = np.array(edits, np.int64).T
        face, corner = half // 3, half % 3
        tail = triangles[face].copy()
        triangles = triangles.copy()
        rows = np.arange(len(face))
        triangles[face, (corner + 1) % 3] = middle
        tail[rows, corner] = middle
        triangles, source = np.concatenate([triangles, tail]), np.concatenate([source, source[face]])
        points = np.concatenate([points, added])
        places = np.concatenate([places, fresh + np.arange(len(added))])
        fresh += len(added)
    return points, triangles, places, source
