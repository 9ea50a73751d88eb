# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth: the parts, what is rendered and what it takes, and a look at any pass of any frame."""

from typing import Any

import bpy

from ..operators import part_rows, preflight, state_cache, thumbnails, viewer
from ..operators.actions import HOLDFAST_OT_time_frame
from ..operators.mark import SOURCES, HOLDFAST_OT_mark_parts, HOLDFAST_OT_renumber_parts
from ..operators.part_list import HOLDFAST_OT_select_part, HOLDFAST_OT_unmark_part
from ..operators.preflight import HOLDFAST_OT_check_parts, HOLDFAST_OT_show_finding
from ..operators.read_pixel import HOLDFAST_OT_read_pixel
from ..operators.results import HOLDFAST_OT_flick, HOLDFAST_OT_view_pass
from ..operators.state_cache import Shown
from ..pipeline.estimate import amount
from ..pipeline.view_colours import OF_PART
from .base import StagePanel, explain, fact, sentence

LEVELS: dict[str, Any] = {"ERROR": "CANCEL", "WARNING": "ERROR", "INFO": "INFO"}
MOST_FINDINGS = 12


class HOLDFAST_UL_parts(bpy.types.UIList):
    """The parts of the shot: colour, number, name, how many pixels at the least, what is wrong."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str, index: int,
    ) -> None:  # fmt: skip
        rows = part_rows.rows(context.scene)
        if index >= len(rows):
            return
        row, checked = rows[index], preflight.shown(context.scene)
        line = layout.row(align=True)
        line.label(text="", icon_value=thumbnails.swatch(row.id))
        number = line.row()
        number.ui_units_x = 1.3
        number.label(text=str(row.id or "-"))
        name = line.row(align=True)
        marked = part_rows.holder(row)
        if marked is None:
            name.label(text=row.name, icon=part_rows.KINDS[row.kind])
        else:
            name.prop(marked, "part", text="", emboss=False, placeholder=row.name)
        if checked is not None and row.name in checked.sizes and not checked.stale:
            right = line.row()
            right.alignment = "RIGHT"
            right.active = False
            seen = checked.sizes[row.name]
            right.label(text=f"{seen.seen + seen.glazed:.0f} px")
        wrong = row.wrong or next((found.says for found in _of(checked, row.name)), "")
        if wrong:
            explain(line, row.name, wrong, icon="ERROR")


class HOLDFAST_PT_truth(StagePanel, bpy.types.Panel):
    """The stage Ground Truth."""

    bl_label = "Ground Truth"
    stage = "truth"
    verb = "Render ground truth"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        _draw_parts(layout, context)
        _draw_picture(layout, context, settings.truth)
        _draw_estimate(layout, context)

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        truth = shown.manifests.get("truth")
        if truth is None:
            return
        layout.separator(factor=0.5)
        header, body = layout.panel("holdfast_truth_look")
        header.label(text=f"Look at {len(truth.data['frames'])} frames")
        if body is not None:
            draw_chooser(body, context)


def _draw_parts(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    view, rows = context.window_manager.holdfast, part_rows.rows(context.scene)
    header, body = layout.panel("holdfast_truth_parts")
    header.label(text=f"Parts: {len(rows)}" if rows else "Parts")
    if body is None:
        return
    line = body.row()
    line.template_list("HOLDFAST_UL_parts", "", view, "parts", view, "active_part", rows=4, maxrows=8)
    active = rows[view.active_part] if view.active_part < len(rows) else None
    _draw_part_buttons(line.column(align=True), context, active)
    if not rows:
        _draw_marking(body, context)
        return
    line = body.row(align=True)
    line.use_property_split = False
    line.prop(view, "part_colours", text="Show Colours", toggle=True, icon="COLOR")
    names = line.row(align=True)
    names.active = view.part_colours
    names.prop(view, "part_names", toggle=True)
    thing = context.object
    if thing is not None and thing.type == "MESH" and not thing.holdfast.is_part:
        line = body.row()
        line.use_property_split = False
        line.prop(thing.holdfast, "see_through", text=f"{thing.name} is glass: see through")
    _draw_check(body, context)


def _draw_marking(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What an empty list offers instead of a menu."""
    sentence(layout, context, "Which are the parts of the product?", icon="INFO")
    column = layout.column(align=True)
    for source, label, _says in SOURCES:
        column.operator(HOLDFAST_OT_mark_parts.bl_idname, text=f"From {label}").source = source


def _draw_part_buttons(
    column: bpy.types.UILayout, context: bpy.types.Context, row: part_rows.Row | None
) -> None:
    column.operator_menu_enum(HOLDFAST_OT_mark_parts.bl_idname, "source", text="", icon="ADD")
    column.operator(HOLDFAST_OT_unmark_part.bl_idname, text="", icon="REMOVE")
    column.separator()
    column.operator(HOLDFAST_OT_select_part.bl_idname, text="", icon="RESTRICT_SELECT_OFF")
    if row is not None and row.wrong:
        column.operator(HOLDFAST_OT_renumber_parts.bl_idname, text="", icon="LINENUMBERS_ON")


