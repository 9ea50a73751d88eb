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


def hit(solid: Solid, origin: F64, rays: list[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Ray parameter of the nearest hit (inf: miss), (h, w); ``origin`` (3,) and ``rays`` (x, y, z of h, w) in the solid."""
    o = origin.astype(rays[0].dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        return HITS[solid.kind](solid.size, o, rays)


def normal(solid: Solid, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(N, 3) outward normals at points (N, 3) on the solid's surface, in the solid."""
    rows, out = np.arange(len(points)), np.zeros_like(points)
    if solid.kind == "sphere":
        return points / np.asarray(solid.size[0], points.dtype)
    if solid.kind == "box":
        axis = (np.abs(points) - np.asarray(solid.size, points.dtype)).argmax(1)
        out[rows, axis] = np.sign(points[rows, axis])
        return out
    r, z0, z1 = solid.size
    z, rho = points[:, 2], np.hypot(points[:, 0], points[:, 1])
    out[:, :2] = points[:, :2] / np.maximum(rho, EPS)[:, None]
    cap = np.minimum(z - z0, z1 - z) < r - rho
    out[cap] = 0
    out[cap, 2] = np.where(z1 - z < z - z0, 1, -1)[cap]
    return out


def _box(size, o, d):
    near, far = -np.inf, np.inf
    for half, a, b in zip(size, o, d, strict=True):
        t1, t2 = (-half - a) / b, (half - a) / b
        near, far = np.maximum(near, np.minimum(t1, t2)), np.minimum(far, np.maximum(t1, t2))
    return np.where((near <= far) & (near > EPS), near, MISS).astype(d[0].dtype)


def _sphere(size, o, d):
    x, y, z = d
    a, b, c = x * x + y * y + z * z, x * o[0] + y * o[1] + z * o[2], o @ o - size[0] ** 2
    q = b * b - a * c
    t = (-b - np.sqrt(np.maximum(q, 0))) / a
    return np.where((q > 0) & (t > EPS), t, MISS).astype(d[0].dtype)


def _cylinder(size, o, d):
    r, z0, z1 = size
    x, y, z = d
    a, b = x * x + y * y, x * o[0] + y * o[1]
    q = b * b - a * (o[0] ** 2 + o[1] ** 2 - r * r)
    side = (-b - np.sqrt(np.maximum(q, 0))) / a
    at = o[2] + side * z
    side = np.where((q > 0) & (side > EPS) & (at >= z0) & (at <= z1), side, MISS)
    cap = (np.where(z > 0, z0, z1) - o[2]) / z
    inside = (o[0] + cap * x) ** 2 + (o[1] + cap * y) ** 2 <= r * r
    cap = np.where((cap > EPS) & inside, cap, MISS)
    return np.minimum(side, cap).astype(d[0].dtype)


HITS = {"box": _box, "sphere": _sphere, "cylinder": _cylinder}
