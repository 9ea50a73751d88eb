# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets: meshes built here from drawings, made by remote models or from files, with what is known of them."""

from collections.abc import Callable
from typing import Any

import bpy

from ..operators import asset_drawn, asset_watch, job_cache, session
from ..operators.asset_actions import HOLDFAST_OT_ask_meshes
from ..operators.asset_file import HOLDFAST_OT_bring_in
from ..operators.mark import HOLDFAST_OT_mark_parts, HOLDFAST_OT_unmark_parts
from ..operators.state_cache import Shown
from ..pipeline.estimate import duration
from ..pipeline.money import words
from ..properties_assets import OFFLINE
from .asset_form import draw_form, draw_place
from .asset_pool import draw_pool
from .base import StagePanel, fact, sentence

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
        assets = settings.assets
        layout.prop(assets, "provider")
        if assets.provider == OFFLINE:
            layout.prop(assets, "detail")
            layout.prop(assets, "texture_px")
        else:
            draw_form(layout, context, assets)

    def _main(self, context: bpy.types.Context, status: str, reason: str) -> None:
        assets, layout = context.scene.holdfast.assets, self.layout
        job = session.running(context.scene, self.stage)
        if assets.provider == OFFLINE or job is not None:
            super()._main(context, status, reason)
        else:
            _draw_ask(layout, context)
            if status in ("failed", "cancelled") and reason:
                box = layout.box()
                box.alert = status == "failed"
                sentence(box, context, reason, icon="ERROR")
        row = layout.row()
        row.operator_context = "INVOKE_DEFAULT"
        row.operator(HOLDFAST_OT_bring_in.bl_idname, text="Bring in a File...", icon="IMPORT")
        draw_place(layout, context, assets)

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        draw_pool(layout, context, shown)
        assets = shown.manifests.get("assets")
        for asset in assets.data["assets"] if assets is not None else ():
            for part in asset["parts"]:
                _draw_part(layout.box(), part)
        row = layout.row(align=True)
        row.operator(HOLDFAST_OT_mark_parts.bl_idname, text="Mark as Part", icon="ADD")
        row.operator(HOLDFAST_OT_unmark_parts.bl_idname, text="Unmark", icon="REMOVE")


def _draw_ask(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The large button with what it costs, and why nothing would be sent."""
    form = asset_drawn.drawn(context.scene, asset_watch.seen.locked)
    known, unknown, drafts = asset_drawn.prices(context.scene)
    many = len(form.models)
    what = ("Draft" if drafts else "Mesh") if many == 1 else f"{many} {'Drafts' if drafts else 'Meshes'}"
    cost = words(known) + (" + ?" if unknown else "") if unknown < many else "price unknown"
    usual = [asset_watch.seen.usual[model.id] for model in form.models if model.id in asset_watch.seen.usual]
    cost += f", {duration(max(usual))}" if usual else ""
    row = layout.row(align=True)
    row.scale_y = 1.4
    row.enabled = bool(form.models) and not form.missing
    row.operator(HOLDFAST_OT_ask_meshes.bl_idname, text=f"Ask for {what} ({cost})", icon="PLAY")
    reasons = dict.fromkeys([*form.missing, *filter(None, map(job_cache.obstacle, form.models))])
    for reason in reasons:
        sentence(layout, context, reason, icon="INFO")


def _draw_part(box: bpy.types.UILayout, part: dict[str, Any]) -> None:
    quality = part.get("quality", {})
    good = bool(quality.get("watertight", True))
    method = METHODS.get(str(part.get("method", "")), str(part.get("method", "")).lower())
    says = ", ".join(filter(None, (method, "watertight" if good else "has holes")))
    box.label(text=f"{part['name']}: {says}", icon=_icon(good))
    column = box.column(align=True)
    column.scale_y = 0.85
    for key, name, written in FACTS:
        if key in quality:
            fact(column, name, written(quality[key]))


def _icon(good: bool) -> Any:
    return "CHECKMARK" if good else "ERROR"


CLASSES = (HOLDFAST_PT_assets,)
