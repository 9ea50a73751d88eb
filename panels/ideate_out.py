# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes out of Ideate: the contact sheet, the moving board, the reference sheet; and where sketches come from."""

import bpy

from ..operators.editing import HOLDFAST_OT_add_sketches
from ..operators.ideate_sketches import (
    HOLDFAST_OT_sketch_from_clipboard,
    HOLDFAST_OT_sketch_from_pencil,
    HOLDFAST_OT_sketch_from_view,
)
from ..pipeline.manifest import Manifest


class HOLDFAST_MT_sketch_from(bpy.types.Menu):
    """Where a sketch may come from."""

    bl_idname = "HOLDFAST_MT_sketch_from"
    bl_label = "Add Sketch"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator(HOLDFAST_OT_add_sketches.bl_idname, text="From Files...", icon="FILE_FOLDER")
        layout.operator(HOLDFAST_OT_sketch_from_clipboard.bl_idname, icon="PASTEDOWN")
        layout.operator(HOLDFAST_OT_sketch_from_pencil.bl_idname, icon="GREASEPENCIL")
        layout.operator(HOLDFAST_OT_sketch_from_view.bl_idname, icon="VIEW3D")


def draw_out(layout: bpy.types.UILayout, context: bpy.types.Context, concepts: Manifest | None) -> None:
    """What can be made of the ideas and of the locked picture."""
