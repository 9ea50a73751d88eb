# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn lines and panes of a part, looked up by where they lie on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.pictures import read_gray
from .outline import Outline

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Decor:
    """``lines`` and ``panes`` (H, W) float32 0..1 in the drawing's pixels; the place of the axis and of the bottom there.

    ``view_tilt`` is the slope under which rings were drawn: bowed rings mean that the part was seen a little from above.
    """

    lines: F32
    panes: F32
    px_per_mm: float
    axis_px: float
    bottom_px: float
    view_tilt: float = 0.0

    def at(self, picture: F32, x_mm: F64, z_mm: F64) -> F64:
        """Values of ``picture`` at places on the drawing (arrays of one shape, two-dimensional)."""
        columns = np.asarray(self.axis_px + x_mm * self.px_per_mm, np.float32)
        rows = np.asarray(self.bottom_px - z_mm * self.px_per_mm, np.float32)
        return np.asarray(
            cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, 0), np.float64
        )


def load_decor(outline: Outline, profile: F64 | None = None) -> Decor | None:
    """The decor that Ideate wrote beside the outline; None if there is no picture. ``profile`` of a turned part, in mm of the
    drawing, lets the view's tilt be found. Raises InputError if the picture is damaged."""
    name = outline.picture.get("decor")
    if not name:
        return None
    grey = read_gray(outline.folder / str(name))
    lines = np.asarray(grey, np.float32) / (65535 if grey.dtype == np.uint16 else 255)
    scale, axis, bottom = (float(outline.picture[key]) for key in ("px_per_mm", "axis_px", "bottom_px"))
    panes = np.zeros(lines.shape, np.float32)
    for pane in outline.panes:
        points = pane * (1, -1) * scale + (axis, bottom)
        cv2.fillPoly(panes, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    if profile is not None:
        mirror = cv2.warpAffine(panes, np.array([[-1, 0, 2 * axis], [0, 1, 0]], float), panes.shape[::-1])
        panes = np.maximum(panes, mirror)
    depth = cv2.distanceTransform((panes > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / scale
    glow = 0.5 + 0.5 * np.clip(depth / max(0.07 * outline.height_mm, 1e-6), 0, 1)
    decor = Decor(np.clip(lines, 0, 1), np.asarray(panes * glow, np.float32), scale, axis, bottom)
    return decor if profile is None else _with_tilt(decor, profile)


def _with_tilt(decor: Decor, profile: F64) -> Decor:
    """Finds the tilt at which the drawn lines make the straightest rings around the part."""
    z = np.linspace(float(profile[:, 1].min()), float(profile[:, 1].max()), 500)
    order = np.argsort(profile[:, 1], kind="stable")
    radius = np.interp(
        z, profile[order, 1], np.maximum.accumulate(profile[order, 0]) * 0 + profile[order, 0]
    )[:, None]
    turn = np.radians(np.linspace(-62, 62, 45))[None, :]
    soft = cv2.GaussianBlur(decor.lines, (0, 0), 0.12 * decor.px_per_mm)
    best = (-1.0, 0.0)
    for tilt in np.arange(-0.03, 0.121, 0.005):
        seen = decor.at(soft, radius * np.sin(turn), z[:, None] - tilt * radius * np.cos(turn))
        score = float((seen.mean(axis=1) ** 3).sum()) * (1 - 0.4 * abs(float(tilt)))
        if score > best[0]:
            best = (score, float(tilt))
    return Decor(**{**vars(decor), "view_tilt": best[1]})
