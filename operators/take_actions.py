# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons of the table of takes: look at one, open the comparison of all."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.props import EnumProperty, StringProperty

from ..pipeline.errors import HoldfastError
from ..validation.page_compare import compare_shot
from . import locate, state_cache, take_overlay, viewer

Result = set[str]
DRAWN: Final = (
    (
        "FINDING",
        "Outline",
        "Draw where the render has the part of the chosen finding, over the take in an Image Editor",
    ),
    ("ALL", "All", "Draw where the render has every part, over the take in an Image Editor"),
    ("HEAT", "Heat", "Colour the places of the take where something is off, by how much"),
    (
        "STRIP",
        "Strip",
        "Show every part over all frames below the take, coloured by how much is off; a click goes there",
    ),
)


class HOLDFAST_OT_choose_take(bpy.types.Operator):
    """Looks at a take and its findings."""

    bl_idname = "holdfast.choose_take"
    bl_label = "Choose Take"
    bl_description = "Look at this take: its findings are listed, and an open Image Editor shows it"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        take: str
    else:
        take: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        cached = state_cache.shown(context.scene)
        if self.take not in cached.takes:
            self.report({"WARNING"}, "This take is gone; refresh the panel.")
            return {"CANCELLED"}
        state_cache.choose_take(context.scene, self.take)
        if viewer.editors(context):
            with suppress(RuntimeError):  # it reports by itself, for a frame outside of the take
                bpy.ops.holdfast.view_take(take=self.take)
        return {"FINISHED"}


class HOLDFAST_OT_overlay_take(bpy.types.Operator):
    """Draws something over the take in an Image Editor, or no longer."""

    bl_idname = "holdfast.overlay_take"
    bl_label = "Draw over Take"
    bl_description = "Draw this over the take in an Image Editor, or no longer"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        what: str
    else:
        what: EnumProperty(name="What", description="What to draw", items=DRAWN)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What it draws."""
        return next(says for name, _label, says in DRAWN if name == properties.what)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cached = state_cache.shown(context.scene)
        if "truth" not in cached.manifests or cached.take not in cached.takes:
            cls.poll_message_set("There is no take with its ground truth to look at")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        view, cached = context.window_manager.holdfast, state_cache.shown(context.scene)
        there = viewer.showing() == viewer.Shown("take", cached.take) and viewer.is_open(context)
        on = not (there and drawn(view, self.what))
        if on and not there:
            try:
                bpy.ops.holdfast.view_take(take=cached.take)
            except RuntimeError as error:
                self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
                return {"CANCELLED"}
        take_overlay.again()
        if self.what in {"FINDING", "ALL"}:
            view.outlines = self.what if on else "NONE"
        else:
            setattr(view, self.what.lower(), on)
        return {"FINISHED"}


def drawn(view: Any, what: str) -> bool:
    """Whether this is drawn."""
    return bool(view.outlines == what if what in {"FINDING", "ALL"} else getattr(view, what.lower()))


class HOLDFAST_OT_open_comparison(bpy.types.Operator):
    """Opens the page that compares the takes of the shot."""

    bl_idname = "holdfast.open_comparison"
    bl_label = "Open Comparison"
    bl_description = "Write the page with all takes of this shot side by side, and open it in the browser"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if state_cache.shown(context.scene).reports:
            return True
        cls.poll_message_set("No take has been validated yet")
        return False

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            page = compare_shot(locate.shot_of(context.scene).reports)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        bpy.ops.wm.url_open(url=page.as_uri())
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_choose_take, HOLDFAST_OT_overlay_take, HOLDFAST_OT_open_comparison)
