# SPDX-License-Identifier: GPL-3.0-or-later
"""One module per stage: draw() reads, never computes."""

from typing import Any

import bpy

from ..operators.mark import HOLDFAST_OT_mark_parts
from . import assets, clips, finish, ideate, jobs, physics, prompt, repair, shot, style, truth, validate

CLASSES: tuple[type, ...] = (
    shot.HOLDFAST_PT_shot,
    *ideate.CLASSES,
    *assets.CLASSES,
    *physics.CLASSES,
    *truth.CLASSES,
    *clips.CLASSES,
    *style.CLASSES,
    *prompt.CLASSES,
    *validate.CLASSES,
    *repair.CLASSES,
    *finish.CLASSES,
    *jobs.CLASSES,
)


def draw_object_menu(menu: Any, context: bpy.types.Context) -> None:
    """The entry in the Object menu of the 3D viewport."""
    menu.layout.separator()
    menu.layout.operator(HOLDFAST_OT_mark_parts.bl_idname, icon="CONSTRAINT")
