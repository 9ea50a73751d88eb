# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels are pointed at right now: on the window manager, so that no .blend carries it."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

PASSES = (
    ("beauty", "Beauty", "The rendered picture that goes to Style"),
    ("ids", "Part ids", "One flat colour per part"),
    ("matte", "Matte", "Coverage of one part: white where it is"),
    ("depth", "Depth", "Distance from the camera: near is bright"),
    ("normal", "Normals", "Directions of the surface, seen from the camera"),
    ("vector", "Motion", "Where each point goes in the next frame"),
)


class HOLDFAST_PG_row(bpy.types.PropertyGroup):
    """One row of a list; its content is looked up in the cache by its name."""

    if TYPE_CHECKING:
        name: str
    else:
        name: StringProperty()


class HOLDFAST_PG_view(bpy.types.PropertyGroup):
    """What the panels show: `WindowManager.holdfast`."""

    if TYPE_CHECKING:
        findings: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        active_finding: int
        channel: str
        part: str
        show_parts: bool
    else:
        findings: CollectionProperty(type=HOLDFAST_PG_row)
        active_finding: IntProperty(
            name="Finding", description="The finding that is shown below the list", min=0
        )
        channel: EnumProperty(name="Pass", description="The pass to look at", items=PASSES)
        part: StringProperty(name="Part", description="The part whose matte to look at")
        show_parts: BoolProperty(name="Parts", description="Show material and density of each part")


CLASSES = (HOLDFAST_PG_row, HOLDFAST_PG_view)
