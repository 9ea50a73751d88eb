# SPDX-License-Identifier: GPL-3.0-or-later
"""The first panel: which shot this is, where its results go, how far it is, and Run All."""

import bpy

from ..operators import session, state_cache
from ..operators.actions import HOLDFAST_OT_new_demo_shot, HOLDFAST_OT_refresh, HOLDFAST_OT_run_all
from ..operators.results import HOLDFAST_OT_open_file
from ..operators.stages import STAGES
from .base import ICONS, HoldfastPanel, draw_job, sentence, state_of


class HOLDFAST_PT_shot(HoldfastPanel, bpy.types.Panel):
    """The shot as a whole."""

    bl_label = "Shot"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.operator(HOLDFAST_OT_refresh.bl_idname, text="", icon="FILE_REFRESH", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        shown = state_cache.shown(context.scene)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(context.scene.holdfast, "shot_name")
        if not bpy.data.filepath:
            _draw_unsaved(layout, context)
            return
        if shown.problem:
            box = layout.box()
            box.alert = True
            sentence(box, context, shown.problem, icon="ERROR")
            return
        row = column.row(align=True)
        row.label(text=_folder(shown.root), icon="FILE_FOLDER")
        row.operator(HOLDFAST_OT_open_file.bl_idname, text="", icon="FILEBROWSER").path = ""
        _draw_states(layout, context, shown)
        _draw_run(layout, context)


def _folder(root: str) -> str:
    parts = root.replace("\\", "/").rstrip("/").split("/")
    return "/".join(parts[-2:])


def _draw_unsaved(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    box = layout.box()
    sentence(box, context, "Save the file first: results live in <name>.holdfast beside it.", icon="INFO")
    row = box.row()
    row.scale_y = 1.4
    row.operator_context = "INVOKE_DEFAULT"
    row.operator("wm.save_as_mainfile", text="Save", icon="FILE_TICK")
    layout.separator(factor=0.5)
    sentence(layout, context, "Or look at a finished set-up:")
    layout.operator(HOLDFAST_OT_new_demo_shot.bl_idname, icon="LIGHT")


def _draw_states(layout: bpy.types.UILayout, context: bpy.types.Context, shown: state_cache.Shown) -> None:
    grid = layout.box().grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    for stage in STAGES:
        status, _reason = state_of(context.scene, shown, stage.name)
        row = grid.row()
        row.alert = status == "failed"
        row.active = status != "missing"
        row.label(text=stage.label, icon=ICONS[status])


def _draw_run(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    job = session.current.job
    if job is not None:
        layout.label(text=f"Running: {job.stage.label}")
        draw_job(layout, context, job)
        return
    row = layout.row()
    row.scale_y = 1.4
    row.operator_context = "EXEC_DEFAULT"
    row.operator(HOLDFAST_OT_run_all.bl_idname, text="Run All", icon="PLAY")
