# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate: the verdict per part, the findings as a list that jumps, the report."""

from typing import Any

import bpy

from ..operators import state_cache
from ..operators.markers import HOLDFAST_OT_jump_to_finding, HOLDFAST_OT_mark_findings, words
from ..operators.results import HOLDFAST_OT_open_file
from ..operators.state_cache import Shown
from .base import StagePanel, sentence

VERDICT_ICONS: dict[str, Any] = {"pass": "CHECKMARK", "fail": "ERROR", "review": "QUESTION"}

SHOWN_REPORTS = 2
"""The newest reports: usually that of the take and that of its repair."""


class HOLDFAST_UL_findings(bpy.types.UIList):
    """The findings of the newest report; a click goes there."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str, index: int,
    ) -> None:  # fmt: skip
        findings = state_cache.shown(context.scene).findings()
        if index >= len(findings):
            return
        finding = findings[index]
        row = layout.split(factor=0.72, align=True)
        left = row.row()
        left.alignment = "LEFT"
        go = left.operator(
            HOLDFAST_OT_jump_to_finding.bl_idname, text=words(finding), icon="ERROR", emboss=False
        )
        go.index = index
        first, last = finding["frames"]
        right = row.row()
        right.alignment = "RIGHT"
        right.label(text=f"{first}-{last}")


class HOLDFAST_PT_validate(StagePanel, bpy.types.Panel):
    """The stage Validate."""

    bl_label = "Validate"
    stage = "validate"
    verb = "Validate"

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        for name in sorted(shown.reports)[-SHOWN_REPORTS:]:
            _draw_report(layout.box(), name, shown.reports[name].data)
        if not shown.findings():
            return
        view = context.window_manager.holdfast
        layout.label(text=f"Findings in {shown.report.data['take']}")
        layout.template_list("HOLDFAST_UL_findings", "", view, "findings", view, "active_finding", rows=3)
        finding = shown.findings()[min(view.active_finding, len(shown.findings()) - 1)]
        sentence(layout.box(), context, str(finding["says"]))
        layout.operator(HOLDFAST_OT_mark_findings.bl_idname, icon="MARKER_HLT")


def _draw_report(box: bpy.types.UILayout, name: str, report: Any) -> None:
    row = box.row()
    verdict = str(report["verdict"])
    row.label(text=f"{name}: {verdict}", icon=VERDICT_ICONS.get(verdict, "QUESTION"))
    row.operator(
        HOLDFAST_OT_open_file.bl_idname, text="Report", icon="URL"
    ).path = f"reports/{name}/report.html"
    column = box.column(align=True)
    for part in report.get("parts", ()):
        column.label(
            text=f"{part['name']}: {part['verdict']}", icon=VERDICT_ICONS.get(part["verdict"], "QUESTION")
        )


CLASSES = (HOLDFAST_UL_findings, HOLDFAST_PT_validate)
