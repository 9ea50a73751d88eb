# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that show what the stages made."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import StringProperty

from ..pipeline.errors import HoldfastError, InputError
from . import locate, state_cache, viewer

Result = set[str]


class HOLDFAST_OT_view_pass(bpy.types.Operator):
    """Shows a pass of the ground truth."""

    bl_idname = "holdfast.view_pass"
    bl_label = "View"
    bl_description = "Show this pass of the current frame in an Image Editor"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has(cls, context, "truth", "Render the ground truth first")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        view = context.window_manager.holdfast
        truth = state_cache.shown(context.scene).manifests["truth"]
        parts = [str(part["name"]) for part in truth.data["parts"]]
        part = view.part if view.part in parts else parts[0] if parts else ""
        try:
            folder = locate.shot_of(context.scene).truth
            viewer.show_pass(context, folder, truth.data["passes"], view.channel, part)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_view_take(bpy.types.Operator):
    """Shows a take."""

    bl_idname = "holdfast.view_take"
    bl_label = "View Take"
    bl_description = "Show this take at the current frame in an Image Editor; it follows the timeline"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        take: str
    else:
        take: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            _show(context, self.take)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_flick(bpy.types.Operator):
    """Flicks between take and beauty."""

    bl_idname = "holdfast.flick"
    bl_label = "Flick A/B"
    bl_description = "Swap the picture between the newest take and the rendered beauty, at the same frame"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if state_cache.shown(context.scene).takes:
            return True
        cls.poll_message_set("There is no take yet: restyle the shot first")
        return False

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        takes = state_cache.shown(context.scene).takes
        now = viewer.showing()
        try:
            _show(context, "beauty" if now in takes else max(takes))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_open_file(bpy.types.Operator):
    """Opens a result outside of Blender."""

    bl_idname = "holdfast.open_file"
    bl_label = "Open"
    bl_description = "Open it with the program that this computer uses for such files"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        path: str
    else:
        path: StringProperty(
            options={"HIDDEN"}, description="Path inside the shot's folder; empty is the folder"
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            path = locate.shot_of(context.scene).root / self.path
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not path.exists():
            self.report({"ERROR"}, f"{path} is not there yet.")
            return {"CANCELLED"}
        if path.suffix == ".html":
            bpy.ops.wm.url_open(url=path.as_uri())
        else:
            bpy.ops.wm.path_open(filepath=str(path))
        return {"FINISHED"}


def _has(cls: type[bpy.types.Operator], context: bpy.types.Context, name: str, message: str) -> bool:
    if name in state_cache.shown(context.scene).manifests:
        return True
    cls.poll_message_set(message)
    return False


def _show(context: bpy.types.Context, name: str) -> None:
    """Shows the beauty or the take ``name``. Raises InputError if there is no such picture for this frame."""
    cached = state_cache.shown(context.scene)
    shot = locate.shot_of(context.scene)
    frame = context.scene.frame_current
    if name == "beauty":
        if "truth" not in cached.manifests:
            raise InputError(
                "There is no ground truth to compare with", todo="Render the ground truth first."
            )
        path = shot.truth / cached.manifests["truth"].data["passes"]["beauty"]["pattern"].format(frame=frame)
    elif name in cached.takes:
        path = shot.takes / name / _taken(cached.takes[name].data, frame)
    else:
        raise InputError(f"There is no take {name!r}", todo="Choose one of the list.")
    if not path.is_file():
        raise InputError(f"Frame {frame} has no picture", where=str(path), todo="Go to a frame of the shot.")
    viewer.show_sequence(context, Path(path), name)


def _taken(take: Mapping[str, Any], frame: int) -> str:
    """Path inside the take of the picture that shows scene frame ``frame``, through the take's frame map."""
    pairs = dict(take.get("frame_map", []))
    return str(take["pattern"]).format(frame=pairs.get(frame, frame))


CLASSES = (HOLDFAST_OT_view_pass, HOLDFAST_OT_view_take, HOLDFAST_OT_flick, HOLDFAST_OT_open_file)
