# SPDX-License-Identifier: GPL-3.0-or-later
"""An analytic lantern for the style tests: signed distances, ray-marched, so that every pass is exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture
from holdfast.pipeline.truth import MANIFEST, PATTERNS, SCHEMA
from numpy.typing import NDArray

F = NDArray[np.float64]
PARTS = {"body": 1, "lid": 2, "peg": 3}
ALBEDO = {0: (0.62, 0.6, 0.56), 1: (0.75, 0.42, 0.2), 2: (0.25, 0.42, 0.45), 3: (0.8, 0.72, 0.5)}


@dataclass
class Passes:
    """The passes of one frame, as a truth package holds them (coverage as float 0..1)."""

    frame: int
    beauty: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    coverage: dict[str, NDArray[np.float32]]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
    K: F
    world_to_camera: F
    poses: dict[str, F]


def _cylinder(p: F, radius: float, low: float, high: float, rounding: float) -> F:
    r = np.hypot(p[..., 0], p[..., 1]) - radius + rounding
    z = np.abs(p[..., 2] - (low + high) / 2) - (high - low) / 2 + rounding
    return np.minimum(np.maximum(r, z), 0) + np.hypot(np.maximum(r, 0), np.maximum(z, 0)) - rounding


def _distance(part: str, p: F) -> F:
    if part == "body":
        shell = _cylinder(p, 0.02 - 0.002 * np.cos(p[..., 2] * 160), -0.04, 0.0, 0.004)
        return np.maximum(shell, -_cylinder(p, 0.0075, -0.016, 0.01, 0.0005))
    if part == "lid":
        knob = np.linalg.norm(p - [0, 0, 0.021], axis=-1) - 0.006
        fin = _cylinder(p - [0.015, 0, 0], 0.0045, 0.0, 0.012, 0.002)
        return np.minimum(np.minimum(_cylinder(p, 0.019 - 0.3 * p[..., 2], 0.0, 0.016, 0.003), knob), fin)
    return _cylinder(p, 0.0065, -0.014, 0.002, 0.0005)


def poses_at(frame: int) -> dict[str, F]:
    """World matrices of the parts: the lid comes down for 16 frames, then twists."""
    t = min(max((frame - 1) / 16, 0.0), 1.0)
    angle = np.radians(75 * min(max((frame - 15) / 8, 0.0), 1.0) + 10 * t)
    lid = np.eye(4)
    lid[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    lid[2, 3] = 0.026 * (1 - t)
    return {"body": np.eye(4), "lid": lid, "peg": lid.copy()}


def camera(size: tuple[int, int]) -> tuple[F, F]:
    """(K 3x3, world_to_camera 4x4, OpenCV axes) of a product-table camera."""
    width, height = size
    eye, target = np.array([0.09, -0.19, 0.07]), np.array([0.0, 0.0, -0.002])
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ eye
    focal = 1.9 * width / 2 * (16 / 9) * height / width * 1.15
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]]), matrix


def _march(points: F, rays: F, poses: dict[str, F]) -> tuple[F, NDArray[np.uint8], F]:
    inverse = {name: np.linalg.inv(pose) for name, pose in poses.items()}

    def field(p: F) -> F:
        values = [p[..., 2] + 0.04]
        for name in PARTS:
            m = inverse[name]
            values.append(_distance(name, p @ m[:3, :3].T + m[:3, 3]) * 0.8)
        return np.stack(values)

    depth = np.full(rays.shape[0], 0.12)
    active = np.arange(rays.shape[0])
    for _ in range(70):
        step = np.min(field(points[active] + rays[active] * depth[active, None]), 0)
        depth[active] += step
        active = active[(np.abs(step) > 2e-6) & (depth[active] < 2)]
    hit = points + rays * depth[:, None]
    ids = np.argmin(field(hit), 0).astype(np.uint8)
    ids[depth > 2] = 0
    normal = np.tile([0.0, 0.0, 1.0], (rays.shape[0], 1))
    near = np.flatnonzero(ids)
    grad = [field(hit[near] + 1e-4 * e).min(0) - field(hit[near] - 1e-4 * e).min(0) for e in np.eye(3)]
    normal[near] = np.stack(grad, -1)
    return depth, ids, normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def render(frame: int, size: tuple[int, int] = (160, 90), samples: int = 2) -> Passes:
    """All passes of ``frame``; coverage from samples x samples rays a pixel."""
    width, height = size
    K, world_to_camera = camera(size)
    poses = poses_at(frame)
    u, v = np.meshgrid(
        (np.arange(width * samples) + 0.5) / samples, (np.arange(height * samples) + 0.5) / samples
    )
    local = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u)], -1).reshape(-1, 3)
    rotation, eye = world_to_camera[:3, :3], -world_to_camera[:3, :3].T @ world_to_camera[:3, 3]
    length = np.linalg.norm(local, axis=1)
    rays = (local / length[:, None]) @ rotation
    distance, ids, normal = _march(np.broadcast_to(eye, rays.shape), rays, poses)
    light = np.array([-0.5, -0.55, 0.75]) / np.linalg.norm([0.5, 0.55, 0.75])
    shade = 0.25 + 0.75 * np.clip(normal @ light, 0, 1)
    colour = np.array([ALBEDO[i] for i in range(4)])[ids] * shade[:, None]
    picture = colour.reshape(height, samples, width, samples, 3).mean((1, 3)) ** (1 / 2.2)
    grid = ids.reshape(height, samples, width, samples)
    coverage = {n: (grid == i).mean((1, 3)).astype(np.float32) for n, i in PARTS.items()}

    def first(a: NDArray[Any]) -> NDArray[Any]:
        return a.reshape(height, samples, width, samples, *a.shape[1:])[:, 0, :, 0]

    cam = normal @ rotation.T * [1, -1, -1]
    depth = first(np.where(distance > 2, 0, distance / length))
    return Passes(
        frame,
        np.rint(picture.clip(0, 1) * 255).astype(np.uint8),
        first(ids),
        coverage,
        depth.astype(np.float32),
        first(cam).astype(np.float32),
        K,
        world_to_camera,
        poses,
    )


def vectors(now: Passes, then: Passes) -> NDArray[np.float32]:
    """(H, W, 2) px displacement (x right, y down) of what is seen in ``now`` to where it is in ``then``."""
    height, width = now.depth.shape
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    z = np.where(now.depth > 0, now.depth, 1.0)
    point = np.stack(
        [(u - now.K[0, 2]) / now.K[0, 0] * z, (v - now.K[1, 2]) / now.K[1, 1] * z, z, np.ones_like(z)], -1
    )
    result = np.zeros((height, width, 2))
    for name, index in {"": 0, **PARTS}.items():
        moved = np.eye(4) if not name else then.poses[name] @ np.linalg.inv(now.poses[name])
        m = then.world_to_camera @ moved @ np.linalg.inv(now.world_to_camera)
        q = point @ m.T
        flow = np.stack(
            [
                q[..., 0] / q[..., 2] * then.K[0, 0] + then.K[0, 2] - u,
                q[..., 1] / q[..., 2] * then.K[1, 1] + then.K[1, 2] - v,
            ],
            -1,
        )
        mask = now.ids == index
        result[mask] = flow[mask]
    return result.astype(np.float32)


def write_package(
    folder: Path, frames: Sequence[int], size: tuple[int, int] = (160, 90)
) -> dict[int, Passes]:
    """A ground truth folder of these frames as the renderer writes it; returns the exact passes."""
    passes = {frame: render(frame, size) for frame in frames}
    for frame, p in passes.items():
        write_picture(folder / f"beauty/beauty.{frame:04d}.png", p.beauty)
        write_gray(folder / f"ids/ids.{frame:04d}.png", p.ids)
        for name, alpha in p.coverage.items():
            write_gray(folder / f"matte/{name}/{name}.{frame:04d}.png", np.rint(alpha * 255).astype(np.uint8))
        write_exr(folder / f"depth/depth.{frame:04d}.exr", p.depth)
        write_exr(folder / f"normal/normal.{frame:04d}.exr", p.normal)
    poses = np.stack([np.stack([passes[f].poses[name] for name in PARTS]) for f in frames])
    np.savez(folder / "poses.npz", poses=poses, frames=np.array(frames, np.int32))
    data = {
        "size": list(size),
        "fps": [24, 1],
        "frames": list(frames),
        "motion_hash": "0",
        "poses": "poses.npz",
        "parts": [{"id": i, "name": name, "object": name} for name, i in PARTS.items()],
        "passes": {
            name: {"pattern": PATTERNS[name]}
            for name in ("beauty", "ids", "matte", "depth", "normal", "vector")
        },
        "camera": [
            {"frame": f, "K": p.K.tolist(), "world_to_camera": p.world_to_camera.tolist()}
            for f, p in passes.items()
        ],
        "colour": {},
    }
    Manifest(SCHEMA, {}, {}, data).save(folder / MANIFEST)
    return passes
