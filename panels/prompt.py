# SPDX-License-Identifier: GPL-3.0-or-later
"""The prompt contract, below Style: its fields, what lint finds, the text for the chosen model, its versions."""

from typing import Any

import bpy

from ..operators import prompt_state
from ..operators.prompt import (
    HOLDFAST_OT_copy_prompt,
    HOLDFAST_OT_edit_prompt,
    HOLDFAST_OT_fill_prompt_parts,
    HOLDFAST_OT_prompt_history,
    HOLDFAST_OT_restore_prompt,
    HOLDFAST_OT_save_prompt,
    HOLDFAST_OT_start_prompt,
)
from ..operators.prompt_state import Seen
from ..pipeline.intent import STAYS
from ..pipeline.prompts.review import ALWAYS
from ..pipeline.prompts.spoken import spoken
from ..properties_prompt import look_of
from .base import HoldfastPanel, explain, fact, fact_beside, sentence
from .validate import draw_criteria

SEVERITIES: dict[str, Any] = {"error": "CANCEL", "warning": "ERROR", "hint": "INFO"}
MOST_FINDINGS = 6
MOST_DROPPED = 4


class HOLDFAST_PT_prompt(HoldfastPanel, bpy.types.Panel):
    """The prompt as a contract."""

    bl_label = "Prompt"
    bl_parent_id = "HOLDFAST_PT_style"
    bl_options = {"DEFAULT_CLOSED"}
    layout: Any

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        seen = prompt_state.shown(context.scene)
        row = self.layout.row()
        row.active = False
        if seen.latest is not None:
            row.label(text=f"{seen.latest.name}, changed" if seen.changes else seen.latest.name)

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.holdfast.prompt
        seen = prompt_state.shown(context.scene)
        column = layout.column()
        _field(column, settings, "look", look_of(context.scene))
        if not seen.begun:
            sentence(layout, context, "What must change, what must not, and what Validate will check.")
            layout.operator(HOLDFAST_OT_start_prompt.bl_idname, icon="ADD")
            return
        _field(column, settings, "role", "a painter of storybook backgrounds")
        _field(column, settings, "purpose", "opening shot of a title sequence")
        _lines(layout, settings, "change", "Must Change", "one demand in one sentence")
        _lines(layout, settings, "keep", "Must Not Change", "the shape of every part")
        _parts(layout, settings)
        _references(layout, settings)
        column = layout.column()
        _field(column, settings, "output", "one continuous shot")
        _field(column, settings, "negative", "flicker, extra text")
        _criteria(layout, context, seen)
        if seen.damaged:
            sentence(layout.box(), context, seen.damaged, icon="ERROR")
        _findings(layout, context, seen)
        _text(layout, context, settings, seen)
        _buttons(layout, seen)


def draw_field(layout: Any, context: bpy.types.Context) -> None:
    """The prompt among the settings of Style: the plain field, or the version of the contract that is used instead."""
    kept = prompt_state.shown(context.scene).latest
    if kept is None:
        layout.prop(context.scene.holdfast.style, "prompt")
    else:
        fact_beside(layout, "Prompt", f"Contract {kept.name}")


def _field(layout: Any, settings: Any, name: str, example: str) -> None:
    """A text with a narrow name before it, since sentences need the room."""
    row = layout.split(factor=0.24)
    left = row.row()
    left.alignment = "RIGHT"
    left.label(text=settings.bl_rna.properties[name].name)
    row.prop(settings, name, text="", placeholder=example)


def _lines(layout: Any, settings: Any, name: str, label: str, example: str) -> None:
    """The lines of a list, each with its cross."""
    column = layout.column(align=True)
    head = column.row()
    head.label(text=label)
    head.operator(HOLDFAST_OT_edit_prompt.bl_idname, text="", icon="ADD", emboss=False).where = name
    for index, each in enumerate(getattr(settings, name)):
        row = column.row(align=True)
        row.prop(each, "text", text="", placeholder=example)
        _cross(row, name, index)


def _cross(row: Any, name: str, index: int) -> None:
    out = row.operator(HOLDFAST_OT_edit_prompt.bl_idname, text="", icon="X")
    out.where, out.remove = name, index


def _parts(layout: Any, settings: Any) -> None:
    """Each part and what it is called."""
    column = layout.column(align=True)
    head = column.row()
    head.label(text="Parts, Whole and Rigid")
    head.operator(HOLDFAST_OT_fill_prompt_parts.bl_idname, text="", icon="FILE_REFRESH", emboss=False)
    for index, each in enumerate(settings.parts):
        row = column.row(align=True)
        names = row.split(factor=0.35, align=True)
        names.label(text=each.name)
        names.prop(each, "says", text="", placeholder=spoken(each.name))
        _cross(row, "parts", index)


def _references(layout: Any, settings: Any) -> None:
    header, body = layout.panel("holdfast_prompt_references", default_closed=True)
    count = len(settings.references)
    header.label(text=f"References: {count}" if count else "References")
    if body is None:
        return
    draw_pictures(body, settings)


