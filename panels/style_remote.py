# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the panel Style for a remote model: its options, and the pictures and films that go with the clip."""

from typing import Any

import bpy

from ..operators import prompt_state
from ..operators.style_choice import roles, takes
from ..operators.style_options import HOLDFAST_OT_fit_options, fields
from ..pipeline.prompts.contract import Reference
from .base import fact, sentence
from .prompt import draw_pictures


def draw_options(layout: Any, context: bpy.types.Context, model: Any) -> None:
    """A field each; empty, or "As usual", is what the model does by itself."""
    style = context.scene.holdfast.style
    found = fields(style, model)
    if not found:
        return
    rows = [style.options.get(each.name) for each in found]
    chosen = sum(bool(row is not None and row.value) for row in rows)
    header, body = layout.panel("holdfast_style_options")
    header.label(text=f"Options: {chosen} chosen" if chosen else "Options")
    if body is None:
        return
    if None in rows:
        body.operator(HOLDFAST_OT_fit_options.bl_idname)
        return
    column = body.column(align=True)
    for each, row in zip(found, rows, strict=True):
        if each.listed:
            column.prop(row, "choice", text=each.label)
        else:
            column.prop(row, "value", text=each.label, placeholder=each.says)
        if each.problem:
            sentence(column, context, each.problem, icon="ERROR")


def draw_references(layout: Any, context: bpy.types.Context, model: Any) -> None:
    """The list of the prompt: that of its newest version, or the one that is written here while there is none."""
    may = takes(model)
    kept = prompt_state.shown(context.scene).latest
    prompt = context.scene.holdfast.prompt
    listed = kept.contract.references if kept is not None else tuple(
        Reference(each.role, each.path, each.takes) for each in prompt.references
    )  # fmt: skip
    if not may and not listed:
        return
    sent_as = roles(model, listed)
    used = sum(bool(role) for role in sent_as)
    header, body = layout.panel("holdfast_style_references", default_closed=not listed)
    header.label(text=f"References: {used}" if used else "References")
    if body is None:
        return
    body.use_property_split = False
    sentence(body, context, f"The model takes {may}." if may else "The model takes none: they are not sent.")
    if kept is None:
        draw_pictures(body, prompt)
        return
    for each, role in zip(listed, sent_as, strict=True):
        fact(body, bpy.path.basename(each.path), role.replace("_", " ") or "not sent", icon="IMAGE_DATA")
    sentence(body, context, f"Of the contract, {kept.name}: change them in Prompt and save it.", icon="INFO")
