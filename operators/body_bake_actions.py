# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons that turn live bodies into plain keys, and back."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, FloatProperty, FloatVectorProperty

from ..physics.units import DEG, MM
from . import body_bake
from .body_actions import Result, Working, may_run
from .body_fall import Fall


class HOLDFAST_OT_bake_bodies(Working, bpy.types.Operator):
    """Lets the selected live bodies fall, and keys their parts."""

    bl_idname = "holdfast.bake_bodies"
    bl_label = "Bake Bodies"
    bl_description = (
        "Let the selected live bodies fall in a lab, on the floor and on all passive and animated bodies of the scene, "
        "and key their parts with plain location and rotation keys over the frames of the scene"
    )
    bl_options = {"UNDO"}

    if TYPE_CHECKING:
        floor: bool
        floor_mm: float
        velocity: tuple[float, float, float]
        spin: tuple[float, float, float]
    else:
        floor: BoolProperty(name="Floor", description="A level floor beside what the scene has", default=True)
        floor_mm: FloatProperty(
            name="Height (mm)", description="Height of the floor, in millimetres", default=0.0, precision=2
        )
        velocity: FloatVectorProperty(
            name="Velocity (m/s)", description="How fast all of them are thrown, in metres a second", size=3
        )
        spin: FloatVectorProperty(
            name="Spin (deg/s)",
            description="How fast all of them turn about the world's axes, in degrees a second",
            size=3,
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_run(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        self._in_window = not bpy.app.background
        return set(context.window_manager.invoke_props_dialog(self, width=320))

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row()
        row.prop(self, "floor")
        height = row.row()
        height.active = self.floor
        height.prop(self, "floor_mm")
        self.layout.prop(self, "velocity")
        self.layout.prop(self, "spin")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        x, y, z = (DEG * float(value) for value in self.spin)
        u, v, w = (float(value) for value in self.velocity)
        fall = Fall(self.floor_mm * MM if self.floor else None, (u, v, w), (x, y, z))
        return self.begin(context, body_bake.bake(context.scene, context.selected_objects, fall))


class HOLDFAST_OT_clear_bake(bpy.types.Operator):
    """Takes the keys of a bake off the selected parts."""

    bl_idname = "holdfast.clear_bake"
    bl_label = "Clear Bake"
    bl_description = (
        "Take the baked keys off the selected parts; their bodies are live again, where they started"
    )
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_run(cls, context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        count = body_bake.clear(context.selected_objects)
        self.report({"INFO"}, f"{count} {'body is' if count == 1 else 'bodies are'} live again.")
        return {"FINISHED"} if count else {"CANCELLED"}


CLASSES = (HOLDFAST_OT_bake_bodies, HOLDFAST_OT_clear_bake)
