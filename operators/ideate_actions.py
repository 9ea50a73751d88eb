# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist does with ideas: ask for them, pick, star, discard, compare, branch, lock."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..clients.descriptor import Descriptor
from ..clients.idea_board import mark
from ..pipeline.errors import HoldfastError, UsageError
from ..pipeline.project import ShotFolder
from . import (
    ideate,
    ideate_compare,
    ideate_models,
    ideate_remote,
    ideate_watch,
    locate,
    session,
    state_cache,
    window,
)
from .actions import _can_run as can_run
from .steps import StageOptions

Result = set[str]
BRANCHES = (
    ("more", "More Like This", "Ask for further variants that keep close to this one"),
    ("edit", "Edit", "Ask for this picture with what the instruction says changed"),
    ("mix", "Mix", "Ask for one product that combines this idea and the second one"),
)


class Asking:
    """An operator that makes jobs; what goes wrong is one sentence."""

    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_run(cls, context)  # type: ignore[arg-type]

    def execute(self, context: bpy.types.Context) -> Result:
        try:
            self.ask(context, locate.shot_of(context.scene))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        ideate_watch.ask()
        return {"FINISHED"}

    def ask(self, context: bpy.types.Context, shot: ShotFolder) -> None:
        raise NotImplementedError


def model_of(context: bpy.types.Context) -> Descriptor:
    """The chosen image model. Raises UsageError if it is the offline one, or none."""
    model = ideate_models.chosen(context.scene.holdfast.ideate.provider)
    if model is None:
        raise UsageError(
            "The offline looks can't be branched", todo="Choose an image model as the provider of Ideate."
        )
    return model


class HOLDFAST_OT_ask_ideas(Asking, bpy.types.Operator):
    """Asks for variants of the brief."""

    bl_idname = "holdfast.ask_ideas"
    bl_label = "Ask for Variants"
    bl_description = "Send the brief and the sketches to the chosen model. Pictures appear below as they come; nothing waits"

    def ask(self, context: bpy.types.Context, shot: ShotFolder) -> None:
        model, scene = model_of(context), context.scene
        order = ideate_remote.order_of(scene, model)
        pictures = ideate_remote.sketches_of(scene)
        stage = ideate_remote.stage_of(model, order, pictures)
        session.enqueue(scene, [stage], StageOptions())


