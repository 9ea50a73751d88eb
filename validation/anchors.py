# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame of the take should look like, told by the take's own other frames.

The truth knows where every surface point of a rigid part was in another frame. The take's picture of it is carried
from there to here and compared: style cancels out, since the take is compared with itself.

A style paints some things onto the surface (grain, texture) and others onto the shape as it is seen (shading, tone
borders, contour lines). On a turning part the latter slide over the surface, and that is no fault: where they would
slide to follows from the normals and the turn (``slide``), and that much motion, in that direction, is free.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from ..pipeline.truth import GroundTruth
from .plates import Plate, divisor

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
MARGIN_PX = 20
DEPTH_TOLERANCE = 0.01
TURNED_DEG = 1.0
MOST_SLIDE_PX = 12.0
FLAT = 2e-5
"""Squared change of the normal a pixel below which a surface counts as flat: nothing is locked to its shape."""


@dataclass(frozen=True)
class Rig:
    """Poses and camera of every frame: ``poses`` {frame: {part id: 4x4}}, ``cameras`` {frame: (K, world_to_camera)}."""

    poses: dict[int, dict[int, F64]]
    cameras: dict[int, tuple[F64, F64]]
    orthographic: bool = False
    _seen: dict[tuple[int, int], tuple[F64, F64]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, truth: GroundTruth) -> "Rig":
        """From a ground truth, with cameras scaled to working size."""
        shrink = 1.0 / divisor(truth.size[0])
        scale = np.diag([shrink, shrink, 1.0])
        cameras = {f: (scale @ truth.camera(f).K, truth.camera(f).world_to_camera) for f in truth.frames}
        poses = {f: {part.id: truth.pose(part.name, f) for part in truth.parts} for f in truth.frames}
        return cls(poses, cameras, truth.camera(truth.frames[0]).orthographic)

    def seen(self, frame: int, part_id: int) -> tuple[F64, F64]:
        """4x4 of the part in camera axes at ``frame``, and its inverse; what has no poses stands still."""
        if (frame, part_id) not in self._seen:
            pose = self.poses[frame].get(part_id)
            matrix = self.cameras[frame][1] if pose is None else self.cameras[frame][1] @ pose
            self._seen[frame, part_id] = (matrix, _inverse(matrix))
        return self._seen[frame, part_id]

    def carry(self, here: int, there: int, part_id: int) -> F64:
        """4x4: camera coordinates at frame ``here`` -> the same surface point in the camera at ``there``."""
        return np.asarray(self.seen(there, part_id)[0] @ self.seen(here, part_id)[1])

    def turned_deg(self, here: int, there: int, part_id: int) -> float:
        """By how much the part turns in the camera between two frames."""
        trace = float(np.trace(self.carry(here, there, part_id)[:3, :3]))
        return float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))))

    def points(self, frame: int, x: NDArray[Any], y: NDArray[Any], depth: F32) -> F32:
        """(n, 3) camera coordinates in metres of the pixels' centres at planar ``depth`` (n,)."""
        K = self.cameras[frame][0]
        ray_x = ((x + 0.5 - K[0, 2]) / K[0, 0]).astype(np.float32)
        ray_y = ((y + 0.5 - K[1, 2]) / K[1, 1]).astype(np.float32)
        if self.orthographic:
            return np.stack([ray_x, ray_y, depth], 1)
        return np.stack([ray_x * depth, ray_y * depth, depth], 1)

    def project(self, frame: int, points: F32) -> tuple[F32, F32]:
        """Pixel indices x, y (n,) (float; a pixel's centre is a whole number) of camera coordinates (n, 3)."""
        K = self.cameras[frame][0]
        z = np.float32(1) if self.orthographic else np.maximum(points[:, 2], np.float32(1e-6))
        x = np.float32(K[0, 0]) * points[:, 0] / z + np.float32(K[0, 2] - 0.5)
        y = np.float32(K[1, 1]) * points[:, 1] / z + np.float32(K[1, 2] - 0.5)
        return x.astype(np.float32), y.astype(np.float32)


