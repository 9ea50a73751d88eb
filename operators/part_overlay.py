# SPDX-License-Identifier: GPL-3.0-or-later
"""Tints the parts in the 3D viewport with the colours that they have in the id pass.

Triangles of evaluated meshes are kept on the graphics card until the mesh changes; a redraw only sets matrices and
colours. The tint is drawn at the depth of the surface, a hair nearer, so that what hides a part hides its tint.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix, Vector

from ..pipeline.part_colours import colour_of
from ..rendering.shapes import Shape, instances, own, triangles
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
"""Of more parts only the selected ones are named."""
_CORNERS = ((0, 1, 2), (0, 2, 3), (4, 6, 5), (4, 7, 6), (0, 4, 5), (0, 5, 1), (1, 5, 6), (1, 6, 2), (2, 6, 7), (2, 7, 3), (3, 7, 4), (3, 4, 0))  # fmt: skip
_batches: dict[tuple[int, int | None], Any] = {}
"""By session_uid of the mesh, or of the object where modifiers or shape keys give it a shape of its own; and its slot."""
_repeated: dict[int, list[Shape]] = {}
"""The instances of each row, until anything moves; their meshes are in `_meshes` by their pointer."""
_meshes: dict[int, Any] = {}
_looked: list[tuple[Row, ...]] = []
"""The rows that `_repeated` was looked up for since then."""
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
    for row, shape in _shapes(context, depsgraph):
        kept: dict[Any, Any] = _batches if shape.data is None else _meshes
        key = _key(shape) if shape.data is None else shape.data.as_pointer()
        if key not in kept:
            if time.perf_counter() > deadline:
                context.area.tag_redraw()
                break
            kept[key] = _batch(shape, shader)
        if kept[key] is None:
            continue
        shader.uniform_float("color", (*colour_of(row.id), STRENGTH))
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(shape.matrix)
            kept[key].draw(shader)


def _shapes(context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> Iterator[tuple[Row, Shape]]:
    space: Any = context.space_data
    rows = part_rows.rows(context.scene)
    for row in rows:
        for thing in row.where.objects:
            if thing.mode != "EDIT" and thing.visible_in_viewport_get(space):
                for shape in own(replace(row.where, objects=(thing,)), depsgraph):
                    yield row, shape
    if not _looked or _looked[0] is not rows:
        _forget_instances()
        _repeated.update(instances([row.where for row in rows], depsgraph))
        _looked.append(rows)
    for index, shapes in _repeated.items():
        if index < len(rows) and rows[index].where.objects[0].visible_in_viewport_get(space):
            for shape in shapes:
                yield rows[index], shape


def _key(shape: Shape) -> tuple[int, int | None]:
    thing = shape.thing.original
    data = thing.data
    alone = data is None or thing.modifiers or getattr(data, "shape_keys", None) is not None
    return int(thing.session_uid if alone else data.session_uid), shape.slot


def _batch(shape: Shape, shader: Any) -> Any:
    """The triangles of a shape; of its box if there are too many; None if it has no surface."""
    points, corners = triangles(shape)
    if len(corners) > MOST_TRIANGLES:
        return batch_for_shader(shader, "TRIS", {"pos": shape.corners}, indices=_CORNERS)
    return batch_for_shader(shader, "TRIS", {"pos": points}, indices=corners) if len(corners) else None


def _draw_names() -> None:
    context = bpy.context
    if not wanted(context) or not context.window_manager.holdfast.part_names:
        return
    few = len(part_rows.rows(context.scene)) <= MOST_NAMES
    if not few and not context.selected_objects:
        return
    tags: list[Tag] = []
    try:
        for row, shape in _shapes(context, context.view_layer.depsgraph):
            if not few and not shape.thing.original.select_get():
                continue
            middle = sum((Vector(corner) for corner in shape.corners), Vector()) / 8.0
            place = location_3d_to_region_2d(context.region, context.region_data, shape.matrix @ middle)
            if place is not None:
                tags.append(Tag(row.name, place.x, place.y, _readable(colour_of(row.id))))
            if len(tags) >= MOST_NAMES:
                break
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
    _forget_instances()
    if not _batches:
        return
    changed = {
        update.id.original.session_uid
        for update in depsgraph.updates
        if update.is_updated_geometry and isinstance(update.id, bpy.types.Object | bpy.types.Mesh)
    }
    for key in [key for key in _batches if key[0] in changed]:
        del _batches[key]


def forget(*_args: object) -> None:
    """Handler: another file is open, or everything may have changed."""
    _batches.clear()
    _forget_instances()


def _forget_instances() -> None:
    for kept in (_repeated, _meshes, _looked):
        kept.clear()


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
