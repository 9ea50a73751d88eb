# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a take with what the render knows about one part in it, and the way from one frame to another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from ..pipeline.pictures import F32, U8
from ..pipeline.truth import F64, Camera, GroundTruth

Mask = NDArray[np.bool_]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
FLOOR = 6.0
"""Code values added to both sides of a ratio of light, so that black does not count."""
_FINE_PX = 24
"""How far from an edge its distance is told finely."""
_LARGE = 1_500_000
"""Pixels from which a picture is refined 2 times, not 4."""


@dataclass(frozen=True)
class Plate:
    """``take`` and ``beauty`` (H, W, 3) float32 0..255 display RGB; ``matte`` (H, W) 0..1 visible coverage of the
    part; ``ids`` (H, W) who owns each pixel, 0 = no part; ``own`` the part's ID; ``depth`` (H, W) planar metres;
    ``normal`` (H, W, 3) camera space; ``poses`` world matrices (4, 4) by ID; ``width`` px of the whole picture, of
    which this may be cropped (0: it is not).
    """

    frame: int
    take: F32
    beauty: F32
    matte: F32
    ids: U8
    own: int
    depth: F32
    normal: F32
    camera: Camera
    poses: Mapping[int, F64]
    width: int = 0

    @property
    def solid(self) -> Mask:
        """(H, W) pixels that are the part's."""
        return np.asarray(self.ids == self.own)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return int(self.matte.shape[0]), int(self.matte.shape[1])

    @property
    def scale(self) -> float:
        """Pixels of this picture for each pixel of a picture 640 wide."""
        return (self.width or self.size[1]) / 640

    @cached_property
    def light(self) -> F32:
        """(H, W) float32 the render's light without its grain, in code values, never 0."""
        return np.asarray(cv2.GaussianBlur(self.beauty @ LUMA, (0, 0), 1.5 * self.scale) + FLOOR, np.float32)


def cropped(plate: Plate, box: tuple[slice, slice]) -> Plate:
    """The part of a plate inside ``box`` (rows, columns), with the camera that sees just that."""
    shift = np.zeros((3, 3))
    shift[0, 2], shift[1, 2] = box[1].start, box[0].start
    camera = replace(plate.camera, K=plate.camera.K - shift)
    pictures = {
        name: getattr(plate, name)[box] for name in ("take", "beauty", "matte", "ids", "depth", "normal")
    }
    return replace(plate, camera=camera, width=plate.width or plate.size[1], **pictures)


def box_around(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Rows and columns around the True pixels of ``mask``, which must have one, with ``margin`` px."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
    bottom, right = int(rows[-1]) + 1 + margin, int(columns[-1]) + 1 + margin
    return slice(top, min(bottom, mask.shape[0])), slice(left, min(right, mask.shape[1]))


def read_plate(truth: GroundTruth, frame: int, part: str, take: U8) -> Plate:
    """What is known of ``part`` in a frame whose picture in the take is ``take``. Raises InputError."""
    return replace(read_scene(truth, frame, take), matte=truth.matte(part, frame), own=truth.part(part).id)


def read_scene(truth: GroundTruth, frame: int, take: U8) -> Plate:
    """What is known of a frame whose picture in the take is ``take``, of no part alone. Raises InputError."""
    width, height = truth.size
    if take.shape[:2] != (height, width):
        raise InputError("The take has another size than the ground truth", where=f"frame {frame}")
    return Plate(
        frame=frame,
        take=take.astype(np.float32),
        beauty=truth.beauty(frame).astype(np.float32),
        matte=np.ones((height, width), np.float32),
        ids=truth.ids(frame),
        own=0,
        depth=truth.depth(frame),
        normal=truth.normal(frame),
        camera=truth.camera(frame),
        poses={0: np.eye(4), **{other.id: truth.pose(other.name, frame) for other in truth.parts}},
        width=width,
    )


def signed_distance(matte: F32) -> F32:
    """(H, W) px to the 0.5 level of a coverage matte, positive inside; to a quarter of a pixel and better as far as
    lines are drawn, so that a line at a distance from the edge is as smooth as the edge."""
    inside = matte >= 0.5
    far = np.where(inside, 1e4, -1e4).astype(np.float32)
    if inside.all() or not inside.any():
        return far
    within, beyond = (_away(side.astype(np.uint8)) - 0.5 for side in (inside, ~inside))
    coarse = np.where(inside, within, -beyond).astype(np.float32)
    box = box_around(np.abs(coarse) < 2, _FINE_PX)
    finer = 4 if matte[box].size < _LARGE else 2
    small = cv2.GaussianBlur(matte[box], (0, 0), 0.4)
    large = cv2.resize(small, None, fx=finer, fy=finer, interpolation=cv2.INTER_LINEAR) >= 0.5
    fine = _away(large.astype(np.uint8)) - _away((~large).astype(np.uint8))
    fine -= np.where(large, 0.5, -0.5)
    size = (small.shape[1], small.shape[0])
    found = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32) / finer
    band = np.abs(coarse[box]) < _FINE_PX
    coarse[box] = np.where(band, found, coarse[box])
    return coarse


