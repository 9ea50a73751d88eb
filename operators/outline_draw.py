# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws over a take where the render has the outlines of its parts, and what the finding says of this frame."""

from typing import Any, Final

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix

from ..pipeline.part_colours import colour_of
from . import overlay_text, take_overlay
from .overlay_text import PAD, PLATE, SIZE, Box, Tag
from .take_overlay import Looked
from .view import title_of

WIDTH: Final = 1.8
AROUND: Final = 2.2
"""What the dark line under an outline is wider, so that it is seen on any look."""
DARK: Final = (0.0, 0.0, 0.0, 0.65)
FAINT: Final = 0.45
"""Strength of the other parts' outlines beside that of the finding."""
PLACE: Final = (1.0, 1.0, 1.0)
"""Colour of the frame around the place of a finding."""
WHITE: Final = (0.94, 0.94, 0.94)
WARN: Final = (1.0, 0.78, 0.25)


def picture(context: bpy.types.Context) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the picture in the region, pixels."""
    to_region = context.region.view2d.view_to_region
    left, bottom = to_region(0.0, 0.0, clip=False)
    right, top = to_region(1.0, 1.0, clip=False)
    return float(left), float(bottom), float(right - left), float(top - bottom)


def render(context: bpy.types.Context, seen: Looked) -> tuple[float, float, float, float]:
    """The same of the render: where its picture lies under the take's, which may be cropped, scaled or shifted."""
    return seen.placed.box(*picture(context))


def draw(context: bpy.types.Context, seen: Looked) -> None:
    """Draws the outlines of the finding's part, or of all with the finding's in front."""
    lines, finding = take_overlay.lines_of(seen), take_overlay.finding_of(context, seen)
    numbers = {str(part["name"]): int(part["id"]) for part in seen.truth.data["parts"]}
    mine = _about(finding, numbers)
    everything = context.window_manager.holdfast.outlines == "ALL" or not mine
    shown = [number for number in lines if everything or number in mine]
    shown.sort(key=lambda number: number in mine)
    scale = context.preferences.system.ui_scale
    gpu.state.blend_set("ALPHA")
    with gpu.matrix.push_pop():
        left, bottom, width, height = render(context, seen)
        gpu.matrix.multiply_matrix(
            Matrix.Translation((left, bottom, 0.0)) @ Matrix.Diagonal((width, height, 1.0, 1.0))
        )
        for number in shown:
            strength = 1.0 if number in mine or not mine else FAINT
            _stroke(segments(lines[number]), (*colour_of(number), strength), scale)
        place = (finding or {}).get("where")
        if finding is not None and place and _now(finding, seen):
            _stroke(segments([corners(place)]), (*PLACE, 0.9), scale)
    gpu.state.blend_set("NONE")
    names = {number: name for name, number in numbers.items()}
    _tags(context, seen, {number: lines[number] for number in shown}, names, mine)
    _says(context, seen, finding)


def _about(finding: dict[str, Any] | None, numbers: dict[str, int]) -> set[int]:
    """The numbers of the parts that the finding is about."""
    named = [finding["part"], *finding.get("others", ())] if finding is not None else []
    return {numbers[name] for name in named if name in numbers}


def _now(finding: dict[str, Any], seen: Looked) -> bool:
    first, last = finding["frames"]
    return int(first) <= seen.taken <= int(last)


def segments(lines: list[Any]) -> Any:
    """(2N, 2) float32 ends of the segments of closed lines."""
    ends = [np.stack([line, np.roll(line, -1, 0)], 1).reshape(-1, 2) for line in lines]
    return np.concatenate(ends).astype(np.float32)


def corners(place: Any) -> Any:
    """(4, 2) corners, y up, of a place [x, y, width, height] in 0..1 of the picture from its top left."""
    x, y, width, height = (float(each) for each in place)
    box = [(x, 1 - y), (x + width, 1 - y), (x + width, 1 - y - height), (x, 1 - y - height)]
    return np.array(box, np.float32)


def _stroke(points: Any, colour: tuple[float, float, float, float], scale: float) -> None:
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    flat = np.concatenate([points, np.zeros((len(points), 1), np.float32)], 1)
    batch = batch_for_shader(shader, "LINES", {"pos": flat})
    shader.bind()
    shader.uniform_float("viewportSize", tuple(gpu.state.viewport_get())[2:])
    for wider, tint in ((AROUND, (*DARK[:3], DARK[3] * colour[3])), (0.0, colour)):
        shader.uniform_float("lineWidth", (WIDTH + wider) * scale)
        shader.uniform_float("color", tint)
        batch.draw(shader)


def _tags(
    context: bpy.types.Context,
    seen: Looked,
    lines: dict[int, list[Any]],
    names: dict[int, str],
    mine: set[int],
) -> None:
    """The names of the parts at their upper right, those of the finding alone if it is about any."""
    left, bottom, width, height = render(context, seen)
    tags = []
    for number, found in lines.items():
        if mine and number not in mine:
            continue
        largest = max(found, key=len)
        at = largest[np.argmax(largest[:, 0] + largest[:, 1])]
        red, green, blue = colour_of(number)
        colour = (0.3 + 0.7 * red, 0.3 + 0.7 * green, 0.3 + 0.7 * blue)
        tags.append(
            Tag(names.get(number, str(number)), left + at[0] * width, bottom + at[1] * height, colour)
        )
    overlay_text.draw(tags, context.preferences.system.ui_scale)


def sentence(seen: Looked, finding: dict[str, Any] | None) -> tuple[str, bool]:
    """What stands at the lower left, and whether it is a warning."""
    if seen.source is None:
        return f"{seen.name} {seen.taken}: the report has no rendered frame for this picture", True
    lag = f", shows {seen.source} of the render" if seen.source != seen.taken else ""
    if finding is None:
        return f"{seen.name}, frame {seen.taken}{lag}: outlines as rendered", False
    first, last = finding["frames"]
    fault = f"{finding['part']} {title_of(finding)}".strip()
    inside = "" if _now(finding, seen) else " (not in this frame)"
    return f"{seen.name}, frame {seen.taken}{lag}: {fault} {first}-{last}{inside}", _now(finding, seen)


def _says(context: bpy.types.Context, seen: Looked, finding: dict[str, Any] | None) -> None:
    scale = context.preferences.system.ui_scale
    state = take_overlay.state
    lines = [sentence(seen, finding)]
    if state.failure:
        lines.append((state.failure, True))
    elif state.worker is not None:
        lines.append((f"Tracing outlines: {state.fraction:.0%}", False))
    blf.size(0, SIZE * scale)
    pad, top = PAD * scale, top_of(context) - 2.0 * PAD * scale
    for text, warning in lines:
        size: Any = blf.dimensions(0, text)
        box = Box(3.0 * pad, top - size[1] - 2.0 * pad, size[0] + 2.0 * pad, size[1] + 2.0 * pad)
        overlay_text.rectangles([(box, PLATE)])
        overlay_text.words(text, box.x + pad, box.y + pad + 0.1 * size[1], WARN if warning else WHITE)
        top = box.y - 0.5 * pad


def top_of(context: bpy.types.Context) -> float:
    """Where the picture ends below headers that lie over it."""
    region = context.region
    over = [
        each.height
        for each in context.area.regions
        if each.type in {"HEADER", "TOOL_HEADER"} and each.height > 1 and each.y >= region.y + region.height // 2
        and each.y + each.height <= region.y + region.height
    ]  # fmt: skip
    return float(region.height - sum(over))
