# SPDX-License-Identifier: GPL-3.0-or-later
"""The meshes that there are to choose from, and those that are on their way."""

from typing import Any

import bpy

from ..operators import asset_drawn, asset_remote, asset_watch
from ..operators.asset_actions import HOLDFAST_OT_refine_mesh, HOLDFAST_OT_use_mesh
from ..operators.jobs import HOLDFAST_OT_cancel_job, HOLDFAST_OT_decide_job
from ..operators.state_cache import Shown
from ..pipeline.jobs import Job, Step
from ..pipeline.manifest import Manifest
from ..pipeline.money import words
from .base import explain, sentence
from .jobs import ICONS, cost_words, state_words

MOST = 8
"""Meshes that are drawn; older ones are a click away."""
PORTRAIT_UNITS = 4.2


def draw_pool(layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
    """What is on its way first, then what is here, the newest first."""
    seen = asset_watch.seen
    if seen.problem:
        sentence(layout.box(), context, seen.problem, icon="ERROR")
    waiting = [job for job in seen.jobs if job.step not in asset_watch.ENDED]
    ended = [job for job in seen.jobs if job.step in asset_watch.ENDED][:2]
    items = list(reversed(seen.items.items()))
    if not (waiting or ended or items):
        return
    header, body = layout.panel("holdfast_asset_pool", default_closed=False)
    header.label(text=f"Meshes: {len(items)}" + (f", {len(waiting)} to come" if waiting else ""))
    if body is None:
        return
    for job in (*waiting, *ended):
        _draw_job(body.box(), context, job)
    chosen = _in_scene(context.scene, shown.manifests.get("assets"))
    for name, item in items[:MOST]:
        _draw_item(body.box(), context, name, item, name == chosen)
    if len(items) > MOST:
        rest, more = body.panel("holdfast_asset_older", default_closed=True)
        rest.label(text=f"{len(items) - MOST} older ones")
        for name, item in items[MOST:] if more is not None else ():
            _draw_item(more.box(), context, name, item, name == chosen)


def _in_scene(scene: bpy.types.Scene, assets: Manifest | None) -> str:
    """The mesh that was chosen, while its objects are there: undo takes them away."""
    if assets is None or not assets.data.get("chosen"):
        return ""
    parts = [part["name"] for asset in assets.data["assets"] for part in asset["parts"]]
    return str(assets.data["chosen"]) if all(name in scene.objects for name in parts) else ""


def _draw_job(box: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    model = asset_drawn.known(f"{job.provider}/{job.model}")
    row = box.row(align=True)
    row.label(text=model.label if model is not None else job.model, icon=ICONS[job.step])
    right = row.row()
    right.alignment = "RIGHT"
    came = job.step in asset_remote.DONE
    right.label(text="bringing it in" if came and not asset_watch.failure(job) else state_words(job))
    price = row.row()
    price.alignment = "RIGHT"
    price.ui_units_x = 2.6
    price.label(text=cost_words(job))
    if job.step is Step.REMOTE and 0.0 < job.progress < 1.0:
        box.progress(factor=job.progress, text=f"{job.progress:.0%}")
    if job.step is Step.UNCERTAIN:
        box.operator(HOLDFAST_OT_decide_job.bl_idname, text="Decide...", icon="QUESTION").job = job.id
    elif job.step in (Step.PREPARED, Step.REMOTE):
        row.operator(HOLDFAST_OT_cancel_job.bl_idname, text="", icon="X", emboss=False).job = job.id
    says = asset_watch.failure(job) or job.says
    if says:
        sentence(box, context, says, icon="ERROR" if job.step is Step.FAILED else "INFO")


def _draw_item(
    box: bpy.types.UILayout, context: bpy.types.Context, name: str, item: Manifest, chosen: bool
) -> None:
    data = item.data
    icon = asset_watch.icon(name)
    row = box.row()
    if icon:
        row.template_icon(icon_value=icon, scale=PORTRAIT_UNITS)
    column = row.column(align=True)
    head = column.row(align=True)
    head.label(text=str(data.get("label") or name), icon="CHECKMARK" if chosen else "MESH_DATA")
    explain(head, "Where it comes from", _origin(name, data), icon="INFO")
    facts = column.column(align=True)
    facts.scale_y = 0.85
    for line in _lines(data):
        facts.label(text=line)
    _draw_buttons(column, context, name, item, chosen)
    for note in asset_watch.seen.notes.get(name, ()):
        sentence(box, context, f"{note[:1].upper()}{note[1:]}.", icon="INFO")


def _lines(data: Any) -> list[str]:
    """Faces and textures; price and what it is."""
    facts = data["facts"]
    count = int(facts["triangles"])
    parts = [f"{count:,} triangles" if count >= 0 else "faces not counted"]
    textures = [each for each in facts["textures"] if not each["missing"]]
    if textures:
        edge = max(max(each["width"], each["height"]) for each in textures)
        parts.append(
            f"{len(textures)} {'texture' if len(textures) == 1 else 'textures'}"
            + (f" to {edge} px" if edge else "")
        )
    if not data.get("model"):
        return [", ".join(parts), "from a file"]
    cost = words(int(data.get("cost_micros", 0)), str(data.get("currency") or "USD"))
    return [", ".join(parts), f"{'draft' if data.get('draft') else 'final'}, {cost}"]


def _origin(name: str, data: Any) -> str:
    told = data["identity"]
    job = f", job {told['job']}" if told.get("job") else ""
    return f"{told['generator']}{job}. Licence: {told['licence']}. In the project: assets/pool/{name}."


def _draw_buttons(
    column: bpy.types.UILayout, context: bpy.types.Context, name: str, item: Manifest, chosen: bool
) -> None:
    text = "In the Scene" if chosen else "Use"
    column.operator(HOLDFAST_OT_use_mesh.bl_idname, text=text, depress=chosen).item = name
    final = asset_drawn.final_of(item)
    if final is not None:
        price = asset_drawn.final_price(context.scene, final)
        cost = "price unknown" if price is None else words(price, final.price.currency)
        column.operator(
            HOLDFAST_OT_refine_mesh.bl_idname, text=f"Refine ({cost})", icon="SHADING_TEXTURE"
        ).item = name
