# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels are pointed at right now: on the window manager, so that no .blend carries it."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

from ..pipeline.view_colours import VIEWS, sentence
from . import state_cache, viewer, window

_offered: list[tuple[str, str, str, str, int]] = []


def _passes(_view: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, str, int]]:
    """The passes that the shown package has; kept, since Blender does not."""
    manifest = state_cache.shown(context.scene).manifests.get("truth") if context is not None else None
    kinds = viewer.offered(manifest) if manifest is not None else ["beauty"]
    numbers = {kind: number for number, kind in enumerate(VIEWS)}
    _offered[:] = [
        (kind, VIEWS[kind].label, sentence(kind, None).rstrip("."), "NONE", numbers[kind]) for kind in kinds
    ]
    return _offered


class HOLDFAST_PG_row(bpy.types.PropertyGroup):
    """One row of a list; its content is looked up in the cache by its name."""

    if TYPE_CHECKING:
        name: str
    else:
        name: StringProperty()


def _look_again(_view: object, context: bpy.types.Context) -> None:
    viewer.ask()


def _draw_again(_view: object, context: bpy.types.Context) -> None:
    window.redraw_viewports()


class HOLDFAST_PG_view(bpy.types.PropertyGroup):
    """What the panels show: `WindowManager.holdfast`."""

    if TYPE_CHECKING:
        findings: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        active_finding: int
        channel: str
        parts: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        active_part: int
        part_colours: bool
        part_names: bool
    else:
        findings: CollectionProperty(type=HOLDFAST_PG_row)
        active_finding: IntProperty(
            name="Finding", description="The finding that is shown below the list", min=0
        )
        channel: EnumProperty(
            name="Pass", description="The pass to look at", items=_passes, update=_look_again
        )
        parts: CollectionProperty(type=HOLDFAST_PG_row)
        active_part: IntProperty(
            name="Part", description="The part whose matte is looked at", min=0, update=_look_again
        )
        part_colours: BoolProperty(
            name="Colours in Viewport",
            description="Tint the parts in the 3D viewport with the colours that they have in the id pass",
            update=_draw_again,
        )
        part_names: BoolProperty(
            name="Names",
            description="Write the names of the parts beside them",
            default=True,
            update=_draw_again,
        )


CLASSES = (HOLDFAST_PG_row, HOLDFAST_PG_view)
