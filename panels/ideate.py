# SPDX-License-Identifier: GPL-3.0-or-later
"""Ideate: sketches in, cleaned drawings and variants out, one locked."""

from pathlib import Path
from typing import Any

import bpy

from ..operators import thumbnails
from ..operators.editing import HOLDFAST_OT_add_sketches, HOLDFAST_OT_lock_variant, HOLDFAST_OT_remove_sketch
from ..operators.state_cache import Shown
from .base import StagePanel

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
        buttons.operator(HOLDFAST_OT_add_sketches.bl_idname, text="", icon="ADD")
        buttons.operator(HOLDFAST_OT_remove_sketch.bl_idname, text="", icon="REMOVE")
        if settings.sketches:
            sketch = settings.sketches[min(settings.active_sketch, len(settings.sketches) - 1)]
            layout.prop(sketch, "path")
            layout.prop(sketch, "kind")
            layout.prop(sketch, "height_mm")
            layout.separator(factor=0.5)
        layout.prop(settings.ideate, "variants")
        layout.prop(settings.ideate, "seed")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        concepts = shown.manifests.get("concepts")
        if concepts is None:
            return
        folder = Path(shown.root) / "concepts"
        row = layout.grid_flow(row_major=True, columns=2, even_columns=True)
        for asset in concepts.data["assets"]:
            column = row.column(align=True)
            column.box().template_icon(
                icon_value=thumbnails.icon(str(folder / asset.get("found", asset["cleaned"]))),
                scale=THUMBNAIL_UNITS,
            )
            column.label(text=asset["name"])
        variants = concepts.data["assets"][0]["variants"]  # a look is one for the whole product
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


CLASSES = (HOLDFAST_UL_sketches, HOLDFAST_PT_ideate)
