# SPDX-License-Identifier: GPL-3.0-or-later
"""How the texture coordinates of a mesh lie: missing, without area, upon each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import F64, I64

_MOST = 8_000_000
"""Texels looked at in all; beyond, a coarser grid is taken."""
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Unwrap:
    """``edge`` is the side in texels of the grid that overlap was measured on; 0 if there are no UVs."""

    flat: I64
    """triangles without area in UV"""
    overlapping: I64
    """triangles of which some texel is another's too"""
    share: float
    """of the covered texels those that are covered more than once, 0 to 1"""
    edge: int = 0


def look_at(uv: F64 | None, edge: int = 1024) -> Unwrap:
    """Overlap of (M, 3, 2) UVs, by the middles of texels; a texture repeats, so whole tiles are taken off.

    Seams thinner than a texel are not seen.
    """
    nothing = np.zeros(0, np.int64)
    if uv is None:
        return Unwrap(nothing, nothing, 0.0)
    finite = np.isfinite(uv).all(axis=(1, 2)) & (np.abs(uv).max(axis=(1, 2), initial=0.0) < 1e6)
    a, b, c = (np.where(finite[:, None], uv[:, n], 0.0) for n in range(3))
    area = _cross(b - a, c - a) / 2.0
    some = np.flatnonzero(finite & (np.abs(area) > 1e-12))
    flat = np.flatnonzero(~finite | (np.abs(area) <= 1e-12))
    corners = uv[some] - np.floor(uv[some].min(axis=1, keepdims=True))
    while edge > 64 and _texels(corners, edge)[2].sum() > _MOST:
        edge //= 2
    low, width, texels = _texels(corners, edge)
    order = np.flatnonzero(texels)
    if texels.sum() > _MOST:  # triangles over many tiles: overlap by their nature
        order = order[np.cumsum(texels[order]) <= _MOST]
    hits: list[tuple[I64, I64]] = []
    cuts = (
        np.searchsorted(
            np.cumsum(texels[order]), np.arange(_CHUNK, int(texels[order].sum()) + _CHUNK, _CHUNK)
        )
        + 1
    )
    at = 0
    for cut in np.unique(np.minimum(cuts, len(order))).tolist():
        hits.append(_covered(corners, order[at:cut], low, width, texels, edge))
        at = cut
    face = np.concatenate([hit[0] for hit in hits]) if hits else nothing
    texel = np.concatenate([hit[1] for hit in hits]) if hits else nothing
    times = np.bincount(texel, minlength=1)
    doubled = np.unique(face[times[texel] > 1]) if len(texel) else nothing
    return Unwrap(flat, some[doubled], float((times > 1).sum() / max((times > 0).sum(), 1)), edge)


def _cross(a: F64, b: F64) -> F64:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _texels(corners: F64, edge: int) -> tuple[I64, I64, I64]:
    """(first texel (K, 2), columns, texels) of the box of each triangle."""
    low = np.ceil(corners.min(axis=1) * edge - 0.5).astype(np.int64)
    high = np.floor(corners.max(axis=1) * edge - 0.5).astype(np.int64)
    size = np.maximum(high - low + 1, 0)
    return low, size[:, 0], size[:, 0] * size[:, 1]


def _covered(corners: F64, which: I64, low: I64, width: I64, texels: I64, edge: int) -> tuple[I64, I64]:
    """(triangle, texel of the repeating tile) for every texel whose middle lies inside a triangle."""
    count = texels[which]
    face = np.repeat(which, count)
    step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    x, y = low[face, 0] + step % width[face], low[face, 1] + step // width[face]
    p = np.column_stack([x + 0.5, y + 0.5]) / edge
    a, b, c = (corners[face, n] for n in range(3))
    u, v, w = _cross(c - b, p - b), _cross(a - c, p - c), _cross(b - a, p - a)
    inside = ((u > 0) & (v > 0) & (w > 0)) | ((u < 0) & (v < 0) & (w < 0))
    return face[inside], (y[inside] % edge) * edge + x[inside] % edge