def _inverse(matrix: F64) -> F64:
    """Of a pose; of one that is flat, or shrunk to nothing for an instance that isn't there, what comes nearest."""
    return np.asarray(np.linalg.inv(matrix) if abs(np.linalg.det(matrix)) > 1e-18 else np.linalg.pinv(matrix))


@dataclass(frozen=True)
class Region:
    """A crop ``x0, y0, x1, y1`` of the working picture."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def cut(self) -> tuple[slice, slice]:
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def inside(self, region: "Region") -> tuple[slice, slice]:
        """Where it lies in a crop of ``region``, which holds it."""
        return (
            slice(self.y0 - region.y0, self.y1 - region.y0),
            slice(self.x0 - region.x0, self.x1 - region.x0),
        )

    def grown(self, pad: int, shape: tuple[int, ...]) -> "Region":
        """With ``pad`` more pixels on each side, inside a picture of ``shape``."""
        return Region(
            max(0, self.x0 - pad),
            max(0, self.y0 - pad),
            min(shape[1], self.x1 + pad),
            min(shape[0], self.y1 + pad),
        )

    @classmethod
    def over(cls, boxes: "Sequence[Region]") -> "Region":
        """What holds all of ``boxes``."""
        return cls(
            min(b.x0 for b in boxes),
            min(b.y0 for b in boxes),
            max(b.x1 for b in boxes),
            max(b.y1 for b in boxes),
        )


@dataclass(frozen=True)
class Surface:
    """The visible surface of one part in one frame: pixels ``x``, ``y`` (n,) of the working picture, ``points``
    (n, 3) in the camera's axes, metres, and its ``box``."""

    id: int
    x: NDArray[np.intp]
    y: NDArray[np.intp]
    points: F32
    box: Region


def surfaces(rig: Rig, plate: Plate, pad: int) -> dict[int, Surface]:
    """The visible surface of every part of a frame by id, each with a box of ``pad`` pixels around it."""
    height, width = plate.ids.shape
    flat = np.flatnonzero(plate.ids.ravel())
    ids = plate.ids.ravel()[flat]
    order = np.argsort(ids, kind="stable")
    flat, ids = flat[order], ids[order]
    found = {}
    numbers, starts = np.unique(ids, return_index=True)
    for number, mine in zip(numbers, np.split(flat, starts[1:]), strict=True):
        y, x = np.divmod(mine, width)
        depth = plate.depth.ravel()[mine]
        box = Region(
            max(0, int(x.min()) - pad),
            max(0, int(y[0]) - pad),
            min(width, int(x.max()) + pad + 1),
            min(height, int(y[-1]) + pad + 1),
        )
        known = depth > 0
        if not known.all():
            x, y, depth = x[known], y[known], depth[known]
        found[int(number)] = Surface(int(number), x, y, rig.points(plate.frame, x, y, depth), box)
    return found


