# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons of a plan: make it, switch an action off, choose another kind, other frames, another seed."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..finishing.ladder import ASK, DEFLICKER, HOLD, KINDS, RERUN, RESTORE, RETIME, WARP
from ..finishing.plan import WAITS as WAITS
from ..finishing.plan import Action as Action
from ..finishing.plan import read_actions as read_actions
from ..finishing.price import price_words as price_words
from ..pipeline.errors import HoldfastError
from ..pipeline.manifest import Manifest
from . import locate, state_cache, style_remote, window
from .repair import make_plan
from .repair_edit import change

Result = set[str]
NAMES = {
    RESTORE: ("Put Back", "Put the real part back, in the take's own look", "IMAGE_DATA"),
    WARP: ("Move Back", "Move the take's own pixels back by the displacement that is measured", "MOD_WARP"),
    HOLD: ("Hold Colour", "Take the drift out and keep what the light does", "COLOR"),
    DEFLICKER: ("Deflicker", "Smooth the part's light over time", "MOD_SMOOTH"),
    RETIME: ("Re-time", "Put the frames in their order and make the few that are missing", "TIME"),
    RERUN: ("Draw Again", "Ask the provider for the span again, with another seed", "FILE_REFRESH"),
    ASK: ("Ask Me", "Leave it to a person", "QUESTION"),
}
"""Label, description and icon of each kind of action."""
_offered: list[tuple[str, str, str, str, int]] = []


def plan_shown(context: bpy.types.Context) -> tuple[str, Manifest] | None:
    """The newest plan that is for its take's report as it is now, with the take's name."""
    cached = state_cache.shown(context.scene)
    return cached.plan


def active(context: bpy.types.Context) -> tuple[int, Action] | None:
    """The action that the list points at."""
    found = plan_shown(context)
    if found is None or not found[1].data["actions"]:
        return None
    index = min(context.window_manager.holdfast.active_action, len(found[1].data["actions"]) - 1)
    return index, read_actions(found[1])[index]


def refused(context: bpy.types.Context) -> dict[str, str]:
    """For the action that the list points at: the kinds that can't mend its fault, and why."""
    found, chosen = plan_shown(context), active(context)
    if found is None or chosen is None:
        return {}
    choices = found[1].data.get("choices", {}).get(chosen[1].finding, {})
    return {kind: str(why) for kind, why in choices.items() if why}


def _kinds(_operator: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, str, int]]:
    """What can be done about the fault; kept, since Blender does not."""
    no = refused(context) if context is not None else {}
    _offered[:] = [(kind, *NAMES[kind], KINDS.index(kind)) for kind in KINDS if kind not in no]
    return _offered


def _providers(_operator: object, context: bpy.types.Context, text: str) -> list[str]:
    """Who can draw a span again."""
    return [name for name in style_remote.names() if text.casefold() in name.casefold()]


def _changed(operator: bpy.types.Operator, context: bpy.types.Context, **wanted: Any) -> Result:
    found, chosen = plan_shown(context), active(context)
    if found is None or chosen is None:
        operator.report({"WARNING"}, "The plan has changed; look at it again.")
        return {"CANCELLED"}
    index = int(wanted.pop("index", chosen[0]))
    try:
        change(context.scene, locate.shot_of(context.scene), found[0], index, **wanted)
    except HoldfastError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    state_cache.refresh(context.scene)
    window.redraw()
    return {"FINISHED"}


class HOLDFAST_OT_plan_repair(bpy.types.Operator):
    """Makes the plan and nothing else."""

    bl_idname = "holdfast.plan_repair"
    bl_label = "Plan"
    bl_description = "Decide what to do about each finding, with what it will take; nothing is changed yet"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if state_cache.shown(context.scene).reports:
            return True
        cls.poll_message_set("Run Validate first: the plan is made from its findings")
        return False

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            plan = make_plan(context.scene, locate.shot_of(context.scene))
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, str(plan.data["summary"]))
        state_cache.refresh(context.scene)
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_switch_action(bpy.types.Operator):
    """Switches an action of the plan on or off."""

    bl_idname = "holdfast.switch_action"
    bl_label = "Switch"
    bl_description = "Do this or leave it; what is left stays left in later plans of this take's repairs"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        index: int
        enabled: bool
    else:
        index: IntProperty(options={"HIDDEN"}, min=0)
        enabled: BoolProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        return _changed(self, context, index=self.index, enabled=self.enabled)


class HOLDFAST_OT_action_kind(bpy.types.Operator):
    """Makes the chosen action one of another kind."""

    bl_idname = "holdfast.action_kind"
    bl_label = "What to Do"
    bl_description = "What is done about this finding"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        kind: str
    else:
        kind: EnumProperty(name="What to Do", description="What is done about this finding", items=_kinds)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        return _changed(self, context, kind=self.kind)


class HOLDFAST_OT_edit_action(bpy.types.Operator):
    """Changes the frames and settings of the chosen action."""

    bl_idname = "holdfast.edit_action"
    bl_label = "Change Action"
    bl_description = "Change the frames, the handles and the settings of this action; the plan keeps it"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        first: int
        last: int
        handles: int
        seed: int
        control: float
        stronger: bool
        provider: str
    else:
        first: IntProperty(name="First", description="First frame of the fault")
        last: IntProperty(name="Last", description="Last frame of the fault")
        handles: IntProperty(
            name="Handles", description="Frames on either side that are touched too", min=0, max=48
        )
        seed: IntProperty(name="Seed", description="Another number draws it another way", min=0)
        provider: StringProperty(
            name="Provider",
            description="Who draws the span: the take's own provider, or another",
            search=_providers,
        )
        stronger: BoolProperty(
            name="Other Control", description="Ask for another strength of control, where the provider has it"
        )
        control: FloatProperty(
            name="Control",
            description="How closely the provider must follow the render",
            min=0,
            max=1,
            default=0.9,
        )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        chosen = active(context)
        if chosen is None:
            return {"CANCELLED"}
        action = chosen[1]
        (self.first, self.last), self.handles = action.frames, action.handles
        self.seed = int(action.settings.get("seed") or 0)
        self.provider = str(action.settings.get("provider") or "")
        control = action.settings.get("control")
        self.stronger, self.control = control is not None, 0.9 if control is None else float(control)
        manager: Any = context.window_manager
        return manager.invoke_props_dialog(self, width=340)

    def draw(self, context: bpy.types.Context) -> None:
        """Frames and handles; seed and control where something is drawn again."""
        chosen = active(context)
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        frames = column.column(align=True)
        frames.prop(self, "first")
        frames.prop(self, "last")
        column.prop(self, "handles")
        if chosen is not None and chosen[1].kind == RERUN:
            column.prop(self, "provider")
            column.prop(self, "seed")
            column.prop(self, "stronger")
            row = column.row()
            row.active = self.stronger
            row.prop(self, "control", slider=True)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        chosen = active(context)
        wanted: dict[str, Any] = {"frames": (self.first, self.last), "handles": self.handles}
        if chosen is not None and chosen[1].kind == RERUN:
            wanted |= {"seed": self.seed, "control": self.control if self.stronger else None}
            wanted |= {"provider": self.provider} if self.provider else {}
        return _changed(self, context, **wanted)


CLASSES = (
    HOLDFAST_OT_plan_repair,
    HOLDFAST_OT_switch_action,
    HOLDFAST_OT_action_kind,
    HOLDFAST_OT_edit_action,
)
