# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on the pictures of the viewer: what their colours mean, which part is which, what is under the mouse."""

from typing import Any, Final

import blf
import bpy

from ..pipeline.part_colours import colour_of
from . import overlay_text, state_cache, viewer
from .overlay_text import PAD, PLATE, SIZE, Box

NAMED: Final = {"ids", "parts"}
WHITE: Final = (0.92, 0.92, 0.92)
MOST_LINES: Final = 24
_handles: list[Any] = []


def _draw() -> None:
    context = bpy.context
    if not viewer.is_viewer(context.space_data):
        return
    scale = context.preferences.system.ui_scale
    shown = viewer.showing()
    said = [viewer.state.reading, viewer.state.says if shown is not None and shown.kind == "pass" else ""]
    bottom = 7.0 * PAD * scale  # above the mark of the current frame
    for line in reversed([line for line in said if line]):
        bottom = _line(line, bottom, scale)
    if shown is not None and shown.kind == "pass" and shown.name in NAMED:
        _legend(context, scale)


def _line(text: str, bottom: float, scale: float) -> float:
    """Words on a plate at the lower left; gives where the next line may begin."""
    blf.size(0, SIZE * scale)
    pad, (width, height) = PAD * scale, _size(text)
    box = Box(3.0 * pad, bottom, width + 2.0 * pad, height + 2.0 * pad)
    overlay_text.rectangles([(box, PLATE)])
    overlay_text.words(text, box.x + pad, box.y + pad + 0.1 * height, WHITE)
    return bottom + box.height + pad


def _size(text: str) -> tuple[float, float]:
    size: Any = blf.dimensions(0, text)
    return float(size[0]), float(size[1])


def _legend(context: bpy.types.Context, scale: float) -> None:
    """The parts by number with their colours, down from the upper left."""
    manifest = state_cache.shown(context.scene).manifests.get("truth")
    listed = manifest.data["parts"] if manifest is not None else ()
    parts = [(int(part["id"]), str(part["name"])) for part in listed]
    lines = [(number, f"{number}  {name}") for number, name in sorted(parts)[:MOST_LINES]]
    if not lines:
        return
    if len(parts) > MOST_LINES:
        lines.append((0, f"and {len(parts) - MOST_LINES} more"))
    blf.size(0, SIZE * scale)
    pad, row = PAD * scale, 1.5 * SIZE * scale
    width = max(_size(text)[0] for _number, text in lines) + row + 3.0 * pad
    top = _top(context) - 2.0 * pad
    plate = Box(3.0 * pad, top - len(lines) * row - 2.0 * pad, width, len(lines) * row + 2.0 * pad)
    squares = [
        (
            Box(plate.x + pad, top - pad - (index + 0.85) * row, 0.7 * row, 0.7 * row),
            (*colour_of(number), 1.0),
        )
        for index, (number, _text) in enumerate(lines)
        if number
    ]
    overlay_text.rectangles([(plate, PLATE), *squares])
    for index, (_number, text) in enumerate(lines):
        overlay_text.words(text, plate.x + row + pad, top - pad - (index + 0.75) * row, WHITE)


def _top(context: bpy.types.Context) -> float:
    """Where the picture ends below a header that lies over it."""
    region = context.region
    over = [
        each.height
        for each in context.area.regions
        if each.type in {"HEADER", "TOOL_HEADER"} and each.height > 1 and each.y >= region.y + region.height // 2
        and each.y + each.height <= region.y + region.height
    ]  # fmt: skip
    return float(region.height - sum(over))


def add() -> None:
    """Starts drawing."""
    _handles.append(bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def remove() -> None:
    """Stops drawing."""
    while _handles:
        bpy.types.SpaceImageEditor.draw_handler_remove(_handles.pop(), "WINDOW")
