# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators with which an artist sets up a shot: sketches, variants and joints."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty

from . import locate, state_cache

Result = set[str]


class HOLDFAST_OT_add_sketches(bpy.types.Operator):
    """Adds pictures of sketches."""

    bl_idname = "holdfast.add_sketches"
    bl_label = "Add Sketches"
    bl_description = "Add photos or scans of sketches, one per drawn part"
    bl_options = {"UNDO"}

    if TYPE_CHECKING:
        directory: str
        files: bpy.types.bpy_prop_collection[bpy.types.OperatorFileListElement]
        filter_image: bool
        filter_folder: bool
    else:
        directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN"})
        files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN"})
        filter_image: BoolProperty(default=True, options={"HIDDEN"})
        filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        if self.files:  # dropped onto the sidebar
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast
        for file in self.files:
            sketch = settings.sketches.add()
            sketch.name = bpy.path.clean_name(Path(file.name).stem)
            sketch.path = locate.beside(Path(self.directory) / file.name)
        settings.active_sketch = max(0, len(settings.sketches) - 1)
        return {"FINISHED"}


class HOLDFAST_OT_remove_sketch(bpy.types.Operator):
    """Takes a sketch off the list."""

    bl_idname = "holdfast.remove_sketch"
    bl_label = "Remove Sketch"
    bl_description = "Take this sketch off the list; its picture file stays"
    bl_options = {"UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.holdfast.sketches)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast
        settings.sketches.remove(settings.active_sketch)
        settings.active_sketch = max(0, min(settings.active_sketch, len(settings.sketches) - 1))
        return {"FINISHED"}


class HOLDFAST_OT_lock_variant(bpy.types.Operator):
    """Locks a concept variant."""

    bl_idname = "holdfast.lock_variant"
    bl_label = "Lock Variant"
    bl_description = "Lock this variant: the assets follow it"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        variant: str
    else:
        variant: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        context.scene.holdfast.ideate.locked = self.variant
        state_cache.on_change()
        return {"FINISHED"}


class HOLDFAST_OT_add_joint(bpy.types.Operator):
    """Adds a joint between the selected parts."""

    bl_idname = "holdfast.add_joint"
    bl_label = "Add Joint"
    bl_description = (
        "Add a twist-and-lock joint: the active object is its socket, the other selected one its peg"
    )
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        physics = context.scene.holdfast.physics
        joint = physics.joints.add()
        joint.name = f"joint {len(physics.joints)}"
        chosen = [thing for thing in context.selected_objects if thing.type == "MESH"]
        if len(chosen) == 2 and context.object in chosen:
            joint.socket = context.object
            joint.peg = next(thing for thing in chosen if thing != context.object)
        physics.active_joint = len(physics.joints) - 1
        return {"FINISHED"}


class HOLDFAST_OT_remove_joint(bpy.types.Operator):
    """Takes a joint off the list."""

    bl_idname = "holdfast.remove_joint"
    bl_label = "Remove Joint"
    bl_description = "Take this joint off the list; the parts stay as they are"
    bl_options = {"UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.holdfast.physics.joints)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        physics = context.scene.holdfast.physics
        physics.joints.remove(physics.active_joint)
        physics.active_joint = max(0, min(physics.active_joint, len(physics.joints) - 1))
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_add_sketches,
    HOLDFAST_OT_remove_sketch,
    HOLDFAST_OT_lock_variant,
    HOLDFAST_OT_add_joint,
    HOLDFAST_OT_remove_joint,
)
