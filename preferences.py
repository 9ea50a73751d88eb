# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences of the extension: where results go, ffmpeg, and the table of providers."""

import shutil
from typing import TYPE_CHECKING, NamedTuple

import bpy
from bpy.props import StringProperty


class Provider(NamedTuple):
    """One row of the provider table."""

    stage: str
    name: str
    where: str
    needs: str


# Remote providers join this table with their clients; these two are always there.
PROVIDERS: tuple[Provider, ...] = (
    Provider("Assets", "Offline sketch-to-mesh", "This computer", "Nothing"),
    Provider("Style", "Rehearsal", "This computer", "Nothing"),
)


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
        for stage, name, where, needs in (Provider("Stage", "Provider", "Runs on", "Needs"), *PROVIDERS):
            row = table.row()
            row.active = stage != "Stage"
            for text in (stage, name, where, needs):
                row.label(text=text)


def preferences() -> HOLDFAST_AP_preferences:
    """The preferences of the enabled extension. Raises KeyError where it isn't enabled as an add-on."""
    found = bpy.context.preferences.addons[__package__].preferences
    assert isinstance(found, HOLDFAST_AP_preferences)
    return found


def output_root() -> str:
    """Absolute folder chosen in the preferences, or an empty string for "beside the .blend"."""
    if __package__ not in bpy.context.preferences.addons:
        return ""
    chosen = preferences().output_root
    return bpy.path.abspath(chosen) if chosen else ""


CLASSES = (HOLDFAST_OT_find_ffmpeg, HOLDFAST_AP_preferences)
