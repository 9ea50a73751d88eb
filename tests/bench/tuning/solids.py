# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses, and where rays meet boxes, capped cylinders and spheres.

Axes are OpenCV's: x right, y down, z forward; metres; angles of poses in degrees.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
MISS = np.inf
EPS = 1e-6


@dataclass(frozen=True)
class Solid:
    """``kind`` cylinder (radius, z0, z1), box (hx, hy, hz) or sphere (radius, 0, 0), at ``at``, turned ``spin`` deg about z."""

    kind: str
    size: tuple[float, float, float]
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin: float = 0.0

    @property
    def matrix(self) -> F64:
        """4x4 solid to part."""
        return pose(*self.at, spin=self.spin)

    @property
    def corners(self) -> F64:
        """(8, 3) corners of a box around it, in the part."""
        r = self.size[0]
        if self.kind == "box":
            lo, hi = -np.array(self.size), np.array(self.size)
        elif self.kind == "sphere":
            lo, hi = -np.full(3, r), np.full(3, r)
        else:
            lo, hi = np.array([-r, -r, self.size[1]]), np.array([r, r, self.size[2]])
        ends = np.array([[(lo, hi)[(i >> k) & 1][k] for k in range(3)] for i in range(8)])
        return ends @ self.matrix[:3, :3].T + self.matrix[:3, 3]


def box(hx: float, hy: float, hz: float, *at: float, spin: float = 0.0) -> Solid:
    return Solid("box", (hx, hy, hz), (*at, 0.0, 0.0, 0.0)[:3], spin)


def rod(radius: float, z0: float, z1: float, *at: float) -> Solid:
    return Solid("cylinder", (radius, z0, z1), (*at, 0.0, 0.0, 0.0)[:3])


def ball(radius: float, *at: float) -> Solid:
    return Solid("sphere", (radius, 0.0, 0.0), (*at, 0.0, 0.0, 0.0)[:3])


def pose(x: float = 0, y: float = 0, z: float = 0, tilt: float = 0, yaw: float = 0, spin: float = 0) -> F64:
    """4x4 from a position and rotations in degrees: ``tilt`` about x, ``yaw`` about y, ``spin`` about the part's own z."""
    a, b, c = np.radians([tilt, yaw, spin])
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = ry @ rx @ rz, (x, y, z)
    return out


def smooth(t: float, a: float, b: float) -> float:
    """0 before a, 1 after b, smooth between."""
    u = float(np.clip((t - a) / (b - a), 0, 1))
    return u * u * (3 - 2 * u)


def hit(
    solid: Solid, origin: F64, rays: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Ray parameter (inf: miss) and outward normal of the nearest hit; ``origin`` (3,), ``rays`` (N, 3), in the part."""
    turn = solid.matrix[:3, :3].astype(rays.dtype)
    o = ((origin - np.asarray(solid.at)) @ solid.matrix[:3, :3]).astype(rays.dtype)
    d = rays @ turn if solid.spin else rays
    with np.errstate(divide="ignore", invalid="ignore"):
        t, n = SHAPES[solid.kind](solid.size, o, d)
    return t, (n @ turn.T if solid.spin else n)


def _box(size, o, d):
    half = np.asarray(size, d.dtype)
    t1, t2 = (-half - o) / d, (half - o) / d
    lo, hi = np.minimum(t1, t2), np.maximum(t1, t2)
    near, far = lo.max(1), hi.min(1)
    axis = lo.argmax(1)
    rows = np.arange(len(d))
    n = np.zeros_like(d)
    n[rows, axis] = -np.sign(d[rows, axis])
    return np.where((near <= far) & (near > EPS), near, MISS), n


def _sphere(size, o, d):
    r = size[0]
    a, b, c = (d * d).sum(1), d @ o, o @ o - r * r
    q = b * b - a * c
    t = np.where(q > 0, (-b - np.sqrt(np.maximum(q, 0))) / a, MISS)
    n = (o + np.where(np.isfinite(t), t, 0)[:, None] * d) / r
    return np.where(t > EPS, t, MISS), n.astype(d.dtype)


def _cylinder(size, o, d):
    r, z0, z1 = size
    a, b = (d[:, :2] ** 2).sum(1), d[:, :2] @ o[:2]
    q = b * b - a * (o[:2] @ o[:2] - r * r)
    side = np.where(q > 0, (-b - np.sqrt(np.maximum(q, 0))) / a, MISS)
    z = o[2] + side * d[:, 2]
    side = np.where((side > EPS) & (z >= z0) & (z <= z1), side, MISS)
    cap = (np.where(d[:, 2] > 0, z0, z1) - o[2]) / d[:, 2]
    p = o[:2] + cap[:, None] * d[:, :2]
    cap = np.where((cap > EPS) & ((p**2).sum(1) <= r * r), cap, MISS)
    t = np.minimum(side, cap)
    n = np.zeros_like(d)
    n[:, :2] = (o[:2] + np.where(np.isfinite(t), t, 0)[:, None] * d[:, :2]) / r
    is_cap = cap < side
    n[is_cap] = 0
    n[is_cap, 2] = -np.sign(d[is_cap, 2])
    return t, n


SHAPES = {"box": _box, "sphere": _sphere, "cylinder": _cylinder}
