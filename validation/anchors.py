# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame of the take should look like, told by the take's own other frames.

The truth knows where every surface point of a rigid part was in another frame. The take's picture of it is carried
from there to here and compared: what stays in place and only bends is rubber, what moves as a whole is shifted, what
no other frame predicts is not the same thing. Style cancels out, since the take is compared with itself.

A style paints some things onto the surface (grain, texture) and others onto the shape as it is seen (shading, tone
borders, contour lines). On a turning part the latter slide over the surface, and that is no fault: how far they may
is read from a pattern that depends on the normal alone, and a displacement up to that far in that direction is free.
"""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8
from ..pipeline.truth import GroundTruth
from .plates import Plate, divisor

F64 = NDArray[np.float64]
MARGIN_PX = 20
DEPTH_TOLERANCE = 0.01
TEXTURE = 0.0012
"""Least smaller eigenvalue of the structure tensor (OpenCV scaling, 8-bit / 255) at which motion can be read."""
LEAST_POINTS = 24
TURNED_DEG = 2.5
SLIDE = 1.2
"""A tone border may lag or lead the pattern of the normals by this factor."""


@dataclass(frozen=True)
class Rig:
    """Poses and camera of every frame: ``poses`` {frame: {part id: 4x4}}, ``cameras`` {frame: (K, world_to_camera)}."""

    poses: dict[int, dict[int, NDArray[np.float64]]]
    cameras: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]
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
        """4x4 of the part in camera axes at ``frame``, and its inverse; a part without poses stands still."""
        if (frame, part_id) not in self._seen:
            pose = self.poses[frame].get(part_id)
            matrix = self.cameras[frame][1] if pose is None else self.cameras[frame][1] @ pose
            self._seen[frame, part_id] = (matrix, _inverse(matrix))
        return self._seen[frame, part_id]

    def carry(self, here: int, there: int, part_id: int) -> F64:
        """4x4: camera coordinates at frame ``here`` -> the same surface point in the camera at ``there``."""
        return np.asarray(self.seen(there, part_id)[0] @ self.seen(here, part_id)[1])


def _inverse(matrix: F64) -> F64:
    """Of a pose; of one that is flat, or shrunk to nothing for an instance that isn't there, what comes nearest."""
    return np.asarray(np.linalg.inv(matrix) if abs(np.linalg.det(matrix)) > 1e-18 else np.linalg.pinv(matrix))


@dataclass(frozen=True)
class Region:
    """The crop that holds every part with a margin: ``x0, y0, x1, y1`` at working size; None where nothing shows."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def cut(self) -> tuple[slice, slice]:
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @classmethod
    def around(cls, ids: U8, part_ids: list[int], unit: float) -> "Region | None":
        shown = np.isin(ids, part_ids)
        if not shown.any():
            return None
        ys, xs = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        pad = round(MARGIN_PX * max(unit, 0.5))
        height, width = ids.shape
        return cls(max(0, int(xs[0]) - pad), max(0, int(ys[0]) - pad), min(width, int(xs[-1]) + pad + 1),
                   min(height, int(ys[-1]) + pad + 1))  # fmt: skip


@dataclass(frozen=True)
class Carried:
    """Another frame of the take carried to this one, on a region: ``valid`` where the same surface shows in both."""

    valid: NDArray[np.bool_]
    where: F32
    flow: F32


def source_map(rig: Rig, here: Plate, there: int, part_ids: list[int], region: Region) -> tuple[F32, F32]:
    """((h, w, 2) pixel in frame ``there`` of the surface seen here, (h, w) its depth there); -1 off the parts."""
    ids, depth = here.ids[region.cut], here.depth[region.cut]
    where = np.full((*ids.shape, 2), -1, np.float32)
    far = np.zeros(ids.shape, np.float32)
    K, K2 = rig.cameras[here.frame][0], rig.cameras[there][0]
    for part_id in part_ids:
        y, x = np.nonzero((ids == part_id) & (depth > 0))
        if not len(x):
            continue
        z = depth[y, x].astype(np.float64)
        rays = np.stack(
            [(x + region.x0 + 0.5 - K[0, 2]) / K[0, 0], (y + region.y0 + 0.5 - K[1, 2]) / K[1, 1]]
        )
        move = rig.carry(here.frame, there, part_id)
        across = rays if rig.orthographic else rays * z
        moved = move[:3, :2] @ across + np.outer(move[:3, 2], z) + move[:3, 3:]
        plane = moved[:2] if rig.orthographic else moved[:2] / moved[2]
        where[y, x, 0] = K2[0, 0] * plane[0] + K2[0, 2] - 0.5
        where[y, x, 1] = K2[1, 1] * plane[1] + K2[1, 2] - 0.5
        far[y, x] = moved[2]
    return where, far


def carry(rig: Rig, here: Plate, there: Plate, part_ids: list[int], region: Region, flow: Any) -> Carried:
    """Carries ``there`` to ``here`` and measures by how much the take's surfaces lie elsewhere (DIS optical flow)."""
    where, far = source_map(rig, here, there.frame, part_ids, region)
    ids = here.ids[region.cut]
    near = (cv2.INTER_NEAREST, cv2.BORDER_CONSTANT)
    ids_there = cv2.remap(there.ids, where, None, near[0], borderMode=near[1])
    depth_there = cv2.remap(there.depth, where, None, near[0], borderMode=near[1])
    valid = (
        (ids > 0) & (ids_there == ids) & (np.abs(depth_there - far) < DEPTH_TOLERANCE * np.maximum(far, 1e-6))
    )
    now = np.ascontiguousarray(here.structure[region.cut])
    carried = cv2.remap(there.structure, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    expected = np.where(valid, carried, now).astype(np.uint8)
    found = np.asarray(flow.calc(expected, now, None), np.float32)
    if max(turned_deg(rig, here.frame, there.frame, part_id) for part_id in part_ids) > TURNED_DEG:
        pattern = np.ascontiguousarray(here.probe()[region.cut])
        before = cv2.remap(there.probe(), where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        slide = flow.calc(np.where(valid, before, pattern).astype(np.uint8), pattern, None)
        found = without_slide(found, np.asarray(slide, np.float32))
    return Carried(valid, where, found)


def turned_deg(rig: Rig, here: int, there: int, part_id: int) -> float:
    """By how much the part turns in the camera between two frames, degrees."""
    trace = float(np.trace(rig.carry(here, there, part_id)[:3, :3]))
    return float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))))


