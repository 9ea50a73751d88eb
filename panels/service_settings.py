# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a service, below it in the panel Jobs: a field each, what it is, and the way back."""

from typing import Any

import bpy

from ..operators.service_settings import (
    HOLDFAST_OT_reset_setting,
    names_of,
    problems,
    rule_of,
    says,
    source_of,
)
from .base import explain, sentence

CLOSED = True
"""Whether settings are closed at first."""
FIELDS = {"choice": "choice", "switch": "switch", "file": "path"}


def draw_settings(layout: Any, context: bpy.types.Context, service: str) -> None:
    """Closed at first; how many are not as usual stands in its title."""
    names = names_of(service)
    if not names:
        return
    mine = sum(bool(source_of(name)) for name in names)
    header, body = layout.panel(f"holdfast_service_settings_{service}", default_closed=CLOSED)
    header.label(text=f"Settings: {mine} not as usual" if mine else "Settings")
    if body is None:
        return
    column = body.column(align=True)
    for name in names:
        _draw(column, context, name)


def _draw(column: Any, context: bpy.types.Context, full: str) -> None:
    label_text = full.partition(".")[2].replace("_", " ").capitalize()
    item, rule = context.window_manager.holdfast_jobs.settings.get(full), rule_of(full)
    if item is None or rule is None:  # until the timer has filled the list
        return
    row = column.row(align=True)
    parts = row.split(factor=0.34, align=True)
    label = parts.row()
    label.alignment = "RIGHT"
    label.label(text=label_text)
    source = source_of(full)
    field = parts.row(align=True)
    field.active = bool(source)
    usual = str(rule.usual) if not rule.choices and rule.usual != "" else "none"
    which = FIELDS.get(rule.kind, "text")
    if which in ("text", "path"):
        field.prop(item, which, text="", placeholder=usual)
    else:
        field.prop(item, which, text="")
    explain(row, label_text, says(full))
    back = row.row(align=True)
    back.enabled = source == "project"
    back.operator(HOLDFAST_OT_reset_setting.bl_idname, text="", icon="LOOP_BACK", emboss=False).setting = full
    if problem := problems.get(full):
        sentence(column, context, problem, icon="ERROR")