def draw_pictures(body: Any, settings: Any) -> None:
    """The references, each with its fields, and the button that adds one."""
    for index, each in enumerate(settings.references):
        box = body.box().column(align=True)
        row = box.row(align=True)
        row.prop(each, "path", text="")
        _cross(row, "references", index)
        words = box.split(factor=0.35, align=True)
        words.prop(each, "role", text="", placeholder="style")
        words.prop(each, "takes", text="", placeholder="what to take from it")
    body.operator(HOLDFAST_OT_edit_prompt.bl_idname, text="Add Picture", icon="ADD").where = "references"


def _criteria(layout: Any, context: bpy.types.Context, seen: Seen) -> None:
    """What Validate will check: its own settings, so that they can't be two things."""
    validate = context.scene.holdfast.validate
    header, body = layout.panel("holdfast_prompt_criteria", default_closed=True)
    header.label(text=f"Criteria: {_asked(seen)}")
    if seen.criteria_differ and seen.latest is not None:
        row = header.row()
        back = row.operator(HOLDFAST_OT_restore_prompt.bl_idname, text="", icon="LOOP_BACK", emboss=False)
        back.version, back.what = seen.latest.contract.version, "CRITERIA"
    if body is None:
        return
    column = body.column()
    column.use_property_split = True
    column.use_property_decorate = False
    draw_criteria(column, context, validate)
    sentence(body, context, "Always checked:", icon="CHECKMARK")
    for says, _kinds in ALWAYS:
        sentence(body, context, says, icon="BLANK1")


def _asked(seen: Seen) -> str:
    """What the criteria add to what is always checked, in few words."""
    criteria = seen.draft.criteria
    said = ["palette"] if criteria.palette else []
    said += ["background"] if criteria.background == STAYS else []
    said += ["lettering"] if criteria.readable else []
    return ", ".join(said) or "what is always checked"


def _findings(layout: Any, context: bpy.types.Context, seen: Seen) -> None:
    """What lint finds, the worst first; the mark beside each says what to do."""
    box = layout.box()
    if not seen.findings:
        box.label(text="Lint finds nothing", icon="CHECKMARK")
        return
    counts = {name: sum(each.severity == name for each in seen.findings) for name in SEVERITIES}
    said = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts.items() if count]
    box.label(text=f"Lint: {', '.join(said)}")
    for each in seen.findings[:MOST_FINDINGS]:
        row = box.row()
        sentence(row.column(), context, each.says, icon=SEVERITIES[each.severity], taken_px=26)
        explain(row, "What to do", each.todo)
    if len(seen.findings) > MOST_FINDINGS:
        box.label(text=f"and {len(seen.findings) - MOST_FINDINGS} more", icon="BLANK1")


def _text(layout: Any, context: bpy.types.Context, settings: Any, seen: Seen) -> None:
    """The text for the chosen model, how long it is, and what it leaves out."""
    box = layout.box()
    box.prop(settings, "model", text="", icon="FILE_MOVIE")
    if seen.rendered is None:
        sentence(box, context, seen.problem, icon="ERROR")
        return
    found, fields = seen.rendered, seen.rendered.fields
    _length(box, fields.prompt, found.length, fields.most, fields.short_unit, False)
    sentence(box, context, found.prompt or "Nothing is left to say.")
    if fields.negative:
        length = fields.measure(found.negative)
        _length(box, fields.negative, length, fields.negative_most, fields.short_unit, True)
        sentence(box, context, found.negative or "empty")
    for name, path in found.cited:
        fact(box, name, bpy.path.basename(path), icon="IMAGE_DATA")
    for each in found.dropped[:MOST_DROPPED]:
        row = box.row()
        sentence(row.column(), context, f"Not said: {each.text}", icon="REMOVE", taken_px=26)
        explain(row, "Why it is not said", f"{each.why[:1].upper()}{each.why[1:]}.")
    if len(found.dropped) > MOST_DROPPED:
        box.label(text=f"and {len(found.dropped) - MOST_DROPPED} more", icon="BLANK1")
    if fields.unconfirmed:
        sentence(box, context, f"Unconfirmed: {'; '.join(fields.unconfirmed)}", icon="QUESTION")


def _length(box: Any, field: str, length: int, most: int, unit: str, negative: bool) -> None:
    """The name of a field, how long its text is of how much, and the button that copies it."""
    row = box.row()
    row.label(text=field.rpartition(".")[2])
    right = row.row()
    right.alignment = "RIGHT"
    right.label(text=" ".join(filter(None, (f"{length} / {most}" if most else str(length), unit))))
    right.operator(
        HOLDFAST_OT_copy_prompt.bl_idname, text="", icon="COPYDOWN", emboss=False
    ).negative = negative


def _buttons(layout: Any, seen: Seen) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.2
    row.operator(
        HOLDFAST_OT_save_prompt.bl_idname,
        icon="FILE_TICK" if seen.changes or not seen.latest else "CHECKMARK",
    )
    row.operator(HOLDFAST_OT_prompt_history.bl_idname, text="", icon="TEXT")


CLASSES = (HOLDFAST_PT_prompt,)
