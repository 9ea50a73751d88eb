# SPDX-License-Identifier: GPL-3.0-or-later
"""Tints the parts in the 3D viewport with the colours that they have in the id pass.

Triangles of evaluated meshes are kept on the graphics card until the mesh changes; a redraw only sets matrices and
colours. The tint is drawn at the depth of the surface, a hair nearer, so that what hides a part hides its tint.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import bpy
import gpu
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from ..pipeline.part_colours import colour_of
from . import overlay_text, part_rows
from .overlay_text import Tag
from .part_rows import Row

STRENGTH: Final = 0.55
NEARER: Final = 2e-5
"""In normalised device depth: enough against flicker, too little to shine through a sheet."""
BUDGET_SECONDS: Final = 0.008
"""For new meshes in one redraw; the others follow in the next."""
MOST_TRIANGLES: Final = 1_000_000
"""A mesh with more is shown by its box."""
MOST_NAMES: Final = 24
_CORNERS = ((0, 1, 2), (0, 2, 3), (4, 6, 5), (4, 7, 6), (0, 4, 5), (0, 5, 1), (1, 5, 6), (1, 6, 2), (2, 6, 7), (2, 7, 3), (3, 7, 4), (3, 4, 0))  # fmt: skip
_batches: dict[int, Any] = {}
"""By session_uid of the mesh, or of the object where modifiers or shape keys give it a shape of its own."""
_handles: list[Any] = []


def wanted(context: bpy.types.Context) -> bool:
    """Whether this viewport shows the parts' colours."""
    shows = getattr(getattr(context.space_data, "overlay", None), "show_overlays", False)
    return bool(shows and context.window_manager.holdfast.part_colours)


def _draw_tints() -> None:
    context = bpy.context
    if not wanted(context):
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(False)
    with gpu.matrix.push_pop_projection():
        gpu.matrix.load_projection_matrix(_nearer(gpu.matrix.get_projection_matrix()))
        try:
            _draw_parts(context, shader)
        except ReferenceError:  # an object is gone: the rows are read again in a moment
            part_rows.forget()
    gpu.state.depth_test_set("NONE")
    gpu.state.blend_set("NONE")


def _nearer(projection: Matrix) -> Matrix:
    moved = projection.copy()
    moved[2] = moved[2] - NEARER * moved[3]
    return moved


def _draw_parts(context: bpy.types.Context, shader: Any) -> None:
    deadline = time.perf_counter() + BUDGET_SECONDS
    depsgraph = context.view_layer.depsgraph
    for row, thing in _visible(context):
        key = _key(thing)
        if key not in _batches:
            if time.perf_counter() > deadline:
                context.area.tag_redraw()
                break
            _batches[key] = _batch(thing.evaluated_get(depsgraph), shader)
        if _batches[key] is None:
            continue
        shader.uniform_float("color", (*colour_of(row.id), STRENGTH))
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(thing.matrix_world)
            _batches[key].draw(shader)


def _visible(context: bpy.types.Context) -> Iterator[tuple[Row, bpy.types.Object]]:
    space = context.space_data
    for row in part_rows.rows(context.scene):
        for thing in row.objects:
            if thing.mode != "EDIT" and thing.visible_in_viewport_get(space):
                yield row, thing


def _key(thing: bpy.types.Object) -> int:
    data = thing.data
    own = data is None or thing.modifiers or getattr(data, "shape_keys", None) is not None
    return int(thing.session_uid if own else data.session_uid)


def _batch(thing: bpy.types.Object, shader: Any) -> Any:
    """The triangles of an evaluated object; of its box if there are too many; None if it has no surface."""
    try:
        mesh = thing.to_mesh()
    except RuntimeError:
        return None
    try:
        mesh.calc_loop_triangles()
        if len(mesh.loop_triangles) > MOST_TRIANGLES:
            return batch_for_shader(shader, "TRIS", {"pos": [tuple(corner) for corner in thing.bound_box]}, indices=_CORNERS)  # fmt: skip
        points = np.empty((len(mesh.vertices), 3), np.float32)
        corners = np.empty((len(mesh.loop_triangles), 3), np.int32)
        mesh.vertices.foreach_get("co", points.ravel())
        mesh.loop_triangles.foreach_get("vertices", corners.ravel())
        return batch_for_shader(shader, "TRIS", {"pos": points}, indices=corners) if len(corners) else None
    finally:
        thing.to_mesh_clear()


def _draw_names() -> None:
    context = bpy.context
    if not wanted(context):
        return
    tags: list[Tag] = []
    try:
        for row, thing in _visible(context):
            if len(tags) >= MOST_NAMES:
                break
            middle = sum((Vector(corner) for corner in thing.bound_box), Vector()) / 8.0
            place = location_3d_to_region_2d(context.region, context.region_data, thing.matrix_world @ middle)
            if place is not None:
                tags.append(Tag(row.name, place.x, place.y, _readable(colour_of(row.id))))
    except ReferenceError:
        return
    overlay_text.draw(tags, context.preferences.system.ui_scale)


def _readable(colour: tuple[float, float, float]) -> tuple[float, float, float]:
    """The colour, light enough for words on a dark plate."""
    brightness = 0.3 * colour[0] + 0.6 * colour[1] + 0.1 * colour[2]
    mix = max(0.0, 0.45 - brightness) / 0.55
    red, green, blue = (channel + (1.0 - channel) * mix for channel in colour)
    return red, green, blue


def on_depsgraph_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Handler, also of frame changes: meshes that changed are made again when they are next drawn."""
    if not _batches:
        return
    for update in depsgraph.updates:
        if update.is_updated_geometry and isinstance(update.id, bpy.types.Object | bpy.types.Mesh):
            _batches.pop(update.id.original.session_uid, None)


def forget(*_args: object) -> None:
    """Handler: another file is open, or everything may have changed."""
    _batches.clear()


def add() -> None:
    """Starts drawing."""
    drawn: tuple[tuple[Callable[[], None], str], ...] = (
        (_draw_tints, "POST_VIEW"),
        (_draw_names, "POST_PIXEL"),
    )
    for function, when in drawn:
        _handles.append(bpy.types.SpaceView3D.draw_handler_add(function, (), "WINDOW", when))


def remove() -> None:
    """Stops drawing, and drops what was kept for it."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
    forget()
    part_rows.forget()
