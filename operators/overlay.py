# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the joints in the 3D viewport: axis, depth, travel, what holds them, their numbers, and when they move.

The lines of a joint are made once for its settings (overlay_shape) and only moved by a matrix when the view is drawn.
Every line lies on a wider dark one and every word on a dark plate, so that they can be read on any background.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from . import overlay_joints, overlay_shape, overlay_strip, overlay_text, window
from .overlay_joints import Shown, Side
from .overlay_shape import AXIS, DEPTH, FLEX, HELIX, MARKS, SLIDE, TILT, TURN, Drawing, Label, Line
from .overlay_text import Tag

COLOURS: Final = {
    AXIS: (1.0, 1.0, 1.0),
    DEPTH: (0.75, 0.87, 1.0),
    SLIDE: (0.34, 0.71, 0.91),
    TURN: (0.98, 0.68, 0.10),
    HELIX: (0.10, 0.80, 0.58),
    TILT: (0.93, 0.56, 0.76),
    MARKS: (0.94, 0.89, 0.26),
    FLEX: (0.95, 0.45, 0.20),
}
"""Colours that colour-blind people can tell apart (after Okabe and Ito)."""
WIDTHS: Final = {AXIS: 1.2, DEPTH: 1.4, MARKS: 1.6}
WIDE = 2.6
FAINT: Final = {AXIS: 0.7}
OUTLINE = 0.45
OTHERS = 0.35
"""How strong the joints are that the panel does not show."""
Batches = tuple[tuple[str, Any], ...]


@lru_cache(maxsize=64)
def _batches(drawing: Drawing, on_peg: bool) -> Batches:
    lines = drawing.on_peg if on_peg else drawing.lines
    return _batched(lines)


@lru_cache(maxsize=64)
def _feature_batches(radius: float, length: float) -> Batches:
    return _batched(overlay_shape.feature_lines(radius, length))


def _batched(lines: tuple[Line, ...]) -> Batches:
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    found = []
    for colour in dict.fromkeys(line.colour for line in lines):
        points = overlay_shape.segments(lines, colour).astype("f4")
        found.append((colour, batch_for_shader(shader, "LINES", {"pos": points})))
    return tuple(found)


def wanted(context: bpy.types.Context) -> bool:
    """Whether this viewport shows the joints."""
    space = context.space_data
    shows = getattr(getattr(space, "overlay", None), "show_overlays", False)
    return bool(shows and context.scene.holdfast.physics.show_overlay)


def _active(scene: bpy.types.Scene) -> int:
    physics = scene.holdfast.physics
    return int(min(physics.active_joint, len(physics.joints) - 1))


def _draw_lines() -> None:
    context = bpy.context
    if not wanted(context):
        return
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")
    front = _active(context.scene)
    for shown in sorted(overlay_joints.joints(context.scene), key=lambda shown: shown.number == front):
        strength = 1.0 if shown.number == front else OTHERS
        for matrix, batches in _placed(shown):
            _draw(matrix, batches, strength, context.preferences.system.ui_scale)
    gpu.state.blend_set("NONE")


def _placed(shown: Shown) -> list[tuple[Matrix, Batches]]:
    """A whole joint; of one that can't be made yet, the peg and socket that are stated."""
    sides = [side for side in (shown.socket, shown.peg) if side is not None]
    if shown.model is None:
        return [(side.world, _feature_batches(*_size(side))) for side in sides]
    drawing = shown.model.drawing
    return [
        (side.world, _batches(drawing, on_peg)) for side, on_peg in zip(sides, (False, True), strict=True)
    ]


def _size(side: Side) -> tuple[float, float]:
    return round(side.feature.radius * side.scale, 7), round(side.feature.length * side.scale, 7)


def _draw(matrix: Matrix, batches: Batches, strength: float, scale: float) -> None:
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("viewportSize", tuple(gpu.state.viewport_get())[2:])
    with gpu.matrix.push_pop():
        gpu.matrix.multiply_matrix(matrix)
        for under in (True, False):
            for colour, batch in batches:
                width, alpha = WIDTHS.get(colour, WIDE), FAINT.get(colour, 1.0) * strength
                shader.uniform_float("lineWidth", (width + (2.4 if under else 0.0)) * scale)
                tint = (0.0, 0.0, 0.0, OUTLINE * alpha) if under else (*COLOURS[colour], alpha)
                shader.uniform_float("color", tint)
                batch.draw(shader)


def _draw_text() -> None:
    context = bpy.context
    if not wanted(context):
        return
    front, tags, motions = _active(context.scene), [], {}
    for shown in overlay_joints.joints(context.scene):
        if shown.model is None or shown.socket is None:
            continue
        name = Label(
            shown.settings.name or shown.model.kind.label,
            AXIS,
            (0.0, 0.0, 2.3 * shown.model.mechanism.bore_radius),
        )
        labels = shown.model.drawing.labels if shown.number == front else ()
        tags += [_tag(context, shown.socket.world, label) for label in (*labels, name)]
        motions[shown.number] = shown.model.drawing.motions
    overlay_text.draw([tag for tag in tags if tag is not None], context.preferences.system.ui_scale)
    if context.scene.holdfast.physics.show_timing:
        overlay_strip.draw(context, motions)


def _tag(context: bpy.types.Context, matrix: Matrix, label: Label) -> Tag | None:
    place = location_3d_to_region_2d(context.region, context.region_data, matrix @ Vector(label.at))
    return None if place is None else Tag(label.text, place.x, place.y, COLOURS[label.colour], label.before)


_handles: list[Any] = []


def add() -> None:
    """Starts drawing."""
    drawn: tuple[tuple[Callable[[], None], str], ...] = (
        (_draw_lines, "POST_VIEW"),
        (_draw_text, "POST_PIXEL"),
    )
    for function, when in drawn:
        _handles.append(bpy.types.SpaceView3D.draw_handler_add(function, (), "WINDOW", when))


def remove() -> None:
    """Stops drawing, and drops what was kept for it."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
    _batches.cache_clear()
    _feature_batches.cache_clear()
    overlay_joints.forget()


redraw = window.redraw_viewports
