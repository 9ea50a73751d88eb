# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators of the prompt contract: lines in and out, save, show and bring back versions, copy the text."""

from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..pipeline.errors import HoldfastError
from ..pipeline.prompts import versions
from ..properties_prompt import fill, fill_criteria
from . import part_rows, prompt_kept, prompt_state, state_cache, window

Result = set[str]
LISTS: Final = ("change", "keep", "parts", "references")
START_KEEP = ("the shape, place and motion of every part", "the framing and the camera of the clip")
DIFFERENCES = 5


def _refresh(context: bpy.types.Context) -> None:
    prompt_state.read(context.scene)
    state_cache.on_change()
    window.redraw()


class HOLDFAST_OT_edit_prompt(bpy.types.Operator):
    """Adds an entry to a list of the contract or takes one out."""

    bl_idname = "holdfast.edit_prompt"
    bl_label = "Prompt Line"
    bl_description = "Add a line"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        where: str
        remove: int
    else:
        where: StringProperty(options={"HIDDEN"})
        remove: IntProperty(options={"HIDDEN"}, default=-1, min=-1)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """Add or remove."""
        return cls.bl_description if properties.remove < 0 else "Take this out"

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        if self.where not in LISTS:
            return {"CANCELLED"}
        entries: Any = getattr(context.scene.holdfast.prompt, self.where)
        if self.remove < 0:
            entries.add()
        elif self.remove < len(entries):
            entries.remove(self.remove)
        _refresh(context)
        return {"FINISHED"}


class HOLDFAST_OT_fill_prompt_parts(bpy.types.Operator):
    """Names every part of the shot in the contract."""

    bl_idname = "holdfast.fill_prompt_parts"
    bl_label = "Parts of the Shot"
    bl_description = (
        "List every part of the shot; what you call them is kept, parts that are gone are taken out"
    )
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        _fill_parts(context.scene)
        _refresh(context)
        return {"FINISHED"}


def _fill_parts(scene: bpy.types.Scene) -> None:
    parts = scene.holdfast.prompt.parts
    said = {part.name: part.says for part in parts}
    parts.clear()
    for row in part_rows.read(scene):
        added = parts.add()
        added.name, added.says = row.name, said.get(row.name, "")


class HOLDFAST_OT_start_prompt(bpy.types.Operator):
    """Begins a contract with what is known of the shot."""

    bl_idname = "holdfast.start_prompt"
    bl_label = "Start a Contract"
    bl_description = (
        "Begin with the prompt above, the parts of the shot, and what every look should leave alone"
    )
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast
        prompt, style = settings.prompt, settings.style
        if not prompt.change:
            looks = style.bl_rna.properties["look"].enum_items
            prompt.change.add().text = style.prompt or looks[style.look].description
        if not prompt.keep:
            for text in START_KEEP:
                prompt.keep.add().text = text
        _fill_parts(context.scene)
        _refresh(context)
        return {"FINISHED"}


class HOLDFAST_OT_save_prompt(bpy.types.Operator):
    """Keeps the contract as the next version of its look."""

    bl_idname = "holdfast.save_prompt"
    bl_label = "Save Version"
    bl_description = (
        "Keep the contract as the next version; Style uses the newest one. Nothing is overwritten"
    )
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if bpy.data.filepath:
            return True
        cls.poll_message_set("Save the file first: versions lie in <name>.holdfast beside it")
        return False

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        before = prompt_kept.latest(context.scene)
        try:
            kept = prompt_kept.save(context.scene)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        same = before is not None and before.path == kept.path
        self.report({"INFO"}, f"{kept.name} holds this contract already" if same else f"Saved as {kept.name}")
        _refresh(context)
        return {"FINISHED"}


class HOLDFAST_OT_restore_prompt(bpy.types.Operator):
    """Brings a saved version back into the fields."""

    bl_idname = "holdfast.restore_prompt"
    bl_label = "Bring Back"
    bl_description = (
        "Bring this version back into the fields, and its criteria into Validate; save it to use it again"
    )
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        version: int
        what: str
    else:
        version: IntProperty(options={"HIDDEN"}, min=1, default=1)
        what: EnumProperty(items=(("ALL", "All", "Every field"), ("CRITERIA", "Criteria", "The criteria alone")),
                           options={"HIDDEN"})  # fmt: skip

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            kept = versions.version(prompt_kept.folder(context.scene), self.version)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if self.what == "CRITERIA":
            fill_criteria(context.scene, kept.contract.criteria)
        else:
            fill(context.scene, kept.contract)
        self.report({"INFO"}, f"{kept.name} is back")
        _refresh(context)
        return {"FINISHED"}


class HOLDFAST_OT_prompt_history(bpy.types.Operator):
    """Shows the saved versions of the look and what each changed."""

    bl_idname = "holdfast.prompt_history"
    bl_label = "Show History"
    bl_description = "Every saved version of this look, and what each one changed"
    bl_options = {"INTERNAL"}
    layout: bpy.types.UILayout

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if prompt_state.shown(context.scene).latest is not None:
            return True
        cls.poll_message_set("No version is saved yet")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        _shown[:] = prompt_kept.history(context.scene)
        return set(context.window_manager.invoke_popup(self, width=460))

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        look = _shown[0][0].contract.look if _shown else ""
        column.label(text=f"Versions of {look.replace('_', ' ')}", icon="TEXT")
        for version, changes in _shown:
            box = column.box()
            row = box.row()
            row.label(text=f"{version.name}   {version.at[:16].replace('T', '  ')}")
            back = row.operator(HOLDFAST_OT_restore_prompt.bl_idname, icon="LOOP_BACK")
            back.version, back.what = version.contract.version, "ALL"
            lines = box.column(align=True)
            lines.scale_y = 0.8
            for text in changes[:DIFFERENCES] or ["The first version"]:
                lines.label(text=text)
            if len(changes) > DIFFERENCES:
                lines.label(text=f"and {len(changes) - DIFFERENCES} more")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        return {"FINISHED"}


_shown: list[tuple[versions.Version, list[str]]] = []
"""What the open popup lists."""


class HOLDFAST_OT_copy_prompt(bpy.types.Operator):
    """Copies the text for the chosen model."""

    bl_idname = "holdfast.copy_prompt"
    bl_label = "Copy"
    bl_description = "Copy the text for the chosen model to the clipboard"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        negative: bool
    else:
        negative: BoolProperty(options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return prompt_state.shown(context.scene).rendered is not None

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        rendered = prompt_state.read(context.scene).rendered
        if rendered is None:
            return {"CANCELLED"}
        context.window_manager.clipboard = rendered.negative if self.negative else rendered.prompt
        self.report({"INFO"}, f"Copied the text for {rendered.fields.label}")
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_edit_prompt,
    HOLDFAST_OT_fill_prompt_parts,
    HOLDFAST_OT_start_prompt,
    HOLDFAST_OT_save_prompt,
    HOLDFAST_OT_restore_prompt,
    HOLDFAST_OT_prompt_history,
    HOLDFAST_OT_copy_prompt,
)
