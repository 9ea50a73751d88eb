# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons for rigid bodies: they ask for sizes, run the work of ``bodies`` while the window draws, and report."""

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    StringProperty,
)

from ..physics.units import MM
from ..pipeline.errors import HoldfastError
from . import bodies, session, state_cache
from .bodies import Outcome, Request
from .body_bake import Baked
from .steps import Progress

Result = set[str]
Tellable = Outcome | Baked
TICK = 0.02
MODES = (
    ("ANIMATED", "Animated", "The body follows the part and its keys, and pushes what is live"),
    ("LIVE", "Live", "The body falls and collides when you press play, and the part follows it"),
)


class HOLDFAST_PG_body_size(bpy.types.PropertyGroup):
    """One row of the dialog: how large a part is now and how large it really is."""

    if TYPE_CHECKING:
        name: str
        now_mm: float
        real_mm: float
        known: bool
    else:
        name: StringProperty(name="Object", description="Name of the object")
        now_mm: FloatProperty(name="Size Now (mm)", description="Largest extent of the object as it is")
        real_mm: FloatProperty(
            name="Real Size (mm)",
            description="Largest extent of the part, in millimetres; another number scales the object",
            min=0.001,
            precision=2,
        )
        known: BoolProperty(name="Known", description="Its real size was stated or confirmed before")


