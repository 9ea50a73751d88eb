# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences of the extension: where results go, ffmpeg, and the table of providers."""

import shutil
from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty

from .clients.registry import catalogue

MODES = {"sketch_to_mesh": "Assets", "video_restyle": "Style"}
"""Which stage a provider's mode belongs to; other modes show their own name."""
BUILT_IN = (("Assets", "Offline sketch-to-mesh", "This computer"),)
"""What is always there and is no client: a stage's own way of working."""


class HOLDFAST_OT_find_ffmpeg(bpy.types.Operator):
    """Looks for ffmpeg on the search path."""

    bl_idname = "holdfast.find_ffmpeg"
    bl_label = "Find"
    bl_description = "Look for ffmpeg on this computer's search path"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:  # type: ignore[override]
        found = shutil.which("ffmpeg")
        if found is None:
            self.report({"WARNING"}, "No ffmpeg found; Blender's own encoder is used.")
            return {"CANCELLED"}
        preferences().ffmpeg = found
        self.report({"INFO"}, f"Found {found}.")
        return {"FINISHED"}


class HOLDFAST_AP_preferences(bpy.types.AddonPreferences):
    """What holds for all files of this user."""

    bl_idname = __package__

    if TYPE_CHECKING:
        output_root: str
        ffmpeg: str
    else:
        output_root: StringProperty(
            name="Output Folder",
            description="Where the <name>.holdfast folders go; empty puts each beside its .blend",
            subtype="DIR_PATH",
        )
        ffmpeg: StringProperty(
            name="ffmpeg",
            description="Program that encodes the master; empty uses Blender's own encoder",
            subtype="FILE_PATH",
        )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "output_root", placeholder="Beside the .blend")
        row = layout.row(align=True)
        row.prop(self, "ffmpeg", placeholder="Blender's own encoder")
        row.operator(HOLDFAST_OT_find_ffmpeg.bl_idname, icon="VIEWZOOM")
        layout.separator()
        layout.label(text="Providers", icon="WORLD")
        table = layout.box().column(align=True)
        _draw_row(table, ("Stage", "Provider", "Runs on"), heading=True)
        for texts in BUILT_IN:
            _draw_row(table, texts)
        for model in catalogue().values():
            place = "The network" if model.network else "This computer"
            _draw_row(table, (MODES.get(model.mode, model.mode), model.label, place))


def _draw_row(table: bpy.types.UILayout, texts: tuple[str, str, str], *, heading: bool = False) -> None:
    first = table.split(factor=0.2)
    first.active = not heading
    first.label(text=texts[0])
    rest = first.split(factor=0.6)
    rest.label(text=texts[1])
    rest.label(text=texts[2])


def preferences() -> HOLDFAST_AP_preferences:
    """The preferences of the enabled extension. Raises KeyError where it isn't enabled as an add-on."""
    found = bpy.context.preferences.addons[__package__].preferences
    assert isinstance(found, HOLDFAST_AP_preferences)
    return found


CLASSES = (HOLDFAST_OT_find_ffmpeg, HOLDFAST_AP_preferences)