@dataclass(frozen=True)
class Carried:
    """Where the surfaces seen here are in another frame, on a region: ``where`` (h, w, 2) pixels there, ``valid``
    (h, w) where the same surface shows in both; all of it lies in ``boxes`` of the region."""

    valid: Mask
    where: F32
    boxes: tuple[tuple[slice, slice], ...]

    def bring(self, picture: NDArray[np.generic]) -> NDArray[np.generic]:
        """``picture`` of the other frame (H, W[, c]) as it would be seen here (h, w[, c]); 0 outside of the boxes."""
        out = np.zeros((*self.valid.shape, *picture.shape[2:]), picture.dtype)
        for box in self.boxes:
            out[box] = cv2.remap(
                picture, self.where[box], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        return out


def carry(rig: Rig, here: Plate, there: Plate, surfaces: list[Surface], region: Region) -> Carried:
    """Carries another frame to this one along the exact motion of each part (depth and pose)."""
    shape = (region.y1 - region.y0, region.x1 - region.x0)
    where, valid = np.full((*shape, 2), -1, np.float32), np.zeros(shape, bool)
    height, width = there.ids.shape
    for surface in surfaces:
        move = rig.carry(here.frame, there.frame, surface.id).astype(np.float32)
        moved = surface.points @ move[:3, :3].T + move[:3, 3]
        x, y = rig.project(there.frame, moved)
        at = (surface.y - region.y0) * shape[1] + (surface.x - region.x0)
        where.reshape(-1, 2)[at] = np.stack([x, y], 1)
        xi = np.fmin(np.fmax(x + np.float32(0.5), 0), width - 1).astype(np.intp)
        yi = np.fmin(np.fmax(y + np.float32(0.5), 0), height - 1).astype(np.intp)
        seen = yi * width + xi
        inside = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
        z = moved[:, 2]
        close = np.abs(there.depth.take(seen) - z) < DEPTH_TOLERANCE * z
        valid.reshape(-1)[at] = inside & close & (there.ids.take(seen) == surface.id)
    return Carried(valid, where, tuple(surface.box.inside(region) for surface in surfaces))


def normals(rig: Rig, plate: Plate, region: Region) -> F32:
    """(h, w, 3) unit normals of what is seen on the region, camera axes (x right, y down, z away), from the depth."""
    depth = plate.depth[region.cut]
    ys, xs = np.broadcast_arrays(*np.ogrid[region.y0 : region.y1, region.x0 : region.x1])
    points = rig.points(plate.frame, xs.ravel(), ys.ravel(), depth.ravel()).reshape(*depth.shape, 3)
    ax, ay, az = cv2.split(cv2.Sobel(points, cv2.CV_32F, 1, 0, ksize=3))
    dx, dy, dz = cv2.split(cv2.Sobel(points, cv2.CV_32F, 0, 1, ksize=3))
    across = cv2.merge([dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax])
    length = np.sqrt((across * across).sum(-1, keepdims=True))
    return np.asarray(across / np.maximum(length, np.float32(1e-12)), np.float32)


@dataclass(frozen=True)
class Facing:
    """The unit normals (n, 3) at some pixels, and ``back`` (n, 2, 3): what turns a change of normal into the move over
    the picture that undoes it (least squares with the normals' gradient; nothing on flat ground)."""

    normal: F32
    back: F32

    @classmethod
    def of(cls, field: F32, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> "Facing":
        """From the normals (h, w, 3) of a region at pixels of it."""
        height, width = field.shape[:2]
        above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, height - 1)
        left, right = np.maximum(columns - 1, 0), np.minimum(columns + 1, width - 1)
        nx, ny = (
            (field[rows, right] - field[rows, left]) / 2,
            (field[below, columns] - field[above, columns]) / 2,
        )
        a, b, c = (nx * nx).sum(1) + FLAT, (nx * ny).sum(1), (ny * ny).sum(1) + FLAT
        det = np.maximum(a * c - b * b, FLAT * FLAT)[:, None]
        back = np.stack(
            [(c[:, None] * nx - b[:, None] * ny) / det, (a[:, None] * ny - b[:, None] * nx) / det], 1
        )
        return cls(field[rows, columns], back.astype(np.float32))

    def slide(self, turn: F64) -> F64:
        """(n, 2) px: how far what is locked to the normals lies from where the surface carried it, for a part that
        turns by ``turn`` (3, 3, camera axes, here -> there).

        A surface point with normal n here had turn n there, and what a style draws for that normal is found here
        where the normal is turn n: N d = turn n - n with the normals' gradient N.
        """
        size = np.cbrt(abs(np.linalg.det(turn))) or 1.0
        change = self.normal @ (turn / size).T.astype(np.float32) - self.normal
        found = np.einsum("nij,nj->ni", self.back, change)
        long = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
        return np.asarray(found * np.minimum(1, MOST_SLIDE_PX / long), np.float64)
