# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate: the takes, what the look may change, the verdict, the findings and what is drawn over the take."""

from typing import Any

import bpy

from ..operators import part_rows, session, state_cache, take_overlay, validate, viewer
from ..operators.import_take import HOLDFAST_OT_import_take
from ..operators.results import HOLDFAST_OT_open_file
from ..operators.state_cache import Shown
from ..operators.take_actions import DRAWN, HOLDFAST_OT_overlay_take, drawn
from ..operators.words import HOLDFAST_OT_edit_palette, HOLDFAST_OT_toggle_readable
from ..pipeline.words import verdict_with
from ..properties_validate import names_in
from .base import StagePanel, fact, sentence
from .findings import HOLDFAST_UL_findings, draw_findings, draw_offers
from .takes import VERDICT_ICONS, VERDICTS, HOLDFAST_UL_takes, draw_takes
from .trackers import draw_trackers

MOST_PARTS = 12
MOST_TOGGLES = 24


class HOLDFAST_PT_validate(StagePanel, bpy.types.Panel):
    """The stage Validate."""

    bl_label = "Validate"
    stage = "validate"
    verb = "Validate"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        shown = state_cache.shown(context.scene)
        if shown.table:
            draw_takes(layout, context, shown)
        else:
            layout.operator(HOLDFAST_OT_import_take.bl_idname, text="Import Take...", icon="IMPORT")
        _draw_intent(layout, context, settings.validate)
        draw_trackers(layout, context, settings.validate)

    def words_of_button(self, context: bpy.types.Context) -> tuple[str, str]:
        """The large button says which take it checks."""
        take = state_cache.shown(context.scene).take
        return (f"Validate {take}", take) if take else (self.verb, "")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        if session.running(context.scene, self.stage) is not None:
            first = next(iter(validate.first_looks.values()), "")
            if first:
                sentence(layout.box(), context, f"First look: {first}. Looking closely now.", icon="VIEWZOOM")
        if shown.report is None:
            return
        _draw_verdict(layout.box(), context, shown)
        if shown.take in shown.takes:
            _draw_overlays(layout, context)
        if shown.findings():
            draw_findings(layout, context, shown)
        draw_offers(layout, context, shown)


def _draw_intent(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    """What the look may change; closed, it says so in its header."""
    header, body = layout.panel("holdfast_validate_intent", default_closed=True)
    header.label(text=f"May change: {may_change(settings)}")
    if body is None:
        return
    draw_criteria(body, context, settings)
    body.prop(settings, "coarse_first")


def draw_criteria(body: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    """The switches of what the look may change: here, and as the criteria of the prompt contract."""
    body.prop(settings, "recolour")
    body.prop(settings, "relight")
    body.prop(settings, "outline_px")
    body.row().prop(settings, "background", expand=True)
    _draw_palette(body, context, settings)
    _draw_readable(body, context, settings)


def may_change(settings: Any) -> str:
    """The switches in a few words."""
    said = ["colours"] if settings.recolour else []
    said += ["light"] if settings.relight else []
    said += [f"outlines {settings.outline_px} px"] if settings.outline_px else []
    said += ["background"] if settings.background == "FREE" else []
    return ", ".join(said) or "only the style"


def _draw_palette(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    layout.prop(settings, "palette_text", placeholder="any colours, or #rrggbb #rrggbb")
    if settings.palette_wrong:
        sentence(layout, context, f"No colour: {settings.palette_wrong}. Write #rrggbb.", icon="ERROR")
    if not settings.palette:
        return
    line = layout.row(align=True)
    for index, each in enumerate(settings.palette):
        pair = line.column(align=True)
        pair.use_property_split = False
        pair.prop(each, "colour", text="")
        pair.operator(HOLDFAST_OT_edit_palette.bl_idname, text="", icon="X", emboss=False).remove = index
    line.operator(HOLDFAST_OT_edit_palette.bl_idname, text="", icon="ADD").remove = -1


def _draw_readable(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    """A switch for each part; where there are many, their names as text."""
    parts = [row.name for row in part_rows.rows(context.scene)]
    if not parts or len(parts) > MOST_TOGGLES:
        layout.prop(settings, "readable")
        return
    chosen = names_in(settings.readable)
    line = layout.split(factor=0.4)
    left = line.row()
    left.alignment = "RIGHT"
    left.label(text="Must Be Readable")
    grid = line.grid_flow(row_major=True, columns=0, even_columns=False, align=True)
    for name in parts:
        grid.operator(HOLDFAST_OT_toggle_readable.bl_idname, text=name, depress=name in chosen).part = name


def _draw_verdict(box: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
    report, words = shown.report.data, shown.words.get(shown.take, ())
    verdict, with_word = str(report["verdict"]), verdict_with(report, words)
    row = box.row()
    look = " at first look" if report.get("stage") == "coarse" else ""
    row.label(text=f"{shown.take} {VERDICTS[verdict]}{look}", icon=VERDICT_ICONS[verdict])
    path = f"reports/{shown.take}/{report.get('page') or 'report.html'}"
    row.operator(HOLDFAST_OT_open_file.bl_idname, text="Report", icon="URL").path = path
    if with_word != verdict:
        box.label(text=f"With your word it {VERDICTS[with_word]}", icon=VERDICT_ICONS[with_word])
    column = box.column(align=True)
    parts = sorted(
        report.get("parts", ()), key=lambda part: (part["verdict"] != "fail", part["verdict"] != "review")
    )
    for part in parts[:MOST_PARTS]:
        fact(column, part["name"], VERDICTS[part["verdict"]], icon=VERDICT_ICONS[part["verdict"]])
        if part["verdict"] == "review":
            sentence(column, context, str(part.get("decidable_by") or part["why"]))
    if len(parts) > MOST_PARTS:
        column.label(text=f"and {len(parts) - MOST_PARTS} more")
    for note in report.get("notes", ()):
        sentence(box, context, str(note), icon="INFO")


def _draw_overlays(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What is drawn over the take in the Image Editor."""
    view, cached = context.window_manager.holdfast, state_cache.shown(context.scene)
    there = viewer.Shown("take", cached.take) == viewer.showing() and viewer.is_open(context)
    line = layout.row(align=True)
    line.label(text="", icon="IMAGE_DATA")
    for name, label, _says in DRAWN:
        line.operator(
            HOLDFAST_OT_overlay_take.bl_idname, text=label, depress=there and drawn(view, name)
        ).what = name
    if take_overlay.state.failure:
        sentence(layout, context, take_overlay.state.failure, icon="ERROR")


CLASSES = (HOLDFAST_UL_takes, HOLDFAST_UL_findings, HOLDFAST_PT_validate)
