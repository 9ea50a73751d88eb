# SPDX-License-Identifier: GPL-3.0-or-later
"""Analytic scenes for tuning and testing Validate: exact ids, depth, normals, vectors and poses by ray casting.

A scene is a list of rigid parts (unions of capped cylinders, boxes and spheres) before a textured wall and floor.
Axes are OpenCV's: x right, y down, z forward; metres; the world is the camera of frame 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Solid:
    """``kind`` cylinder (radius, z0, z1), box (hx, hy, hz) or sphere (radius, 0, 0), placed at ``at`` in the part."""

    kind: str
    size: tuple[float, float, float]
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """A rigid part: ``pose(t)`` with t in 0..1 gives its 4x4 world matrix; ``texture`` 0 is plain plastic."""

    name: str
    solids: tuple[Solid, ...]
    pose: Callable[[float], F64]
    colour: tuple[float, float, float] = (0.6, 0.5, 0.4)
    texture: float = 0.2


@dataclass(frozen=True)
class Scene:
    """``camera(t)`` gives the 4x4 world-to-camera matrix."""

    name: str
    parts: tuple[Part, ...]
    size: tuple[int, int] = (384, 216)
    frames: int = 36
    camera: Callable[[float], F64] = field(default=lambda t: np.eye(4))
    seed: int = 0

    @property
    def K(self) -> F64:
        width, height = self.size
        return np.array([[1.4 * width, 0, width / 2], [0, 1.4 * width, height / 2], [0, 0, 1.0]])

    def when(self, index: int) -> float:
        return index / max(1, self.frames - 1)


@dataclass
class Passes:
    """What one cast gives: ids, planar depth, camera normals (OpenCV axes), part-local points, each (H, W, ...)."""

    ids: NDArray[np.uint8]
    depth: F32
    normal: F32
    local: F32


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


def _hit(solid: Solid, o: F64, d: F64) -> tuple[F64, F64]:
    """Ray parameter (inf: miss) and outward normal of the nearest hit, o (3,), d (N, 3), all part-local."""
    o = o - np.asarray(solid.at)
    n = np.zeros_like(d)
    with np.errstate(divide="ignore", invalid="ignore"):
        if solid.kind == "box":
            half = np.asarray(solid.size)
            t1, t2 = (-half - o) / d, (half - o) / d
            lo, hi = np.minimum(t1, t2), np.maximum(t1, t2)
            near, far = lo.max(1), hi.min(1)
            axis = lo.argmax(1)
            n[np.arange(len(d)), axis] = -np.sign(d[np.arange(len(d)), axis])
            return np.where((near <= far) & (near > 1e-6), near, np.inf), n
        if solid.kind == "sphere":
            r = solid.size[0]
            a, b, c = (d * d).sum(1), d @ o, o @ o - r * r
            q = b * b - a * c
            t = np.where(q > 0, (-b - np.sqrt(np.maximum(q, 0))) / a, np.inf)
            n = (o + np.where(np.isfinite(t), t, 0)[:, None] * d) / r
            return np.where(t > 1e-6, t, np.inf), n
        r, z0, z1 = solid.size
        a, b = (d[:, :2] ** 2).sum(1), d[:, :2] @ o[:2]
        q = b * b - a * (o[:2] @ o[:2] - r * r)
        side = np.where(q > 0, (-b - np.sqrt(np.maximum(q, 0))) / a, np.inf)
        z = o[2] + side * d[:, 2]
        side = np.where((side > 1e-6) & (z >= z0) & (z <= z1), side, np.inf)
        cap_z = np.where(d[:, 2] > 0, z0, z1)
        cap = (cap_z - o[2]) / d[:, 2]
        p = o[:2] + cap[:, None] * d[:, :2]
        cap = np.where((cap > 1e-6) & ((p**2).sum(1) <= r * r), cap, np.inf)
        t = np.minimum(side, cap)
        ts = np.where(np.isfinite(t), t, 0)
        n[:, :2] = (o[:2] + ts[:, None] * d[:, :2]) / r
        is_cap = cap < side
        n[is_cap] = 0
        n[is_cap, 2] = -np.sign(d[is_cap, 2])
    return t, n


ROOM = (Solid("box", (4.0, 3.0, 0.05), (0, 0, 1.45)), Solid("box", (4.0, 0.05, 3.0), (0, 0.45, 0)))


def cast(scene: Scene, t: float, pixels: F64, without: tuple[str, ...] = ()) -> Passes:
    """Casts ``pixels`` (..., 2) x, y; parts named in ``without`` are not there."""
    shape = pixels.shape[:-1]
    flat = pixels.reshape(-1, 2)
    K, cam = scene.K, scene.camera(t)
    rays = np.stack(
        [(flat[:, 0] - K[0, 2]) / K[0, 0], (flat[:, 1] - K[1, 2]) / K[1, 1], np.ones(len(flat))], 1
    )
    best = np.full(len(flat), np.inf)
    ids = np.zeros(len(flat), np.uint8)
    normal, local = np.zeros((len(flat), 3)), np.zeros((len(flat), 3))
    groups = [(0, np.eye(4), ROOM)] + [
        (i + 1, part.pose(t), part.solids) for i, part in enumerate(scene.parts) if part.name not in without
    ]
    for number, matrix, solids in groups:
        to_local = np.linalg.inv(cam @ matrix)
        o, d = to_local[:3, 3], rays @ to_local[:3, :3].T
        for solid in solids:
            hit, n = _hit(solid, o, d)
            near = hit < best
            best[near], ids[near] = hit[near], number
            normal[near] = n[near] @ np.linalg.inv(to_local[:3, :3]).T
            local[near] = o + hit[near, None] * d[near]
    depth = np.where(np.isfinite(best), best, 0)
    return Passes(
        ids.reshape(shape),
        depth.reshape(shape).astype(np.float32),
        normal.reshape(*shape, 3).astype(np.float32),
        local.reshape(*shape, 3).astype(np.float32),
    )


def grid(size: tuple[int, int], oversample: int = 1) -> F64:
    """Pixel centres (H*o, W*o, 2) in pixel units."""
    width, height = size
    xs = (np.arange(width * oversample) + 0.5) / oversample
    ys = (np.arange(height * oversample) + 0.5) / oversample
    return np.stack(np.meshgrid(xs, ys), -1)


def vectors(scene: Scene, index: int, passes: Passes) -> F32:
    """(H, W, 4) px: displacement to the next frame [0:2] and to the previous frame [2:4] of every pixel's surface."""
    h, w = passes.ids.shape
    here = grid((w, h))
    out = np.zeros((h, w, 4), np.float32)
    K = scene.K
    for slot, other in ((0, index + 1), (2, index - 1)):
        t2 = scene.when(other)
        for number in np.unique(passes.ids):
            mask = passes.ids == number
            a = scene.camera(t2) @ (np.eye(4) if number == 0 else scene.parts[number - 1].pose(t2))
            p = passes.local[mask] @ a[:3, :3].T + a[:3, 3]
            q = p @ K.T
            out[mask, slot : slot + 2] = q[:, :2] / q[:, 2:] - here[mask]
    return out


