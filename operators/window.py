# SPDX-License-Identifier: GPL-3.0-or-later
"""The few things that a timer asks of Blender's window: draw again, an undo step, a line in the status bar."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import bpy


def override() -> AbstractContextManager[Any]:
    """A context with a window and a 3D view, where there is one: timers run without."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window is not None or not windows:
        return nullcontext()
    window = windows[0]
    area = max(window.screen.areas, key=lambda area: (area.type == "VIEW_3D", area.width * area.height))
    region = next((region for region in area.regions if region.type == "WINDOW"), None)
    return bpy.context.temp_override(window=window, area=area, region=region)


def redraw() -> None:
    """Asks for the sidebars and image editors to be drawn again, not for the 3D views beside them."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def redraw_viewports() -> None:
    """Asks for all 3D views to be drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def push_undo(message: str) -> None:
    """Makes what a stage did one step of undo."""
    with override():
        if bpy.ops.ed.undo_push.poll():  # type: ignore[call-arg]
            bpy.ops.ed.undo_push(message=message)


def announce(sentence: str) -> None:
    """Shows a sentence in the status bar and the info log."""
    with override():
        bpy.ops.holdfast.announce(sentence=sentence)
