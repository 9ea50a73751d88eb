# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles of the active joint in the 3D viewport, and the drag that they start.

The drag is an operator, not a bound property: one drag is one undo step, Esc takes it back, Ctrl snaps, Shift is slow,
and a script or a key can do the same.
"""

import math
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.props import FloatProperty, StringProperty
from bpy_extras.view3d_utils import region_2d_to_origin_3d, region_2d_to_vector_3d
from mathutils import Matrix, Vector

from ..pipeline.errors import HoldfastError
from . import handles, overlay, overlay_joints, state_cache
from .handles import Handle

Result = set[str]
SNAPS: Final = {"mm": 0.5, "°": 5.0}
SLOW: Final = 0.1
KEYS: Final = ("depth_mm", "travel_mm", *handles.ANGLES)
ARROW: Final = 0.55


class HOLDFAST_OT_drag_joint(bpy.types.Operator):
    """Drags a parameter of the active joint, or sets it."""

    bl_idname = "holdfast.drag_joint"
    bl_label = "Drag Joint"
    bl_description = "Drag a measure of the joint; Ctrl snaps, Shift is slow, Esc takes it back"
    bl_options = {"UNDO", "BLOCKING", "INTERNAL"}

    if TYPE_CHECKING:
        parameter: str
        value: float
    else:
        parameter: StringProperty(name="Parameter", description="Which measure of the joint to change")
        value: FloatProperty(name="Value", description="What to set it to, in its own unit")

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """With the measure's name."""
        shown = overlay_joints.active(context.scene)
        for handle in handles.handles(shown):
            if handle.key == properties.parameter and shown is not None:
                return f"{handles.parameter_of(shown.settings, handle.key).label}: {cls.bl_description}"
        return cls.bl_description

    def execute(self, context: bpy.types.Context) -> Result:
        try:
            why = handles.set_value(context.scene, self.parameter, self.value)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if why:
            self.report({"WARNING"}, why)
        state_cache.on_change()
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        found = _handle(context.scene, self.parameter)
        if found is None or context.region_data is None:
            return {"CANCELLED"}
        self._handle, self._before = found, getattr(self._joint(context), self.parameter)
        self._at = self._sight(context, event)
        self._moved = 0.0
        context.window_manager.modal_handler_add(self)
        self._tell(context, found.value, "")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if event.type in {"ESC", "RIGHTMOUSE"}:
            setattr(self._joint(context), self.parameter, self._before)
            return self._end(context, {"CANCELLED"})
        if event.type in {"RET", "NUMPAD_ENTER"} or (event.type == "LEFTMOUSE" and event.value == "RELEASE"):
            return self._end(context, {"FINISHED"})
        if event.type == "MOUSEMOVE":
            self._drag(context, event)
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """The window closes or a file is opened in the middle of a drag."""
        self._end(context, {"CANCELLED"})

    def _drag(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        at = self._sight(context, event)
        if at is None or self._at is None:
            self._at = at
            return
        step = at - self._at
        if self._handle.turns:  # across the half turn it goes on, it doesn't jump back
            step = (step + math.pi) % (2.0 * math.pi) - math.pi
        self._moved += step * (SLOW if event.shift else 1.0)
        self._at = at
        value = self._handle.value + self._moved * self._handle.gain
        unit = handles.parameter_of(self._joint(context), self.parameter).unit
        if event.ctrl and unit in SNAPS:
            value = round(value / SNAPS[unit]) * SNAPS[unit]
        why = handles.set_value(context.scene, self.parameter, value)
        self.value = getattr(self._joint(context), self.parameter)
        self._tell(context, self.value, why)

    def _sight(self, context: bpy.types.Context, event: bpy.types.Event) -> float | None:
        """Where the mouse is on the handle's way: metres or radians from where the handle stood when it was grabbed."""
        at = (event.mouse_x - context.region.x, event.mouse_y - context.region.y)
        origin = region_2d_to_origin_3d(context.region, context.region_data, at)
        way = region_2d_to_vector_3d(context.region, context.region_data, at)
        return (handles.around if self._handle.turns else handles.along)(self._handle, origin, way)

    def _joint(self, context: bpy.types.Context) -> Any:
        physics = context.scene.holdfast.physics
        return physics.joints[min(physics.active_joint, len(physics.joints) - 1)]

    def _tell(self, context: bpy.types.Context, value: float, why: str) -> None:
        parameter = handles.parameter_of(self._joint(context), self.parameter)
        gap = "" if parameter.unit == "°" else " "
        words = f"{parameter.label} {value:.4g}{gap}{parameter.unit}"
        context.area.header_text_set(f"{words}    {why}" if why else words)
        overlay.redraw()

    def _end(self, context: bpy.types.Context, result: Result) -> Result:
        if context.area is not None:
            context.area.header_text_set(None)
        overlay.redraw()
        state_cache.on_change()
        return result


def _handle(scene: bpy.types.Scene, key: str) -> Handle | None:
    return next((h for h in handles.handles(overlay_joints.active(scene)) if h.key == key), None)


class HOLDFAST_GGT_joint(bpy.types.GizmoGroup):
    """A handle for every measure of the active joint that has a place in the viewport."""

    bl_idname = "HOLDFAST_GGT_joint"
    bl_label = "Joint"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"3D", "PERSISTENT", "SHOW_MODAL_ALL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(
            context.mode == "OBJECT" and context.scene.holdfast.physics.joints and overlay.wanted(context)
        )

    def setup(self, context: bpy.types.Context) -> None:
        self._made = {}
        for key in KEYS:
            made = self.gizmos.new("GIZMO_GT_move_3d" if key in handles.ANGLES else "GIZMO_GT_arrow_3d")
            made.target_set_operator(HOLDFAST_OT_drag_joint.bl_idname).parameter = key
            if key in handles.ANGLES:
                made.draw_options, made.scale_basis = {"FILL", "ALIGN_VIEW"}, 0.11
            else:
                made.length, made.scale_basis = ARROW, 0.8
            made.line_width, made.alpha, made.alpha_highlight = 2.5, 0.9, 1.0
            made.color_highlight = (1.0, 1.0, 1.0)
            made.hide = True
            self._made[key] = made

    def draw_prepare(self, context: bpy.types.Context) -> None:
        """Puts the handles where the joint has them now; called at every redraw."""
        there = {handle.key: handle for handle in handles.handles(overlay_joints.active(context.scene))}
        for key, made in self._made.items():
            handle = there.get(key)
            made.hide = handle is None
            if handle is not None:
                turn = Vector((0.0, 0.0, 1.0)).rotation_difference(handle.axis).to_matrix().to_4x4()
                made.matrix_basis = Matrix.Translation(handle.at) @ turn
                made.color = overlay.COLOURS[handle.colour]


CLASSES = (HOLDFAST_OT_drag_joint, HOLDFAST_GGT_joint)
