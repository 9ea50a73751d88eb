# SPDX-License-Identifier: GPL-3.0-or-later
"""Finish: grade, title, master."""

from typing import Any

import bpy

from ..operators.results import HOLDFAST_OT_open_file
from ..operators.state_cache import Shown
from .base import StagePanel


class HOLDFAST_PT_finish(StagePanel, bpy.types.Panel):
    """The stage Finish."""

    bl_label = "Finish"
    stage = "finish"
    verb = "Finish"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        finish = settings.finish
        column = layout.column(align=True)
        for name in ("exposure", "contrast", "saturation", "temperature"):
            column.prop(finish, name)
        column = layout.column(align=True)
        column.prop(finish, "title")
        column.prop(finish, "title_seconds")
        layout.prop(finish, "crf")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        delivery = shown.manifests.get("delivery")
        if delivery is None:
            return
        column = layout.box().column()
        master = str(delivery.data.get("master", "master.mp4"))
        column.label(text=f"{delivery.data.get('take', '')} delivered", icon="CHECKMARK")
        row = column.row(align=True)
        row.operator(HOLDFAST_OT_open_file.bl_idname, text="Master", icon="PLAY").path = f"delivery/{master}"
        row.operator(HOLDFAST_OT_open_file.bl_idname, text="Folder", icon="FILE_FOLDER").path = "delivery"


CLASSES = (HOLDFAST_PT_finish,)
