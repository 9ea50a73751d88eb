# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracked masks, in the panel of Validate: who tracks the parts, the button with its price, J and F of each part."""

from typing import Any

import bpy

from ..operators import session, state_cache
from ..operators.mask_actions import HOLDFAST_OT_track_parts, words_of_button
from ..operators.style_choice import known
from .base import draw_job, fact, sentence, state_of

ID, CLOSED = "holdfast_validate_trackers", True
MOST_PARTS = 12


def draw_trackers(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    """Who tracks the parts, the button with its price, and what came of it; closed, it says so in its header."""
    shown = state_cache.shown(context.scene)
    made = shown.masks.get(shown.take)
    header, body = layout.panel(ID, default_closed=CLOSED)
    mean = "" if made is None else f": J&F {made.data['mean']['J&F']:.2f}"
    header.label(text=f"Tracked masks{mean}")
    if body is None:
        return
    body.row().prop(settings, "track", expand=True)
    if settings.track == "FILE":
        body.prop(settings, "track_file")
    elif settings.track == "MODEL":
        body.prop(settings, "track_model")
        model = known(settings.track_model)
        if model is not None:
            says = f"{model.label}: the take is sent as one film, with a job for each part."
            sentence(body, context, says, icon="INFO")
    job = session.running(context.scene, "masks")
    if job is not None:
        draw_job(body, context, job)
    elif settings.track != "NONE":
        status, reason = state_of(context.scene, shown, "masks")
        done = status == "fresh"
        text = "Tracked" if done else words_of_button(context.scene, shown)
        body.operator(HOLDFAST_OT_track_parts.bl_idname, text=text, icon="CHECKMARK" if done else "TRACKER")
        if status in {"failed", "stale", "cancelled"} and reason:
            text = f"Out of date: {reason}" if status == "stale" else reason
            sentence(body, context, text, icon="ERROR" if status == "failed" else "FILE_REFRESH")
    if made is not None:
        _draw_tracked(body.box(), made.data)


def _draw_tracked(box: bpy.types.UILayout, data: Any) -> None:
    """J and F of each part, and where its mask is when it must not be."""
    for name, part in list(data["parts"].items())[:MOST_PARTS]:
        fact(box, name, f"J {part['J']['mean']:.2f}  F {part['F']['mean']:.2f}")
        if part["not_reported"]:
            fact(box, "", f"not found in {len(part['not_reported'])} frames")
        if part["absent"]["errors"]:
            fact(box, "", f"found where hidden in {len(part['absent']['errors'])} frames")
