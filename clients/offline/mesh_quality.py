# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality card of a mesh, counted with numpy alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .meshing import F64, I64, Mesh

UV_GRID = 512
BATCH = 100_000
"""Texels looked at together: so many stay in a processor's cache."""


def quality(mesh: Mesh) -> dict[str, Any]:
    """What a modeller would check.

    ``watertight`` every edge joins two faces; ``oriented`` they run along it in opposite senses; ``volume_m3`` (positive if
    normals point out), ``area_m2``, ``size_mm``, counts, ``degenerate`` faces, ``uv_overlap`` share of the used texture that
    two faces share, ``mirror_mm`` greatest distance of a vertex to the mirrored mesh's nearest one (x to -x), ``shells``.
    """
    tris, uv = mesh.triangles()
    a, b, c = (mesh.vertices[tris[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = 0.5 * np.linalg.norm(cross, axis=1)
    watertight, oriented, manifold_share = _edges(mesh)
    return {
        "watertight": watertight, "oriented": oriented, "manifold_edges": manifold_share,
        "volume_m3": float((a * np.cross(b, c)).sum() / 6), "area_m2": float(area.sum()),
        "size_mm": [round(float(v) * 1000, 4) for v in np.ptp(mesh.vertices, axis=0)],
        "vertices": len(mesh.vertices), "faces": mesh.face_count, "quads": len(mesh.quads), "triangles": len(mesh.tris),
        "degenerate": int((area < 1e-14).sum()), "shells": _shells(len(mesh.vertices), tris),
        "uv_overlap": uv_overlap(uv), "mirror_mm": mirror_deviation(mesh.vertices) * 1000,
    }  # fmt: skip


def _edges(mesh: Mesh) -> tuple[bool, bool, float]:
    """(every edge joins two faces, in opposite senses, share of edges that do both)."""
    pairs = [mesh.quads[:, [k, (k + 1) % 4]] for k in range(4)] + [
        mesh.tris[:, [k, (k + 1) % 3]] for k in range(3)
    ]
    directed = np.concatenate(pairs)
    count = len(mesh.vertices)
    forward = directed[:, 0] * count + directed[:, 1]
    keys, uses = np.unique(np.sort(directed, axis=1) @ np.array([count, 1]), return_counts=True)
    unique_forward = len(np.unique(forward)) == len(forward)
    watertight = bool((uses == 2).all()) and len(keys) > 0
    backward = directed[:, 1] * count + directed[:, 0]
    oriented = unique_forward and bool(np.isin(forward, backward).all())
    return watertight, oriented, float((uses == 2).mean()) if len(keys) else 0.0


def _shells(count: int, tris: I64) -> int:
    """Connected pieces."""
    label = np.arange(count)
    edges = np.concatenate([tris[:, [0, 1]], tris[:, [1, 2]]])
    while True:
        low = np.minimum(label[edges[:, 0]], label[edges[:, 1]])
        before = label.copy()
        np.minimum.at(label, edges[:, 0], low)
        np.minimum.at(label, edges[:, 1], low)
        label = label[label]
        if (label == before).all():
            return len(np.unique(label[np.unique(tris)]))


def uv_overlap(uv: F64) -> float:
    """Share (0..1) of the used texels of a 512 px texture whose centre lies inside more than one triangle (N, 3, 2)."""
    points = uv * UV_GRID
    low = np.floor(points.min(axis=1) - 0.5).astype(int)
    span = np.ceil(points.max(axis=1) - 0.5).astype(int) - low + 1
    size = np.maximum(span.max(axis=1), 1)
    count = np.zeros((UV_GRID + 2, UV_GRID + 2), np.int32)
    for limit in (2, 4, 8, 16, 32, 64, 128, 256, UV_GRID + 2):
        chosen = np.flatnonzero((size <= limit) & (size > limit // 2 if limit > 2 else True))
        batch = max(1, BATCH // limit**2)
        for start in range(0, len(chosen), batch):
            _count_inside(points, low, chosen[start : start + batch], limit, count)
    used = int((count > 0).sum())
    return float((count > 1).sum() / used) if used else 0.0


def _count_inside(points: F64, low: I64, chosen: I64, limit: int, count: NDArray[np.int32]) -> None:
    step = np.arange(limit)
    x = low[chosen, 0, None, None] + step[None, None, :]
    y = low[chosen, 1, None, None] + step[None, :, None]
    inside = np.ones((len(chosen), limit, limit), bool)
    p = points[chosen]
    one, two = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    sign = np.where(area >= 0, 1.0, -1.0)[:, None, None]
    side = np.empty(inside.shape)
    for k in range(3):
        a, b = p[:, k, :, None, None], p[:, (k + 1) % 3, :, None, None]
        up = (b[:, 0] - a[:, 0]) * (y + 0.5 - a[:, 1]) * sign
        across = (b[:, 1] - a[:, 1]) * (x + 0.5 - a[:, 0]) * sign
        inside &= np.subtract(up, across, out=side) > 1e-7 * UV_GRID
    which, row, column = np.nonzero(inside)
    ys, xs = y[which, row, 0], x[which, 0, column]
    good = (xs >= 0) & (ys >= 0) & (xs < UV_GRID) & (ys < UV_GRID)
    np.add.at(count, (ys[good], xs[good]), 1)


def mirror_deviation(vertices: F64) -> float:
    """Greatest distance (m) from a mirrored vertex to the nearest vertex, over up to 600 of them."""
    chosen = vertices[:: max(1, len(vertices) // 600)] * (-1, 1, 1)
    worst = 0.0
    for start in range(0, len(chosen), 50):
        part = chosen[start : start + 50]
        squares = (part**2).sum(axis=1)[:, None] - 2 * part @ vertices.T + (vertices**2).sum(axis=1)
        worst = max(worst, float(np.sqrt(np.maximum(squares.min(axis=1), 0)).max()))
    return 0.0 if worst < 1e-8 else worst
