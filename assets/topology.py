# SPDX-License-Identifier: GPL-3.0-or-later
"""How the triangles of a mesh hang together: edges, holes, shells, fans around a vertex, and which way they face.

All by sorting and by labels of connected components; there is no loop over triangles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .mesh import F64, I64, Mask, components


@dataclass(frozen=True)
class Loop:
    """A hole: its vertices in order (as the edges of the faces around it run), its length and width in metres."""

    vertices: I64
    perimeter: float
    width: float
    simple: bool
    """False where the faces around do not all face one way, so that there is no way around"""


class Topology:
    """The edges of (M, 3) triangles over ``count`` vertices. Triangles with a repeated vertex must not be among them."""

    def __init__(self, count: int, triangles: I64) -> None:
        self.count, self.triangles = count, np.asarray(triangles, np.int64)
        start, end = self.triangles.ravel(), np.roll(self.triangles, -1, axis=1).ravel()
        low, high = np.minimum(start, end), np.maximum(start, end)
        key = low * max(count, 1) + high
        order = np.argsort(key, kind="stable")
        new = np.ones(len(key), np.bool_)
        new[1:] = key[order[1:]] != key[order[:-1]]
        self.firsts = np.flatnonzero(new)
        """where each edge begins in ``order``"""
        self.order = order
        """half-edges (3 * face + corner), sorted by edge"""
        self.edges = np.column_stack([low[order[self.firsts]], high[order[self.firsts]]])
        """(E, 2) vertices of each edge, lower first"""
        self.faces_at = np.diff(np.append(self.firsts, len(key)))
        """(E,) how many triangles meet in each edge"""
        self.edge_of = np.empty(len(key), np.int64)
        self.edge_of[order] = np.cumsum(new) - 1
        self.forward = start < end
        """(3M,) whether each half-edge runs from the lower to the higher vertex"""

    @cached_property
    def boundary(self) -> I64:
        """Edges with one triangle: the rims of holes."""
        return np.flatnonzero(self.faces_at == 1)

    @cached_property
    def crowded(self) -> I64:
        """Edges with more than two triangles: not manifold."""
        return np.flatnonzero(self.faces_at > 2)

    @cached_property
    def pairs(self) -> tuple[I64, I64, I64]:
        """(edges, half-edge, the other half-edge) of every edge with just two triangles."""
        edges = np.flatnonzero(self.faces_at == 2)
        return edges, self.order[self.firsts[edges]], self.order[self.firsts[edges] + 1]

    @cached_property
    def against(self) -> I64:
        """Edges whose two triangles face opposite ways: both run along it in the same direction."""
        edges, a, b = self.pairs
        return edges[self.forward[a] == self.forward[b]]

    @cached_property
    def neighbours(self) -> tuple[I64, I64]:
        """Pairs of triangles that share an edge, crowded edges too."""
        rest = np.ones(len(self.order), np.bool_)
        rest[self.firsts] = False
        second = np.flatnonzero(rest)
        return self.order[second - 1] // 3, self.order[second] // 3

    @cached_property
    def shells(self) -> I64:
        """(M,) the shell of each triangle: triangles that hang together by edges."""
        return components(len(self.triangles), *self.neighbours)

    @cached_property
    def closed(self) -> Mask:
        """(shells,) whether each shell has no rim, nor an edge with an odd number of triangles."""
        count = int(self.shells.max()) + 1 if len(self.shells) else 0
        odd = self.order[self.firsts[self.faces_at % 2 == 1]] // 3
        open_ = np.zeros(count, np.bool_)
        open_[self.shells[odd]] = True
        return ~open_

    def fans(self, a: I64, b: I64) -> I64:
        """(3M,) the fan of each corner: corners at one vertex whose triangles hang together by the half-edges a and b."""
        ends: list[tuple[I64, I64]] = []
        for half in (a, b):
            here, there = half, half - half % 3 + (half % 3 + 1) % 3
            swap = ~self.forward[half]
            ends.append((np.where(swap, there, here), np.where(swap, here, there)))
        links_a, links_b = (np.concatenate(side) for side in ends)
        return components(self.triangles.size, links_a, links_b)

    @cached_property
    def pinched(self) -> I64:
        """Vertices around which the triangles are more than one fan: not manifold."""
        fans = self.fans(*self.pairs[1:])
        vertex_of = np.empty(int(fans.max()) + 1 if fans.size else 0, np.int64)
        vertex_of[fans] = self.triangles.ravel()
        many = np.bincount(vertex_of, minlength=self.count) > 1
        many[self.edges[self.crowded].ravel()] = False  # told already, as edges
        return np.flatnonzero(many)

    @cached_property
    def sides(self) -> tuple[I64, Mask]:
        """(M,) the patch of each triangle, and whether it must be turned to face as the first of its patch.

        A patch hangs together by edges of two triangles. Patches without two sides are in ``one_sided``.
        """
        count = len(self.triangles)
        _edges, a, b = self.pairs
        same = (self.forward[a] != self.forward[b]).astype(np.int64)
        f, g = a // 3, b // 3
        # each triangle twice, as it is and turned: neighbours that agree link like to like, the others across
        links_a = np.concatenate([f, f + count])
        links_b = np.concatenate([np.where(same, g, g + count), np.where(same, g + count, g)])
        both = components(2 * count, links_a, links_b)
        patches = components(count, f, g)
        first = np.full(int(patches.max()) + 1 if count else 0, count, np.int64)
        np.minimum.at(first, patches, np.arange(count))
        return patches, both[:count] != both[first[patches]]

    @cached_property
    def one_sided(self) -> I64:
        """Triangles of patches that have but one side, like a Moebius strip: no turning makes them agree."""
        patches, turned = self.sides
        _edges, a, b = self.pairs
        agree = self.forward[a] != self.forward[b]
        wrong = (turned[a // 3] == turned[b // 3]) != agree
        bad = np.zeros(int(patches.max()) + 1 if len(patches) else 0, np.bool_)
        bad[patches[a[wrong] // 3]] = True
        return np.flatnonzero(bad[patches]) if len(patches) else np.zeros(0, np.int64)

    def loops(self, points: F64) -> list[Loop]:
        """The holes, longest first."""
        halves = self.order[self.firsts[self.boundary]]
        if not len(halves):
            return []
        starts = self.triangles.ravel()[halves]
        ends = self.triangles.ravel()[halves - halves % 3 + (halves % 3 + 1) % 3]
        names, local = np.unique(np.concatenate([starts, ends]), return_inverse=True)
        a, b = local[: len(halves)], local[len(halves) :]
        label = components(len(names), a, b)[a]
        order = np.argsort(label, kind="stable")
        cuts = np.flatnonzero(np.diff(label[order])) + 1
        loops = [loop for part in np.split(order, cuts) for loop in _loops(points, names, a[part], b[part])]
        return sorted(loops, key=lambda loop: -loop.perimeter)


def _loops(points: F64, names: I64, starts: I64, ends: I64) -> list[Loop]:
    """The single holes of open edges that hang together: whenever the walk meets itself, that much is one."""
    if not np.array_equal(np.sort(starts), np.sort(ends)):  # a face is turned, or there is one side only
        return [_loop(points, names[np.unique(np.concatenate([starts, ends]))], simple=False)]
    out: dict[int, list[int]] = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        out.setdefault(start, []).append(end)
    loops = []
    for begin in starts.tolist():
        walk, place, here = [begin], {begin: 0}, begin
        while out.get(here):
            here = out[here].pop()
            if here in place:
                cut = place[here]
                loops.append(_loop(points, names[np.array(walk[cut:])], simple=True))
                for vertex in walk[cut + 1 :]:
                    del place[vertex]
                walk = walk[: cut + 1]
            else:
                place[here] = len(walk)
                walk.append(here)
    return loops


def _loop(points: F64, vertices: I64, *, simple: bool) -> Loop:
    places = points[vertices]
    length = float(np.linalg.norm(np.roll(places, -1, axis=0) - places, axis=1).sum())
    width = float(np.linalg.norm(places.max(axis=0) - places.min(axis=0)))
    return Loop(vertices, length, width, simple)
