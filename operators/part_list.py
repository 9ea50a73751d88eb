# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons beside the list of parts do to the part that it has chosen."""

import bpy

from . import part_rows, state_cache

Result = set[str]


class HOLDFAST_OT_select_part(bpy.types.Operator):
    """Selects the part that the list has chosen."""

    bl_idname = "holdfast.select_part"
    bl_label = "Select Part"
    bl_description = "Select the objects of this part in the viewport"
    bl_options = {"INTERNAL", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return chosen(context) is not None and context.mode == "OBJECT"

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        row = chosen(context)
        if row is None or not part_rows.select(context, row.name):
            self.report({"WARNING"}, "It is not in this view layer.")
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_unmark_part(bpy.types.Operator):
    """Takes the mark off the part that the list has chosen."""

    bl_idname = "holdfast.unmark_part"
    bl_label = "Remove Part"
    bl_description = "Make this part an ordinary object again; nothing is deleted"
    bl_options = {"INTERNAL", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return chosen(context) is not None

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        row = chosen(context)
        if row is None or not row.marked.is_editable:
            self.report({"WARNING"}, "It is linked from another file: unmark it there.")
            return {"CANCELLED"}
        row.marked.holdfast.is_part = False
        state_cache.on_change()
        if row.kind in {"SLOT", "INSTANCE"}:
            self.report({"INFO"}, f"All parts of {row.marked.name} are unmarked.")
        return {"FINISHED"}


def chosen(context: bpy.types.Context) -> part_rows.Row | None:
    """The part that the list has chosen."""
    rows, index = part_rows.rows(context.scene), context.window_manager.holdfast.active_part
    return rows[index] if index < len(rows) else None


CLASSES = (HOLDFAST_OT_select_part, HOLDFAST_OT_unmark_part)
