# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame of ground truth taken apart: one layer a part and one for what is behind, each with all that shading
needs, grown a little past its edge so that the coverage mattes alone decide where it ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""(y0, y1, x0, x1) in pixels, half open."""

BACKGROUND = ""
THIRDS, ONES = np.full(3, 1 / 3, np.float32), np.ones(3, np.float32)
"""Products with them are means and sums over a short last axis, much faster than numpy's reductions."""


@dataclass(frozen=True)
class FrameTruth:
    """The passes of one frame: ``beauty`` (H, W, 3) float32 0..1 display RGB, ``ids`` (H, W) uint8, ``coverage``
    {part: (H, W) float32 0..1}, ``depth`` (H, W) planar metres (0 = nothing), ``normal`` (H, W, 3) camera space
    (x right, y up, z to the camera), camera and world poses."""

    frame: int
    beauty: F32
    ids: NDArray[np.uint8]
    coverage: Mapping[str, F32]
    depth: F32
    normal: F32
    K: NDArray[np.float64]
    world_to_camera: NDArray[np.float64]
    poses: Mapping[str, NDArray[np.float64]]
    part_ids: Mapping[str, int]
    orthographic: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return int(self.ids.shape[0]), int(self.ids.shape[1])


@dataclass
class Layer:
    """What is drawn of one part inside ``box``. ``light`` is the part's brightness in the beauty, ``tint`` its
    hue there (mean of channels 1), ``detail`` the fine light and dark of its texture about 0. ``over`` layers
    are laid on top of the finished others; ``gain`` and ``hue`` only scripted defects set."""

    name: str
    box: Box
    coverage: F32
    normal: F32
    depth: F32
    light: F32
    tint: F32
    detail: F32
    over: bool = False
    gain: float = 1.0
    hue: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def warp(self, dx: F32, dy: F32) -> None:
        """Moves everything by (dx, dy) px, (h, w) each: the picture at x comes from x - d."""
        height, width = self.coverage.shape
        x = (np.arange(width, dtype=np.float32)[None, :] - dx).astype(np.float32)
        y = (np.arange(height, dtype=np.float32)[:, None] - dy).astype(np.float32)
        for name in ("coverage", "normal", "depth", "light", "tint", "detail"):
            border = cv2.BORDER_CONSTANT if name == "coverage" else cv2.BORDER_REPLICATE
            moved = cv2.remap(getattr(self, name), x, y, cv2.INTER_LINEAR, borderMode=border)
            setattr(self, name, np.asarray(moved, np.float32))


@dataclass
class FrameLayers:
    """The layers of a frame, background first, with the frame they came from."""

    truth: FrameTruth
    layers: list[Layer] = field(default_factory=list)


def fill(values: F32, valid: Mask) -> F32:
    """(h, w, C) ``values`` with everything outside ``valid`` (h, w) filled smoothly from what is inside."""
    box = box_of(~valid, 24)
    if box is None:
        return values
    rows, columns = slice(box[0], box[1]), slice(box[2], box[3])
    weight = valid[rows, columns].astype(np.float32)[..., None]
    result = values.copy()
    result[rows, columns] = _pull(values[rows, columns] * weight, weight)
    return result


def _pull(values: F32, weight: F32) -> F32:
    known = weight[..., 0] > 0.999
    average = values / np.maximum(weight, 1e-6)
    if known.all() or min(known.shape) < 3:
        return np.asarray(
            np.where(weight > 1e-6, average, values.sum((0, 1)) / max(float(weight.sum()), 1e-6))
        )
    small = cv2.pyrDown(np.concatenate([values, weight], -1))
    coarse = _pull(small[..., :-1], small[..., -1:])
    height, width = known.shape
    up = np.atleast_3d(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))
    trust = np.clip(weight * 4, 0, 1)
    return np.asarray(average * trust + up * (1 - trust), np.float32)


