# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators with which an artist shapes a joint: where to start from, and which moves it makes."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..physics.choreography import GENERIC
from ..physics.joints import kind_named
from ..physics.joints.spec import Parameter
from . import state_cache, timeline

Result = set[str]
EDITS = (
    ("START", "Start", "List the moves that this kind of joint starts from, to change them"),
    ("ADD", "Add", "Add this move at the end"),
    ("REMOVE", "Remove", "Take the last move off the list"),
    ("CLEAR", "Clear", "Forget the list, and make the moves of the kind again"),
)


def active_joint(scene: bpy.types.Scene) -> Any:
    """The joint that the panel shows, or None."""
    physics = scene.holdfast.physics
    return physics.joints[min(physics.active_joint, len(physics.joints) - 1)] if physics.joints else None


def length(joint: Any) -> int:
    """Frames that the joint's own moves take."""
    return sum(step.frames for step in joint.steps)


def parameters(joint: Any) -> tuple[Parameter, ...]:
    """What may be set of a joint of its kind."""
    return kind_named(joint.kind).parameters


def labels(joint: Any) -> dict[str, str]:
    """The moves that a joint can make, by their names, in words."""
    own = {phase.name: phase.label for phase in kind_named(joint.kind).phases}
    return own | {key: words[0] for key, words in GENERIC.items()}


class _OfJoint:
    """Needs a joint in the list."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return active_joint(context.scene) is not None


class HOLDFAST_OT_joint_preset(_OfJoint, bpy.types.Operator):
    """Sets a joint up like a known one."""

    bl_idname = "holdfast.joint_preset"
    bl_label = "Use Preset"
    bl_description = "Set the joint's parameters to those of a known joint"
    bl_options = {"UNDO"}

    if TYPE_CHECKING:
        preset: str
    else:
        preset: StringProperty(name="Preset", options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The preset's source."""
        joint = active_joint(context.scene)
        found = kind_named(joint.kind).presets.get(properties.preset) if joint else None
        return f"{cls.bl_description}\n\n{found.source}" if found else cls.bl_description

    def execute(self, context: bpy.types.Context) -> Result:
        joint = active_joint(context.scene)
        found = kind_named(joint.kind).presets.get(self.preset)
        if found is None:
            self.report({"WARNING"}, f"A {kind_named(joint.kind).label} has no preset {self.preset!r}.")
            return {"CANCELLED"}
        for key, value in found.values.items():
            setattr(joint, key, value)
        state_cache.on_change()
        return {"FINISHED"}


class HOLDFAST_OT_edit_moves(_OfJoint, bpy.types.Operator):
    """Changes the choreography of a joint."""

    bl_idname = "holdfast.edit_moves"
    bl_label = "Edit Moves"
    bl_description = "Change which moves the joint makes"
    bl_options = {"UNDO"}

    if TYPE_CHECKING:
        edit: str
        phase: str
    else:
        edit: EnumProperty(name="Edit", items=EDITS, options={"HIDDEN"})
        phase: StringProperty(name="Move", default="HOLD", options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What this edit does."""
        return str(next(says for key, _, says in EDITS if key == properties.edit))

    def execute(self, context: bpy.types.Context) -> Result:
        joint = active_joint(context.scene)
        kind = kind_named(joint.kind)
        if self.edit in ("START", "CLEAR"):
            joint.steps.clear()
        if self.edit == "START":
            timeline.own(context.scene.holdfast.physics, joint)
        elif self.edit == "ADD":
            step = joint.steps.add()
            step.phase = self.phase
            step.frames = GENERIC[self.phase][1] if self.phase in GENERIC else kind.phase(self.phase).frames
        elif self.edit == "REMOVE" and joint.steps:
            joint.steps.remove(len(joint.steps) - 1)
        state_cache.on_change()
        return {"FINISHED"}


class HOLDFAST_MT_joint_presets(bpy.types.Menu):
    """Known joints of this kind."""

    bl_idname = "HOLDFAST_MT_joint_presets"
    bl_label = "Presets"

    def draw(self, context: bpy.types.Context) -> None:
        joint = active_joint(context.scene)
        for name, preset in kind_named(joint.kind).presets.items() if joint else ():
            self.layout.operator(HOLDFAST_OT_joint_preset.bl_idname, text=preset.label).preset = name


class HOLDFAST_MT_joint_moves(bpy.types.Menu):
    """Moves that the joint can make."""

    bl_idname = "HOLDFAST_MT_joint_moves"
    bl_label = "Add Move"

    def draw(self, context: bpy.types.Context) -> None:
        joint = active_joint(context.scene)
        for name, label in labels(joint).items() if joint else ():
            made = self.layout.operator(HOLDFAST_OT_edit_moves.bl_idname, text=label)
            made.edit, made.phase = "ADD", name


CLASSES = (
    HOLDFAST_OT_joint_preset,
    HOLDFAST_OT_edit_moves,
    HOLDFAST_MT_joint_presets,
    HOLDFAST_MT_joint_moves,
)
