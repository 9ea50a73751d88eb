# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of a shot in one table: verdict, findings, permanence, cost, time; a click looks at one."""

from collections.abc import Mapping
from typing import Any

import bpy

from ..operators import state_cache, viewer
from ..operators.import_take import CHOICES, HOLDFAST_OT_confirm_take, HOLDFAST_OT_import_take, waiting
from ..operators.results import HOLDFAST_OT_view_take
from ..operators.take_actions import HOLDFAST_OT_choose_take, HOLDFAST_OT_open_comparison
from ..operators.take_table import TakeRow
from ..pipeline.estimate import duration
from .base import sentence

VERDICT_ICONS: dict[str, Any] = {
    "pass": "CHECKMARK",
    "fail": "ERROR",
    "review": "QUESTION",
    "": "RADIOBUT_OFF",
}
VERDICTS = {"pass": "passes", "fail": "fails", "review": "is undecided", "": "not checked"}
COLUMNS = (("Take", 3.6), ("Faults", 2.4), ("Holds", 2.9), ("Cost", 2.8), ("Time", 2.8))
"""Names of the columns and their widths, in units of the interface."""


def cells(row: TakeRow) -> tuple[str, str, str, str]:
    """Findings, permanence, cost and time of a take as words."""
    checked = row.permanence is not None
    permanence = f"{100 * row.permanence:.1f} %" if row.permanence is not None else "-"
    if permanence == "100.0 %":
        permanence = "100 %" if not row.findings else "99.9 %"
    cost = "-" if row.cost_micros is None else f"{row.cost_micros / 1e6:.2f}" if row.cost_micros else "free"
    return (
        str(row.findings) if checked else "-",
        permanence,
        cost,
        duration(row.seconds) if row.seconds else "-",
    )


class HOLDFAST_UL_takes(bpy.types.UIList):
    """The takes of the shot; a click looks at one."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str, index: int,
    ) -> None:  # fmt: skip
        rows = state_cache.shown(context.scene).table
        if index >= len(rows):
            return
        row = rows[index]
        line = layout.row(align=True)
        name = line.row(align=True)
        name.ui_units_x = COLUMNS[0][1]
        name.alignment = "LEFT"
        shown = row.with_word if not row.stale else ""
        name.operator(
            HOLDFAST_OT_choose_take.bl_idname, text=row.name, icon=VERDICT_ICONS[shown], emboss=False
        ).take = row.name
        facts = line.row(align=True)
        facts.active = not row.stale
        for text, (_name, width) in zip(cells(row), COLUMNS[1:], strict=True):
            cell = facts.row()
            cell.ui_units_x = width
            cell.alignment = "RIGHT"
            cell.label(text=text)
        there = viewer.Shown("take", row.name) == viewer.showing()
        look = line.operator(
            HOLDFAST_OT_view_take.bl_idname, text="", icon="HIDE_OFF", emboss=False, depress=there
        )
        look.take = row.name


def draw_takes(layout: bpy.types.UILayout, context: bpy.types.Context, shown: state_cache.Shown) -> None:
    """The table, and what else is known of the take that is looked at."""
    view = context.window_manager.holdfast
    head = layout.row(align=True)
    head.active = False
    for name, width in COLUMNS:
        cell = head.row()
        cell.ui_units_x = width
        cell.alignment = "LEFT" if name == "Take" else "RIGHT"
        cell.label(text=name)
    head.label(text="", icon="BLANK1")
    count = min(5, max(2, len(shown.table)))
    layout.template_list(
        "HOLDFAST_UL_takes", "", view, "takes", view, "active_take", rows=count, maxrows=8, sort_lock=True
    )
    layout.operator(HOLDFAST_OT_import_take.bl_idname, text="Import Take...", icon="IMPORT")
    row = next((row for row in shown.table if row.name == shown.take), None)
    if row is None:
        return
    if (record := waiting(shown)) is not None:
        _draw_found(layout.box(), context, record)
    sentence(layout, context, says(row))
    if row.stale:
        sentence(layout, context, f"Its report is out of date: {row.stale}.", icon="FILE_REFRESH")
    if len(shown.reports) > 1:
        layout.operator(HOLDFAST_OT_open_comparison.bl_idname, icon="URL")


def _draw_found(box: bpy.types.UILayout, context: bpy.types.Context, record: Mapping[str, Any]) -> None:
    """What was found in an imported take, and the question which frames it shows."""
    for index, line in enumerate(record["says"][:4]):
        sentence(box, context, line, icon="IMPORT" if index == 0 else "BLANK1")
    if record["said"] == record["found"]:
        box.operator(
            HOLDFAST_OT_confirm_take.bl_idname, text="That Is Right", icon="CHECKMARK"
        ).which = "FOUND"
        return
    sentence(box, context, "Which frames of the shot does it show?", icon="QUESTION")
    row = box.row(align=True)
    for which, label, _ in CHOICES:
        row.operator(HOLDFAST_OT_confirm_take.bl_idname, text=label).which = which


def says(row: TakeRow) -> str:
    """A take in a sentence: what it is, and its verdict beside the person's."""
    look = row.look.replace("_", " ").lower()
    made = f"repaired from {row.parent}" if row.parent else look
    by = f" by {row.provider}" if row.provider else ""
    verdict = VERDICTS[row.verdict]
    if row.with_word != row.verdict:
        verdict += f"; with your word it {VERDICTS[row.with_word]}"
    return (
        f"{row.name}: {made}{by}. It {verdict}." if row.verdict else f"{row.name}: {made}{by}, not checked."
    )
