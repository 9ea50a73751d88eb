# SPDX-License-Identifier: GPL-3.0-or-later
"""A part at one frame, with all that its measures need of the truth, and where in the take motion can be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import Mask, Region, Rig, Surface
from .contours import Contour, trace
from .fits import PLANE, Frame, Lens, frame_of
from .joints import Joint
from .plates import Plate
from .surface import solid

GRID = 500
LEAST_POINTS = 24
LEAST_CLEAR = 0.3
CLEAR_SLOPE = 9.0
"""Slope of the structure picture (codes a pixel) at which a line is half clear."""
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A part at one frame. ``mask``, ``solid`` (mask less its rim) on its ``box``; ``rows``, ``columns`` (n,) a spread
    of solid pixels of the region, with their ``points`` (n, 3), ``jacobian`` (n, 2, 6) and ``polynomials`` (n, 9)."""

    name: str
    id: int
    box: Region
    mask: Mask
    solid: Mask
    contour: Contour
    surface: Surface
    lens: Lens
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    points: F32
    jacobian: F64
    polynomials: F64

    @classmethod
    def of(cls, rig: Rig, here: Plate, region: Region, surface: Surface, name: str) -> "Piece":
        """The part whose visible surface is ``surface``; ``region`` holds all parts of the frame."""
        box = surface.box
        mask = here.ids[box.cut] == surface.id
        inner = solid(mask.astype(np.uint8), here.unit)
        keep = np.flatnonzero(inner[surface.y - box.y0, surface.x - box.x0])
        keep = keep[:: max(1, -(-len(keep) // GRID))]
        pixels = np.stack([surface.x, surface.y], 1).astype(np.float64)
        lens = Lens.of(surface.points, pixels, rig.cameras[here.frame][0], rig.orthographic)
        points = surface.points[keep]
        return cls(
            name, surface.id, box, mask, inner, trace(here, surface.id, box), surface, lens,
            surface.y[keep] - region.y0, surface.x[keep] - region.x0,
            points, lens.jacobian(points), lens.polynomials(pixels[keep]),
        )  # fmt: skip


class Lines:
    """Where motion can be read, and in which direction."""

    def __init__(self, structure: NDArray[np.uint8], unit: float) -> None:
        """``structure`` (h, w) of the region."""
        soft = cv2.GaussianBlur(structure, (0, 0), max(0.8, unit)).astype(np.float32)
        self._gx = cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 32)
        self._gy = cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 32)
        self._unit = np.float32(unit)

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[F32, F32]:
        """Unit gradients (n, 2), and how clear they are (n,) 0..1, at some pixels."""
        gx, gy = self._gx[rows, columns], self._gy[rows, columns]
        slope = np.hypot(gx, gy) + np.float32(1e-6)
        power = (slope * self._unit) ** 2
        return np.stack([gx / slope, gy / slope], -1), power / (power + np.float32(CLEAR_SLOPE**2))


def shape_of(rig: Rig, here: Plate, piece: Piece, across: F32, clear: F32, joints: Sequence[Joint]) -> Frame:
    """How displacement fields of the part compare here, with its tilts and the motions of its joints: where, and in
    the direction in which, they can be read, so that nothing counts that nobody saw. ``across`` (n, 2) and ``clear``
    (n,) of the piece's pixels, see Lines."""
    if (clear > LEAST_CLEAR).sum() < LEAST_POINTS:
        clear = np.ones(len(clear), np.float32)
    weight = np.where(clear > LEAST_CLEAR, clear, 0).astype(np.float64)
    points = piece.points.astype(np.float64)
    motions = [piece.jacobian[..., PLANE], piece.jacobian[..., PLANE + 1]]
    for joint in joints:
        for turn, travel in joint.velocities(rig, here.frame, piece.id, points):
            motions += [piece.lens.seen(points, v) / here.unit for v in (turn, travel)]
    return frame_of(
        piece.jacobian, piece.polynomials, np.stack(motions, 2), across.astype(np.float64), weight
    )
