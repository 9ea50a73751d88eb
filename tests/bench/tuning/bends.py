# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to draw a part elsewhere or bent in the picture, and where its outline and free places are. Picture px."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .scenes import Bend
from .solids import F32, F64


def shifted(dx: float, dy: float) -> Bend:
    off = np.float32([dx, dy])
    return Bend(lambda p: p - off, 0.5, (dx, dy))


def scaled(centre: F64, radius: float, factor: float) -> Bend:
    return Bend(lambda p: centre + (p - centre) / factor, abs(factor - 1) * radius + 0.5)


def turned(centre: F64, radius: float, degrees: float) -> Bend:
    a = np.radians(degrees)
    back = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return Bend(lambda p: centre + (p - centre) @ back.T, abs(a) * radius + 0.5)


def dented(point: F64, normal: F64, px: float, wide: float) -> Bend:
    """The outline at ``point`` moves along its outward ``normal`` by ``px`` (below 0: a dent), falling off over ``wide``."""

    def back(p: F32) -> F32:
        fall = np.exp(-((p - point) ** 2).sum(-1, keepdims=True) / (2 * wide**2))
        return p - px * fall * normal

    return Bend(back, abs(px) + 0.5)


def rippled(centre: F64, half: F64, px: float, waves: int, phase: float) -> Bend:
    """``waves`` waves of ``px`` run around the outline; the inside stays."""

    def back(p: F32) -> F32:
        q = (p - centre) / half
        r = np.linalg.norm(q, axis=-1, keepdims=True)
        u = np.clip((r - 0.35) / 0.4, 0, 1)
        wave = np.sin(waves * np.arctan2(q[..., 1:], q[..., :1]) + phase) * u * u * (3 - 2 * u)
        way = (p - centre) / np.maximum(np.linalg.norm(p - centre, axis=-1, keepdims=True), 1e-3)
        return p - px * wave * way

    return Bend(back, abs(px) + 0.5)


def bulged(centre: F64, radius: float, px: float, phase: float) -> Bend:
    """A smooth bend of all within ``radius``: at its worst ``px`` off where a body that keeps its shape could be."""
    away = np.linspace(-1, 1, 17) * radius
    grid = np.stack(np.meshgrid(away, away), -1).reshape(-1, 2)
    grid = grid[np.linalg.norm(grid, axis=1) <= radius]
    off = _bulge(grid, radius, phase)
    x, y = grid.T
    one, nought = np.ones(len(x)), np.zeros(len(x))
    alike = np.concatenate([np.stack([one, nought, x, -y], 1), np.stack([nought, one, y, x], 1)])
    kept = (alike @ np.linalg.lstsq(alike, off.T.ravel(), rcond=None)[0]).reshape(2, -1).T
    px = px / float(np.linalg.norm(off - kept, axis=1).max())

    def back(p: F32) -> F32:
        return p - px * _bulge(p - centre, radius, phase)

    return Bend(back, abs(px) * 1.3 + 0.5)


def _bulge(xy: F32, radius: float, phase: float) -> F32:
    """(..., 2) waves that fade out beyond ``radius``, at places ``xy`` (..., 2) from the middle."""
    fall = np.exp(-((np.linalg.norm(xy, axis=-1, keepdims=True) / (1.4 * radius)) ** 4))
    return fall * np.stack(
        [np.sin(2.6 * xy[..., 1] / radius + phase), 0.7 * np.cos(2.6 * xy[..., 0] / radius + 1.3 * phase)], -1
    )


def rim(mask: NDArray[np.bool_], wall: NDArray[np.bool_], angle: float) -> tuple[F64, F64] | None:
    """The outline's farthest point towards ``angle`` (deg) that borders ``wall``, and its outward normal there."""
    inside = mask.astype(np.uint8)
    line = (inside > 0) & (cv2.dilate(wall.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    line[[0, -1]] = line[:, [0, -1]] = False
    ys, xs = np.nonzero(line)
    if len(xs) < 4:
        return None
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 3.0)
    flat = soft[ys, xs]
    keep = flat >= min(0.42, float(np.quantile(flat, 0.6)))  # not at a corner, whose normal says little
    ys, xs = ys[keep], xs[keep]
    way = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    best = int((np.stack([xs, ys], 1) @ way).argmax())
    x, y = int(xs[best]), int(ys[best])
    n = -np.array([soft[y, x + 1] - soft[y, x - 1], soft[y + 1, x] - soft[y - 1, x]], np.float64)
    return np.array([x + 0.5, y + 0.5]), n / max(1e-6, float(np.linalg.norm(n)))


def free_place(
    ids: NDArray[np.uint8], box: tuple[float, float, float, float], touch: bool
) -> tuple[float, float]:
    """(dx, dy) that brings ``box`` to a place with few parts in it: beside itself (``touch``) or far away."""
    h, w = ids.shape
    bw, bh = box[2] - box[0], box[3] - box[1]
    if touch:
        spots = [(sx * 0.93 * bw, sy * 0.93 * bh) for sx in (1, 0, -1) for sy in (0, -1, 1) if sx or sy]
    else:
        spots = [
            (x - box[0], y - box[1])
            for x in np.linspace(2, max(3, w - bw - 2), 9)
            for y in np.linspace(2, max(3, h - bh - 2), 7)
        ]
    best, least = (0.0, 0.0), np.inf
    for dx, dy in spots:
        moved = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        cost = taken(ids, moved) + 0.02 * float(np.hypot(dx, dy)) / w
        if cost < least:
            best, least = (float(dx), float(dy)), cost
    return best


def taken(ids: NDArray[np.uint8], box: tuple[float, float, float, float]) -> float:
    """Share of a box of the picture that parts take, and 3 for what lies outside."""
    h, w = ids.shape
    x0, y0, x1, y1 = (int(np.clip(v, 0, m)) for v, m in zip(box, (w, h, w, h), strict=True))
    inside = min(1.0, (x1 - x0) * (y1 - y0) / max(1.0, (box[2] - box[0]) * (box[3] - box[1])))
    return float((ids[y0:y1, x0:x1] > 0).mean() if inside > 0 else 1.0) + 3 * (1 - inside)
