# SPDX-License-Identifier: GPL-3.0-or-later
"""Organic parts: an outline blown up like a balloon, the same on both sides, as one closed skin of quads."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import InputError
from .atlas import pack
from .flat import Flat, Island
from .meshing import F64, I64, mesh
from .outline import Outline

F32 = NDArray[np.float32]
MM = 0.001
FINE = 3  # grid of the height field is finer than the mesh's


def build_blob(outline: Outline, detail: int, margin: float) -> Flat:
    """The blob stands upright: front towards -Y, origin at its bottom in the middle plane. Raises InputError."""
    low, size = outline.contour.min(axis=0), np.ptp(outline.contour, axis=0)
    cell = float(size.max()) / max(detail, 16)
    shape = tuple(int(np.ceil(s / cell)) + 7 for s in size)
    origin = low - 3 * cell
    bulge = _bulge(outline.contour, origin, cell, shape)
    if not (bulge > 0).any():
        raise InputError(
            f"{outline.name} is too thin to be blown up", todo="Draw it fuller, or choose EXTRUDE."
        )
    vertices, quads = _skin(bulge, cell)
    vertices[:, [0, 2]] += origin
    return _unwrapped(vertices, quads, margin)


def _bulge(contour: F64, origin: F64, cell: float, shape: tuple[int, ...]) -> F64:
    """(nx, nz) squared half thickness (mm2) at the mesh's grid points, negative outside; a disc becomes a ball.

    Solves laplace(h) = -4 inside, h = 0 on the outline; near the outline h is the slope times the exact distance.
    """
    fine = cell / FINE
    size = (shape[0] * FINE, shape[1] * FINE)
    over = 4
    points = (contour - origin) / fine * over
    canvas = np.zeros((size[1] * over, size[0] * over), np.uint8)
    cv2.fillPoly(canvas, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    inner, outer = (cv2.distanceTransform(c, cv2.DIST_L2, 5) for c in (canvas, 255 - canvas))
    signed = cv2.GaussianBlur(inner - outer, (0, 0), 1.2 * over)[::over, ::over] / over * fine
    mask = signed > 0
    if not mask.any():
        return np.asarray(signed[::FINE, ::FINE].T, np.float64)
    height = _poisson(mask, fine)
    sure = mask & (signed > 1.5 * fine)
    slope = np.where(sure, height / np.maximum(signed, fine), 0)
    field = np.where(sure, height, _spread(slope, sure) * signed)
    return np.asarray(cv2.GaussianBlur(field, (0, 0), 1.0)[::FINE, ::FINE].T, np.float64)


def _spread(values: F64, known: NDArray[np.bool_]) -> F64:
    """Values carried on beyond where they are known, by widening averages."""
    weight, total = known.astype(np.float64), np.where(known, values, 0.0)
    out = np.where(known, values, 0.0)
    done = known.copy()
    for sigma in (1.0, 2.0, 4.0, 8.0, 16.0):
        w, t = cv2.GaussianBlur(weight, (0, 0), sigma), cv2.GaussianBlur(total, (0, 0), sigma)
        new = ~done & (w > 0.02)
        out[new] = t[new] / w[new]
        done |= new
    return np.where(done, out, float(values[known].mean()) if known.any() else 1.0)


def _poisson(mask: NDArray[np.bool_], step: float) -> F64:
    """h with laplace(h) = -4 on the True pixels and 0 elsewhere: coarse to fine, conjugate gradients."""
    start = np.zeros(mask.shape)
    if min(mask.shape) > 48:
        small = mask[::2, ::2]
        coarse = _poisson(small, 2 * step)
        start = cv2.resize(coarse, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    x = np.where(mask, start, 0.0)
    b = np.where(mask, 4 * step * step, 0.0)

    def apply(v: F64) -> F64:
        p = np.pad(v, 1)
        return np.where(mask, 4 * v - p[:-2, 1:-1] - p[2:, 1:-1] - p[1:-1, :-2] - p[1:-1, 2:], 0.0)

    r = b - apply(x)
    d, rr = r.copy(), float((r * r).sum())
    stop = 1e-8 * float((b * b).sum())
    for _ in range(220):
        if rr <= stop:
            break
        ad = apply(d)
        alpha = rr / float((d * ad).sum())
        x, r = x + alpha * d, r - alpha * ad
        new = float((r * r).sum())
        d, rr = r + new / rr * d, new
    return x


def _skin(bulge: F64, cell: float) -> tuple[F64, I64]:
    """Surface nets (Gibson 1998) of bulge(x, z) - y^2 = 0: (vertices (V, 3) mm, quads (Q, 4)), mirrored in y."""
    reach = float(np.sqrt(max(bulge.max(), 0))) * 0.92
    ny = 2 * (int(np.ceil(reach / cell)) + 2)
    y = (np.arange(ny) - (ny - 1) / 2) * cell
    field = 0.85 * bulge[:, None, :] - (y**2)[None, :, None]
    solid = field > 0
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    n = [s - 1 for s in field.shape]
    around = np.stack([solid[i : i + n[0], j : j + n[1], k : k + n[2]] for i, j, k in corners])
    mixed = np.asarray(around.any(axis=0) & ~around.all(axis=0))
    number = np.full(mixed.shape, -1, np.int64)
    number[mixed] = np.arange(int(mixed.sum()))
    vertices = _net_vertices(field, mixed, corners)
    vertices[:, 0] *= cell
    vertices[:, 1] = (vertices[:, 1] - (ny - 1) / 2) * cell
    vertices[:, 2] *= cell
    quads = np.concatenate([_net_quads(solid, number, axis) for axis in range(3)])
    return _relaxed(vertices, quads), quads


def _net_vertices(field: F64, mixed: NDArray[np.bool_], corners: list[tuple[int, int, int]]) -> F64:
    cells = np.argwhere(mixed)
    total, count = np.zeros((len(cells), 3)), np.zeros(len(cells))
    for one in corners:
        for axis in range(3):
            if one[axis]:
                continue
            two = tuple(1 if a == axis else v for a, v in enumerate(one))
            a, b = field[tuple((cells + one).T)], field[tuple((cells + two).T)]
            cross = (a > 0) != (b > 0)
            t = np.where(cross, a / np.where(cross, a - b, 1), 0)
            at = np.asarray(one, float) + t[:, None] * (np.arange(3) == axis)
            total += np.where(cross[:, None], at, 0)
            count += cross
    return np.asarray(cells + total / np.maximum(count, 1)[:, None])


def _net_quads(solid: NDArray[np.bool_], number: I64, axis: int) -> I64:
    along = [slice(None)] * 3
    along[axis] = slice(0, -1)
    ahead = [slice(None)] * 3
    ahead[axis] = slice(1, None)
    a, b = solid[tuple(along)], solid[tuple(ahead)]
    edges = np.argwhere(a != b)
    inside_first = a[tuple(edges.T)]
    u, v = (np.eye(3, dtype=np.int64)[(axis + s) % 3] for s in (1, 2))
    ring = [number[tuple((edges - shift).T)] for shift in (u + v, v, 0 * u, u)]
    quads = np.stack(ring, axis=1)
    quads[~inside_first] = quads[~inside_first][:, ::-1]
    return quads


def _relaxed(vertices: F64, quads: I64) -> F64:
    """Taubin smoothing (two steps out, one back), so that the grid does not show."""
    ends = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    count = np.bincount(ends[:, 0], minlength=len(vertices)).astype(float)[:, None]
    for weight in (0.5, -0.52) * 4:
        total = np.stack(
            [np.bincount(ends[:, 0], vertices[ends[:, 1], k], len(vertices)) for k in range(3)], axis=1
        )
        back = np.stack(
            [np.bincount(ends[:, 1], vertices[ends[:, 0], k], len(vertices)) for k in range(3)], axis=1
        )
        degree = count + np.bincount(ends[:, 1], minlength=len(vertices))[:, None]
        vertices = vertices + weight * ((total + back) / np.maximum(degree, 1) - vertices)
    return vertices


def _unwrapped(vertices: F64, quads: I64, margin: float) -> Flat:
    low, size = vertices[:, [0, 2]].min(axis=0), np.ptp(vertices[:, [0, 2]], axis=0)
    vertices = vertices - (0, 0, low[1])
    scale, places = pack([(float(size[0]), float(size[1]))] * 2, margin)
    front = Island(-1, places[0], (float(low[0]), 0.0), scale)
    back = Island(1, places[1], (-float(low[0] + size[0]), 0.0), scale)
    flat = vertices[:, [0, 2]][quads]
    behind = vertices[:, 1][quads].mean(axis=1) > 0
    uv = np.where(behind[:, None, None], back.to_uv(flat), front.to_uv(flat))
    built = mesh(vertices * MM, quads, np.empty((0, 3), np.int64), uv, np.empty((0, 3, 2)))
    return Flat(built, [front, back])
