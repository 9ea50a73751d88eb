# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes out of Ideate: the contact sheet, the moving board, the reference sheet; and where sketches come from."""

from pathlib import Path
from typing import Any

import bpy

from ..operators import ideate_watch
from ..operators.editing import HOLDFAST_OT_add_sketches
from ..operators.ideate_choice import idea_ask_options, known, price_text
from ..operators.ideate_out import VIEWS, film_options
from ..operators.ideate_out_actions import (
    HOLDFAST_OT_make_idea_output,
    HOLDFAST_OT_open_idea_output,
    HOLDFAST_OT_use_reference,
)
from ..operators.ideate_sketches import (
    HOLDFAST_OT_sketch_from_clipboard,
    HOLDFAST_OT_sketch_from_pencil,
    HOLDFAST_OT_sketch_from_view,
)
from ..pipeline.manifest import Manifest
from ..pipeline.money import words
from .base import sentence


class HOLDFAST_MT_sketch_from(bpy.types.Menu):
    """Where a sketch may come from."""

    bl_idname = "HOLDFAST_MT_sketch_from"
    bl_label = "Add Sketch"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator(HOLDFAST_OT_add_sketches.bl_idname, text="From Files...", icon="FILE_FOLDER")
        layout.operator(HOLDFAST_OT_sketch_from_clipboard.bl_idname, icon="PASTEDOWN")
        layout.operator(HOLDFAST_OT_sketch_from_pencil.bl_idname, icon="GREASEPENCIL")
        layout.operator(HOLDFAST_OT_sketch_from_view.bl_idname, icon="VIEW3D")


def draw_out(layout: bpy.types.UILayout, context: bpy.types.Context, concepts: Manifest | None) -> None:
    """What can be made of the ideas and of the locked picture."""
    seen, ideate = ideate_watch.seen, context.scene.holdfast.ideate
    if seen.concepts is None or (concepts is None and not seen.board.ideas):
        return
    locked = concepts is not None and "locked_picture" in concepts.data
    header, body = layout.panel("holdfast_ideate_out", default_closed=False)
    header.label(text="For the Client")
    if body is None:
        return
    column = body.column(align=True)
    _made(column, "sheet", "Contact Sheet", "IMGDISPLAY", seen.made.get("sheet"))
    column.prop(ideate, "sheet_facts")
    if not locked:
        body.label(text="Lock a picture for the rest.", icon="INFO")
        return
    _draw_film(body, context, ideate)
    _draw_reference(body, context, ideate)


def _made(layout: bpy.types.UILayout, what: str, text: str, icon: Any, path: Path | None) -> None:
    row = layout.row(align=True)
    row.operator(HOLDFAST_OT_make_idea_output.bl_idname, text=text, icon=icon).what = what
    if path is not None:
        row.operator(HOLDFAST_OT_open_idea_output.bl_idname, text="Open").path = str(path)


def _draw_film(body: bpy.types.UILayout, context: bpy.types.Context, ideate: Any) -> None:
    seen, model = ideate_watch.seen, known(ideate.film_provider)
    column = body.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.separator(factor=0.5)
    column.prop(ideate, "film_provider", text="Moving Board")
    column.prop(ideate, "film_seconds", text="Length (s)")
    price = ""
    if model is not None:
        column.prop(ideate, "film_words", placeholder="what moves, how the camera goes")
        options, seconds = film_options(model, ideate.film_seconds)
        micros = model.price.estimate_micros(seconds, options=options)
        cost = words(micros, model.price.currency) if model.price.as_of else "price unknown"
        price = f" for {cost}, {seconds:g} s"
    _made(column, "film", f"Make Film{price}", "FILE_MOVIE", seen.made.get("film"))
    if seen.film_says:
        sentence(body, context, seen.film_says)


def _draw_reference(body: bpy.types.UILayout, context: bpy.types.Context, ideate: Any) -> None:
    seen = ideate_watch.seen
    column = body.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.separator(factor=0.5)
    column.prop(ideate, "product")
    _made(column, "reference", "Reference Sheet", "RENDER_RESULT", seen.made.get("reference"))
    model = known(ideate.provider)
    if model is not None and ideate.idea:
        price = price_text(model, len(VIEWS), idea_ask_options(context, model))
        text = f"Ask for {len(VIEWS)} Views{price}"
        column.operator(
            HOLDFAST_OT_make_idea_output.bl_idname, text=text, icon="ORIENTATION_GIMBAL"
        ).what = "views"
    if "reference" in seen.made:
        column.operator(HOLDFAST_OT_use_reference.bl_idname, icon="LINKED")
