# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the joints in the 3D viewport: axis, travel, twist, lugs, and their numbers.

Each joint is a few lines in the frame of its socket (metres, +Z out of the bore). They are computed once per
setting and only moved by a matrix when the view is drawn.
"""

import json
import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import blf
import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

AXIS = (1.0, 1.0, 1.0, 0.75)
TRAVEL = (0.34, 0.71, 0.91, 1.0)
TWIST = (0.90, 0.62, 0.0, 1.0)
LUGS = (0.94, 0.89, 0.26, 1.0)
ARC_STEP_DEG = 4.0
Points = tuple[tuple[float, float, float], ...]


class Shape(NamedTuple):
    """Line segments (pairs of points) of one joint in its socket's frame, in metres, and where the numbers stand."""

    axis: Points
    travel: Points
    twist: Points
    lugs: Points
    depth_at: tuple[float, float, float]
    twist_at: tuple[float, float, float]


@lru_cache(maxsize=32)
def shape(radius: float, depth: float, twist: float, lugs: int) -> Shape:
    """Lines of a joint. ``radius`` and ``depth`` in metres; ``twist`` in radians, its sign is the hand."""
    reach, head = radius * 1.5, radius * 0.18
    axis = ((0.0, 0.0, -depth - radius), (0.0, 0.0, depth + radius * 2))
    side = radius * 1.25
    travel = (
        (side, 0.0, depth), (side, 0.0, 0.0),
        (side, 0.0, 0.0), (side - head, 0.0, head * 1.6),
        (side, 0.0, 0.0), (side + head, 0.0, head * 1.6),
        (side - head, 0.0, depth), (side + head, 0.0, depth),
    )  # fmt: skip
    steps = max(2, math.ceil(math.degrees(abs(twist)) / ARC_STEP_DEG))
    ring = [
        (reach * math.cos(twist * i / steps), reach * math.sin(twist * i / steps), 0.0)
        for i in range(steps + 1)
    ]
    arc = [point for pair in pairwise(ring) for point in pair]
    end, back = ring[-1], twist - math.copysign(head * 1.6 / reach, twist)
    for length in (reach - head, reach + head):
        arc += [end, (length * math.cos(back), length * math.sin(back), 0.0)]
    ticks: list[tuple[float, float, float]] = []
    for index in range(lugs):
        angle = 2 * math.pi * index / lugs
        ticks += [
            (length * math.cos(angle), length * math.sin(angle), 0.0)
            for length in (radius * 0.75, radius * 1.15)
        ]
    middle = (reach * 1.12 * math.cos(twist / 2), reach * 1.12 * math.sin(twist / 2), 0.0)
    return Shape(axis, travel, tuple(arc), tuple(ticks), (side * 1.1, 0.0, depth / 2), middle)


@lru_cache(maxsize=32)
def _feature(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and {"origin", "axis", "radius"} <= set(found) else {}


def frame_of(thing: bpy.types.Object) -> tuple[Matrix, float] | None:
    """World matrix of the object's peg or socket frame and its radius in metres, or None without such a feature."""
    feature = _feature(str(thing.get("holdfast_feature", "")))
    if not feature:
        return None
    turn = Vector((0.0, 0.0, 1.0)).rotation_difference(Vector(feature["axis"])).to_matrix().to_4x4()
    return thing.matrix_world @ Matrix.Translation(feature["origin"]) @ turn, float(feature["radius"])


def depth_of(joint: Any) -> float:
    """Travel of a joint in metres: its own, or that of the whole peg where it is left at 0."""
    if joint.depth_mm > 0.0:
        return float(joint.depth_mm) / 1000
    peg = _feature(str(joint.peg.get("holdfast_feature", ""))) if joint.peg is not None else {}
    return float(peg.get("length", 0.01))


def _joints(scene: bpy.types.Scene) -> Iterator[tuple[Any, Matrix, Shape]]:
    for joint in scene.holdfast.physics.joints:
        found = frame_of(joint.socket) if joint.socket is not None else None
        if found is not None and joint.socket.visible_get():
            twist = math.radians(joint.twist_deg) * (-1.0 if joint.hand == "RIGHT" else 1.0)
            depth = round(depth_of(joint), 6)
            yield joint, found[0], shape(round(found[1], 6), depth, round(twist, 6), joint.lugs)


def _wanted() -> bool:
    scene, space = bpy.context.scene, bpy.context.space_data
    return bool(scene.holdfast.physics.show_overlay and getattr(space.overlay, "show_overlays", False))


def _draw_lines() -> None:
    if not _wanted():
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    for _joint, matrix, lines in _joints(bpy.context.scene):
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(matrix)
            colours = (
                (lines.axis, AXIS, 1.5),
                (lines.travel, TRAVEL, 2.5),
                (lines.twist, TWIST, 2.5),
                (lines.lugs, LUGS, 3.0),
            )
            for points, colour, width in colours:
                batch = batch_for_shader(shader, "LINES", {"pos": points})
                shader.uniform_float("viewportSize", tuple(gpu.state.viewport_get())[2:])
                shader.uniform_float("lineWidth", width * bpy.context.preferences.system.ui_scale)
                shader.uniform_float("color", colour)
                batch.draw(shader)
    gpu.state.blend_set("NONE")


def _draw_text() -> None:
    if not _wanted():
        return
    region, view = bpy.context.region, bpy.context.region_data
    blf.size(0, 12 * bpy.context.preferences.system.ui_scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 3, 0.0, 0.0, 0.0, 0.8)
    for joint, matrix, lines in _joints(bpy.context.scene):
        for text, place, colour in (
            (f"{depth_of(joint) * 1000:.4g} mm", lines.depth_at, TRAVEL),
            (f"{joint.twist_deg:g}°", lines.twist_at, TWIST),
        ):
            at = location_3d_to_region_2d(region, view, matrix @ Vector(place))
            if at is not None:
                blf.position(0, at.x + 6, at.y, 0)
                blf.color(0, *colour)
                blf.draw(0, text)
    blf.disable(0, blf.SHADOW)


_handles: list[Any] = []


def add() -> None:
    """Starts drawing."""
    for function, when in ((_draw_lines, "POST_VIEW"), (_draw_text, "POST_PIXEL")):
        _handles.append(bpy.types.SpaceView3D.draw_handler_add(function, (), "WINDOW", when))


def remove() -> None:
    """Stops drawing."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
