# SPDX-License-Identifier: GPL-3.0-or-later
"""A small, correct package of ground truth: two squares over a wall, one of them moving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture
from holdfast.pipeline.truth import MANIFEST, PATTERNS, SCHEMA

KINDS = ("beauty", "ids", "matte", "depth", "normal", "vector")
SIZE, FRAMES, STEP = (48, 32), (1, 2, 3), 3
FOCAL, DEPTHS = 40.0, {"left": 2.0, "right": 1.6}
HALF = {"left": 0.25, "right": 0.2}


def centre_px(part: str, frame: int) -> tuple[float, float]:
    """Column and row of the middle of a square."""
    return (12.0, 16.0) if part == "left" else (28.0 + STEP * (frame - 1), 16.0)


def pose(part: str, frame: int) -> np.ndarray:
    column, row = centre_px(part, frame)
    matrix, depth = np.eye(4), DEPTHS[part]
    matrix[:3, 3] = [(column - SIZE[0] / 2) * depth / FOCAL, (row - SIZE[1] / 2) * depth / FOCAL, depth]
    return matrix


def write(folder: Path) -> Path:
    """Writes the package; its world axes are the camera's (x right, y down, z forward)."""
    for frame in FRAMES:
        _write_frame(folder, frame)
    poses = np.array([[pose(part, frame) for part in DEPTHS] for frame in FRAMES])
    np.savez(folder / "poses.npz", poses=poses, frames=np.array(FRAMES, np.int32))
    camera = {
        "K": [[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]],
        "world_to_camera": np.eye(4).tolist(),
    }
    parts = [
        {
            "id": number,
            "name": part,
            "object": f"ob {part}",
            "bounds": [[-HALF[part]] * 2 + [0.0], [HALF[part]] * 2 + [0.01]],
        }
        for number, part in enumerate(DEPTHS, 1)
    ]
    data = {
        "size": list(SIZE), "fps": [24, 1], "frames": list(FRAMES), "motion_hash": "m", "parts": parts,
        "passes": {kind: {"pattern": PATTERNS[kind]} for kind in KINDS},
        "camera": [{"frame": frame, **camera} for frame in FRAMES], "poses": "poses.npz", "colour": {"view": "Standard"},
    }  # fmt: skip
    Manifest(SCHEMA, {}, {}, data).save(folder / MANIFEST)
    return folder


def _write_frame(folder: Path, frame: int) -> None:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
    ids, depth = np.zeros(SIZE[::-1], np.uint8), np.full(SIZE[::-1], 5, np.float32)
    vector = np.zeros((*SIZE[::-1], 4), np.float32)
    for number, part in enumerate(DEPTHS, 1):
        column, row = centre_px(part, frame)
        half = HALF[part] * FOCAL / DEPTHS[part]
        own = (abs(columns - column) < half) & (abs(rows - row) < half)
        ids[own], depth[own] = number, DEPTHS[part]
        vector[own] = [STEP, 0, -STEP, 0] if part == "right" else 0
        write_gray(folder / PATTERNS["matte"].format(frame=frame, part=part), own.astype(np.uint8) * 255)
    normal = np.broadcast_to(np.float32([0, 0, 1]), (*SIZE[::-1], 3))
    write_picture(folder / PATTERNS["beauty"].format(frame=frame), np.repeat(ids[..., None] * 80, 3, 2))
    write_gray(folder / PATTERNS["ids"].format(frame=frame), ids)
    for kind, values in (("depth", depth), ("normal", normal), ("vector", vector)):
        write_exr(folder / PATTERNS[kind].format(frame=frame), np.ascontiguousarray(values))
