# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that make and open what goes out of Ideate."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..clients.idea_reference import NAME, SCHEMA
from ..pipeline.errors import HoldfastError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from . import ideate_out, ideate_remote, session
from .ideate_actions import Asking, model_of
from .steps import StageOptions

Result = set[str]
MADE = (
    ("sheet", "Contact Sheet", "Lay the starred ideas (without stars: all) out on A4 pages, as PDF and PNG"),
    ("film", "Moving Board", "Make a few seconds of film of the locked picture"),
    ("reference", "Reference Sheet", "Views, palette and materials of the locked picture, by which later ideas are measured"),
    ("views", "Ask for Views", "Ask the chosen model for the locked idea from four sides, for the reference sheet"),
)  # fmt: skip


class HOLDFAST_OT_make_idea_output(Asking, bpy.types.Operator):
    """Makes what goes out of Ideate."""

    bl_idname = "holdfast.make_idea_output"
    bl_label = "Make"
    bl_description = "Make something of the locked idea: a contact sheet, a moving board, a reference sheet"

    if TYPE_CHECKING:
        what: str
    else:
        what: EnumProperty(items=MADE, options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        return next(says for name, _label, says in MADE if name == properties.what)

    def ask(self, context: bpy.types.Context, shot: ShotFolder) -> None:
        if self.what != "views":
            session.enqueue(context.scene, [ideate_out.OUTPUTS[self.what]], StageOptions(force=True))
            return
        model, name = model_of(context), ideate_out.name_of(ideate_out.locked_of(shot))
        stages = []
        for says in ideate_out.VIEWS.values():
            order, pictures = ideate_remote.branch_of(context.scene, shot, model, "turn", [name], says, 1)
            stages.append(ideate_remote.stage_of(model, order, pictures))
        session.enqueue(context.scene, stages, StageOptions())


class HOLDFAST_OT_open_idea_output(bpy.types.Operator):
    """Opens what was made."""

    bl_idname = "holdfast.open_idea_output"
    bl_label = "Open"
    bl_description = "Open it with the program that this computer uses for such files"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        path: str
    else:
        path: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        if not Path(self.path).exists():
            self.report({"ERROR"}, "It is not there any more: make it again.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=self.path)
        return {"FINISHED"}


class HOLDFAST_OT_use_reference(bpy.types.Operator):
    """Gives the reference sheet to Style."""

    bl_idname = "holdfast.use_reference"
    bl_label = "Use in Style"
    bl_description = (
        "Add the locked picture of the reference sheet to the references of this shot's prompt contract"
    )
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            folder = ideate_out.reference_folder(context.scene)
            made = Manifest.load(folder / NAME, SCHEMA)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        path = bpy.path.relpath(str(folder / made.data["views"][0]["picture"]))
        references = context.scene.holdfast.prompt.references
        if all(each.path != path for each in references):
            entry = references.add()
            entry.role, entry.path = "identity", path
            entry.takes = f"shape, materials and colours of the {made.data['product']}"
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_make_idea_output, HOLDFAST_OT_open_idea_output, HOLDFAST_OT_use_reference)
