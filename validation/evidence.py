# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that show a finding: render and take side by side around the part, with the outline that was expected."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import U8, write_picture
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .findings import Finding

PANEL_HEIGHT = 300
EXPECTED = (255, 138, 0)
HALO = (20, 20, 24)
GUTTER = 6


def take_picture(take: TakeFolder, frame: int, size: tuple[int, int]) -> U8:
    """A frame of the take at the shot's size."""
    picture = take.frame(frame)
    if picture.shape[1::-1] != size:
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return picture


def _box(mask: NDArray[np.bool_], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of the picture's own proportions (x0, y0, x1, y1) around the mask, with air."""
    width, height = size
    if not mask.any():
        return 0, 0, width, height
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    w = max(2.0 * (xs[-1] - xs[0] + 1), 1.33 * 2.0 * (ys[-1] - ys[0] + 1), width / 8)
    h = min(w / 1.33, height)
    w = min(1.33 * h, width)
    x0 = int(np.clip((xs[0] + xs[-1] + 1 - w) / 2, 0, width - w))
    y0 = int(np.clip((ys[0] + ys[-1] + 1 - h) / 2, 0, height - h))
    return x0, y0, x0 + int(w), y0 + int(h)


def draw_outline(picture: U8, mask: NDArray[np.bool_], scale: float, origin: tuple[int, int]) -> U8:
    """Draws the mask's outline over an enlarged crop whose top left corner is ``origin``."""
    big = cv2.resize(mask.astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    lines, _ = cv2.findContours((big > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    out = picture.copy()
    shift = (-int(origin[0] * scale), -int(origin[1] * scale))
    cv2.drawContours(out, lines, -1, HALO, 3, cv2.LINE_AA, offset=shift)
    cv2.drawContours(out, lines, -1, EXPECTED, 1, cv2.LINE_AA, offset=shift)
    return out


def crop_pair(render: U8, styled: U8, mask: NDArray[np.bool_]) -> U8:
    """(H, W, 3): render | take, cropped around the mask and enlarged, with the expected outline in both."""
    x0, y0, x1, y1 = _box(mask, (render.shape[1], render.shape[0]))
    scale = PANEL_HEIGHT / (y1 - y0)
    panels = []
    for picture in (render, styled):
        crop = np.ascontiguousarray(picture[y0:y1, x0:x1])
        big = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
        panels.append(draw_outline(big, mask, scale, (x0, y0)) if mask.any() else big)
    gutter = np.full((panels[0].shape[0], GUTTER, 3), 250, np.uint8)
    return np.hstack([panels[0], gutter, panels[1]])


def write_crop(truth: GroundTruth, take: TakeFolder, finding: Finding, source: int, folder: Path) -> str:
    """Writes the finding's crop pair; returns its path relative to the report."""
    render = truth.beauty(source)
    styled = take_picture(take, finding.worst, truth.size)
    ids = truth.ids(source)
    mask = ids == truth.part(finding.part).id if finding.part else np.zeros(ids.shape, bool)
    name = f"crops/{finding.id}_{finding.part or 'take'}_{finding.kind}.png"
    write_picture(folder / name, crop_pair(render, styled, mask))
    return name
