# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the panel Jobs: what was spent against the caps, and the services with their keys and consents."""

import bpy

from ..operators import job_cache
from ..operators.job_consent import (
    HOLDFAST_OT_agree,
    HOLDFAST_OT_forget_key,
    HOLDFAST_OT_take_back,
    HOLDFAST_OT_type_key,
)
from ..operators.job_services import KEY_PLACES, NO_KEY_ASKED, Known
from ..pipeline.money import words
from .base import sentence
from .service_settings import draw_settings

CAPS = (
    ("today", "cap_day", "Today"),
    ("shot", "cap_shot", "This shot"),
    ("project", "cap_project", "Project"),
)


def draw_spend(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    view, settings = job_cache.shown.view, context.scene.holdfast.jobs
    header, body = layout.panel("holdfast_jobs_money")
    header.label(text=f"Spent today: {words(view.today) if view.today else '$0'}")
    if body is None:
        return
    column = body.column(align=True)
    for name, cap, label in CAPS:
        row = column.split(factor=0.28, align=True)
        row.label(text=label)
        spent, most = getattr(view, name), getattr(settings, cap)
        amount = words(spent) if spent else "$0"
        if most < 0:
            row.label(text=f"{amount}, no cap")
            continue
        share = min(1.0, spent / 1e6 / most) if most else float(spent > 0)
        row.progress(factor=share, text=f"{amount} of ${most:,.2f}")
    header, caps = body.panel("holdfast_jobs_caps", default_closed=True)
    header.label(text="Caps")
    if caps is not None:
        caps.use_property_split = True
        caps.use_property_decorate = False
        column = caps.column(align=True)
        for name in ("cap_request", "cap_day", "cap_shot", "cap_project"):
            column.prop(settings, name)
        sentence(caps, context, "US dollars; -1 is no cap. More is refused before anything is sent.")


def draw_services(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    used = [name for name in job_cache.shown.view.services if name != "rehearsal"]
    known = job_cache.services.known
    chosen = context.scene.holdfast.style.provider.partition("/")[0]
    if chosen in known and chosen not in used:  # what has to be agreed to, typed and set before its first job
        used.append(chosen)
    header, body = layout.panel("holdfast_jobs_services")
    header.label(text="Services")
    if body is not None:
        if not used:
            sentence(body, context, "None is in use yet. Nothing has left this computer.")
        for name in used:
            _draw_service(body, context, name, known.get(name))
    rest = [each for name, each in sorted(known.items()) if name not in used]
    header, body = layout.panel("holdfast_jobs_other_services", default_closed=True)
    header.label(text=f"Other Services: {len(rest)}")
    for each in rest if body is not None else ():
        _draw_service(body, context, each.service.id, each)


def _draw_service(
    layout: bpy.types.UILayout, context: bpy.types.Context, name: str, known: Known | None
) -> None:
    box = layout.box().column(align=True)
    if known is None:
        sentence(box, context, f"{name} is in no catalogue any more: put its entry back.", icon="ERROR")
        return
    head = box.row(align=True)
    head.label(text=known.service.label, icon="CHECKMARK" if known.ready else "RADIOBUT_OFF")
    waiting = job_cache.shown.view.going.get(name, 0)
    if waiting:
        right = head.row()
        right.alignment = "RIGHT"
        right.label(text=f"{waiting} {'job' if waiting == 1 else 'jobs'}")
    if known.service.keys:
        _draw_key(box, known)
    if known.local:
        alone = known.key == NO_KEY_ASKED  # with a key it may pass things on
        text = "On this computer: nothing leaves it" if alone else "On this computer"
        box.label(text=text, icon="BLANK1")
    else:
        _draw_consent(box.split(factor=0.62, align=True), known)
    draw_settings(box, context, name)
    if known.problem:
        sentence(box, context, known.problem, icon="ERROR")


def _draw_key(layout: bpy.types.UILayout, known: Known) -> None:
    row = layout.split(factor=0.62, align=True)
    row.label(
        text=f"Key: {KEY_PLACES.get(known.key, known.key)}" if known.key else "No key yet", icon="BLANK1"
    )
    buttons = row.row(align=True)
    text = "Type Key..." if known.key in ("", NO_KEY_ASKED) else "Change..."
    buttons.operator(HOLDFAST_OT_type_key.bl_idname, text=text).service = known.service.id
    if known.key == "typed":
        buttons.operator(HOLDFAST_OT_forget_key.bl_idname, text="", icon="X").service = known.service.id


def _draw_consent(row: bpy.types.UILayout, known: Known) -> None:
    if known.agreed:
        row.label(text="You agreed to send", icon="BLANK1")
        row.operator(HOLDFAST_OT_take_back.bl_idname, text="Take Back").service = known.service.id
    else:
        row.label(text="Nobody agreed yet", icon="BLANK1")
        row.operator(HOLDFAST_OT_agree.bl_idname, text="Agree...").service = known.service.id
