# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the timing strip under the mouse: a gizmo that feels for them, and the drag that moves one."""

from typing import TYPE_CHECKING, Final

import bpy
from bpy.props import IntProperty

from . import overlay, overlay_strip, state_cache, timeline
from .timeline import Row

Result = set[str]
NOWHERE: Final = -1


class HOLDFAST_OT_drag_timing(bpy.types.Operator):
    """Moves a key of a joint's timing, and all that come after it."""

    bl_idname = "holdfast.drag_timing"
    bl_label = "Drag Timing"
    bl_description = "Drag the end of a move; what comes after it moves along. Esc takes it back"
    bl_options = {"UNDO", "BLOCKING", "INTERNAL"}

    if TYPE_CHECKING:
        joint: int
        key: int
        frame: int
    else:
        joint: IntProperty(name="Joint", description="Number of the joint in the list", min=0)
        key: IntProperty(name="Key", description="Number of the key: 0 begins the first move", min=0)
        frame: IntProperty(name="Frame", description="Where to move it")

    def execute(self, context: bpy.types.Context) -> Result:
        row = self._row(context)
        if row is None or self.key >= len(row.keys):
            self.report({"ERROR"}, "The timing has no such key: it has changed.")
            return {"CANCELLED"}
        timeline.write(context.scene, row, timeline.moved(row, self.key, self.frame))
        state_cache.on_change()
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        self._before, self._strip = self._row(context), overlay_strip.layout(context)
        if self._before is None or self._strip is None or self.key >= len(self._before.keys):
            return {"CANCELLED"}
        self._own = bool(context.scene.holdfast.physics.joints[self.joint].steps)
        context.scene.holdfast.physics.active_joint = self.joint
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if event.type in {"ESC", "RIGHTMOUSE"}:
            self._take_back(context)
            return self._end(context, {"CANCELLED"})
        if event.type in {"RET", "NUMPAD_ENTER"} or (event.type == "LEFTMOUSE" and event.value == "RELEASE"):
            return self._end(context, {"FINISHED"})
        if event.type == "MOUSEMOVE":
            self.frame = round(self._strip.frame(event.mouse_x - context.region.x))
            keys = timeline.moved(self._before, self.key, self.frame)
            timeline.write(context.scene, self._before, keys)
            context.area.header_text_set(self._words(keys))
            overlay.redraw()
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """The window closes or a file is opened in the middle of a drag."""
        self._end(context, {"CANCELLED"})

    def _row(self, context: bpy.types.Context) -> Row | None:
        rows = timeline.rows(context.scene)
        return rows[self.joint] if self.joint < len(rows) else None

    def _words(self, keys: tuple[int, ...]) -> str:
        if self.key == 0:
            return f"{self._before.name} begins at frame {keys[0]}"
        begin = keys[self.key - 1] + (self.key > 1)
        frames = keys[self.key] - begin + 1
        return f"{self._before.labels[self.key - 1]} {frames} frames, to frame {keys[self.key]}"

    def _take_back(self, context: bpy.types.Context) -> None:
        timeline.write(context.scene, self._before, self._before.keys)
        if not self._own:
            context.scene.holdfast.physics.joints[self.joint].steps.clear()

    def _end(self, context: bpy.types.Context, result: Result) -> Result:
        if context.area is not None:
            context.area.header_text_set(None)
        overlay.redraw()
        state_cache.on_change()
        return result


class HOLDFAST_GT_timing(bpy.types.Gizmo):
    """Feels for the keys of the strip, which the overlay draws."""

    bl_idname = "HOLDFAST_GT_timing"

    def draw(self, context: bpy.types.Context) -> None:
        pass

    def test_select(self, context: bpy.types.Context, location: tuple[int, int]) -> int:
        """0 on a key, which the click is then about; else -1."""
        strip = overlay_strip.layout(context)
        hit = strip.hit(*location) if strip is not None else None
        if strip is None or hit is None:
            return NOWHERE
        drag = self.target_set_operator(HOLDFAST_OT_drag_timing.bl_idname)
        drag.joint, drag.key = strip.rows[hit[0]].number, hit[1]
        return 0


class HOLDFAST_GGT_timing(bpy.types.GizmoGroup):
    """The keys of the strip at the bottom of the viewport."""

    bl_idname = "HOLDFAST_GGT_timing"
    bl_label = "Timing of Joints"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"PERSISTENT", "SCALE"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        physics = context.scene.holdfast.physics
        return bool(physics.joints and physics.show_timing and overlay.wanted(context))

    def setup(self, context: bpy.types.Context) -> None:
        felt = self.gizmos.new(HOLDFAST_GT_timing.bl_idname)
        felt.use_draw_modal = True
        felt.target_set_operator(HOLDFAST_OT_drag_timing.bl_idname)


CLASSES = (HOLDFAST_OT_drag_timing, HOLDFAST_GT_timing, HOLDFAST_GGT_timing)