class HOLDFAST_OT_branch_idea(Asking, bpy.types.Operator):
    """Asks for children of an idea."""

    bl_idname = "holdfast.branch_idea"
    bl_label = "Branch"
    bl_description = "Ask for children of this idea: others like it, an edit, or a mix of two"

    if TYPE_CHECKING:
        how: str
    else:
        how: EnumProperty(items=BRANCHES, options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        return next(says for name, _label, says in BRANCHES if name == properties.how)

    def ask(self, context: bpy.types.Context, shot: ShotFolder) -> None:
        view, model = context.window_manager.holdfast_ideas, model_of(context)
        names = [view.active, view.other] if self.how == "mix" else [view.active]
        words = view.words if self.how in ("edit", "mix") else ""
        order, pictures = ideate_remote.branch_of(
            context.scene, shot, model, self.how, names, words, view.count
        )
        session.enqueue(context.scene, [ideate_remote.stage_of(model, order, pictures)], StageOptions())


class HOLDFAST_OT_resend_ideas(Asking, bpy.types.Operator):
    """Sends what was never sent or has failed."""

    bl_idname = "holdfast.resend_ideas"
    bl_label = "Send Again"
    bl_description = "Ask again for the pictures that were never sent, or whose request came to nothing"

    def ask(self, context: bpy.types.Context, shot: ShotFolder) -> None:
        ideate_remote.again(context.scene, shot)


class HOLDFAST_OT_pick_idea(bpy.types.Operator):
    """Picks an idea."""

    bl_idname = "holdfast.pick_idea"
    bl_label = "Pick Idea"
    bl_description = "Point at this idea; with Shift held, choose it as the second one"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        idea: str
        second: bool
    else:
        idea: StringProperty(options={"HIDDEN"})
        second: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        idea = ideate_watch.seen.board.ideas.get(properties.idea)
        says = idea.prompt if idea is not None else ideate_watch.words(properties.idea)[1]
        return f"Click: work on this idea. Shift-click: the second one, to compare or mix with.\n\n{says}"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        self.second = event.shift
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        view = context.window_manager.holdfast_ideas
        if self.second:
            view.other = "" if view.other == self.idea else self.idea
        else:
            view.active = self.idea
        if view.active == view.other:
            view.other = ""
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_mark_idea(bpy.types.Operator):
    """Stars or discards an idea."""

    bl_idname = "holdfast.mark_idea"
    bl_label = "Mark Idea"
    bl_description = "Star this idea, discard it, or take the mark back"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        idea: str
        which: str
    else:
        idea: StringProperty(options={"HIDDEN"})
        which: EnumProperty(items=(("starred", "Star", ""), ("hidden", "Discard", "")), options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        if properties.which == "starred":
            return "Give this idea a star, or take it back"
        return "Discard this idea, or bring it back. It is kept on the disk: Show > Discarded"

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        board = ideate_watch.seen.board
        marked = board.starred if self.which == "starred" else board.hidden
        try:
            concepts = locate.shot_of(context.scene).concepts
            mark(concepts, self.idea, self.which, self.idea not in marked)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        ideate_watch.refresh_now()
        return {"FINISHED"}


class HOLDFAST_OT_lock_idea(bpy.types.Operator):
    """Locks an idea."""

    bl_idname = "holdfast.lock_idea"
    bl_label = "Lock Idea"
    bl_description = (
        "Lock this picture: the assets, the moving board and the reference sheet follow it. Again: unlock"
    )
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        idea: str
    else:
        idea: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast.ideate
        name = "" if settings.idea == self.idea else self.idea
        try:
            ideate.keep_idea(locate.shot_of(context.scene), name)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        settings.idea = name
        state_cache.on_change()
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_view_ideas(bpy.types.Operator):
    """Shows one idea large, or two side by side."""

    bl_idname = "holdfast.view_ideas"
    bl_label = "Large"
    bl_description = "Turn the pages of ideas, or show what was discarded"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        both: bool
    else:
        both: BoolProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        return (
            "Show both ideas side by side in an Image Editor"
            if properties.both
            else "Show this idea in an Image Editor"
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        view, seen = context.window_manager.holdfast_ideas, ideate_watch.seen
        names = [view.active, view.other] if self.both else [view.active]
        if seen.concepts is None or any(name not in seen.board.ideas for name in names):
            self.report({"ERROR"}, "Pick two ideas that are here: click one, Shift-click the other.")
            return {"CANCELLED"}
        pictures: Sequence[Path] = [seen.concepts / seen.board.ideas[name].picture for name in names]
        try:
            ideate_compare.show(context, pictures, names)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_turn_idea_page(bpy.types.Operator):
    """Turns the page of the grid."""

    bl_idname = "holdfast.turn_idea_page"
    bl_label = "Turn Page"
    bl_description = "Show other ideas"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        by: int
    else:
        by: IntProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        view = context.window_manager.holdfast_ideas
        last = max(0, (len(ideate_watch.seen.board.shown(view.which)) - 1) // ideate_watch.PAGE)
        view.page = min(last, max(0, view.page + self.by))
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_ask_ideas,
    HOLDFAST_OT_branch_idea,
    HOLDFAST_OT_resend_ideas,
    HOLDFAST_OT_pick_idea,
    HOLDFAST_OT_mark_idea,
    HOLDFAST_OT_lock_idea,
    HOLDFAST_OT_view_ideas,
    HOLDFAST_OT_turn_idea_page,
)
