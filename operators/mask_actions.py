# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that tracks a take's parts, and what the panel says of it."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty

from ..pipeline.errors import HoldfastError
from ..pipeline.money import words
from . import masks_remote, session, state_cache
from .state_cache import Shown
from .steps import StageOptions
from .style_choice import known

Result = set[str]


def words_of_button(scene: bpy.types.Scene, shown: Shown) -> str:
    """What it costs stands on the button; read from what is known, no file."""
    settings, verb = scene.holdfast.validate, masks_remote.STAGE.verb
    if settings.track == "FILE":
        return "Compare Masks"
    model, truth, take = (
        known(settings.track_model),
        shown.manifests.get("truth"),
        shown.takes.get(shown.take),
    )
    if model is None or truth is None or take is None:
        return verb
    if not model.price.as_of:
        return f"{verb} (price unknown)"
    rate = take.data.get("fps") or (24, 1)
    parts, frames = len(truth.data["parts"]), len(take.data["frames"])
    return f"{verb} for {words(masks_remote.price_of(model, parts, frames, (int(rate[0]), int(rate[1]))))}"


class HOLDFAST_OT_track_parts(bpy.types.Operator):
    """Tracks the parts of the take that is looked at."""

    bl_idname = "holdfast.track_parts"
    bl_label = "Track Parts"
    bl_description = (
        "Have the parts of this take tracked and compare the masks with the render: J and F beside the report. "
        "What was paid for is not sent again"
    )

    if TYPE_CHECKING:
        force: bool
    else:
        force: BoolProperty(name="Again", description="Send it anew although the result is here")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        shown = state_cache.shown(context.scene)
        if not shown.take:
            cls.poll_message_set("There is no take: run Style first, or import one")
            return False
        if session.current.job is not None or session.current.queue:
            cls.poll_message_set("A stage is running: wait for it or cancel it")
            return False
        if not masks_remote.source_of(context.scene):
            cls.poll_message_set("Choose a file of masks or a model")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        take = state_cache.shown(context.scene).take
        try:
            session.enqueue(context.scene, [masks_remote.STAGE], StageOptions(force=self.force, take=take))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_track_parts,)
