# SPDX-License-Identifier: GPL-3.0-or-later
"""A striped ball that rolls before a wall, ray-cast exactly, drawn in a look with ink; and the truth package of it."""

from functools import cache
from pathlib import Path

import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture

SIZE = (320, 180)
RAYS = 3
RADIUS, WALL = 0.02, 0.3
K = np.array([[420.0, 0, 160], [0, 420.0, 90], [0, 0, 1]])
INK = np.array([30.0, 24, 40])
LIGHT = np.array([-0.5, 0.6, 0.62])


def pose(frame):
    """World = camera: the ball moves right 3 mm and rolls 6 degrees a frame."""
    angle = np.radians(6 * frame)
    matrix = np.eye(4)
    matrix[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    matrix[:3, 3] = [-0.02 + 0.003 * frame, 0.004, 0.2]
    return matrix


@cache
def _rays(samples):
    """(H, W, 3) rays through the picture, their squares (H, W) and their lengths (H, W)."""
    width, height = SIZE[0] * samples, SIZE[1] * samples
    u, v = np.meshgrid((np.arange(width) + 0.5) / samples, (np.arange(height) + 0.5) / samples)
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u)], -1)
    return rays, (rays**2).sum(-1), np.linalg.norm(rays, axis=-1)


def _cast(frame, samples):
    rays, a, _ = _rays(samples)
    matrix = pose(frame)
    centre = matrix[:3, 3]
    b = rays @ centre
    root = b**2 - a * (centre @ centre - RADIUS**2)
    hit = root > 0
    depth = np.where(hit, (b - np.sqrt(np.maximum(root, 0))) / a, WALL)
    points = rays * depth[..., None]
    normal = np.where(hit[..., None], (points - centre) / RADIUS * [1, -1, -1], [0.0, 0, 1])
    local = (points - centre) @ matrix[:3, :3]  # inverse rotation, row vectors
    return hit, depth, points, normal, local


@cache
def passes(frame):
    """Truth passes: beauty, ids, matte, depth, normal; coverage from 3 x 3 rays."""
    hit, _, _, normal, _ = _cast(frame, RAYS)
    shade = 0.3 + 0.7 * np.clip(normal @ LIGHT, 0, 1)
    beauty = np.where(hit[..., None], [200, 150, 90], [170, 172, 176]) * shade[..., None]
    one_hit, depth, _, one_normal, _ = _cast(frame, 1)
    return {
        "beauty": np.rint(_mean(beauty)).clip(0, 255).astype(np.uint8),
        "ids": one_hit.astype(np.uint8),
        "matte": _mean(hit[..., None].astype(float))[..., 0].astype(np.float32),
        "depth": depth.astype(np.float32),
        "normal": one_normal.astype(np.float32),
    }


def _mean(picture):
    height, width = SIZE[1], SIZE[0]
    return picture.reshape(height, RAYS, width, RAYS, -1).mean((1, 3))


@cache
def drawing(frame, *, ball=True):
    """(H, W, 3) uint8 the look: three tones, stripes painted on the ball, paper grain, an ink outline 3 px wide."""
    hit, _, points, normal, local = _cast(frame, RAYS)
    paper = np.array([225.0, 215, 195]) + 8 * np.sin(points[..., :1] * 900) * np.sin(points[..., 1:2] * 800)
    if not ball:
        return np.rint(_mean(paper)).clip(0, 255).astype(np.uint8)
    tone = np.digitize(normal @ LIGHT, [0.25, 0.7]) / 2
    stripe = 0.5 + 0.5 * np.sign(np.sin(local[..., 0] * 700) * np.sin(local[..., 1] * 500))
    part = np.array([90.0, 60, 50]) + tone[..., None] * [130, 110, 60] + stripe[..., None] * [10, 25, -20]
    centre = pose(frame)[:3, 3]
    rays, _, lengths = _rays(RAYS)
    far = np.linalg.norm(centre)  # the silhouette is a cone about the way to the centre, not a circle
    angle = np.arccos(np.clip(rays @ centre / lengths / far, -1, 1))
    away = np.abs(angle - np.arcsin(RADIUS / far)) * K[0, 0]
    picture = np.where(hit[..., None], part, paper)
    picture = np.where((away < 1.0)[..., None], INK, picture)
    return np.rint(_mean(picture)).clip(0, 255).astype(np.uint8)


def write_truth(folder: Path, frames):
    """The scene as a truth package."""
    for frame in frames:
        made = passes(frame)
        write_picture(folder / f"beauty/beauty.{frame:04d}.png", made["beauty"])
        write_gray(folder / f"ids/ids.{frame:04d}.png", made["ids"])
        write_gray(folder / f"matte/ball/ball.{frame:04d}.png", np.rint(made["matte"] * 255).astype(np.uint8))
        write_exr(folder / f"depth/depth.{frame:04d}.exr", made["depth"])
        write_exr(folder / f"normal/normal.{frame:04d}.exr", made["normal"])
        write_exr(folder / f"vector/vector.{frame:04d}.exr", np.zeros((SIZE[1], SIZE[0], 4), np.float32))
    np.savez(
        folder / "poses.npz", poses=np.array([[pose(f)] for f in frames]), frames=np.array(frames, np.int32)
    )
    patterns = {
        name: {"pattern": f"{name}/{name}.{{frame:04d}}.{end}"}
        for name, end in (
            ("beauty", "png"),
            ("ids", "png"),
            ("depth", "exr"),
            ("normal", "exr"),
            ("vector", "exr"),
        )
    }
    patterns["matte"] = {"pattern": "matte/{part}/{part}.{frame:04d}.png"}
    data = {
        "size": list(SIZE), "fps": [24, 1], "frames": list(frames), "motion_hash": "m", "passes": patterns,
        "parts": [{"id": 1, "name": "ball", "object": "ball"}], "poses": "poses.npz", "colour": {"view": "Standard"},
        "camera": [{"frame": f, "K": K.tolist(), "world_to_camera": np.eye(4).tolist()} for f in frames],
    }  # fmt: skip
    Manifest("holdfast/truth", {}, {}, data).save(folder / "truth.json")


def write_take(folder: Path, pictures, truth_digest="", **data):
    """A take of ``pictures`` {frame: (H, W, 3)}."""
    for frame, picture in pictures.items():
        write_picture(folder / f"frames/{frame:04d}.png", picture)
    facts = {
        "take": folder.name, "size": list(SIZE), "fps": [24, 1], "frames": sorted(pictures), "spans": [],
        "frame_map": [[f, f] for f in sorted(pictures)], "pattern": "frames/{frame:04d}.png", "parent": None,
        "provider": "rehearsal", "model": "m", "seed": 1, "look": "TEST", "prompt_hash": "p", **data,
    }  # fmt: skip
    made = Manifest("holdfast/take", {"seed": 1}, {"truth": truth_digest}, facts)
    made.save(folder / "take.json")
    return made