def _away(mask: U8) -> F32:
    """(H, W) px from every pixel of ``mask`` to the nearest that is 0."""
    away = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.minimum(np.asarray(away, np.float32), 1e4)


def to_other_parts(plate: Plate) -> F32:
    """(H, W) px to the nearest pixel of another part, whose outline and colour may mix with this one's."""
    free = ((plate.ids == plate.own) | (plate.ids == 0)).astype(np.uint8)
    return _away(free)


def nearest(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(rows, columns), each (H, W): the nearest True pixel of ``mask``, which must have one."""
    _, labels = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(mask)
    row_of = np.zeros(int(labels.max()) + 1, np.intp)
    column_of = np.zeros_like(row_of)
    row_of[labels[mask]], column_of[labels[mask]] = rows, columns
    return row_of[labels], column_of[labels]


@dataclass(frozen=True)
class Way:
    """Where each pixel of a frame was in another one: ``x``, ``y`` (H, W) float32 for cv2.remap (pixel centres at
    whole numbers) and ``depth`` (H, W) that the surface should have there."""

    x: F32
    y: F32
    depth: F32


def way(here: Plate, there: Plate, owner: int) -> Way:
    """The way from ``here`` to ``there`` of the surface of ``owner``, by depth, camera and pose. Pixels off it go
    along with its nearest pixel, so that an outline drawn outside a matte comes with the part."""
    height, width = here.size
    solid = (here.ids == owner) & (here.depth > 0)
    rows, columns = np.nonzero(solid)
    grid_y, grid_x = np.mgrid[0:height, 0:width].astype(np.float32)
    if not rows.size:
        return Way(np.full_like(grid_x, -1e4), np.full_like(grid_y, -1e4), np.zeros_like(grid_x))
    pixels = np.stack([columns + 0.5, rows + 0.5], -1)
    world = here.camera.unproject(pixels, here.depth[rows, columns].astype(np.float64))
    motion = there.poses[owner] @ np.linalg.inv(here.poses[owner])
    moved = there.camera.project(world @ motion[:3, :3].T + motion[:3, 3])
    found = np.zeros((height, width, 3), np.float32)
    found[rows, columns] = moved - np.pad(pixels, ((0, 0), (0, 1)))
    row, column = nearest(solid)
    shift = found[row, column]
    return Way(grid_x + shift[..., 0], grid_y + shift[..., 1], shift[..., 2])


def visible(here: Plate, there: Plate, path: Way, owner: int, slack: float = 0.01) -> Mask:
    """(H, W): the followed surface of ``owner`` is what ``there`` shows: inside the picture, not behind another."""
    height, width = there.size
    inside = (path.x >= 0) & (path.x <= width - 1) & (path.y >= 0) & (path.y <= height - 1)
    same = np.abs(sample(there.depth, path, smooth=False) - path.depth) < slack * path.depth
    owned = sample(there.ids.astype(np.float32), path, smooth=False) == owner
    return np.asarray(inside & same & owned & (here.ids == owner))


def sample(picture: NDArray[np.float32], path: Way, *, smooth: bool = True) -> F32:
    """``picture`` (H, W[, C]) float32 looked up along ``path``; bicubic, or the nearest pixel."""
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return np.asarray(cv2.remap(picture, path.x, path.y, how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def filled(picture: F32, known: Mask) -> F32:
    """``picture`` (H, W, C) with unknown pixels grown smoothly from the known ones around them (pull and push
    through a pyramid, after Gortler et al. 1996). Zero where nothing is known."""
    weight = known.astype(np.float32)
    value = np.where(known[..., None], picture, 0).astype(np.float32)
    pyramid = [(value, weight)]
    while max(weight.shape) > 1:
        half = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
        value = np.atleast_3d(cv2.resize(value, half, interpolation=cv2.INTER_AREA))
        share = np.asarray(cv2.resize(weight, half, interpolation=cv2.INTER_AREA), np.float32)
        weight = np.minimum(4 * share, 1)  # one known pixel of four is enough to know the coarse one
        value = value * (weight / np.maximum(share, 1e-9))[..., None]
        pyramid.append((value, weight))
    result = np.zeros_like(pyramid[-1][0])
    for value, weight in reversed(pyramid):
        size = (weight.shape[1], weight.shape[0])
        below = np.atleast_3d(cv2.resize(result, size, interpolation=cv2.INTER_LINEAR))
        result = value + below * (1 - weight)[..., None]
    return np.where(known[..., None], picture, result).astype(np.float32)
