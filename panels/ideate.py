# SPDX-License-Identifier: GPL-3.0-or-later
"""Ideate: sketches in; looks rendered here or ideas drawn by a remote model out, one locked."""

from pathlib import Path
from typing import Any

import bpy

from ..operators import ideate_watch, job_cache, session, thumbnails
from ..operators.editing import HOLDFAST_OT_lock_variant, HOLDFAST_OT_remove_sketch
from ..operators.ideate_actions import HOLDFAST_OT_ask_ideas
from ..operators.ideate_choice import idea_ask_options, known, price_text
from ..operators.state_cache import Shown
from ..properties_ideate import OFFLINE
from .base import StagePanel, draw_job, sentence
from .ideate_grid import draw_board
from .ideate_out import HOLDFAST_MT_sketch_from, draw_out

THUMBNAIL_UNITS = 5.6


class HOLDFAST_UL_sketches(bpy.types.UIList):
    """The sketches of the shot."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str,
    ) -> None:  # fmt: skip
        layout.prop(item, "name", text="", emboss=False, icon="GREASEPENCIL")


class HOLDFAST_PT_ideate(StagePanel, bpy.types.Panel):
    """The stage Ideate."""

    bl_label = "Ideate"
    bl_options = set()
    stage = "ideate"
    verb = "Clean sketches and make variants"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        row = layout.row()
        row.template_list("HOLDFAST_UL_sketches", "", settings, "sketches", settings, "active_sketch", rows=2)
        buttons = row.column(align=True)
        buttons.menu(HOLDFAST_MT_sketch_from.bl_idname, text="", icon="ADD")
        buttons.operator(HOLDFAST_OT_remove_sketch.bl_idname, text="", icon="REMOVE")
        if settings.sketches:
            sketch = settings.sketches[min(settings.active_sketch, len(settings.sketches) - 1)]
            layout.prop(sketch, "path")
            layout.prop(sketch, "kind")
            layout.prop(sketch, "height_mm")
            layout.separator(factor=0.5)
        ideate = settings.ideate
        layout.prop(ideate, "provider")
        if ideate.provider == OFFLINE:
            layout.prop(ideate, "variants")
            layout.prop(ideate, "seed")
            return
        model = known(ideate.provider)
        layout.prop(ideate, "brief", placeholder="what it is, how it looks")
        layout.prop(ideate, "count")
        if model is not None:
            _draw_model(layout, settings, model)

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        concepts = shown.manifests.get("concepts")
        if concepts is not None and concepts.data["assets"]:
            _draw_looks(layout, context, shown, concepts.data["assets"])
        draw_board(layout, context)
        draw_out(layout, context, concepts)

    def _main(self, context: bpy.types.Context, status: str, reason: str) -> None:
        ideate = context.scene.holdfast.ideate
        if ideate.provider == OFFLINE:
            super()._main(context, status, reason)
            return
        layout, job = self.layout, session.running(context.scene, self.stage)
        if job is not None:
            draw_job(layout, context, job)
            return
        model = known(ideate.provider)
        if model is None:
            sentence(layout, context, f"There is no model {ideate.provider!r}: choose another.", icon="ERROR")
            return
        row = layout.row(align=True)
        row.scale_y = 1.4
        price = price_text(model, ideate.count, idea_ask_options(context, model))
        many = "Variant" if ideate.count == 1 else "Variants"
        row.operator(
            HOLDFAST_OT_ask_ideas.bl_idname, text=f"Ask for {ideate.count} {many}{price}", icon="PLAY"
        )
        why = job_cache.obstacle(model)
        if why:
            sentence(layout.box(), context, why, icon="INFO")
        elif status in ("failed", "cancelled") and reason:
            box = layout.box()
            box.alert = status == "failed"
            sentence(box, context, reason, icon="ERROR")
        elif ideate_watch.seen.board.ideas and not ideate.idea:
            sentence(
                layout, context, "Lock the idea that the assets are to follow: pick one below.", icon="INFO"
            )


def _draw_model(layout: bpy.types.UILayout, settings: Any, model: Any) -> None:
    ideate = settings.ideate
    if model.seed.strength != "none":
        layout.prop(ideate, "seed")
    for name in ("ratio", "resolution"):
        if isinstance(model.options.get(name), list):
            layout.prop(ideate, name, placeholder="the model's own")
    if settings.sketches:
        layout.prop(ideate, "send_sketches")


def _draw_looks(layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown, assets: Any) -> None:
    folder = Path(shown.root) / "concepts"
    row = layout.grid_flow(row_major=True, columns=2, even_columns=True)
    for asset in assets:
        column = row.column(align=True)
        column.box().template_icon(
            icon_value=thumbnails.icon(str(folder / asset.get("found", asset["cleaned"]))),
            scale=THUMBNAIL_UNITS,
        )
        column.label(text=asset["name"])
    variants = assets[0]["variants"]  # a look is one for the whole product
    chosen = context.scene.holdfast.ideate.locked or variants[0]["id"]
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True)
    for variant in variants:
        _draw_variant(grid.column(align=True), str(folder / variant["picture"]), variant, chosen)


def _draw_variant(column: bpy.types.UILayout, picture: str, variant: dict[str, Any], chosen: str) -> None:
    locked = variant["id"] == chosen
    box = column.box()
    box.template_icon(icon_value=thumbnails.icon(picture), scale=THUMBNAIL_UNITS)
    lock = column.operator(
        HOLDFAST_OT_lock_variant.bl_idname,
        text=variant.get("label") or variant["id"], icon="LOCKED" if locked else "UNLOCKED", depress=locked,
    )  # fmt: skip
    lock.variant = variant["id"]


CLASSES = (HOLDFAST_MT_sketch_from, HOLDFAST_UL_sketches, HOLDFAST_PT_ideate)
