# SPDX-License-Identifier: GPL-3.0-or-later
"""Physics: what the parts are made of, how they join, and the proof that the joint engages."""

from typing import Any

import bpy

from ..operators import moves, pick, timeline_keys
from ..operators.editing import HOLDFAST_OT_add_joint, HOLDFAST_OT_remove_joint
from ..operators.state_cache import Shown
from .base import StagePanel, sentence, state_of

VERDICT_ICONS: dict[str, Any] = {"engaged": "CHECKMARK", "not_engaged": "ERROR", "inconclusive": "QUESTION"}
VERDICT_WORDS = {
    "engaged": "The joint engages",
    "not_engaged": "The joint does not engage",
    "inconclusive": "Can't tell",
}


class HOLDFAST_UL_joints(bpy.types.UIList):
    """The joints of the shot."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str,
    ) -> None:  # fmt: skip
        layout.prop(item, "name", text="", emboss=False, icon="CONSTRAINT")


class HOLDFAST_PT_physics(StagePanel, bpy.types.Panel):
    """The stage Physics."""

    bl_label = "Physics"
    stage = "physics"
    verb = "Set up and prove motion"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        _draw_parts(layout, context)
        physics = settings.physics
        row = layout.row()
        row.template_list("HOLDFAST_UL_joints", "", physics, "joints", physics, "active_joint", rows=2)
        buttons = row.column(align=True)
        buttons.operator(HOLDFAST_OT_add_joint.bl_idname, text="", icon="ADD")
        buttons.operator(HOLDFAST_OT_remove_joint.bl_idname, text="", icon="REMOVE")
        if physics.joints:
            _draw_joint(layout, context, physics.joints[min(physics.active_joint, len(physics.joints) - 1)])
        layout.prop(physics, "show_overlay")
        shown = layout.row()
        shown.active = physics.show_overlay
        shown.prop(physics, "show_timing")
        _draw_timing(layout, physics)
        _draw_finale(layout, context, physics)

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        proof = shown.manifests.get("proof")
        if proof is None:
            return
        verdict = str(proof.data["verdict"])
        box = layout.box()
        status, _reason = state_of(context.scene, shown, self.stage)
        if status != "fresh":  # the verdict is of what was there before
            box.active = False
            box.label(text="Of the settings before:", icon="FILE_REFRESH")
        row = box.row()
        row.alert = verdict == "not_engaged"
        row.label(text=VERDICT_WORDS.get(verdict, verdict), icon=VERDICT_ICONS.get(verdict, "QUESTION"))
        sentence(box, context, str(proof.data.get("says", "")))
        checks = proof.data["checks"]
        header, body = box.panel("holdfast_physics_checks", default_closed=True)
        header.label(text=f"{sum(bool(check['ok']) for check in checks)} of {len(checks)} checks hold")
        if body is not None:
            for check in checks:
                sentence(body, context, str(check["says"]), icon="CHECKMARK" if check["ok"] else "ERROR")


def _draw_parts(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    header, body = layout.panel("holdfast_physics_parts", default_closed=True)
    header.label(text="Materials of the parts")
    if body is None:
        return
    thing = context.object
    if thing is None or not thing.holdfast.is_part:
        sentence(body, context, "Select a part to see its material.", icon="INFO")
        return
    body.prop(thing.holdfast, "part")
    body.prop(thing.holdfast, "role")
    body.prop(thing.holdfast, "material")
    body.prop(thing.holdfast, "density")


def _draw_joint(layout: bpy.types.UILayout, context: bpy.types.Context, joint: Any) -> None:
    row = layout.row(align=True)
    row.prop(joint, "kind", text="")
    row.menu(moves.HOLDFAST_MT_joint_presets.bl_idname, text="", icon="PRESET")
    column = layout.column()
    for side in ("peg", "socket"):
        row = column.row(align=True)
        row.prop(joint, side)
        row.operator(pick.HOLDFAST_OT_pick_axis.bl_idname, text="", icon="EYEDROPPER").side = side.upper()
    column.prop(joint, "mode")
    sentence(column, context, _chosen(joint, "mode").description)
    if joint.mode == "SIMULATED":
        column.prop(joint, "hand_mm")
    column = layout.column(align=True)
    for parameter in moves.parameters(joint):
        if not parameter.choices:
            column.prop(joint, parameter.key)
    for parameter in moves.parameters(joint):
        if parameter.choices:
            layout.row().prop(joint, parameter.key, expand=len(parameter.choices) == 2)
    if joint.mode != "FREE":
        _draw_moves(layout, context, joint)


def _draw_moves(layout: bpy.types.UILayout, context: bpy.types.Context, joint: Any) -> None:
    """The choreography: every move with its frames and easing, and when it starts."""
    header, body = layout.panel("holdfast_physics_moves", default_closed=True)
    header.label(text=f"Moves: {moves.length(joint)} frames" if joint.steps else "Moves of the kind")
    if body is None:
        return
    edit = moves.HOLDFAST_OT_edit_moves.bl_idname
    if not joint.steps:
        body.operator(edit, text="Change the Moves").edit = "START"
    labels = moves.labels(joint)
    column = body.column(align=True)
    for step in joint.steps:
        row = column.row(align=True)
        row.prop(step, "frames", text=labels.get(step.phase, step.phase))
        row.prop(step, "ease", text="")
    if joint.steps:
        row = body.row(align=True)
        row.menu(moves.HOLDFAST_MT_joint_moves.bl_idname, icon="ADD")
        row.operator(edit, text="", icon="REMOVE").edit = "REMOVE"
        row.operator(edit, text="", icon="LOOP_BACK").edit = "CLEAR"
    body.prop(joint, "together")
    body.prop(joint, "delay_frames")
    keys = timeline_keys.HOLDFAST_OT_timing_keys.bl_idname
    body.operator(keys, icon="ACTION", depress=timeline_keys.keeper(context.scene) is not None)


def _draw_timing(layout: bpy.types.UILayout, physics: Any) -> None:
    header, body = layout.panel("holdfast_physics_timing", default_closed=True)
    header.label(text="Timing in frames")
    if body is None:
        return
    column = body.column(align=True)
    for name in ("align", "insert", "twist", "click", "hold"):
        column.prop(physics.timing, f"{name}_frames")
    body.prop(physics, "pull_on_screen")


def _chosen(settings: Any, name: str) -> Any:
    """The entry that is chosen in a list of choices, with its name and description."""
    return settings.bl_rna.properties[name].enum_items[getattr(settings, name)]


def _draw_finale(layout: bpy.types.UILayout, context: bpy.types.Context, physics: Any) -> None:
    """What becomes of the product once its joints are made."""
    finale = physics.finale
    header, body = layout.panel("holdfast_physics_finale", default_closed=True)
    header.label(text=f"Finale: {_chosen(finale, 'kind').name}")
    if body is None:
        return
    body.prop(finale, "kind", text="Ends")
    sentence(body, context, _chosen(finale, "kind").description)
    if finale.kind == "NONE":
        return
    column = body.column(align=True)
    for name in ("lift_frames", "free_frames", "height_mm", "tilt_deg"):
        column.prop(finale, name)
    if finale.kind == "THROW":
        body.prop(finale, "speed_mps")
        body.prop(finale, "spin_rps")
    if finale.kind == "HANG":
        body.prop(finale, "string_mm")
    body.label(text="Breaks at a force; 0 never does")
    column = body.column(align=True)
    for joint in physics.joints:
        column.prop(joint, "break_n", text=f"{joint.name} (N)")


CLASSES = (HOLDFAST_UL_joints, HOLDFAST_PT_physics)