def box_of(mask: Mask, margin: int) -> Box | None:
    """The bounding box of a mask grown by ``margin`` px inside the picture, None for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return None
    height, width = mask.shape
    return (
        max(int(rows[0]) - margin, 0), min(int(rows[-1]) + 1 + margin, height),
        max(int(columns[0]) - margin, 0), min(int(columns[-1]) + 1 + margin, width),
    )  # fmt: skip


def _layer(truth: FrameTruth, name: str, coverage: F32, valid: Mask, box: Box) -> Layer:
    rows, columns = slice(box[0], box[1]), slice(box[2], box[3])
    inside = valid[rows, columns]
    beauty = truth.beauty[rows, columns]
    light = beauty @ THIRDS
    disparity = 1 / np.maximum(truth.depth[rows, columns], 1e-4)
    stack = np.dstack([truth.normal[rows, columns], disparity, beauty, light])
    stack = fill(stack.astype(np.float32), inside)
    light = np.ascontiguousarray(stack[..., 7])
    smooth = cv2.GaussianBlur(light, (0, 0), 5 * truth.size[1] / 640 + 0.5)
    normal = stack[..., :3] / np.maximum(np.sqrt(np.square(stack[..., :3]) @ ONES)[..., None], 1e-6)
    tint = cv2.GaussianBlur(stack[..., 4:7], (0, 0), 0.8)
    return Layer(
        name=name,
        box=box,
        coverage=np.ascontiguousarray(coverage[rows, columns]),
        normal=np.ascontiguousarray(normal, np.float32),
        depth=np.asarray(1 / np.maximum(stack[..., 3], 1e-6), np.float32),
        light=light,
        tint=np.asarray(tint / np.maximum((tint @ THIRDS)[..., None], 0.02), np.float32),
        detail=np.asarray(np.clip(light / np.maximum(smooth, 0.02) - 1, -0.6, 0.6), np.float32),
    )


def split(truth: FrameTruth, margins: Mapping[str, int], without: Iterable[str] = ()) -> FrameLayers:
    """The layers of a frame. ``margins`` says how far past a part's edge its layer reaches, in px (default 8 at
    640 wide); the parts in ``without`` are painted out: what surrounds them closes over the gap."""
    height, width = truth.size
    standard = max(4, round(8 * width / 640))
    coverage = {name: np.asarray(alpha, np.float32) for name, alpha in truth.coverage.items()}
    coverage[BACKGROUND] = np.clip(1 - sum(coverage.values(), np.zeros((height, width), np.float32)), 0, 1)
    owner = {**truth.part_ids, BACKGROUND: 0}
    valid = {name: _certain(truth.ids == owner[name], coverage[name]) for name in coverage}
    for name in without:
        if name in coverage:
            hole = _hole(coverage.pop(name), width)
            coverage = _close(coverage, hole)
            valid = {other: mask & ~hole for other, mask in valid.items()}
    result = FrameLayers(truth)
    for name in sorted(coverage):
        box = (
            (0, height, 0, width)
            if name == BACKGROUND
            else box_of(coverage[name] > 0.01, margins.get(name, standard))
        )
        if box is None or not valid[name].any():
            continue
        result.layers.append(_layer(truth, name, coverage[name], valid[name], box))
    return result


def _certain(owned: Mask, coverage: F32) -> Mask:
    """The pixels that show nothing but the part; where it is too thin to have any, all that it owns."""
    sure = owned & (coverage > 0.97)
    return sure if sure.any() else owned


def _hole(alpha: F32, width: int) -> Mask:
    reach = max(2, round(2.5 * width / 640))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate((alpha > 0.01).astype(np.uint8), kernel) > 0)


def _close(coverage: dict[str, F32], hole: Mask) -> dict[str, F32]:
    """Who owns the pixels of ``hole`` now: the background, save where the outlines that run into the hole close
    across it on the shortest way (threshold dynamics: blur, the strongest takes the pixel, again)."""
    box = box_of(hole, 12)
    if box is None:
        return coverage
    rows, columns = slice(box[0], box[1]), slice(box[2], box[3])
    inside = hole[rows, columns]
    rim = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~inside
    names = [name for name in coverage if coverage[name][rows, columns][rim].sum() > 1]
    stack = np.dstack([coverage[name][rows, columns] for name in names])
    known = np.where(inside[..., None], 0, stack).astype(np.float32)
    start = fill(stack, ~inside).argmax(-1)
    if BACKGROUND in names:
        start[:] = names.index(BACKGROUND)
    owners = np.eye(len(names), dtype=np.float32)
    value = np.where(inside[..., None], owners[start], known)
    across = float(np.sqrt(inside.sum()))
    for sigma in [max(across / 5, 2.0)] * 8 + [max(across / 10, 1.5)] * 8 + [1.5] * 6:
        spread = cv2.GaussianBlur(value, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        winner = owners[np.atleast_3d(spread).argmax(-1)]
        value = np.where(inside[..., None], winner, known).astype(np.float32)
    value = np.atleast_3d(cv2.GaussianBlur(value, (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE))
    sharp = [_sharpen(value, index) for index in range(len(names))]
    total = np.maximum(sum(sharp), 1e-4)
    result = {name: np.where(hole, 0, alpha).astype(np.float32) for name, alpha in coverage.items()}
    for name, alpha in zip(names, sharp, strict=True):
        result[name][rows, columns] = np.where(inside, alpha / total, coverage[name][rows, columns])
    return result


def _sharpen(value: F32, index: int) -> F32:
    """The soft share of one owner turned into an edge one pixel wide where it overtakes the strongest other."""
    others = np.delete(value, index, -1)
    lead = value[..., index] - (others.max(-1) if others.shape[-1] else 0)
    gradient = np.hypot(cv2.Sobel(lead, -1, 1, 0, scale=1 / 8), cv2.Sobel(lead, -1, 0, 1, scale=1 / 8))
    return np.asarray(np.clip(0.5 + lead / np.maximum(gradient, 1e-3), 0, 1), np.float32)
