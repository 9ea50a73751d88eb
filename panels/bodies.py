# SPDX-License-Identifier: GPL-3.0-or-later
"""The box *Rigid bodies* of the Physics panel: the buttons, what the active part is made of, what its body is."""

import bpy

from ..operators import bodies, body_bake
from ..operators.body_actions import (
    HOLDFAST_OT_make_bodies,
    HOLDFAST_OT_remove_bodies,
    HOLDFAST_OT_test_bodies,
)
from ..operators.body_bake_actions import HOLDFAST_OT_bake_bodies, HOLDFAST_OT_clear_bake
from .base import explain, fact, sentence

SHAPES = {
    "BOX": "Box", "CYLINDER": "Cylinder", "SPHERE": "Sphere", "CONVEX_HULL": "Hull", "COMPOUND": "Compound",
}  # fmt: skip


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draws the box into the Physics panel."""
    header, body = layout.panel("holdfast_physics_bodies", default_closed=True)
    header.label(text="Rigid bodies")
    if body is None:
        return
    row = body.row(align=True)
    row.operator(HOLDFAST_OT_make_bodies.bl_idname, text="Animated", icon="RIGID_BODY").mode = "ANIMATED"
    row.operator(HOLDFAST_OT_make_bodies.bl_idname, text="Live", icon="PLAY").mode = "LIVE"
    row.operator(HOLDFAST_OT_remove_bodies.bl_idname, text="", icon="X")
    thing = context.object
    if thing is None or thing.type != "MESH":
        sentence(body, context, "Select the parts that get bodies.", icon="INFO")
        return
    column = body.column(align=True)
    column.prop(thing.holdfast, "material")
    column.prop(thing.holdfast, "density")
    column.prop(thing.holdfast, "mass_g")
    found = bodies.shown(thing)
    if found is None:
        sentence(body, context, f"{thing.name} has no body yet.")
        return
    _draw_body(body, context, *found)
    _draw_bake(body, context, thing, live=bool(found[0]["live"]))


def _draw_bake(
    layout: bpy.types.UILayout, context: bpy.types.Context, thing: bpy.types.Object, *, live: bool
) -> None:
    """Keys for what is live or was; which path they take."""
    baked = body_bake.bake_of(thing) is not None
    if not live and not baked:
        return
    column = layout.column(align=True)
    column.prop(thing.holdfast, "exact_path")
    row = column.row(align=True)
    row.operator(
        HOLDFAST_OT_bake_bodies.bl_idname, text="Bake Again" if baked else "Bake to Keys", icon="KEYFRAME_HLT"
    )
    if baked:
        row.operator(HOLDFAST_OT_clear_bake.bl_idname, text="", icon="X")
    else:
        sentence(layout, context, "Live motion is lost on a farm: bake it.", icon="INFO")


def _draw_body(layout: bpy.types.UILayout, context: bpy.types.Context, record: bodies.Shown,
               verdict: bodies.Shown | None) -> None:  # fmt: skip
    pieces = int(record["pieces"])
    kind = SHAPES.get(str(record["shape"]), str(record["shape"]))
    box = layout.box().column(align=True)
    baked = context.object is not None and body_bake.bake_of(context.object) is not None
    fact(box, "Body", "Live" if record["live"] else "Baked to keys" if baked else "Animated")
    fact(box, "Shape", f"{kind}, {pieces} pieces" if pieces > 1 else kind)
    fact(box, "Mass" if record["exact"] else "Mass (estimate)", f"{record['mass_g']:.4g} g")
    fact(box, "Shape's volume", f"{100.0 * record['volume_error']:+.1f} %")
    fact(box, "Margin", f"{record['margin_mm']:.3f} mm")
    row = box.row()
    if verdict is None:
        row.label(text="Not tried on a floor", icon="QUESTION")
    else:
        row.alert = not verdict["stable"]
        row.label(text="Comes to rest" if verdict["stable"] else "Unstable",
                  icon="CHECKMARK" if verdict["stable"] else "ERROR")  # fmt: skip
        explain(row, "Settle test", str(verdict["says"]))
    row.operator(HOLDFAST_OT_test_bodies.bl_idname, text="", icon="FILE_REFRESH", emboss=False)
    for note in record["notes"]:
        sentence(box, context, f"Note: {note}.", icon="INFO")