def _lantern(t: float, part: str) -> F64:
    base = pose(0.0, 0.03, 0.42, tilt=70)
    if part == "body":
        return base
    lift = 0.055 * (1 - smooth(t, 0.05, 0.6))
    spin = 60 * smooth(t, 0.62, 0.85)
    return base @ pose(0, 0, -0.0, spin=spin) @ pose(0, 0, lift)


def library(size: tuple[int, int] = (384, 216), frames: int = 36) -> list[Scene]:
    """The scenes: joint, flat plain joint, many parts with a moving camera, occlusion, small and thin parts, tumbling."""
    body = Part(
        "body", (Solid("cylinder", (0.035, -0.06, 0.0)),), lambda t: _lantern(t, "body"), (0.75, 0.55, 0.3)
    )
    lid = Part("lid", (Solid("cylinder", (0.037, 0.0, 0.016)), Solid("sphere", (0.014, 0, 0), (0, 0, 0.02))),
               lambda t: _lantern(t, "lid"), (0.35, 0.5, 0.65))  # fmt: skip
    peg = Part(
        "peg", (Solid("cylinder", (0.013, -0.028, 0.0)),), lambda t: _lantern(t, "lid"), (0.8, 0.78, 0.7)
    )
    plain = tuple(Part(p.name, p.solids, p.pose, p.colour, 0.0) for p in (body, lid, peg))

    def orbit(t: float) -> F64:
        return pose(0.03 * t, -0.01 * t, 0, yaw=-6 * t)

    boxes = tuple(
        Part(f"box{i}", (Solid("box", (0.018 + 0.004 * i, 0.02, 0.015)),),
             lambda t, i=i: pose(-0.11 + 0.055 * i, 0.02 * np.sin(5 * t + i), 0.5 + 0.03 * (i % 2), 20 + 20 * t, 30 * t + 25 * i, 0),
             colour, 0.15 * (i != 2))
        for i, colour in enumerate([(0.7, 0.2, 0.2), (0.2, 0.5, 0.3), (0.8, 0.7, 0.2), (0.25, 0.3, 0.7), (0.5, 0.5, 0.5)])
    )  # fmt: skip
    tall = Part(
        "post",
        (Solid("box", (0.02, 0.09, 0.02)),),
        lambda t: pose(0.0, 0, 0.38, 0, 20),
        (0.4, 0.4, 0.45),
        0.2,
    )
    ball = Part(
        "ball",
        (Solid("sphere", (0.03, 0, 0)),),
        lambda t: pose(-0.1 + 0.2 * t, 0.0, 0.5, 0, 120 * t),
        (0.8, 0.35, 0.2),
        0.3,
    )
    pin = Part(
        "pin",
        (Solid("cylinder", (0.004, -0.04, 0.04)),),
        lambda t: pose(0.09, -0.02, 0.42, 80, 0, 90 * t) @ pose(0.02 * t),
        (0.8, 0.8, 0.8),
        0.1,
    )
    dot = Part(
        "dot",
        (Solid("sphere", (0.006, 0, 0)),),
        lambda t: pose(-0.08, -0.06 + 0.05 * t, 0.45),
        (0.9, 0.8, 0.2),
        0.1,
    )
    slab = Part(
        "slab",
        (Solid("box", (0.05, 0.035, 0.012)),),
        lambda t: pose(0, 0, 0.4, 35 * np.sin(3 * t), 60 * t - 30, 20 * t),
        (0.3, 0.6, 0.6),
        0.25,
    )
    knob = Part(
        "knob",
        (Solid("cylinder", (0.015, 0.012, 0.035)),),
        lambda t: slab.pose(t) @ pose(0.02, 0, 0, 180),
        (0.85, 0.5, 0.2),
        0.15,
    )
    made = [
        Scene("joint", (body, lid, peg), seed=1), Scene("plain_joint", plain, seed=2),
        Scene("crowd", boxes, camera=orbit, seed=3), Scene("occlusion", (tall, ball), seed=4),
        Scene("small_thin", (slab, pin, dot), seed=5), Scene("tumble", (slab, knob), camera=orbit, seed=6),
    ]  # fmt: skip
    return [Scene(s.name, s.parts, size, frames, s.camera, s.seed) for s in made]