class Working:
    """An operator whose work is a generator: all at once for scripts, in small slices in a window."""

    _work: Generator[Progress, None, Tellable] | None = None
    _timer: Any = None
    _in_window = False

    def begin(self: Any, context: bpy.types.Context, work: Generator[Progress, None, Tellable]) -> Result:
        """Starts the work, or does all of it where no person waits."""
        self._work = work
        if not self._in_window:
            while self.advance(context, float("inf")) == {"RUNNING_MODAL"}:
                pass
            return self._result
        self._timer = context.window_manager.event_timer_add(TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """A slice at every tick; Esc stops and puts everything back."""
        if event.type == "ESC":
            return self._end(context, None)
        return self.advance(context, session.BUDGET_SECONDS) if event.type == "TIMER" else {"RUNNING_MODAL"}

    def advance(self: Any, context: bpy.types.Context, seconds: float) -> Result:
        """Works for at most so long, to the end of the slice then running."""
        deadline = time.perf_counter() + seconds
        try:
            while time.perf_counter() < deadline:
                step = next(self._work)
                if self._timer is not None:
                    context.workspace.status_text_set(f"{step.message}: {step.fraction:.0%}. Esc: stop")
        except StopIteration as stop:
            return self._end(context, stop.value)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return self._end(context, None)
        except BaseException:
            self._end(context, None)
            raise
        return {"RUNNING_MODAL"}

    def _end(self: Any, context: bpy.types.Context, outcome: Tellable | None) -> Result:
        self._work.close()
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            context.workspace.status_text_set(None)
        if outcome is not None:
            self._tell(outcome)
            state_cache.on_change()
        self._result: Result = {"FINISHED"} if outcome is not None else {"CANCELLED"}
        return self._result

    def _tell(self: Any, outcome: Tellable) -> None:
        """All that a person should read; each refusal and each unstable body is one warning."""
        for line in (*outcome.refused.values(), *outcome.unstable):
            self.report({"WARNING"}, line)
        for line in outcome.told:
            self.report({"INFO"}, line)
        self.report({"INFO"}, outcome.summary())


def may_run(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if context.mode != "OBJECT":
        cls.poll_message_set("Leave the edit mode first")
        return False
    if session.current.job is not None:
        cls.poll_message_set("A stage is running: wait for it or cancel it")
        return False
    if not context.selected_objects:
        cls.poll_message_set("Select the parts first")
        return False
    return True


class HOLDFAST_OT_make_bodies(Working, bpy.types.Operator):
    """Gives the selected parts rigid bodies."""

    bl_idname = "holdfast.make_bodies"
    bl_label = "Make Bodies"
    bl_description = (
        "Give each selected part a rigid body on a hidden proxy: real mass, centre of mass and shape, tried on a floor. "
        "Asks for the real size where it is not known"
    )
    bl_options = {"UNDO"}

    if TYPE_CHECKING:
        mode: str
        speed: float
        group: int
        test: bool
        trust_size: bool
        sizes: bpy.types.bpy_prop_collection[HOLDFAST_PG_body_size]
    else:
        mode: EnumProperty(name="Motion", description="What moves the parts", items=MODES)
        speed: FloatProperty(
            name="Speed (m/s)",
            description="How fast the parts get; faster ones need more steps of the solver",
            default=bodies.SPEED,
            min=0.0,
            soft_max=20.0,
        )
        group: IntProperty(
            name="Group", description="Bodies collide with those of the same group", default=1, min=1, max=20
        )
        test: BoolProperty(name="Settle Test", description="Put each body on a floor in a lab", default=True)
        trust_size: BoolProperty(
            name="Trust Sizes",
            description="Take the parts to be as large as they are now",
            options={"HIDDEN", "SKIP_SAVE"},
        )
        sizes: CollectionProperty(
            type=HOLDFAST_PG_body_size,
            name="Sizes",
            description="Real sizes of the parts",
            options={"HIDDEN", "SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_run(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        self._in_window = not bpy.app.background
        parts, _refused = bodies.read_all(context.selected_objects)
        self.sizes.clear()
        for part in parts:
            row = self.sizes.add()
            row.name, row.known = part.ob.name, part.size_known
            row.now_mm = row.real_mm = part.extent / MM
        if all(row.known for row in self.sizes):
            return self.execute(context)
        asked: Any = context.window_manager.invoke_props_dialog(self, width=460)
        return set(asked)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.label(text="How large are these parts really? Largest extent in millimetres:")
        column = layout.column(align=True)
        for row in self.sizes:
            line = column.split(factor=0.5)
            line.label(text=row.name, icon="CHECKMARK" if row.known else "QUESTION")
            values = line.split(factor=0.45)
            values.label(text=f"now {row.now_mm:.4g}")
            values.prop(row, "real_mm", text="")
        layout.label(text="OK confirms them; another number scales that object.", icon="INFO")
        layout.prop(self, "mode", expand=True)
        layout.prop(self, "speed")
        layout.prop(self, "group")
        layout.prop(self, "test")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        sizes = {row.name: float(row.real_mm) * MM for row in self.sizes}
        live = self.mode == "LIVE"
        request = Request(live, sizes, self.trust_size, self.speed, self.group, self.test)
        return self.begin(context, bodies.make(context.scene, context.selected_objects, request))


class HOLDFAST_OT_remove_bodies(bpy.types.Operator):
    """Takes the rigid bodies off the selected parts."""

    bl_idname = "holdfast.remove_bodies"
    bl_label = "Remove Bodies"
    bl_description = "Take the rigid bodies off the selected parts; the parts stand where they stood before"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_run(cls, context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        count = bodies.remove(context.scene, context.selected_objects)
        self.report({"INFO"}, f"{count} {'body' if count == 1 else 'bodies'} removed.")
        return {"FINISHED"} if count else {"CANCELLED"}


class HOLDFAST_OT_test_bodies(Working, bpy.types.Operator):
    """Puts the bodies of the selected parts on a floor."""

    bl_idname = "holdfast.test_bodies"
    bl_label = "Test Bodies"
    bl_description = "Let the body of each selected part, as it is now, come to rest on a floor in a lab"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_run(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        self._in_window = not bpy.app.background
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        return self.begin(context, bodies.test(context.scene, context.selected_objects))


CLASSES = (HOLDFAST_PG_body_size, HOLDFAST_OT_make_bodies, HOLDFAST_OT_remove_bodies, HOLDFAST_OT_test_bodies)
