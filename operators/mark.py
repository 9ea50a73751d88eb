# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a part of the product: marking from the selection, a collection or the rigid bodies, with numbers that stay."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty

from ..pipeline.errors import HoldfastError
from ..rendering.drawn import COVERING
from ..rendering.part_numbers import renumber
from ..rendering.parts import marked_collections
from . import state_cache
from .marking import gathered, mark_collection, mark_instances, mark_objects, mark_slots

Result = set[str]
SOURCES = (
    ("SELECTION", "Selection", "The selected objects"),
    ("COLLECTION", "Collection", "The active collection"),
    ("RIGID_BODIES", "Rigid Bodies", "All active and passive rigid bodies that are rendered"),
)
PIECES = (
    ("OBJECTS", "Per Object", "Each object is a part"),
    ("WHOLE", "One Part", "All of it together is one part"),
    ("SLOTS", "Per Material Slot", "Each material slot in use of each object is a part"),
    ("INSTANCES", "Per Instance", "Each instance that an object makes is a part"),
)
_PROXY_OF = "holdfast_proxy_of"
"""Custom property of the hidden bodies of Physics: the object that they move."""


class HOLDFAST_OT_mark_parts(bpy.types.Operator):
    """Makes objects, a collection, material slots or instances parts of the product."""

    bl_idname = "holdfast.mark_parts"
    bl_label = "Mark as Parts"
    bl_description = "Make these parts of the product: each gets a number, a matte, a pose and a verdict"
    bl_options = {"REGISTER", "UNDO"}

    if TYPE_CHECKING:
        source: str
        pieces: str
        whole_shot: bool
    else:
        source: EnumProperty(name="From", items=SOURCES)
        pieces: EnumProperty(name="As", items=PIECES)
        whole_shot: BoolProperty(
            name="Whole Shot",
            description="Look for instances at every frame of the shot, not only at the current one",
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode == "OBJECT":
            return True
        cls.poll_message_set("Leave edit mode first")
        return False

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            count = self._mark(context)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        state_cache.on_change()
        if not count:
            self.report({"WARNING"}, "There is nothing here that a render would show.")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{count} part{'s' * (count != 1)} marked.")
        return {"FINISHED"}

    def _mark(self, context: bpy.types.Context) -> int:
        scene = context.scene
        things = [thing for thing in _chosen(context, self.source) if _shows(thing) and thing.is_editable]
        if not things:
            return 0
        if self.pieces == "WHOLE" and self.source == "COLLECTION":
            return mark_collection(scene, context.collection)
        if self.pieces == "WHOLE" and len(things) > 1:
            return mark_collection(scene, gathered(things))
        if self.pieces == "SLOTS":
            return mark_slots(scene, things)
        if self.pieces == "INSTANCES":
            return mark_instances(scene, things, self.whole_shot)
        return mark_objects(scene, things)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "source")
        self.layout.prop(self, "pieces")
        if self.pieces == "INSTANCES":
            self.layout.prop(self, "whole_shot")


class HOLDFAST_OT_unmark_parts(bpy.types.Operator):
    """Makes parts ordinary objects again."""

    bl_idname = "holdfast.unmark_parts"
    bl_label = "Unmark Parts"
    bl_description = "Make these ordinary objects again; marked anew they get back their numbers"
    bl_options = {"REGISTER", "UNDO"}

    if TYPE_CHECKING:
        source: str
    else:
        source: EnumProperty(name="From", items=SOURCES)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        things = set(_chosen(context, self.source))
        around = {
            each for each, members in marked_collections(context.scene).items() if things & set(members)
        }
        if self.source == "COLLECTION":
            around |= {context.collection} if context.collection.holdfast.is_part else set()
        marked = [each for each in (*things, *around) if each.holdfast.is_part and each.is_editable]
        for each in marked:
            each.holdfast.is_part = False
        state_cache.on_change()
        self.report({"INFO"}, f"{len(marked)} part{'s' * (len(marked) != 1)} unmarked.")
        return {"FINISHED"} if marked else {"CANCELLED"}


class HOLDFAST_OT_renumber_parts(bpy.types.Operator):
    """Gives parts that share a number new ones."""

    bl_idname = "holdfast.renumber_parts"
    bl_label = "Renumber Parts"
    bl_description = (
        "Where two parts have the same number, give the later ones new numbers; all others keep theirs"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            changed = renumber(context.scene)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        state_cache.on_change()
        self.report(
            {"INFO"}, f"New numbers: {', '.join(changed)}." if changed else "All numbers differ already."
        )
        return {"FINISHED"} if changed else {"CANCELLED"}


def _chosen(context: bpy.types.Context, source: str) -> list[bpy.types.Object]:
    if source == "COLLECTION":
        return list(context.collection.all_objects)
    if source == "SELECTION":
        return list(context.selected_objects)
    world = context.scene.rigidbody_world
    bodies = world.collection.objects if world and world.collection else ()
    things = [body.get(_PROXY_OF) or body for body in bodies if body.rigid_body]
    return list(dict.fromkeys(thing for thing in things if not thing.hide_render))


def _shows(thing: bpy.types.Object) -> bool:
    return (thing.type in COVERING or thing.instance_type == "COLLECTION") and thing.get(_PROXY_OF) is None


CLASSES = (HOLDFAST_OT_mark_parts, HOLDFAST_OT_unmark_parts, HOLDFAST_OT_renumber_parts)