def _draw_check(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    check, running = HOLDFAST_OT_check_parts.bl_idname, preflight.progress(context.scene)
    if running is not None:
        line = layout.row(align=True)
        line.progress(factor=running, text=f"Looking at the parts: {running:.0%}")
        line.operator(check, text="", icon="X").stop = True
        return
    found = preflight.shown(context.scene)
    layout.operator(
        check, icon="VIEWZOOM", text="Check Parts" if found is None else "Check Parts Again"
    ).stop = False
    if found is None:
        return
    column = layout.column()
    if found.stale:
        sentence(column, context, "The scene was changed since the last check.", icon="FILE_REFRESH")
    column.active = not found.stale
    if not found.findings:
        sentence(column, context, f"All parts are well seen in {_frames(found)}.", icon="CHECKMARK")
    for index, finding in enumerate(found.findings[:MOST_FINDINGS]):
        _draw_finding(column, context, index, finding)
    if len(found.findings) > MOST_FINDINGS:
        column.label(text=f"and {len(found.findings) - MOST_FINDINGS} more")


def _draw_finding(layout: bpy.types.UILayout, context: bpy.types.Context, index: int, finding: Any) -> None:
    line = layout.box().row()
    room = 0 if finding.frame is None else 54
    sentence(line, context, f"{finding.says}.", icon=LEVELS[finding.level], taken_px=room)
    if finding.frame is not None:
        go = line.row()
        go.alignment = "RIGHT"
        go.operator(HOLDFAST_OT_show_finding.bl_idname, text=str(finding.frame), icon="TIME").index = index


def _frames(found: preflight.Checked) -> str:
    return f"{len(found.frames)} frames" if len(found.frames) != 1 else "the frame"


def _of(found: preflight.Checked | None, part: str) -> list[Any]:
    if found is None or found.stale:
        return []
    return [finding for finding in found.findings if finding.part == part and finding.level != "INFO"]


def _draw_picture(layout: bpy.types.UILayout, context: bpy.types.Context, truth: Any) -> None:
    scene, render = context.scene, context.scene.render
    header, body = layout.panel("holdfast_truth_picture", default_closed=True)
    scale = render.resolution_percentage / 100
    size = f"{render.resolution_x * scale:.0f} x {render.resolution_y * scale:.0f}"
    header.label(text=f"Picture: {size}, {scene.frame_start}-{scene.frame_end}")
    if body is None:
        return
    fact(body, "Frame rate", f"{render.fps / render.fps_base:.5g} fps")
    column = body.column()
    column.prop(truth, "beauty_from", text="From Folder")
    rendered = column.column()
    rendered.active = not truth.beauty_from
    rendered.prop(truth, "engine_from_scene")
    rendered.prop(truth, "samples")
    column.row().prop(truth, "picture_depth", expand=True)
    column.column().prop(truth, "extras")


def _draw_estimate(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    shown = state_cache.shown(context.scene)
    found = shown.estimate
    if found is None:
        return
    header, body = layout.panel("holdfast_truth_estimate")
    header.label(text=f"Whole render: {found.time_words()}")
    if body is None:
        return
    full = found.bytes > shown.free
    says = f"Takes {found.disk_words()} of the {amount(shown.free)} that are free."
    sentence(body, context, says, icon="ERROR" if full else "NONE")
    sentence(body, context, found.basis())
    if found.seconds is None:
        body.operator(HOLDFAST_OT_time_frame.bl_idname, icon="TIME")


def draw_chooser(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Which pass to look at, what its colours mean, and the flick; in the sidebar of both editors."""
    view, part = context.window_manager.holdfast, ""
    line = layout.row(align=True)
    line.prop(view, "channel", text="")
    line.operator(HOLDFAST_OT_view_pass.bl_idname, text="", icon="HIDE_OFF")
    if view.channel in OF_PART and view.active_part < len(view.parts):
        part = view.parts[view.active_part].name
        layout.label(text=part, icon_value=_swatch_of(context, part))
    going = viewer.progress()
    if going is not None:
        layout.progress(factor=going[0], text=going[1])
    if viewer.state.failure:
        sentence(layout, context, viewer.state.failure, icon="ERROR")
    elif viewer.state.says:
        sentence(layout, context, viewer.state.says)
    layout.operator(HOLDFAST_OT_flick.bl_idname, text="Flick with Beauty", icon="UV_SYNC_SELECT")


def _swatch_of(context: bpy.types.Context, part: str) -> int:
    return next((thumbnails.swatch(row.id) for row in part_rows.rows(context.scene) if row.name == part), 0)


class HOLDFAST_PT_viewer(bpy.types.Panel):
    """The chooser beside the pictures that it shows."""

    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Holdfast"
    bl_label = "Ground Truth"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return "truth" in state_cache.shown(context.scene).manifests

    def draw(self, context: bpy.types.Context) -> None:
        draw_chooser(self.layout, context)
        self.layout.operator(HOLDFAST_OT_read_pixel.bl_idname, icon="EYEDROPPER")


CLASSES = (HOLDFAST_UL_parts, HOLDFAST_PT_truth, HOLDFAST_PT_viewer)
