# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Repair."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import FloatProperty, IntProperty


class HOLDFAST_PG_repair(bpy.types.PropertyGroup):
    """Settings of Repair."""

    if TYPE_CHECKING:
        handles: int
        attempts: int
        minutes: float
        budget: float
    else:
        handles: IntProperty(
            name="Handles",
            description="Frames before and after a fault that are drawn again and blended",
            default=4,
            min=0,
            max=48,
        )
        attempts: IntProperty(
            name="Attempts",
            description="Repaired takes in all; then every faulty part is put back from the render, else you are asked",
            default=3,
            min=0,
            max=20,
        )
        minutes: FloatProperty(
            name="Minutes",
            description="No further attempt starts after this time; 0 sets no limit",
            default=60.0,
            min=0.0,
            soft_max=480.0,
            precision=0,
        )
        budget: FloatProperty(
            name="Budget",
            description="The most that drawing again may cost, in the provider's currency; 0 allows only what is free",
            default=0.0,
            min=0.0,
            soft_max=100.0,
            precision=2,
        )


CLASSES = (HOLDFAST_PG_repair,)
