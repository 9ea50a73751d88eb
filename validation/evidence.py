# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that show a finding: render and take side by side around the part, with the outline that was expected."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from ..pipeline.pictures import U8, write_picture
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .register import F64, from_centres

if TYPE_CHECKING:
    from .findings import Finding

PANEL_HEIGHT = 330
ASPECT = 1.33
EXPECTED = (255, 138, 0)
OTHER = (140, 205, 255)
HERE = (255, 226, 74)
HALO = (20, 20, 24)
GUTTER = 6
DASH = 7
Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


def take_picture(take: TakeFolder, frame: int, size: tuple[int, int]) -> U8:
    """A frame of the take at the shot's size."""
    picture = take.frame(frame)
    if picture.shape[1::-1] != size:
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return picture


def shown(take: TakeFolder, frame: int, size: tuple[int, int], matrix: F64 | None = None) -> U8:
    """The frame of the take at the shot's size, through ``matrix`` (2, 3; Conformed.matrix) if there is one; or plain
    grey where the take has no such frame that can be read: that may be the finding."""
    try:
        if matrix is None:
            return take_picture(take, frame, size)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(take.frame(frame), from_centres(matrix), size, flags=flags), np.uint8
        )
    except InputError:
        return np.full((size[1], size[0], 3), 96, np.uint8)


def around(masks: Sequence[Mask], where: Sequence[float] | None, size: tuple[int, int]) -> Box:
    """A box (x0, y0, x1, y1) with air around the masks and the place ``where`` (x, y, w, h in 0..1); the whole picture
    if there are none."""
    width, height = size
    corners = [(xs[0], ys[0], xs[-1] + 1, ys[-1] + 1)
               for mask in masks if len(ys := np.flatnonzero(mask.any(1))) and len(xs := np.flatnonzero(mask.any(0)))]  # fmt: skip
    if where is not None:
        x, y, w, h = where
        corners.append((x * width, y * height, (x + w) * width, (y + h) * height))
    if not corners:
        return 0, 0, width, height
    (left, top), (right, bottom) = np.min(corners, 0)[:2], np.max(corners, 0)[2:]
    w = max(1.9 * (right - left), ASPECT * 1.9 * (bottom - top), width / 8)
    h = min(w / ASPECT, height)
    w = min(ASPECT * h, width)
    x0 = int(np.clip((left + right - w) / 2, 0, width - w))
    y0 = int(np.clip((top + bottom - h) / 2, 0, height - h))
    return x0, y0, x0 + max(2, int(w)), y0 + max(2, int(h))


def draw_outline(picture: U8, mask: Mask, box: Box, colour: tuple[int, int, int], dashed: bool = False) -> U8:
    """Draws the mask's outline over ``picture``, which shows ``box`` of the mask enlarged."""
    x0, y0, x1, y1 = box
    size = (picture.shape[1], picture.shape[0])
    big = cv2.resize(mask[y0:y1, x0:x1].astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    if (scale := size[0] / (x1 - x0)) > 1:  # without the steps of the mask's pixels
        big = cv2.GaussianBlur(big, (0, 0), 0.5 * scale)
    lines, _ = cv2.findContours((big > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    out = picture.copy()
    for ink, thick in ((HALO, 4), (colour, 2)):
        if not dashed:
            cv2.drawContours(out, lines, -1, ink, thick, cv2.LINE_AA)
            continue
        for line in lines:
            for start in range(0, len(line), 2 * DASH):
                cv2.polylines(out, [line[start : start + DASH]], False, ink, thick, cv2.LINE_AA)
    return out


def crop_pair(render: U8, styled: U8, mask: Mask, others: Sequence[Mask] = (), where: Sequence[float] | None = None) -> U8:  # fmt: skip
    """(H, W, 3): render | take, cropped and enlarged, with the expected outline in both; ``others`` dashed, and in the
    take a box at ``where``."""
    height, width = render.shape[:2]
    box = around([mask, *others], where, (width, height))
    x0, y0, x1, y1 = box
    scale = PANEL_HEIGHT / (y1 - y0)
    size = (max(1, round((x1 - x0) * scale)), PANEL_HEIGHT)
    panels = []
    for picture in (render, styled):
        shrink = scale < 1
        crop = np.ascontiguousarray(picture[y0:y1, x0:x1])
        panel = np.asarray(
            cv2.resize(crop, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC), np.uint8
        )
        for other in others:
            panel = draw_outline(panel, other, box, OTHER, dashed=True)
        panels.append(draw_outline(panel, mask, box, EXPECTED))
    if where is not None:
        x, y, w, h = where
        first = (int((x * width - x0) * scale) - 3, int((y * height - y0) * scale) - 3)
        last = (int(((x + w) * width - x0) * scale) + 3, int(((y + h) * height - y0) * scale) + 3)
        for ink, thick in ((HALO, 4), (HERE, 2)):
            cv2.rectangle(panels[1], first, last, ink, thick, cv2.LINE_AA)
    gutter = np.full((PANEL_HEIGHT, GUTTER, 3), 250, np.uint8)
    return np.hstack([panels[0], gutter, panels[1]])


def write_crop(
    truth: GroundTruth,
    take: TakeFolder,
    finding: "Finding",
    source: int,
    folder: Path,
    matrix: F64 | None = None,
) -> str:
    """Writes the finding's crop pair, the take through ``matrix``; returns its path relative to the report."""
    ids = truth.ids(source)
    masks = [ids == truth.part(name).id for name in (finding.part, *getattr(finding, "others", ())) if name]
    mask = masks.pop(0) if finding.part else np.zeros(ids.shape, bool)
    picture = crop_pair(truth.beauty(source), shown(take, finding.worst, truth.size, matrix), mask, masks,
                        getattr(finding, "where", None))  # fmt: skip
    name = f"crops/{finding.id}_{finding.kind}.jpg"
    write_picture(folder / name, picture)
    return name
