# SPDX-License-Identifier: GPL-3.0-or-later
"""A package of ground truth by ray casting: a box over a slanted floor, seen by a camera that may move."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.passes import PATTERNS
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture
from holdfast.pipeline.truth import MANIFEST, SCHEMA

SIZE, FOCAL = (160, 90), 180.0
FLOOR = (np.array([0.0, -0.94, -0.34]), -0.75)
"""Unit normal towards the camera and offset: n . X = d, world axes x right, y down, z forward."""
HALF, CENTRE, TURN = np.array([0.22, 0.16, 0.2]), np.array([-0.05, 0.02, 1.9]), 0.6
FINE = 4


@dataclass(frozen=True)
class View:
    """A camera that has moved by ``shift`` (3,) metres in world axes, looking along z."""

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def K(self) -> np.ndarray:
        return np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]])

    @property
    def world_to_camera(self) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, 3] = -np.array(self.shift)
        return matrix

    def project(self, points: np.ndarray) -> np.ndarray:
        seen = points - np.array(self.shift)
        return (seen[..., :2] / seen[..., 2:]) * FOCAL + np.array(SIZE) / 2


def box_axes() -> np.ndarray:
    """(3, 3): rows are the box's axes in the world."""
    c, s = np.cos(TURN), np.sin(TURN)
    turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    lean = np.array([[1, 0, 0], [0, np.cos(0.5), np.sin(0.5)], [0, -np.sin(0.5), np.cos(0.5)]])
    return turn @ lean


def corners() -> np.ndarray:
    """(8, 3) of the box; bits of the index are the signs of its axes."""
    signs = np.array([[1 if i >> bit & 1 else -1 for bit in range(3)] for i in range(8)])
    return CENTRE + (signs * HALF) @ box_axes()


def floor_depth(view: View, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Planar depth in metres of the floor at pixel positions; 0 above its horizon."""
    rays = np.stack(
        [(columns - SIZE[0] / 2) / FOCAL, (rows - SIZE[1] / 2) / FOCAL, np.ones_like(columns)], -1
    )
    normal, offset = FLOOR
    along = rays @ normal
    depth = (offset - normal @ np.array(view.shift)) / np.where(along == 0, 1e-12, along)
    return np.where(depth > 0, depth, 0)


def cast(view: View, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ids, depth in metres, camera-space normals x right, y up, z to the camera) at pixel positions."""
    rays = np.stack(
        [(columns - SIZE[0] / 2) / FOCAL, (rows - SIZE[1] / 2) / FOCAL, np.ones_like(columns)], -1
    )
    axes, start = box_axes(), (np.array(view.shift) - CENTRE) @ box_axes().T
    direction = rays @ axes.T
    with np.errstate(divide="ignore", invalid="ignore"):
        enter = (-np.sign(direction) * HALF - start) / direction
        leave = (np.sign(direction) * HALF - start) / direction
    side = enter.argmax(-1)
    first = np.take_along_axis(enter, side[..., None], -1)[..., 0]
    hit = (first < leave.min(-1)) & (first > 0)
    facing = -np.take_along_axis(np.sign(direction), side[..., None], -1) * axes[side]
    floor = floor_depth(view, columns, rows)
    depth = np.where(hit, first, floor)
    normal = np.where(hit[..., None], facing, np.where((floor > 0)[..., None], FLOOR[0], 0))
    return hit.astype(np.uint8), depth, normal * np.array([1, -1, -1])


def centres(fine: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = (np.mgrid[0 : SIZE[1] * fine, 0 : SIZE[0] * fine] + 0.5) / fine
    return columns, rows


def write(
    folder: Path, views: list[View], *, fps: tuple[int, int] = (24, 1), start: int = 1, sure: bool = True
) -> Path:
    """Writes a package with a frame for each view; its one part is the box, ``box`` of id 1, and ``none`` is never seen."""
    for number, view in enumerate(views, start):
        ids, depth, normal = cast(view, *centres())
        fine = cast(view, *centres(FINE))[0].reshape(SIZE[1], FINE, SIZE[0], FINE).mean((1, 3))
        same = np.where(ids == 1, fine, 1 - fine)
        at = {kind: folder / pattern.format(frame=number, part="box") for kind, pattern in PATTERNS.items()}
        shade = 40 + 180 * np.abs(normal[..., 2:])
        write_picture(
            at["beauty"], np.concatenate([shade, shade * 0.8, 60 + 60 * ids[..., None]], -1).astype(np.uint8)
        )
        write_gray(at["ids"], ids)
        write_gray(at["matte"], np.rint(fine * 255).astype(np.uint8))
        write_gray(folder / PATTERNS["matte"].format(frame=number, part="none"), np.zeros_like(ids))
        if sure:
            write_gray(at["sure"], np.rint(same * 255).astype(np.uint8))
        write_exr(at["depth"], depth.astype(np.float32))
        write_exr(at["normal"], normal.astype(np.float32))
        write_exr(at["vector"], np.zeros((*ids.shape, 4), np.float32))
    frames = list(range(start, start + len(views)))
    np.savez(
        folder / "poses.npz",
        poses=np.tile(np.eye(4), (len(views), 2, 1, 1)),
        frames=np.array(frames, np.int32),
    )
    kinds = ["beauty", "ids", "matte", "depth", "normal", "vector", *(["sure"] if sure else [])]
    camera = [
        {"frame": frame, "K": view.K.tolist(), "world_to_camera": view.world_to_camera.tolist()}
        for frame, view in zip(frames, views, strict=True)
    ]
    data = {
        "size": list(SIZE), "fps": list(fps), "frames": frames, "motion_hash": "m", "camera": camera,
        "parts": [{"id": i, "name": n, "object": n, "bounds": None} for i, n in enumerate(("box", "none"), 1)],
        "passes": {kind: {"pattern": PATTERNS[kind]} for kind in kinds}, "poses": "poses.npz", "colour": {},
    }  # fmt: skip
    Manifest(SCHEMA, {}, {}, data).save(folder / MANIFEST)
    return folder