def without_slide(flow: F32, slide: F32) -> F32:
    """``flow`` (h, w, 2) less what sliding along ``slide``, by 0 to SLIDE times it, explains."""
    power = (slide * slide).sum(-1)
    share = np.clip((flow * slide).sum(-1) / np.maximum(power, 1e-6), 0, SLIDE)
    return np.asarray(flow - share[..., None] * slide, np.float32)


def readable(here: Plate, region: Region) -> NDArray[np.bool_]:
    """(h, w) where the take has texture in two directions, so that a displacement can be read."""
    block = max(5, 2 * round(3.5 * here.unit) + 1)
    structure = np.ascontiguousarray(here.structure[region.cut])
    return np.asarray(cv2.cornerMinEigenVal(structure, block, ksize=3) > TEXTURE)


@dataclass(frozen=True)
class Displacement:
    """Of one part against one other frame, in units: ``shift`` of the part as a whole (rms of the similarity fit),
    ``bend`` p85 of what that leaves, ``points`` readable pixels, ``moved`` (dx, dy) at the centre."""

    shift: float = np.nan
    bend: float = np.nan
    points: int = 0
    moved: tuple[float, float] = (np.nan, np.nan)


def similarity(place: NDArray[np.complex128], moved: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """(n,) the displacement at ``place`` by the similarity that fits ``moved`` in most places (least absolute rest)."""
    weight = np.ones(len(place))
    fitted = np.zeros(len(place), complex)
    for _ in range(4):
        total = weight.sum()
        centre, middle = (weight @ place) / total, (weight @ moved) / total
        arm = place - centre
        spin = (weight * arm.conj()) @ (moved - middle) / (weight @ np.abs(arm) ** 2 + 1e-3 * len(place))
        fitted = middle + spin * arm
        weight = 1 / np.maximum(np.abs(moved - fitted), 0.3)
    return fitted


def displacement(flow: F32, where: NDArray[np.bool_], unit: float) -> Displacement:
    """Splits the displacement field on the pixels ``where`` into a similarity, which a rigid part may show, and a bend."""
    y, x = np.nonzero(where)
    if len(x) < LEAST_POINTS:
        return Displacement(points=len(x))
    keep = slice(None, None, max(1, len(x) // 1500))
    y, x, count = y[keep], x[keep], len(x)
    field = flow[y, x].astype(np.float64)
    place = (x - x.mean()) + 1j * (y - y.mean())
    moved = field[:, 0] + 1j * field[:, 1]
    rigid = similarity(place / max(float(np.abs(place).max()), 1.0), moved)
    rest = np.abs(moved - rigid)
    return Displacement(
        shift=float(np.sqrt((np.abs(rigid) ** 2).mean())) / unit,
        bend=float(np.quantile(rest, 0.85)) / unit,
        points=count,
        moved=(float(rigid.mean().real) / unit, float(rigid.mean().imag) / unit),
    )
