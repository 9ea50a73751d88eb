# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws over a take in the Image Editor what the person switched on: heat map, expected outlines, the strip below."""

from typing import Any

import bpy

from . import heat_draw, heat_strip, outline_draw, take_overlay

_handles: list[Any] = []


def _draw() -> None:
    context = bpy.context
    seen = take_overlay.looked(context) if take_overlay.wanted(context) else None
    if seen is None:
        return
    view = context.window_manager.holdfast
    if view.heat:
        heat_draw.draw(context, seen)
    if view.outlines != "NONE":
        outline_draw.draw(context, seen)
    if view.strip:
        heat_strip.draw(context, seen)


def add() -> None:
    """Starts drawing."""
    _handles.append(bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def remove() -> None:
    """Stops drawing, and drops what was kept for it."""
    while _handles:
        bpy.types.SpaceImageEditor.draw_handler_remove(_handles.pop(), "WINDOW")
    take_overlay.forget()
