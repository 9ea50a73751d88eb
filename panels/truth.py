# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth: what is rendered, and a look at any pass of any frame."""

from typing import Any

import bpy

from ..operators.results import HOLDFAST_OT_view_pass
from ..operators.state_cache import Shown
from .base import StagePanel, fact


class HOLDFAST_PT_truth(StagePanel, bpy.types.Panel):
    """The stage Ground Truth."""

    bl_label = "Ground Truth"
    stage = "truth"
    verb = "Render ground truth"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        scene, render = context.scene, context.scene.render
        scale = render.resolution_percentage / 100
        column = layout.column(align=True)
        fact(
            column, "Frames", f"{scene.frame_start}-{scene.frame_end}, {render.fps / render.fps_base:.5g} fps"
        )
        fact(column, "Size", f"{render.resolution_x * scale:.0f} x {render.resolution_y * scale:.0f}")
        layout.prop(settings.truth, "engine_from_scene")
        layout.prop(settings.truth, "samples")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        truth = shown.manifests.get("truth")
        if truth is None:
            return
        view = context.window_manager.holdfast
        column = layout.box().column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.label(
            text=f"{len(truth.data['frames'])} frames, {len(truth.data['parts'])} parts", icon="RENDER_RESULT"
        )
        column.prop(view, "channel")
        column.operator(HOLDFAST_OT_view_pass.bl_idname, text="View", icon="HIDE_OFF")


CLASSES = (HOLDFAST_PT_truth,)
