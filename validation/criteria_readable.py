# SPDX-License-Identifier: GPL-3.0-or-later
"""Can what is drawn on a part still be read? Its strokes in the take beside those of the render.

Both show the same surface at the same pixels, so strokes are compared where they must be: by the direction in which
brightness or colour changes, doubled, so that light on dark and dark on light are the same; strength and colour don't
count. A stroke that is another one, or none, is not alike. Cells of a letter's size are compared each on its own and
may lie a little off.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import Plate
from .surface import solid

Mask = NDArray[np.bool_]
Strokes = NDArray[np.complex64]
CELL_PX = 12.0
"""Units (pixels of a picture 640 wide): 36 px at 1080p."""
SLACK_PX = 1.4
STROKE_L = 2.5
"""Lab change a working pixel from which the render has a stroke."""
LEAST_STROKE = 0.12
"""Share of a cell that strokes must cover."""
LEAST_CELLS = 4
ALIKE = 0.45
LIMIT_LIKE = 0.97
"""Share of the drawing. All looks keep 1.000; with 15 % of a text's patches scrambled it is 0.96, with 30 % 0.90."""
SHIFT_PX = 6.0
"""A part that lies elsewhere as a whole can be read all the same."""


@dataclass(frozen=True)
class Reading:
    """``likeness`` (n,) of the cells that have strokes, -1..1; ``weight`` (n,) how much is drawn in each."""

    likeness: NDArray[np.float64]
    weight: NDArray[np.float64]

    @property
    def share(self) -> float:
        """How much of the drawing is as in the render, 0..1; NaN where too little is drawn to tell."""
        if len(self.weight) < LEAST_CELLS:
            return float("nan")
        return float(np.average(self.likeness > ALIKE, weights=self.weight))


def read(plate: Plate, part_id: int) -> Reading:
    """The drawing on what shows of a part."""
    nothing = Reading(np.zeros(0), np.zeros(0))
    mask = (plate.ids == part_id).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(mask)
    if w * h == 0:
        return nothing
    box = slice(y, y + h), slice(x, x + w)
    inner = solid(mask[box], plate.unit)
    render, take = (_strokes(lab[box], plate.unit) for lab in (plate.beauty_lab, plate.take_lab))
    drawn = inner & (np.abs(render) > STROKE_L / plate.unit)
    cell = max(8, round(CELL_PX * plate.unit))
    weight = _cells(np.where(drawn, np.abs(render), 0), cell)
    covered = _cells(drawn.astype(np.float32), cell) / cell**2
    used = covered > LEAST_STROKE
    if not used.any():
        return nothing
    own = np.where(drawn, render, 0)
    found = Reading(_likeness(render, take, drawn, cell, plate.unit)[used], weight[used])
    if found.share > LIMIT_LIKE:
        return found
    moved = _aligned(own, take, max(1, round(SHIFT_PX * plate.unit)))
    other = Reading(_likeness(render, moved, drawn, cell, plate.unit)[used], weight[used])
    return other if other.share > found.share else found


def _strokes(lab: F32, unit: float) -> Strokes:
    """(h, w) complex: strength of the strongest change and twice its angle, from the structure tensor of Lab."""
    soft = cv2.GaussianBlur(lab, (0, 0), max(0.5, 0.6 * unit))
    gx, gy = (cv2.Scharr(soft, cv2.CV_32F, *step, scale=1 / 32) for step in ((1, 0), (0, 1)))
    real, imaginary = (gx * gx - gy * gy).sum(2), 2 * (gx * gy).sum(2)
    size = np.sqrt(np.sqrt(real * real + imaginary * imaginary))
    return np.asarray((real + 1j * imaginary) / np.maximum(size, 1e-6), np.complex64)


def _aligned(own: Strokes, take: Strokes, reach: int) -> Strokes:
    """``take`` moved as a whole by up to ``reach`` pixels to where it fits the render's strokes best, whatever their
    strength in the take."""
    flat = take / (np.abs(take) + np.float32(1e-3) + np.abs(take).mean())
    planes = [np.stack([z.real, z.imag], -1).astype(np.float32) for z in (own, flat)]
    wide = cv2.copyMakeBorder(planes[1], *(reach,) * 4, cv2.BORDER_CONSTANT, value=0)
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(wide, planes[0], cv2.TM_CCORR))
    return np.roll(take, (reach - y, reach - x), (0, 1))


def _cells(values: F32, cell: int) -> NDArray[np.float64]:
    """Sums over cells that overlap by half."""
    total = np.pad(np.asarray(values, np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    ys = np.arange(0, max(1, values.shape[0] - cell // 2), max(1, cell // 2))
    xs = np.arange(0, max(1, values.shape[1] - cell // 2), max(1, cell // 2))
    y2, x2 = np.minimum(ys + cell, values.shape[0]), np.minimum(xs + cell, values.shape[1])
    return np.asarray(
        total[np.ix_(y2, x2)] - total[np.ix_(ys, x2)] - total[np.ix_(y2, xs)] + total[np.ix_(ys, xs)]
    )


def _likeness(render: Strokes, take: Strokes, drawn: Mask, cell: int, unit: float) -> NDArray[np.float64]:
    """Correlation of the strokes of each cell, at the small offset where it is best."""
    own = np.where(drawn, render, 0)
    power = _cells(np.abs(own) ** 2, cell)
    reach = max(1, round(SLACK_PX * unit))
    best = np.full(power.shape, -1.0)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            moved = np.roll(take, (dy, dx), (0, 1))
            both = _cells((own * moved.conj()).real, cell)
            theirs = _cells(np.where(drawn, np.abs(moved) ** 2, 0), cell)
            best = np.maximum(best, both / np.sqrt(np.maximum(power * theirs, 1e-9)))
    return best
