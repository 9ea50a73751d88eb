# SPDX-License-Identifier: GPL-3.0-or-later
"""The form that remote models of meshes are asked with."""

from typing import Any

import bpy

from ..operators import asset_drawn, asset_form, asset_watch, thumbnails
from ..operators.asset_actions import (
    HOLDFAST_OT_add_mesh_pictures,
    HOLDFAST_OT_compare_model,
    HOLDFAST_OT_drop_model,
    HOLDFAST_OT_fit_mesh_options,
    HOLDFAST_OT_remove_mesh_picture,
)
from ..pipeline.estimate import duration
from ..pipeline.money import words
from .base import fact_beside, sentence


def draw_form(layout: bpy.types.UILayout, context: bpy.types.Context, assets: Any) -> None:
    """Everything that a model is asked, as far as the chosen ones care."""
    form = asset_drawn.drawn(context.scene, asset_watch.seen.locked)
    if form.unknown:
        sentence(layout, context, f"There is no model {form.unknown!r}: choose another.", icon="ERROR")
    _draw_compare(layout, context, assets, form)
    if form.pictures:
        _draw_pictures(layout, context, assets)
    if form.words:
        layout.prop(assets, "text", placeholder="what it is" if form.pictures else "what it is: needed")
    layout.prop(assets, "name")
    column = layout.column(align=True)
    for name in form.fields:
        column.prop(assets, name)
    if form.seed:
        column.prop(assets, "seed")
    if form.draft:
        layout.prop(assets, "draft")
    _draw_own(layout, assets)
    for what in dict.fromkeys(what for _label, what in form.unused):
        blind = [label for label, each in form.unused if each == what]
        sentence(layout, context, f"{_listed(blind)} will not see {what}.", icon="INFO")


def _listed(names: list[str]) -> str:
    """ "A, B and C"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _draw_compare(
    layout: bpy.types.UILayout, context: bpy.types.Context, assets: Any, form: asset_drawn.Drawn
) -> None:
    """The further models, each with its price and usual time, and a way to add one."""
    if len(form.models) > 1:
        box = layout.column(align=True)
        for model in form.models:
            row = box.row(align=True)
            row.label(text=model.label)
            cell = row.row()
            cell.alignment = "RIGHT"
            cell.label(text=facts_of(context, model))
            if model.id in assets.compare:
                row.operator(
                    HOLDFAST_OT_drop_model.bl_idname, text="", icon="X", emboss=False
                ).model = model.id
            else:
                row.label(text="", icon="BLANK1")
    elif form.models:
        fact_beside(layout, "Model", form.models[0].label)
        fact_beside(layout, "Price", facts_of(context, form.models[0]))
    row = layout.split(factor=0.4)
    row.label(text="")
    row.operator_context = "INVOKE_DEFAULT"
    row.operator(HOLDFAST_OT_compare_model.bl_idname, text="Compare with...", icon="ADD")


def facts_of(context: bpy.types.Context, model: Any) -> str:
    """Price and usual time of one model, as far as they are known."""
    price = asset_form.price_now(context.scene, model)
    usual = asset_watch.seen.usual.get(model.id)
    time = f", about {duration(usual)}" if usual else ""
    return ("price unknown" if price is None else words(price, model.price.currency)) + time


def _draw_pictures(layout: bpy.types.UILayout, context: bpy.types.Context, assets: Any) -> None:
    if asset_watch.seen.locked:
        row = layout.row()
        row.prop(assets, "use_concept")
        if assets.use_concept and (icon := thumbnails.icon(asset_watch.seen.locked)):
            row.template_icon(icon_value=icon, scale=2.0)
    column = layout.column(align=True)
    for index, picture in enumerate(assets.pictures):
        row = column.row(align=True)
        row.use_property_split = False
        side = row.row()
        side.ui_units_x = 3.6
        side.prop(picture, "view", text="")
        row.prop(picture, "path", text="")
        row.operator(HOLDFAST_OT_remove_mesh_picture.bl_idname, text="", icon="X").index = index
    row = layout.split(factor=0.4)
    left = row.row()
    left.alignment = "RIGHT"
    left.label(text="" if assets.pictures else "Pictures")
    row.operator_context = "INVOKE_DEFAULT"
    row.operator(HOLDFAST_OT_add_mesh_pictures.bl_idname, text="Add Pictures...", icon="IMAGE_DATA")


def _draw_own(layout: bpy.types.UILayout, assets: Any) -> None:
    """Options that only the first model has."""
    model = asset_drawn.known(assets.provider)
    if model is None or not asset_drawn.own_options(model):
        return
    header, body = layout.panel("holdfast_asset_options", default_closed=True)
    header.label(text=f"Options of {model.label}")
    if body is None:
        return
    body.use_property_split, body.use_property_decorate = True, False
    rows = asset_drawn.shown_options(assets)
    if not rows:
        body.operator(HOLDFAST_OT_fit_mesh_options.bl_idname)
    column = body.column(align=True)
    for row, listed in rows:
        title = row.name.replace("_", " ").capitalize()
        if listed:
            column.prop(row, "choice", text=title)
        else:
            column.prop(row, "value", text=title, placeholder=asset_drawn.says(row))


def draw_place(layout: bpy.types.UILayout, context: bpy.types.Context, assets: Any) -> None:
    """How whatever comes in is sized, turned and placed."""
    header, body = layout.panel("holdfast_asset_place", default_closed=True)
    size = f"{assets.size_mm:g} mm" if assets.size_mm else "its own size"
    header.label(text="Size and Place" if body is not None else f"Size and Place: {size}")
    if body is None:
        return
    body.use_property_split, body.use_property_decorate = True, False
    column = body.column(align=True)
    column.prop(assets, "size_mm", text="Size (mm)" if assets.size_mm else "Size (mm), 0: its own")
    row = column.row()
    row.active = assets.size_mm > 0.0
    row.prop(assets, "measure")
    body.prop(assets, "up")
    body.prop(assets, "origin")
    column = body.column(align=True)
    column.prop(assets, "floor")
    column.prop(assets, "mark")
