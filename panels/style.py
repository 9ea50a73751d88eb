# SPDX-License-Identifier: GPL-3.0-or-later
"""Style: the look, and the takes against the beauty."""

from typing import Any

import bpy

from ..operators import style_remote, viewer
from ..operators.results import HOLDFAST_OT_flick, HOLDFAST_OT_view_take
from ..operators.state_cache import Shown
from ..operators.style_choice import known
from ..pipeline.money import words
from .base import StagePanel
from .prompt import draw_field
from .style_pieces import draw_notes, draw_pieces
from .style_remote import draw_options, draw_references


class HOLDFAST_PT_style(StagePanel, bpy.types.Panel):
    """The stage Style."""

    bl_label = "Style"
    stage = "style"
    verb = "Restyle"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        style = settings.style
        layout.prop(style, "provider")
        remote = known(style.provider)
        if remote is not None:
            draw_field(layout, context)
            if remote.seed.strength != "none":
                layout.prop(style, "seed")
            draw_options(layout, context, remote)
            draw_references(layout, context, remote)
            draw_pieces(layout, context, remote)
            return
        layout.prop(style, "look")
        draw_field(layout, context)
        column = layout.column(align=True)
        column.prop(style, "ink")
        column.prop(style, "grain")
        layout.prop(style, "seed")
        header, body = layout.panel("holdfast_style_rehearsal", default_closed=True)
        header.label(text="Rehearse a bad day")
        if body is not None:
            body.prop(style, "defects")

    def words_of_button(self, context: bpy.types.Context) -> tuple[str, str]:
        """What it will cost stands on the button."""
        model = known(context.scene.holdfast.style.provider)
        if model is None:
            return self.verb, ""
        what = style_remote.forecast(context.scene, model)
        if what.problem:
            return self.verb, ""
        pieces = f"{len(what.counts)} pieces" if len(what.counts) > 1 else ""
        if not model.price.as_of:
            return f"{self.verb} ({', '.join(filter(None, (pieces, 'price unknown')))})", ""
        return f"{self.verb} for {words(what.price)}" + (f" ({pieces})" if pieces else ""), ""

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        if not shown.takes:
            return
        showing = viewer.showing()
        box = layout.box()
        for name, take in shown.takes.items():
            row = box.row()
            row.label(text=_words(name, take.data), icon="FILE_MOVIE")
            view = row.operator(
                HOLDFAST_OT_view_take.bl_idname,
                text="",
                icon="HIDE_OFF",
                depress=viewer.Shown("take", name) == showing,
            )
            view.take = name
        box.operator(HOLDFAST_OT_flick.bl_idname, icon="UV_SYNC_SELECT")
        draw_notes(box.column(align=True), context, list(shown.takes.values())[-1].data.get("notes", ()))


def _words(name: str, take: Any) -> str:
    made = f"repaired from {take['parent']}" if take.get("parent") else str(take.get("look", ""))
    return f"{name}  {made.replace('_', ' ').lower()}"


CLASSES = (HOLDFAST_PT_style,)
