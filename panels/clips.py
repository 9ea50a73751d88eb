# SPDX-License-Identifier: GPL-3.0-or-later
"""Control clips: for which model, which kinds, what was made, and a look at it."""

from typing import Any

import bpy

from ..operators import clip_models, session, state_cache, viewer
from ..operators.clip_actions import HOLDFAST_OT_make_clips, HOLDFAST_OT_view_clip
from ..operators.results import HOLDFAST_OT_flick, HOLDFAST_OT_open_file
from .base import HoldfastPanel, draw_job, fact, sentence, state_of


class HOLDFAST_PT_clips(HoldfastPanel, bpy.types.Panel):
    """Control clips, below the ground truth that they are made of."""

    bl_label = "Control Clips"
    bl_parent_id = "HOLDFAST_PT_truth"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = context.scene.holdfast.clips
        shown = state_cache.shown(context.scene)
        model = clip_models.known(settings.model)
        layout.prop(settings, "model", text="", icon="FILE_MOVIE")
        if model is None or model.controls is None:
            sentence(layout, context, f"There is no model {settings.model!r}.", icon="ERROR")
            return
        _kinds(layout, settings, model.controls)
        if "matte" in model.controls.kinds:
            column = layout.column(align=True)
            column.prop(settings, "parts")
            column.prop(settings, "change")
        if "keys" in model.controls.kinds:
            layout.prop(settings, "key_frames")
        if model.controls.unconfirmed:
            sentence(
                layout, context, f"Unconfirmed: {', '.join(model.controls.unconfirmed)}", icon="QUESTION"
            )
        _button(layout, context, shown)
        folder = clip_models.folder_name(model)
        made = shown.controls.get(folder)
        if made is not None:
            _made(layout, made.data, folder)


def _kinds(layout: Any, settings: Any, controls: Any) -> None:
    """A button for each kind that the model takes."""
    flow = layout.grid_flow(columns=3, even_columns=True, align=True)
    for kind in controls.kinds:
        flow.prop_enum(settings, "kinds", kind)


def _button(layout: Any, context: bpy.types.Context, shown: state_cache.Shown) -> None:
    job = session.running(context.scene, "clips")
    if job is not None:
        draw_job(layout, context, job)
        return
    status, reason = state_of(context.scene, shown, "clips")
    row = layout.row(align=True)
    row.scale_y = 1.2
    icon = "CHECKMARK" if status == "fresh" else "PLAY"
    row.operator(HOLDFAST_OT_make_clips.bl_idname, icon=icon).force = False
    if status == "fresh":
        row.operator(HOLDFAST_OT_make_clips.bl_idname, text="", icon="FILE_REFRESH").force = True
    if reason and status in {"failed", "stale", "cancelled"}:
        text = f"Out of date: {reason}" if status == "stale" else reason
        sentence(layout, context, text, icon="ERROR" if status == "failed" else "FILE_REFRESH")


def _made(layout: Any, data: Any, folder: str) -> None:
    """What is there, and a way to see it."""
    box = layout.box()
    width, height = data["fit"]["clip"]
    rate = data["fps"][0] / data["fps"][1]
    fact(box, f"{data['count']} frames", f"{width} x {height}, {rate:.5g} fps")
    showing = viewer.showing()
    for name, clip in data["clips"].items():
        row = box.row()
        icon = "IMAGE_DATA" if clip["codec"] == "png" else "FILE_MOVIE"
        row.label(text=f"{name}  {clip['codec']}  {clip['bytes'] / 1e6:.2g} MB", icon=icon)
        here = showing is not None and showing.kind == "clip" and showing.name == f"{folder}/{name}"
        view = row.operator(HOLDFAST_OT_view_clip.bl_idname, text="", icon="HIDE_OFF", depress=here)
        view.clip = f"{folder}/{name}"
    row = box.row(align=True)
    row.operator(HOLDFAST_OT_flick.bl_idname, icon="UV_SYNC_SELECT")
    row.operator(HOLDFAST_OT_open_file.bl_idname, text="", icon="FILE_FOLDER").path = f"controls/{folder}"


CLASSES = (HOLDFAST_PT_clips,)
