# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage that is mended without guessing at form: joined, turned, closed, and what is superfluous taken out.

Nothing is changed in place. Faces that cut each other, and walls without thickness, are left for a remesh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..pipeline.context import Context
from .boxes import Boxes, overlapping_self
from .distance import Deviation, hausdorff
from .inspect import duplicates, repeated
from .mesh import F64, I64, Mask, Mesh, areas, components, volumes, welded
from .repair_cut import halved, parted, without_fins
from .repair_fill import fill
from .shells import measure
from .topology import Topology

_SCALES = (1e-6, 1e-5, 1e-4)
"""Distances, as parts of the size, within which vertices may be joined; the least that leaves the fewest open edges."""


@dataclass(frozen=True)
class Mending:
    """What may be done. ``weld_m`` None: chosen by the size of the mesh. Widths of holes as part of the size."""

    weld_m: float | None = None
    fill_edges: int = 2000
    fill_width: float = 0.5
    keep_hollows: bool = True
    """Inner shells that face inwards are the wall of a hollow and stay; others inside a solid go."""


@dataclass
class Change:
    """What was done, to be told: counts, measures before and after in SI, and sentences."""

    welded: int = 0
    weld_m: float = 0.0
    degenerate: int = 0
    duplicates: int = 0
    fins: int = 0
    turned: int = 0
    filled: int = 0
    internals: int = 0
    volume: tuple[float, float] = (0.0, 0.0)
    area: tuple[float, float] = (0.0, 0.0)
    deviation: Deviation | None = None
    """between the new surface and what was kept of the old one: what was dropped is counted above, not here"""
    says: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """One line for the panel."""
        done = [(self.welded, "vertices joined"), (self.degenerate, "degenerate faces dropped"),
                (self.duplicates, "duplicate faces dropped"), (self.fins, "faces of fins dropped"),
                (self.turned, "faces turned"), (self.filled, "faces put into holes"),
                (self.internals, "faces inside dropped")]  # fmt: skip
        parts = [f"{count} {what}" for count, what in done if count] or ["nothing to mend"]
        if self.deviation is not None:
            parts.append(
                f"moved by {self.deviation.worst * 1000:.3g} mm at most, of {self.deviation.samples} samples"
            )
        return ", ".join(parts) + "."


@dataclass(frozen=True)
class Repaired:
    """The new mesh, and where it comes from: ``face_from`` (K,) the old face of each new one, -1 if it is new;
    ``new_of_old`` (M,) the reverse, -1 where it was dropped; ``vertex_from`` (V,) the old vertex of each,
    -1 for one put into the middle of an edge. A face that was halved is the old face of both halves."""

    mesh: Mesh
    face_from: I64
    new_of_old: I64
    vertex_from: I64
    change: Change


def repair(
    mesh: Mesh, mending: Mending | None = None, context: Context | None = None, *, compare: bool = True
) -> Repaired:
    """A mended copy of the mesh. ``compare`` False leaves the distance between old and new out."""
    mending, context, change = mending or Mending(), context or Context(), Change()
    size = mesh.diagonal
    context.progress(0.0, "Joining vertices")
    one = _joined(mesh, mending, change, size)
    triangles, origin = one[mesh.triangles], np.arange(len(mesh.triangles))
    triangles, origin = _dropped(mesh.points, triangles, origin, change)
    context.cancel.check()
    context.progress(0.3, "Turning faces")
    triangles = _turned(mesh.points, triangles, change)
    triangles, places = parted(mesh.points, triangles)
    points, triangles, places, halves = halved(mesh.points[places], triangles, places)
    triangles, origin = _turned(points, triangles, change), origin[halves]
    context.cancel.check()
    context.progress(0.5, "Closing holes")
    new, beside, left = fill(points, triangles, places, mending.fill_edges, mending.fill_width * size)
    change.filled, change.says = len(new), [*change.says, *left]
    source = np.concatenate([origin, origin[beside]])
    origin = np.concatenate([origin, np.full(len(new), -1)])
    triangles, again = parted(points, np.concatenate([triangles, new]))
    points, places = points[again], places[again]
    triangles, keep = _outward(points, triangles, mending, change)
    triangles, origin, source = triangles[keep], origin[keep], source[keep]
    used, compact = np.unique(triangles, return_inverse=True)
    vertices = np.where(places[used] < len(mesh.points), places[used], -1)
    result = _carried(mesh, points[used], compact.reshape(-1, 3), origin, source)
    change.volume = _measured(mesh, volumes), _measured(result, volumes)
    change.area = _measured(mesh, areas), _measured(result, areas)
    back = np.full(len(mesh.triangles), -1, np.int64)
    back[origin[origin >= 0]] = np.flatnonzero(origin >= 0)
    if compare and len(result.triangles):
        context.progress(0.8, "Comparing")
        change.deviation = hausdorff(
            (mesh.points, mesh.triangles[back >= 0]), (result.points, result.triangles)
        )
    context.progress(1.0, "Repaired")
    return Repaired(result, origin, back, vertices, change)


def _measured(mesh: Mesh, measure_of: Callable[[F64, I64], F64]) -> float:
    return float(measure_of(mesh.points, mesh.triangles).sum())


def _joined(mesh: Mesh, mending: Mending, change: Change, size: float) -> I64:
    """(N,) the vertex that each is joined with: the least distance that closes most. Vertices apart are only joined
    where there is an open edge; a weld that was asked for joins all."""
    exact = welded(mesh.points)
    used = np.unique(mesh.triangles)
    best, best_at = exact, 0.0
    best_open, rims = _open(mesh, exact)
    scales = [scale * size for scale in _SCALES]
    if mending.weld_m is not None:
        best_open, rims, scales = 1 << 62, np.unique(exact[used]), [mending.weld_m]
    for tolerance in scales:
        if not best_open:
            break
        one = _near(mesh.points, exact, rims, tolerance)
        open_ = _open(mesh, one)[0]
        if open_ < best_open:
            best, best_open, best_at = one, open_, tolerance
    change.welded = int((best[used] != used).sum())
    change.weld_m = best_at
    return best


