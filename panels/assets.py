# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets: the locked drawings as meshes, with what is known of their quality."""

from typing import Any

import bpy

from ..operators.editing import HOLDFAST_OT_mark_parts
from ..operators.state_cache import Shown
from .base import StagePanel, fact


class HOLDFAST_PT_assets(StagePanel, bpy.types.Panel):
    """The stage Assets."""

    bl_label = "Assets"
    stage = "assets"
    verb = "Build parts"

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        layout.prop(settings.assets, "provider")
        layout.prop(settings.assets, "detail")
        layout.prop(settings.assets, "texture_px")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        assets = shown.manifests.get("assets")
        for asset in assets.data["assets"] if assets is not None else ():
            for part in asset["parts"]:
                _draw_part(layout.box(), part)
        row = layout.row(align=True)
        row.operator(HOLDFAST_OT_mark_parts.bl_idname, text="Mark as Part", icon="ADD").clear = False
        row.operator(HOLDFAST_OT_mark_parts.bl_idname, text="Unmark", icon="REMOVE").clear = True


def _draw_part(box: bpy.types.UILayout, part: dict[str, Any]) -> None:
    quality = part.get("quality", {})
    good = quality.get("watertight", True)
    box.label(text=f"{part['name']}  ({part.get('method', 'mesh')})", icon="CHECKMARK" if good else "ERROR")
    column = box.column(align=True)
    column.scale_y = 0.85
    for name, value in quality.items():
        fact(column, name.replace("_", " ").capitalize(), _words(value))


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " x ".join(_words(each) for each in value)
    return str(value)


CLASSES = (HOLDFAST_PT_assets,)
