# SPDX-License-Identifier: GPL-3.0-or-later
"""What is new in the background: pixels of no part that look otherwise than the same place does in other frames.

The background stands still in the world, so it is carried by the camera alone. A style may invent any background; what
it invented should be there in the other frames too. (Unexplained structure, notes M13.)
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import DEPTH_TOLERANCE, Region, Rig
from .plates import Plate
from .surface import nearest, sampled

STEP = 4
"""Working pixels (at unit 1) of one cell."""
AIR = 2
"""Cells around a part that don't count: a style may draw outlines, glow and shadows there."""
NEW_LAB = 9.0
UNLIKE_LAB = 16.0
LIKE_SIZE = 0.5
COPY = 0.45
"""Likeness from which a new thing is a copy of a part."""
SKY = 1e6
"""Depth, in m, of what has none: at infinity."""


@dataclass(frozen=True)
class Blob:
    """The largest new thing: ``area`` in square px of a picture 640 wide, ``x``, ``y`` in shares of the picture,
    ``lab`` (n, 3) colours of its cells."""

    area: float
    x: float
    y: float
    lab: F32


def likeness(blob: Blob, part: F32, area: float) -> float:
    """0..1: how much a new thing is like a part whose colours are ``part`` (n, 3) Lab and whose ``area`` is in the same
    unit: every colour of the one must be in the other, and they must be about as large."""
    if not len(blob.lab) or not len(part) or area <= 0:
        return 0.0
    some = sampled(part)
    apart = max(float(np.median(nearest(blob.lab, some))), float(np.quantile(nearest(some, blob.lab), 0.6)))
    size = min(blob.area / area, area / blob.area)
    return float(np.clip(1 - apart / UNLIKE_LAB, 0, 1) * min(1.0, size / LIKE_SIZE))


class Backdrop:
    """The background of one frame in cells, compared with that of other frames."""

    def __init__(self, rig: Rig, plate: Plate) -> None:
        self.rig, self.plate = rig, plate
        self.lab, self.depth, self.free = _cells(plate)
        self.new: F32 | None = None
        """(h, w) Lab by which a cell differs from the most alike of the other frames; 0 where nothing is known."""

    def compare(self, there: "Backdrop") -> None:
        """Takes in one other frame."""
        height, width = self.depth.shape
        ys, xs = np.nonzero(self.free)
        if not len(xs):
            return
        step = self.plate.ids.shape[1] / width
        px, py = (xs + 0.5) * step - 0.5, (ys + 0.5) * step - 0.5
        points = self.rig.points(self.plate.frame, px, py, self.depth[ys, xs])
        move = self.rig.carry(self.plate.frame, there.plate.frame, -1).astype(np.float32)
        moved = points @ move[:3, :3].T + move[:3, 3]
        x, y = self.rig.project(there.plate.frame, moved)
        x, y = (x + 0.5) / step - 0.5, (y + 0.5) / step - 0.5
        xi, yi = np.rint(x).clip(0, width - 1).astype(np.intp), np.rint(y).clip(0, height - 1).astype(np.intp)
        inside = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5) & there.free[yi, xi]
        inside &= np.abs(there.depth[yi, xi] - moved[:, 2]) < 3 * DEPTH_TOLERANCE * moved[:, 2]
        at = np.stack([x, y], 1).astype(np.float32)[None]
        other = cv2.remap(there.lab, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        change = self.lab[ys, xs] - other
        if inside.sum() < 40:
            return
        change -= np.median(change[inside], axis=0)
        found = np.full((height, width), np.inf, np.float32)
        found[ys[inside], xs[inside]] = np.linalg.norm(change[inside], axis=1)
        self.new = found if self.new is None else np.minimum(self.new, found)

    def known(self) -> F32:
        """(h, w) what is new, 0 where nothing is known."""
        if self.new is None:
            return np.zeros(self.depth.shape, np.float32)
        return np.where(np.isfinite(self.new), self.new, 0).astype(np.float32)

    def within(self, x: float, y: float, box: Region) -> float:
        """Median Lab of what is new where a copy of a part with ``box`` would lie about ``x``, ``y`` (shares)."""
        new = self.known()
        height, width = new.shape
        w = max(1.0, 0.35 * (box.x1 - box.x0) * width / self.plate.ids.shape[1])
        h = max(1.0, 0.35 * (box.y1 - box.y0) * height / self.plate.ids.shape[0])
        rows = slice(max(0, int(y * height - h)), int(y * height + h) + 1)
        columns = slice(max(0, int(x * width - w)), int(x * width + w) + 1)
        known = new[rows, columns][self.free[rows, columns]]
        return float(np.median(known)) if len(known) else 0.0

    def blob(self) -> Blob:
        """The largest connected new thing."""
        new = self.known()
        spread = float(np.median(new[self.free])) if self.free.any() else 0.0
        hot = (new > NEW_LAB + 3 * spread).astype(np.uint8)
        count, labels, stats, centres = cv2.connectedComponentsWithStats(hot, connectivity=4)
        if count < 2:
            return Blob(0.0, float("nan"), float("nan"), np.zeros((0, 3), np.float32))
        best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        height, width = new.shape
        area = float(stats[best, cv2.CC_STAT_AREA]) * (640 / width) ** 2
        x, y = (centres[best] + 0.5) / (width, height)
        return Blob(area, float(x), float(y), sampled(self.lab[labels == best]))


def _cells(plate: Plate) -> tuple[F32, F32, NDArray[np.bool_]]:
    """Lab (h, w, 3), depth (h, w) and whether no part is there nor near (h, w), in cells."""
    step = max(1, round(STEP * plate.unit))
    size = max(8, plate.ids.shape[1] // step), max(8, plate.ids.shape[0] // step)
    lab = cv2.resize(plate.take_lab, size, interpolation=cv2.INTER_AREA)
    rows = ((np.arange(size[1]) + 0.5) * plate.ids.shape[0] / size[1]).astype(np.intp)
    columns = ((np.arange(size[0]) + 0.5) * plate.ids.shape[1] / size[0]).astype(np.intp)
    depth = plate.depth[rows[:, None], columns[None]]
    parts = cv2.resize((plate.ids > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    near = cv2.dilate(parts.astype(np.uint8), np.ones((2 * AIR + 1,) * 2, np.uint8)) > 0
    return np.asarray(lab, np.float32), np.where(depth > 0, depth, SKY).astype(np.float32), ~near
