# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the panel Style for a remote model: its options, and the pictures and films that go with the clip."""

from typing import Any

import bpy

from ..clients import options
from ..clients.descriptor import Descriptor
from ..clients.references import role_of, says
from ..operators import prompt_state
from ..operators.style_options import HOLDFAST_OT_fit_options
from ..pipeline.prompts.contract import Reference
from .base import fact, sentence
from .prompt import draw_pictures


def draw_options(layout: Any, context: bpy.types.Context, model: Descriptor) -> None:
    """A field each; empty, or "As usual", is what the model does by itself."""
    rules = options.settable(model)
    if not rules:
        return
    rows = context.scene.holdfast.style.options
    chosen = sum(bool(row.value) for row in rows if row.name in rules)
    header, body = layout.panel("holdfast_style_options")
    header.label(text=f"Options: {chosen} chosen" if chosen else "Options")
    if body is None:
        return
    if any(rows.get(name) is None for name in rules):
        body.operator(HOLDFAST_OT_fit_options.bl_idname)
        return
    column = body.column(align=True)
    for name, rule in rules.items():
        row = rows[name]
        label = name.replace("_", " ").capitalize()
        if options.choices(rule):
            column.prop(row, "choice", text=label)
        else:
            column.prop(row, "value", text=label, placeholder=options.says(rule))
        wrong = options.problem(model, name, row.value) if row.value else ""
        if wrong:
            sentence(column, context, wrong, icon="ERROR")


def draw_references(layout: Any, context: bpy.types.Context, model: Descriptor) -> None:
    """The list of the prompt: that of its newest version, or the one that is written here while there is none."""
    takes = says(model)
    kept = prompt_state.shown(context.scene).latest
    prompt = context.scene.holdfast.prompt
    listed = kept.contract.references if kept is not None else tuple(
        Reference(each.role, each.path, each.takes) for each in prompt.references
    )  # fmt: skip
    if not takes and not listed:
        return
    used = sum(bool(role_of(model, each)) for each in listed)
    header, body = layout.panel("holdfast_style_references", default_closed=not listed)
    header.label(text=f"References: {used}" if used else "References")
    if body is None:
        return
    body.use_property_split = False
    sentence(
        body, context, f"The model takes {takes}." if takes else "The model takes none: they are not sent."
    )
    if kept is None:
        draw_pictures(body, prompt)
        return
    for each in listed:
        fact(body, bpy.path.basename(each.path), role_of(model, each) or "not sent", icon="IMAGE_DATA")
    sentence(body, context, f"Of the contract, {kept.name}: change them in Prompt and save it.", icon="INFO")
