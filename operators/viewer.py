# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows pictures of a shot in an Image Editor: any pass, any take, and the flick from one to the other.

Pictures that people can read as they are become image sequences, which follow the timeline. Depth, normals,
motion and ids are turned into colours for the shown frame only.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.pictures import read_exr, read_gray
from . import window

NAME = "Holdfast view"
LABEL = "holdfast_showing"
DIRECT = {"beauty", "matte"}
PALETTE = np.array(
    [(0.05, 0.05, 0.06), (0.90, 0.62, 0.00), (0.34, 0.71, 0.91), (0.00, 0.62, 0.45), (0.94, 0.89, 0.26),
     (0.00, 0.45, 0.70), (0.84, 0.37, 0.00), (0.80, 0.47, 0.65)], dtype=np.float32,
)  # fmt: skip
"""Background and seven colours that colour-blind people can tell apart (Okabe and Ito)."""


def show_pass(
    context: bpy.types.Context, folder: Path, passes: Mapping[str, Any], name: str, part: str
) -> None:
    """Shows pass ``name`` of the truth in ``folder``. Raises InputError if it isn't there."""
    if name not in passes:
        raise InputError(f"The ground truth has no pass {name!r}", todo="Render the ground truth again.")
    frame = context.scene.frame_current
    path = folder / passes[name]["pattern"].format(frame=frame, part=part)
    if not path.is_file():
        raise InputError(
            f"Frame {frame} has no {name} picture", where=str(path), todo="Go to a rendered frame."
        )
    if name in DIRECT:
        show_sequence(context, path, name)
    else:
        _show_colours(context, _coloured(name, path), f"{name} {frame}")


def show_sequence(context: bpy.types.Context, path: Path, label: str) -> None:
    """Shows the numbered picture at ``path`` and, as the timeline moves, its neighbours."""
    image = bpy.data.images.get(NAME)
    if image is None or image.source == "GENERATED":
        if image is not None:
            bpy.data.images.remove(image)
        image = bpy.data.images.load(str(path))
        image.name = NAME
    image.filepath = str(path)
    image.source = "SEQUENCE"
    image[LABEL] = label
    image.reload()
    space = _editor(context)
    space.image = image
    user = space.image_user
    count = len([each for each in path.parent.iterdir() if each.suffix == path.suffix])
    first = min((_number(each) for each in path.parent.iterdir() if each.suffix == path.suffix), default=1)
    user.frame_start, user.frame_offset, user.frame_duration = first, first - 1, max(1, count)
    user.use_auto_refresh = True
    window.redraw()


def showing() -> str:
    """What the viewer shows now: the name of a pass, or of a take; empty if nothing."""
    image = bpy.data.images.get(NAME)
    return str(image.get(LABEL, "")) if image is not None else ""


def _number(path: Path) -> int:
    digits = re.findall(r"\d+", path.stem)
    return int(digits[-1]) if digits else 1


def _coloured(name: str, path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(H, W, 3) float32 display colours of a pass; origin top left."""
    if name == "ids":
        return PALETTE[np.where((ids := read_gray(path)) > 0, (ids.astype(np.int64) - 1) % 7 + 1, 0)]
    values = read_exr(path)
    if name == "depth":
        inside = values[values > 0]
        low, high = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 1.0)
        near = np.where(values > 0, 1.0 - 0.9 * (values - low) / max(high - low, 1e-9), 0.0)
        return np.repeat(near[..., None], 3, axis=2).astype(np.float32)
    if name == "normal":
        shown = values[..., :3] * 0.5 + 0.5
        return np.where(np.any(values != 0, axis=2, keepdims=True), shown, 0.0).astype(np.float32)
    x, y = values[..., 0], values[..., 1]
    most = max(float(np.percentile(np.hypot(x, y), 99.5)), 1.0)
    return np.stack([0.5 + 0.5 * x / most, 0.5 - 0.5 * y / most, np.full_like(x, 0.5)], axis=2).clip(0, 1)


def _show_colours(
    context: bpy.types.Context, colours: np.ndarray[Any, np.dtype[np.float32]], label: str
) -> None:
    """Shows (H, W, 3) display colours, origin top left."""
    height, width = colours.shape[:2]
    image = bpy.data.images.get(NAME)
    if image is None or image.source != "GENERATED" or tuple(image.size) != (width, height):
        if image is not None:
            bpy.data.images.remove(image)
        image = bpy.data.images.new(NAME, width, height)
    pixels = np.ones((height, width, 4), dtype=np.float32)
    pixels[..., :3] = colours[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    image[LABEL] = label
    _editor(context).image = image
    window.redraw()


def _editor(context: bpy.types.Context) -> bpy.types.SpaceImageEditor:
    """An Image Editor that is open already, else one in a new window."""
    for opened in context.window_manager.windows:
        for area in opened.screen.areas:
            if area.type == "IMAGE_EDITOR":
                return area.spaces.active  # type: ignore[return-value]
    before = set(context.window_manager.windows)
    bpy.ops.wm.window_new()
    new = next(each for each in context.window_manager.windows if each not in before)
    area = max(new.screen.areas, key=lambda area: area.width * area.height)
    area.type = "IMAGE_EDITOR"
    return area.spaces.active  # type: ignore[return-value]
