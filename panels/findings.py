# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a take: a list that filters and jumps, what each one says, and the person's word on it."""

from typing import Any

import bpy

from ..operators import state_cache, thumbnails, words
from ..operators.markers import (
    HOLDFAST_OT_clear_marks,
    HOLDFAST_OT_jump_to_finding,
    HOLDFAST_OT_mark_findings,
    phrase,
    placed,
)
from ..operators.words import HOLDFAST_OT_say_word, HOLDFAST_OT_take_offer
from ..pipeline.words import LABELS, NOT_A_FAULT, UNSURE
from .base import fact, sentence

SEVERITY: dict[str, Any] = {"major": "ERROR", "minor": "INFO", "unsure": "QUESTION"}
CROP_SCALE = 7.0


def kept(finding: dict[str, Any], said: str, part: str, kind: str, word: str) -> bool:
    """Whether a finding with the word ``said`` ("" for none) is one that the filters ask for."""
    right = word in ("", "ALL") or word in (str(finding["severity"]).upper(), said.upper() or "OPEN")
    return right and part in ("", "*", finding["part"] or "-") and kind in ("", "*", finding["kind"])


class HOLDFAST_UL_findings(bpy.types.UIList):
    """The findings of the take that is looked at; a click goes there."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str, index: int,
    ) -> None:  # fmt: skip
        cached = state_cache.shown(context.scene)
        findings = cached.findings()
        if index >= len(findings):
            return
        finding, word = findings[index], words.of(cached, findings[index])
        row = layout.split(factor=0.7, align=True)
        left = row.row(align=True)
        left.alignment = "LEFT"
        left.active = word is None or word.word != NOT_A_FAULT
        go = left.operator(
            HOLDFAST_OT_jump_to_finding.bl_idname, text=phrase(finding), icon=SEVERITY.get(finding["severity"], "ERROR"),
            emboss=False,
        )  # fmt: skip
        go.index = index
        first, last = finding["frames"]
        right = row.row(align=True)
        right.alignment = "RIGHT"
        right.label(text=str(first) if first == last else f"{first}-{last}")
        right.label(text="", icon=words.ICONS[word.word] if word is not None else "BLANK1")

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """None of its own: the filters stand above the list."""

    def filter_items(self, context: bpy.types.Context, data: Any, name: str) -> tuple[list[int], list[int]]:
        cached, view = state_cache.shown(context.scene), context.window_manager.holdfast
        flags = [0] * len(getattr(data, name))
        for index, finding in enumerate(cached.findings()[: len(flags)]):
            word = words.of(cached, finding)
            said = word.word if word is not None else ""
            if kept(finding, said, view.only_part, view.only_kind, view.only_word):
                flags[index] = self.bitflag_filter_item
        return flags, []


def draw_findings(layout: bpy.types.UILayout, context: bpy.types.Context, shown: state_cache.Shown) -> None:
    """The list with its filters, and the chosen finding below it."""
    view, findings = context.window_manager.holdfast, shown.findings()
    header, body = layout.panel("holdfast_findings")
    header.label(text=f"Findings in {shown.take}: {len(findings)}")
    if body is None:
        return
    if len(findings) > 1:
        line = body.row(align=True)
        for name in ("only_part", "only_kind", "only_word"):
            line.prop(view, name, text="")
    rows = min(6, max(3, len(findings)))
    body.template_list(
        "HOLDFAST_UL_findings",
        "",
        view,
        "findings",
        view,
        "active_finding",
        rows=rows,
        maxrows=10,
        sort_lock=True,
    )
    index = min(view.active_finding, len(findings) - 1)
    _draw_finding(body, context, shown, index)
    line = body.row(align=True)
    line.operator(HOLDFAST_OT_mark_findings.bl_idname, icon="MARKER_HLT")
    if placed():
        line.operator(HOLDFAST_OT_clear_marks.bl_idname, text="", icon="X")


def _draw_finding(
    layout: bpy.types.UILayout, context: bpy.types.Context, shown: state_cache.Shown, index: int
) -> None:
    finding = shown.findings()[index]
    box = layout.box()
    sentence(box, context, str(finding["says"]), icon=SEVERITY.get(finding["severity"], "ERROR"))
    crop = (
        thumbnails.icon(f"{shown.root}/reports/{shown.take}/{finding['crop']}") if finding.get("crop") else 0
    )
    if crop:
        picture = box.row()
        picture.alignment = "CENTER"
        picture.template_icon(icon_value=crop, scale=CROP_SCALE)
    column = box.column(align=True)
    for name, value in facts(finding):
        fact(column, name, value)
    if finding.get("suggestion"):
        sentence(box, context, str(finding["suggestion"]), icon="TOOL_SETTINGS")
    if finding.get("also"):
        sentence(box, context, f"Also explains: {'; '.join(finding['also'])}.")
    _draw_word(box, context, shown, finding, index)


def facts(finding: dict[str, Any]) -> list[tuple[str, str]]:
    """What was measured: (name, value) rows, in px of a picture 1920 wide and in mm where that is known."""
    unit = {"share": ""}.get(finding["unit"], finding["unit"])
    value, limit = (_number(float(finding[key]), finding["unit"]) for key in ("value", "limit"))
    rows = [
        (str(finding["measure"]).capitalize(), f"{value} {unit}".strip()),
        ("Limit", f"{limit} {unit}".strip()),
    ]
    if finding.get("mm") is not None:
        rows.append(("On the part", f"{float(finding['mm']):.2g} mm"))
    if finding.get("others"):
        rows.append(("With", ", ".join(finding["others"])))
    first, last = finding["frames"]
    worst = f", worst {finding['worst']}" if first != last and "worst" in finding else ""
    rows.append(("Frames", f"{first}-{last}{worst}" if first != last else str(first)))
    unsure = finding["severity"] == UNSURE
    rows.append(
        ("Sure", "no, you decide" if unsure else f"{float(finding['confidence']):.0%}, {finding['severity']}")
    )
    return rows


def _number(value: float, unit: str) -> str:
    return f"{value:.0%}" if unit == "share" else f"{value:.3g}"


def _draw_word(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    shown: state_cache.Shown,
    finding: dict[str, Any],
    index: int,
) -> None:
    """The buttons for the person's word, pressed in where one counts, and its note."""
    word = words.of(shown, finding)
    line = layout.row(align=True)
    for name, label, _says, _icon, _number in words.WORDS[:3]:
        cell = line.row(align=True)
        cell.scale_x = 0.8 if name == "ACCEPTED" else 1.0
        spoken = word is not None and word.word == name.lower()
        say = cell.operator(HOLDFAST_OT_say_word.bl_idname, text=label, depress=spoken)
        say.index, say.word = index, name
    if word is None:
        return
    line = layout.row()
    said = f"Your word: {LABELS[word.word]}" + (f"; {word.note}" if word.note else "")
    sentence(line, context, said, icon=words.ICONS[word.word], taken_px=24)
    back = line.operator(HOLDFAST_OT_say_word.bl_idname, text="", icon="LOOP_BACK", emboss=False)
    back.index, back.word = index, "TAKE_BACK"


def draw_offers(layout: bpy.types.UILayout, context: bpy.types.Context, shown: state_cache.Shown) -> None:
    """The intent switches that the person's words point to; nothing is switched but by the button."""
    for offer in shown.offers:
        box = layout.box()
        sentence(box, context, f"{offer.says} {offer.changes}", icon="QUESTION")
        box.operator(HOLDFAST_OT_take_offer.bl_idname, text=OFFERS[offer.setting]).setting = offer.setting


OFFERS = {
    "recolour": "Let Parts Change Colour", "relight": "Let the Light Change", "background": "Let the Background Change",
    "outline_px": "Let Outlines Grow",
}  # fmt: skip
