# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair: what is done about each finding, and what came of it."""

from typing import Any

import bpy

from ..operators.state_cache import Shown
from .base import StagePanel, sentence
from .validate import VERDICT_ICONS

ACTION_WORDS = {"rerun_span": "Rerun", "restore_part": "Put back", "ask": "Ask about"}
ACTION_ICONS: dict[str, Any] = {"rerun_span": "FILE_REFRESH", "restore_part": "IMAGE_DATA", "ask": "QUESTION"}


class HOLDFAST_PT_repair(StagePanel, bpy.types.Panel):
    """The stage Repair."""

    bl_label = "Repair"
    stage = "repair"
    verb = "Repair"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        layout.prop(settings.repair, "handles")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        names = [name for name, plan in shown.plans.items() if plan.data["actions"]]
        if names:
            box = layout.box()
            box.label(text=f"Plan for {max(names)}")
            for action in shown.plans[max(names)].data["actions"]:
                _draw_action(box, context, action)
        for name, take in shown.takes.items():
            if take.data.get("parent"):
                report = shown.reports.get(name)
                verdict = str(report.data["verdict"]) if report else "not validated"
                layout.label(text=f"{name}: {verdict}", icon=VERDICT_ICONS.get(verdict, "QUESTION"))


def _draw_action(box: bpy.types.UILayout, context: bpy.types.Context, action: dict[str, Any]) -> None:
    kind = str(action["kind"])
    first, last = action["frames"]
    row = box.row()
    row.label(
        text=f"{ACTION_WORDS.get(kind, kind)} {action['part']}", icon=ACTION_ICONS.get(kind, "QUESTION")
    )
    right = row.row()
    right.alignment = "RIGHT"
    right.label(text=f"{first}-{last}")
    if action.get("why"):
        sentence(box, context, str(action["why"]))


CLASSES = (HOLDFAST_PT_repair,)
