# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that run stages and set up shots. Each reads its settings, calls one function and reports."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, StringProperty

from ..pipeline.errors import HoldfastError
from . import demo, forecast, session, state_cache, window
from .stages import STAGES, stage_named, stages_through
from .steps import StageOptions

Result = set[str]


class HOLDFAST_OT_run_stage(bpy.types.Operator):
    """Runs one stage in the background of the window."""

    bl_idname = "holdfast.run_stage"
    bl_label = "Run Stage"
    bl_description = "Run this stage; a fresh result is kept, so running it again costs nothing"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        stage: str
        force: bool
        take: str
    else:
        stage: StringProperty(options={"HIDDEN"})
        force: BoolProperty(name="Again", description="Run it even if its result is fresh")
        take: StringProperty(
            name="Take", description="The take to work on; empty is the newest", options={"HIDDEN"}
        )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The state of the stage, since that is what a person asks a run button."""
        state = state_cache.shown(context.scene).states.get(properties.stage)
        reason = f"\n\n{state.reason}" if state and state.reason else ""
        return cls.bl_description + reason

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_run(cls, context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            options = StageOptions(force=self.force, take=self.take or None)
            session.enqueue(context.scene, [stage_named(self.stage)], options)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_time_frame(bpy.types.Operator):
    """Renders one frame of the ground truth, to see how long it takes."""

    bl_idname = "holdfast.time_frame"
    bl_label = "Try One Frame"
    bl_description = (
        "Render the ground truth of the current frame alone and measure how long it takes; the frame is kept"
    )
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_run(cls, context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            session.enqueue(context.scene, [stage_named("truth")], forecast.trial(context.scene))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_run_all(bpy.types.Operator):
    """Runs the stages in order."""

    bl_idname = "holdfast.run_all"
    bl_label = "Run All"
    bl_description = "Run every stage in order; what is fresh is kept"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        through: str
    else:
        through: StringProperty(options={"HIDDEN"}, default=STAGES[-1].name)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_run(cls, context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            session.enqueue(context.scene, stages_through(self.through), StageOptions())
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _can_run(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not bpy.data.filepath:
        cls.poll_message_set("Save the file first: results live in <name>.holdfast beside it")
        return False
    if session.current.job is not None or session.current.queue:
        cls.poll_message_set("A stage is running: wait for it or cancel it")
        return False
    if context.mode != "OBJECT":
        cls.poll_message_set("Leave the edit mode first: stages read and change whole objects")
        return False
    return True


class HOLDFAST_OT_cancel(bpy.types.Operator):
    """Stops what runs."""

    bl_idname = "holdfast.cancel"
    bl_label = "Cancel"
    bl_description = "Stop the running stage; what it has finished is kept"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.current.job is not None or bool(session.current.queue)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        session.cancel()
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_announce(bpy.types.Operator):
    """Says a sentence in the status bar."""

    bl_idname = "holdfast.announce"
    bl_label = "Announce"
    bl_description = "Say a sentence in the status bar and the info log"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        sentence: str
    else:
        sentence: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        self.report({"WARNING"}, self.sentence)
        return {"FINISHED"}


class HOLDFAST_OT_explain(bpy.types.Operator):
    """Shows why a stage failed."""

    bl_idname = "holdfast.explain"
    bl_label = "Why"
    bl_description = "Show the whole sentence"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        title: str
        sentence: str
    else:
        title: StringProperty(options={"HIDDEN"})
        sentence: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The sentence itself."""
        return str(properties.sentence)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        words = self.sentence.split()

        def draw(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
            line = ""
            for word in [*words, ""]:
                if not word or len(line) + len(word) > 70:
                    menu.layout.label(text=line)
                    line = ""
                line = f"{line} {word}".strip()

        context.window_manager.popup_menu(draw, title=self.title, icon="ERROR")
        return {"FINISHED"}


class HOLDFAST_OT_refresh(bpy.types.Operator):
    """Reads the states of the stages again."""

    bl_idname = "holdfast.refresh"
    bl_label = "Refresh"
    bl_description = "Look again at the files and settings of every stage"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        state_cache.refresh(context.scene)
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_new_demo_shot(bpy.types.Operator):
    """Opens a new file with the lantern demo."""

    bl_idname = "holdfast.new_demo_shot"
    bl_label = "New Lantern Demo Shot"
    bl_description = (
        "Save a new file with two pencil sketches of a lantern and every setting filled in, and open it"
    )

    if TYPE_CHECKING:
        directory: str
        filter_folder: bool
    else:
        directory: StringProperty(name="Folder", description="Where the demo's files go", subtype="DIR_PATH")
        filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        folder = Path(bpy.path.abspath(self.directory))
        if (folder / f"{demo.NAME}.blend").exists():
            self.report(
                {"ERROR"}, f"There is a {demo.NAME}.blend in {folder} already. Choose another folder."
            )
            return {"CANCELLED"}
        try:
            demo.new_file(folder)
            bpy.ops.wm.open_mainfile(
                filepath=bpy.data.filepath, load_ui=False
            )  # undo can't go back before it
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_run_stage,
    HOLDFAST_OT_time_frame,
    HOLDFAST_OT_run_all,
    HOLDFAST_OT_cancel,
    HOLDFAST_OT_announce,
    HOLDFAST_OT_explain,
    HOLDFAST_OT_refresh,
    HOLDFAST_OT_new_demo_shot,
)