def _open(mesh: Mesh, one: I64) -> tuple[int, I64]:
    """(edges without just two faces, their vertices) with vertices joined."""
    triangles = one[mesh.triangles]
    topology = Topology(len(mesh.points), triangles[~repeated(triangles)])
    wrong = np.concatenate([topology.boundary, topology.crowded])
    return len(wrong), np.unique(topology.edges[wrong])


def _near(points: F64, exact: I64, used: I64, tolerance: float) -> I64:
    """Vertices within the tolerance of each other, chains of them too, are one."""
    links: list[tuple[I64, I64]] = []
    for i, j in overlapping_self(Boxes(points[used] - tolerance / 2.0, points[used] + tolerance / 2.0)):
        close = np.linalg.norm(points[used[i]] - points[used[j]], axis=1) <= tolerance
        links.append((i[close], j[close]))
    a, b = (
        np.concatenate([np.zeros(0, np.int64), *side])
        for side in (zip(*links, strict=True) if links else ((), ()))
    )
    label = components(len(used), a, b)
    first = np.full(int(label.max()) + 1 if len(label) else 0, len(used), np.int64)
    np.minimum.at(first, label, np.arange(len(used)))
    one = exact.copy()
    one[used] = used[first[label]]
    return one[exact]


def _dropped(points: F64, triangles: I64, origin: I64, change: Change) -> tuple[I64, I64]:
    flat = repeated(triangles)
    change.degenerate = int(flat.sum())
    triangles, origin = triangles[~flat], origin[~flat]
    again = np.zeros(len(triangles), np.bool_)
    again[duplicates(triangles, again)] = True
    change.duplicates = int(again.sum())
    triangles, origin = triangles[~again], origin[~again]
    keep = without_fins(points, triangles)
    change.fins = int((~keep).sum())
    return triangles[keep], origin[keep]


def _turned(points: F64, triangles: I64, change: Change) -> I64:
    """Every patch faces one way: that of most of its area."""
    patches, turn = Topology(len(points), triangles).sides
    if not len(triangles):
        return triangles
    area = areas(points, triangles)
    more = np.bincount(patches, area * turn) > np.bincount(patches, area * ~turn)
    turn = turn != more[patches]
    change.turned = int(turn.sum())
    return np.where(turn[:, None], triangles[:, ::-1], triangles)


def _outward(points: F64, triangles: I64, mending: Mending, change: Change) -> tuple[I64, Mask]:
    """(triangles turned shell by shell, which of them stay): closed shells outwards, hollows inwards, other inner ones out."""
    topology = Topology(len(points), triangles)
    if not len(triangles):
        return triangles, np.ones(0, np.bool_)
    shells = measure(points, triangles, topology)
    inner = (shells.around % 2 == 1) & shells.closed
    own = _own_volume(points, triangles, topology.shells)
    hollow = inner & (own < 0.0) & mending.keep_hollows
    gone = (shells.around > 0) & shells.closed & ~hollow
    if not mending.keep_hollows or not inner.any():
        gone = (shells.around > 0) & shells.closed
    turn = (own < 0.0) != hollow
    keep = ~gone[topology.shells]
    change.internals = int((~keep).sum())
    if hollow.any():
        change.says.append(f"{int(hollow.sum())} hollows inside were kept.")
    if len(topology.one_sided):
        change.says.append("A surface has one side only and can't be turned to face outwards.")
    flip = turn[topology.shells]
    change.turned += int((flip & keep).sum())
    return np.where(flip[:, None], triangles[:, ::-1], triangles), keep


def _own_volume(points: F64, triangles: I64, label: I64) -> F64:
    """(S,) signed volume of each shell around its own middle, which says something of open ones too."""
    count = int(label.max()) + 1
    corners = points[triangles]
    weight = np.bincount(label, minlength=count)[:, None]
    middle = (
        np.column_stack([np.bincount(label, corners[..., n].mean(axis=1), count) for n in range(3)]) / weight
    )
    a, b, c = (corners[:, n] - middle[label] for n in range(3))
    return np.asarray(np.bincount(label, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0, count), np.float64)


def _carried(mesh: Mesh, points: F64, triangles: I64, origin: I64, source: I64) -> Mesh:
    """UVs and materials of the old faces; a new face takes the material of its neighbour and no UV of its own (NaN)."""
    result = replace(mesh, points=points, triangles=triangles)
    if len(mesh.material):
        result = replace(result, material=mesh.material[source])
    if mesh.uv is None:
        return result
    # a face may have been turned: each corner's UV is found by its vertex
    uv = np.full((len(triangles), 3, 2), np.nan)
    old = origin >= 0
    was = mesh.points[mesh.triangles[origin[old]]]
    away = np.linalg.norm(points[triangles[old]][:, :, None] - was[:, None], axis=3)
    which = np.argsort(away, axis=2, kind="stable")
    given = mesh.uv[origin[old]]
    first, second = (np.take_along_axis(given, which[..., n, None], axis=1) for n in (0, 1))
    near, far = (np.take_along_axis(away, which[..., n, None], axis=2) for n in (0, 1))
    between = (
        near > 1e-3 * far
    )  # else a corner: joining moved it by less. A middle of an edge lies between two
    uv[old] = np.where(between, (first * far + second * near) / np.where(far > 0.0, near + far, 1.0), first)
    return replace(result, uv=uv)
