# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws over a take how much is off, place by place: nothing below half the limit, then yellow, orange, magenta."""

from typing import Any, Final

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix

from . import outline_draw, overlay_text, take_overlay
from .overlay_text import PAD, PLATE, SIZE, Box
from .take_overlay import Looked

STOPS: Final = np.array(
    [
        (0.0, 0.10, 0.30, 0.60, 0.0), (0.5, 0.10, 0.45, 0.75, 0.0), (0.99, 0.20, 0.65, 0.90, 0.35),
        (1.0, 1.0, 0.86, 0.20, 0.50), (1.5, 0.98, 0.50, 0.08, 0.62), (2.5, 0.80, 0.05, 0.50, 0.72),
    ],
    np.float32,
)  # fmt: skip
"""Strength (1 is the limit), red, green, blue, alpha. Lightness tells it too, for eyes that don't tell the hues."""
LEGEND: Final = ((1.0, "at the limit"), (1.5, "1.5 times"), (2.5, "2.5 times and more"))
WHITE: Final = (0.94, 0.94, 0.94)
GIZMOS: Final = 34.0
"""Room that Blender's own buttons for zoom and pan take at the right."""


def colours(strength: Any) -> Any:
    """(..., 4) float32 RGBA of strengths; transparent where there is none."""
    known = np.nan_to_num(np.asarray(strength, np.float32), nan=0.0)
    return np.stack([np.interp(known, STOPS[:, 0], STOPS[:, channel]) for channel in range(1, 5)], -1).astype(
        np.float32
    )


def frame_of(seen: Looked, sheet: Any) -> Any | None:
    """(rows, columns) strengths of the shown frame, row 0 on top; None if the report has no heat map of it."""
    if sheet.heat is None or seen.taken not in sheet.frames[: len(sheet.heat)]:
        return None  # the sheet's frames are the take's
    return sheet.heat[sheet.frames.index(seen.taken)].astype(np.float32) / 100.0


def draw(context: bpy.types.Context, seen: Looked) -> None:
    """Draws the heat map of the shown frame, and what its colours mean."""
    sheet = take_overlay.sheet_of(seen)
    heat = frame_of(seen, sheet) if sheet is not None else None
    if heat is not None:
        points, tints = mesh(heat)
        if len(points):
            shader = gpu.shader.from_builtin("SMOOTH_COLOR")
            batch = batch_for_shader(shader, "TRIS", {"pos": points, "color": tints})
            gpu.state.blend_set("ALPHA")
            with gpu.matrix.push_pop():
                left, bottom, width, height = outline_draw.render(context, seen)
                move = Matrix.Translation((left, bottom, 0.0)) @ Matrix.Diagonal((width, height, 1.0, 1.0))
                gpu.matrix.multiply_matrix(move)
                shader.bind()
                batch.draw(shader)
            gpu.state.blend_set("NONE")
    _legend(context, without(seen, sheet, heat))


def without(seen: Looked, sheet: Any, heat: Any) -> str:
    """What stands in place of the legend, "" where there is a heat map, or will be in a moment."""
    if seen.report is None:
        return "No heat map: validate this take"
    if sheet is None or heat is not None:
        return ""
    if seen.report.data.get("stage") == "coarse":
        return "The first look skipped this frame"
    return "No heat map of this frame: validate again"


def mesh(heat: Any) -> tuple[Any, Any]:
    """Corners (3N, 3) in 0..1, y up, and colours (3N, 4) of the triangles of a heat map (rows, columns), smooth between
    the middles of its cells; cells in which nothing is off have none."""
    padded = np.pad(heat, 1)
    tint = colours(padded)
    rows, columns = padded.shape
    x = (np.clip(np.arange(columns) - 0.5, 0, columns - 2) / (columns - 2)).astype(np.float32)
    y = (1.0 - np.clip(np.arange(rows) - 0.5, 0, rows - 2) / (rows - 2)).astype(np.float32)
    grid = np.stack([*np.meshgrid(x, y), np.zeros(padded.shape, np.float32)], -1)
    seen = (
        np.maximum.reduce([tint[r : rows - 1 + r, c : columns - 1 + c, 3] for r in (0, 1) for c in (0, 1)])
        > 0
    )
    r, c = np.nonzero(seen)
    order = ((0, 0), (0, 1), (1, 1), (0, 0), (1, 1), (1, 0))
    points = np.stack([grid[r + down, c + right] for down, right in order], 1).reshape(-1, 3)
    tints = np.stack([tint[r + down, c + right] for down, right in order], 1).reshape(-1, 4)
    return np.ascontiguousarray(points), np.ascontiguousarray(tints)


def _legend(context: bpy.types.Context, instead: str) -> None:
    """What the colours mean, at the upper right."""
    scale = context.preferences.system.ui_scale
    blf.size(0, SIZE * scale)
    pad, row = PAD * scale, 1.5 * SIZE * scale
    lines = [instead] if instead else ["How much is off", *(text for _at, text in LEGEND)]
    sizes: list[Any] = [blf.dimensions(0, text) for text in lines]
    width = max(size[0] for size in sizes) + 2.0 * pad + (0.0 if instead else row)
    right = free_right(context) - 3.0 * pad - GIZMOS * scale
    top = outline_draw.top_of(context) - 2.0 * pad
    plate = Box(right - width, top - len(lines) * row - pad, width, len(lines) * row + pad)
    boxes = [(plate, PLATE)]
    if not instead:
        for index, (at, _text) in enumerate(LEGEND, 1):
            red, green, blue, _alpha = colours(at).tolist()
            y = top - (index + 0.85) * row
            boxes.append((Box(plate.x + pad, y, 0.7 * row, 0.7 * row), (red, green, blue, 1.0)))
    overlay_text.rectangles(boxes)
    for index, text in enumerate(lines):
        x = plate.x + pad + (row if index else 0.0)
        overlay_text.words(text, x, top - (index + 0.75) * row, WHITE)


def free_right(context: bpy.types.Context) -> float:
    """Where the region ends at a sidebar that lies over it."""
    region, right = context.region, float(context.region.width)
    for other in context.area.regions:
        if other.type == "UI" and other.width > 1 and other.x < region.x + region.width:
            right = min(right, float(other.x - region.x))
    return right
