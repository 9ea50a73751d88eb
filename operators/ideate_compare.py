# SPDX-License-Identifier: GPL-3.0-or-later
"""One idea large, or two side by side at the same height, in an Image Editor."""

from collections.abc import Sequence
from pathlib import Path

import bpy
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..pipeline.errors import InputError
from ..pipeline.pictures import F32, U8, read_picture
from . import viewer, window

NAME = "Holdfast ideas"
HEIGHT_PX, GAP_PX, LABEL_PX = 1024, 12, 76
GROUND = 32


def show(context: bpy.types.Context, pictures: Sequence[Path], names: Sequence[str]) -> None:
    """Shows the pictures beside each other with their names below. Raises InputError."""
    page = side_by_side([read_picture(path) for path in pictures], names)
    image = bpy.data.images.get(NAME)
    height, width = page.shape[:2]
    if image is not None and tuple(image.size) != (width, height):
        bpy.data.images.remove(image)
        image = None
    if image is None:
        image = bpy.data.images.new(NAME, width, height)
    image.pixels.foreach_set(floats(page).ravel())
    image.update()
    found = viewer.editors(context)
    space = next((each for each in found if getattr(each.image, "name", "") == NAME), None)
    space = space or (found[0] if found else viewer._editor(context))
    space.image = image
    _fits[:] = [0.4, 0.4]
    if not bpy.app.timers.is_registered(_fit):
        bpy.app.timers.register(_fit, first_interval=0.1)
    window.redraw()


def side_by_side(pictures: Sequence[U8], names: Sequence[str]) -> U8:
    """(H, W, 3) uint8: the pictures at one height, names below. Raises InputError without any."""
    if not pictures:
        raise InputError("There is no picture to show")
    cells = []
    for picture, name in zip(pictures, names, strict=True):
        scale = HEIGHT_PX / picture.shape[0]
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        scaled = cv2.resize(picture, (max(1, round(picture.shape[1] * scale)), HEIGHT_PX), interpolation=how)
        cell = np.full((HEIGHT_PX + LABEL_PX, scaled.shape[1], 3), GROUND, np.uint8)
        cell[:HEIGHT_PX] = scaled
        canvas = Image.fromarray(cell)
        ImageDraw.Draw(canvas).text(
            (scaled.shape[1] // 2, HEIGHT_PX + LABEL_PX // 2),
            name,
            (225, 225, 225),
            ImageFont.load_default(52),
            "mm",
        )
        cells.append(np.asarray(canvas, np.uint8))
    gap = np.full((HEIGHT_PX + LABEL_PX, GAP_PX, 3), GROUND, np.uint8)
    joined = [piece for cell in cells for piece in (cell, gap)][:-1]
    return np.asarray(np.concatenate(joined, axis=1), np.uint8)


def floats(page: U8) -> F32:
    """(H, W, 4) float32 0..1, bottom row first, as Blender keeps pixels."""
    opaque = np.ones((*page.shape[:2], 4), np.float32)
    opaque[..., :3] = page[::-1].astype(np.float32) / 255.0
    return np.ascontiguousarray(opaque)


_fits: list[float] = []
"""When to fit the picture again: an editor that is new, or was slow to draw, does not know its size yet."""


def _fit() -> float | None:
    """Shows the whole page as large as the editor is."""
    for opened in bpy.context.window_manager.windows:
        for area in opened.screen.areas:
            image = getattr(area.spaces.active, "image", None) if area.type == "IMAGE_EDITOR" else None
            if getattr(image, "name", "") == NAME:
                region = next(each for each in area.regions if each.type == "WINDOW")
                with bpy.context.temp_override(window=opened, area=area, region=region):
                    bpy.ops.image.view_all(fit_view=True)
    return _fits.pop() if _fits else None
