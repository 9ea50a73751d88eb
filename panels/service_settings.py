# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a service, below it in the panel Jobs: a field each, what it is, and the way back."""

from typing import Any

import bpy

from ..clients.settings import settings_of
from ..operators import job_cache
from ..operators.service_settings import HOLDFAST_OT_reset_setting, problems, row_name, rule_of, says
from .base import explain, sentence

CLOSED = True
"""Whether settings are closed at first."""
FIELDS = {"choice": "choice", "switch": "switch", "file": "path"}


def draw_settings(layout: Any, context: bpy.types.Context, service: str) -> None:
    """Closed at first; how many are not as usual stands in its title."""
    known, told = job_cache.services.plain.services.get(service), job_cache.services.told
    if known is None:
        return
    rules = settings_of(known)
    mine = sum(bool(told.source(service, name)) for name in rules)
    header, body = layout.panel(f"holdfast_service_settings_{service}", default_closed=CLOSED)
    header.label(text=f"Settings: {mine} not as usual" if mine else "Settings")
    if body is None:
        return
    column = body.column(align=True)
    for name in rules:
        _draw(column, context, service, name)


def _draw(column: Any, context: bpy.types.Context, service: str, name: str) -> None:
    full = row_name(service, name)
    item, rule = context.window_manager.holdfast_jobs.settings.get(full), rule_of(full)
    if item is None or rule is None:  # until the timer has filled the list
        return
    row = column.row(align=True)
    parts = row.split(factor=0.34, align=True)
    label = parts.row()
    label.alignment = "RIGHT"
    label.label(text=name.replace("_", " ").capitalize())
    source = job_cache.services.told.source(service, name)
    field = parts.row(align=True)
    field.active = bool(source)
    usual = str(rule.usual) if not rule.choices and rule.usual != "" else "none"
    which = FIELDS.get(rule.kind, "text")
    if which in ("text", "path"):
        field.prop(item, which, text="", placeholder=usual)
    else:
        field.prop(item, which, text="")
    explain(row, name.replace("_", " ").capitalize(), says(full))
    back = row.row(align=True)
    back.enabled = source == "project"
    back.operator(HOLDFAST_OT_reset_setting.bl_idname, text="", icon="LOOP_BACK", emboss=False).setting = full
    if problem := problems.get(full):
        sentence(column, context, problem, icon="ERROR")
