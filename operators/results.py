# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that show what the stages made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import StringProperty

from ..pipeline.errors import HoldfastError, InputError
from . import locate, state_cache, viewer
from .clip_actions import show_clip
from .viewer import Shown

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
        try:
            _show(context, Shown("pass", view.channel, _part(context)))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _part(context: bpy.types.Context) -> str:
    """The part that the list has chosen, if the ground truth has it; else its first."""
    view = context.window_manager.holdfast
    names = [str(part["name"]) for part in state_cache.shown(context.scene).manifests["truth"].data["parts"]]
    chosen = view.parts[view.active_part].name if view.active_part < len(view.parts) else ""
    return chosen if chosen in names else names[0] if names else ""


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
            _show(context, Shown("take", self.take))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_flick(bpy.types.Operator):
    """Flicks between the beauty and what was looked at last."""

    bl_idname = "holdfast.flick"
    bl_label = "Flick A/B"
    bl_description = "Swap the picture between the rendered beauty and the pass, take or clip looked at last, at the same frame"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has(cls, context, "truth", "Render the ground truth first")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            _show(context, _opposite(context))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_flick_key(bpy.types.Operator):
    """The flick by its key: only over an Image Editor that shows our pictures."""

    bl_idname = "holdfast.flick_key"
    bl_label = "Flick A/B"
    bl_description = "Swap the picture in this editor between the beauty and what was looked at last"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        space = context.space_data
        return viewer.is_viewer(space) and space.mode == "VIEW" and HOLDFAST_OT_flick.poll(context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        bpy.ops.holdfast.flick()
        return {"FINISHED"}


def _opposite(context: bpy.types.Context) -> Shown:
    """The beauty, or from there what was looked at before: else the newest take, else the chosen pass."""
    cached, now = state_cache.shown(context.scene), viewer.showing()
    if now is not None and now != viewer.BEAUTY:
        viewer.state.other = now  # also after the file was opened again
        return viewer.BEAUTY
    other = viewer.state.other
    if other is not None and (other.kind != "take" or other.name in cached.takes):
        return other
    if cached.takes:
        return Shown("take", max(cached.takes))
    channel = context.window_manager.holdfast.channel
    return Shown("pass", channel if channel != "beauty" else "parts", _part(context))


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


def _show(context: bpy.types.Context, wanted: Shown) -> None:
    """Shows a pass, a clip or a take at the current frame. Raises InputError if there is no such picture."""
    cached, shot = state_cache.shown(context.scene), locate.shot_of(context.scene)
    if wanted.kind == "pass":
        if "truth" not in cached.manifests:
            todo = "Render the ground truth first."
            raise InputError("There is no ground truth to look at", todo=todo)
        viewer.show_pass(context, shot.truth, cached.manifests["truth"], wanted.name, wanted.part)
        return
    if wanted.kind == "clip":
        show_clip(context, wanted.name)
        return
    if wanted.kind != "take" or wanted.name not in cached.takes:
        raise InputError(f"There is no {wanted.kind} {wanted.name!r}", todo="Choose one of the list.")
    path = shot.takes / wanted.name / _taken(cached.takes[wanted.name].data, context.scene.frame_current)
    viewer.show_sequence(context, path, wanted)


def _taken(take: Mapping[str, Any], frame: int) -> str:
    """Path inside the take of the picture that shows scene frame ``frame``, through the take's frame map."""
    pairs = dict(take.get("frame_map", []))
    return str(take["pattern"]).format(frame=pairs.get(frame, frame))


CLASSES = (
    HOLDFAST_OT_view_pass,
    HOLDFAST_OT_view_take,
    HOLDFAST_OT_flick,
    HOLDFAST_OT_flick_key,
    HOLDFAST_OT_open_file,
)
