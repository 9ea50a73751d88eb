# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels are pointed at right now: on the window manager, so that no .blend carries it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

from ..pipeline.view_colours import VIEWS, sentence
from ..validation.kinds import phrase
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


WEIGHTS = (
    ("ALL", "All", "Every finding"),
    ("MAJOR", "Major", "Faults that an audience sees"),
    ("MINOR", "Minor", "Faults near the limit"),
    ("UNSURE", "Unsure", "Too little to fail the take: look, then accept or call it no fault"),
    ("OPEN", "No word yet", "Findings that nobody said anything of"),
    ("ACCEPTED", "Accepted", "Faults that are to be repaired"),
    ("REJECTED", "Left to a person", "Faults that a person takes"),
    ("NOT_A_FAULT", "Not a fault", "False alarms"),
)
OUTLINES = (
    ("NONE", "None", "No outlines"),
    ("FINDING", "Of the finding", "The part of the chosen finding"),
    ("ALL", "All parts", "Every part"),
)
_found: dict[str, list[tuple[str, str, str]]] = {}


def _parts_found(_view: object, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    """The parts that have findings; kept, since Blender does not."""
    found = state_cache.shown(context.scene).findings() if context is not None else []
    names = dict.fromkeys(str(finding["part"]) for finding in found)
    _found["parts"] = [("*", "All parts", "Every finding")]
    _found["parts"] += [(name or "-", name or "Whole take", "Only its findings") for name in names]
    return _found["parts"]


def _kinds_found(_view: object, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    found = state_cache.shown(context.scene).findings() if context is not None else []
    names = {str(finding["kind"]): title_of(finding) for finding in found}
    _found["kinds"] = [("*", "All kinds", "Every finding")]
    _found["kinds"] += [(kind, title.capitalize(), "Only these findings") for kind, title in names.items()]
    return _found["kinds"]


def title_of(finding: Mapping[str, Any]) -> str:
    """The words for a finding's kind, as its report has them."""
    return str(finding.get("title") or phrase(str(finding["kind"])))


class HOLDFAST_PG_row(bpy.types.PropertyGroup):
    """One row of a list; its content is looked up in the cache by its name."""

    if TYPE_CHECKING:
        name: str
    else:
        name: StringProperty()


def _look_again(_view: object, context: bpy.types.Context) -> None:
    viewer.ask()


def _draw_over_again(_view: object, context: bpy.types.Context) -> None:
    window.redraw()


def _draw_again(_view: object, context: bpy.types.Context) -> None:
    window.redraw_viewports()


class HOLDFAST_PG_view(bpy.types.PropertyGroup):
    """What the panels show: `WindowManager.holdfast`."""

    if TYPE_CHECKING:
        findings: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        actions: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        active_action: int
        active_finding: int
        only_part: str
        only_kind: str
        only_word: str
        takes: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        active_take: int
        take: str
        outlines: str
        heat: bool
        strip: bool
        channel: str
        parts: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        active_part: int
        part_colours: bool
        part_names: bool
    else:
        findings: CollectionProperty(type=HOLDFAST_PG_row)
        actions: CollectionProperty(type=HOLDFAST_PG_row)
        active_action: IntProperty(
            name="Action", description="The action of the plan that is shown below the list", min=0
        )
        active_finding: IntProperty(
            name="Finding", description="The finding that is shown below the list", min=0
        )
        only_part: EnumProperty(
            name="Part",
            description="Show only the findings of this part",
            items=_parts_found,
            update=_draw_over_again,
        )
        only_kind: EnumProperty(
            name="Kind",
            description="Show only the findings of this kind",
            items=_kinds_found,
            update=_draw_over_again,
        )
        only_word: EnumProperty(
            name="Verdict",
            description="Show only the findings of this weight, or with this word",
            items=WEIGHTS,
            update=_draw_over_again,
        )
        takes: CollectionProperty(type=HOLDFAST_PG_row)
        active_take: IntProperty(name="Take", description="The take that is looked at", min=0)
        take: StringProperty(name="Take", description="The take that was picked; empty is the newest")
        outlines: EnumProperty(
            name="Expected Outlines",
            description="Draw over the take where the render has the outlines of parts",
            items=OUTLINES,
            update=_draw_over_again,
        )
        heat: BoolProperty(
            name="Heat Map",
            description="Colour the places of the take where something is off, by how much",
            update=_draw_over_again,
        )
        strip: BoolProperty(
            name="Strip",
            description="Show below the picture every part over all frames, coloured by how much is off. Click to go there",
            update=_draw_over_again,
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
