# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets: the locked drawings as meshes, with what is known of their quality."""

from collections.abc import Callable
from typing import Any

import bpy

from ..operators.mark import HOLDFAST_OT_mark_parts, HOLDFAST_OT_unmark_parts
from ..operators.state_cache import Shown
from .base import StagePanel, fact, provider

METHODS = {"REVOLVE": "turned", "EXTRUDE": "flat", "INFLATE": "organic"}
FACTS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("size_mm", "Size", lambda size: " x ".join(f"{edge:.0f}" for edge in size) + " mm"),
    ("volume_m3", "Volume", lambda volume: f"{volume * 1e6:.2f} cm³"),
    ("wall_mm", "Thinnest wall", lambda wall: f"{wall:.2f} mm"),
    ("faces", "Faces", str),
    ("drawn_deviation_mm", "Off the drawing", lambda off: f"{off:.2f} mm"),
)
"""What of the quality card is worth a line here: key, name, and how to write the value."""


class HOLDFAST_PT_assets(StagePanel, bpy.types.Panel):
    """The stage Assets."""

    bl_label = "Assets"
    stage = "assets"
    verb = "Build parts"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        provider(layout, settings.assets, "Offline sketch-to-mesh")
        layout.prop(settings.assets, "detail")
        layout.prop(settings.assets, "texture_px")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        assets = shown.manifests.get("assets")
        for asset in assets.data["assets"] if assets is not None else ():
            for part in asset["parts"]:
                _draw_part(layout.box(), part)
        row = layout.row(align=True)
        row.operator(HOLDFAST_OT_mark_parts.bl_idname, text="Mark as Part", icon="ADD")
        row.operator(HOLDFAST_OT_unmark_parts.bl_idname, text="Unmark", icon="REMOVE")


def _draw_part(box: bpy.types.UILayout, part: dict[str, Any]) -> None:
    quality = part.get("quality", {})
    good = bool(quality.get("watertight", True))
    method = METHODS.get(str(part.get("method", "")), str(part.get("method", "")).lower())
    box.label(text=f"{part['name']}: {method}, {'watertight' if good else 'has holes'}", icon=_icon(good))
    column = box.column(align=True)
    column.scale_y = 0.85
    for key, name, words in FACTS:
        if key in quality:
            fact(column, name, words(quality[key]))


def _icon(good: bool) -> Any:
    return "CHECKMARK" if good else "ERROR"


CLASSES = (HOLDFAST_PT_assets,)
