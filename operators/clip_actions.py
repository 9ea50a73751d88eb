# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that make control clips and show them against the beauty."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..pipeline.errors import HoldfastError, InputError
from . import clip_models, clips, locate, session, state_cache, viewer
from .steps import StageOptions

Result = set[str]


def can_start(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """For ``poll``: there is ground truth and no stage is running; else says what is missing."""
    if "truth" not in state_cache.shown(context.scene).manifests:
        cls.poll_message_set("Render the ground truth first")
        return False
    if session.current.job is not None or session.current.queue:
        cls.poll_message_set("A stage is running: wait for it or cancel it")
        return False
    return True


class HOLDFAST_OT_make_clips(bpy.types.Operator):
    """Makes the control clips of the chosen model."""

    bl_idname = "holdfast.make_clips"
    bl_label = "Make Clips"
    bl_description = (
        "Make the chosen clips from the ground truth, as the model wants them; fresh ones are kept"
    )

    if TYPE_CHECKING:
        force: bool
    else:
        force: BoolProperty(name="Again", description="Make them even if they are fresh")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_start(cls, context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            clip_models.chosen(context.scene.holdfast.clips.model)
            session.enqueue(context.scene, [clips.STAGE], StageOptions(force=self.force))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_view_clip(bpy.types.Operator):
    """Shows a control clip."""

    bl_idname = "holdfast.view_clip"
    bl_label = "View Clip"
    bl_description = "Show this clip at the current frame in an Image Editor; Flick swaps it with the beauty"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        clip: str
    else:
        clip: StringProperty(
            options={"HIDDEN"}, description="Folder of the model's clips, /, name of the clip"
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            show_clip(context, self.clip)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def show_clip(context: bpy.types.Context, name: str) -> None:
    """Shows the clip ``folder/name`` so that the current frame has its picture. Raises InputError if it has none."""
    folder, _, clip = name.rpartition("/")
    made = state_cache.shown(context.scene).controls.get(folder)
    record = made.data["clips"].get(clip) if made is not None else None
    if made is None or record is None:
        raise InputError(f"There is no clip {name!r}", todo="Make the clips again.")
    frame = context.scene.frame_current
    index = _index(made.data, record, frame, clip)
    path = locate.shot_of(context.scene).controls / folder / record["file"].format(index=index)
    shown = viewer.Shown("clip", name)
    if record["codec"] != "png":
        viewer.show_movie(context, path, shown, frame - index + 1)
        return
    viewer.show_sequence(context, path, shown)
    for user in _users(context):  # pictures are numbered as the clip's, not as the scene's frames
        user.frame_start, user.frame_offset = frame - index + 1, 0
        user.frame_duration = max(1, int(made.data["count"]))


def _index(made: Mapping[str, Any], record: Mapping[str, Any], frame: int, clip: str) -> int:
    """Which of the clip's frames, from 1, shows scene frame ``frame``, or the last one before it that is shown."""
    if "at" in record:  # pictures: the nearest one
        return int(min(record["at"], key=lambda at: abs(at["frame"] - frame))["index"])
    shown = made["frame_map"]
    if not shown[0] <= frame <= shown[-1]:
        todo = f"Go to a frame from {shown[0]} to {shown[-1]}."
        raise InputError(f"The clip does not show frame {frame}", where=clip, todo=todo)
    before = max(source for source in shown if source <= frame)
    return int(shown.index(before)) + 1


def _users(context: bpy.types.Context) -> list[bpy.types.ImageUser]:
    """Of the editors that show the viewer's picture."""
    areas = (area for window in context.window_manager.windows for area in window.screen.areas)
    spaces = (area.spaces.active for area in areas if area.type == "IMAGE_EDITOR")
    return [space.image_user for space in spaces if space.image and space.image.name == viewer.NAME]


CLASSES = (HOLDFAST_OT_make_clips, HOLDFAST_OT_view_clip)
