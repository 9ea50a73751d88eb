# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair: the plan as a list that can be changed and is priced, and what came of it."""

from typing import Any

import bpy

from ..operators import repair_actions, session
from ..operators.markers import HOLDFAST_OT_jump_to_finding
from ..operators.repair_actions import (
    Action,
    HOLDFAST_OT_action_kind,
    HOLDFAST_OT_edit_action,
    HOLDFAST_OT_plan_repair,
    HOLDFAST_OT_switch_action,
    price_words,
    read_actions,
)
from ..operators.state_cache import Shown, shown
from ..operators.style_choice import known as remote
from ..pipeline.estimate import duration
from ..pipeline.money import words
from .base import StagePanel, fact, sentence
from .validate import VERDICT_ICONS


class HOLDFAST_UL_actions(bpy.types.UIList):
    """The actions of the plan, in the order of the findings."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str, index: int,
    ) -> None:  # fmt: skip
        found = repair_actions.plan_shown(context)
        if found is None or index >= len(found[1].data["actions"]):
            return
        action = found[1].data["actions"][index]
        on = bool(action.get("enabled", True))
        row = layout.row(align=True)
        switch = row.operator(
            HOLDFAST_OT_switch_action.bl_idname,
            text="",
            icon="CHECKBOX_HLT" if on else "CHECKBOX_DEHLT",
            emboss=False,
        )
        switch.index, switch.enabled = index, not on
        line = row.split(factor=0.72)
        line.active = on
        label, _says, sign = repair_actions.NAMES.get(
            str(action["kind"]), (str(action["kind"]), "", "QUESTION")
        )
        mark: Any = "QUESTION" if action.get("asked") and not on else sign
        line.label(text=f"{label}: {action['part'] or 'whole picture'}", icon=mark)
        right = line.row()
        right.alignment = "RIGHT"
        first, last = action["frames"]
        right.label(text=str(first) if first == last else f"{first}-{last}")


class HOLDFAST_PT_repair(StagePanel, bpy.types.Panel):
    """The stage Repair."""

    bl_label = "Repair"
    stage = "repair"
    verb = "Run Plan"

    def words_of_button(self, context: bpy.types.Context) -> tuple[str, str]:
        """What drawing again will cost stands on the button."""
        cost = _cost(context)
        if _too_dear(context):
            return f"{self.verb} (over the budget)", ""
        return (f"{self.verb} for {words(cost)}" if cost else self.verb), ""

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        layout.prop(settings.repair, "handles")
        limits = layout.column(align=True)
        for name in ("attempts", "minutes", "budget"):
            limits.prop(settings.repair, name)

    def _main(self, context: bpy.types.Context, status: str, reason: str) -> None:
        if session.running(context.scene, self.stage) is None:
            if status != "fresh":
                row = self.layout.row()
                row.operator(HOLDFAST_OT_plan_repair.bl_idname, icon="PRESET")
            self._plan(context, shown(context.scene))
        super()._main(context, status, reason)

    def _plan(self, context: bpy.types.Context, known: Shown) -> None:
        found = repair_actions.plan_shown(context)
        if found is None:
            return
        name, plan = found
        actions = read_actions(plan)
        column = self.layout.column()
        if not actions:
            column.label(text=f"{name}: nothing to repair", icon="CHECKMARK")
            return
        column.label(text=f"Plan for {name}" + (", changed by you" if plan.data.get("edited") else ""))
        view = context.window_manager.holdfast
        column.template_list(
            "HOLDFAST_UL_actions", "", view, "actions", view, "active_action", rows=3, maxrows=8
        )
        _draw_chosen(column.box(), context)
        _draw_price(column, actions)
        if why := _too_dear(context):
            sentence(column.box(), context, why, icon="ERROR")

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, known: Shown) -> None:
        repaired = [name for name, take in known.takes.items() if take.data.get("parent")]
        for name in repaired[-4:]:
            report = known.reports.get(name)
            verdict = str(report.data["verdict"]) if report else "not validated"
            parent = known.takes[name].data["parent"]
            text = f"{name} from {parent}: {verdict}"
            layout.label(text=text, icon=VERDICT_ICONS.get(verdict, "QUESTION"))


def _cost(context: bpy.types.Context) -> int | None:
    """Micros of what the plan does without a person; None if nobody knows."""
    found = repair_actions.plan_shown(context)
    costs = [action.cost_micros for action in read_actions(found[1]) if action.works] if found else []
    return None if None in costs else sum(each or 0 for each in costs)


def _too_dear(context: bpy.types.Context) -> str:
    """Why the loop would leave the plan for its price and put the real parts back instead; empty if it would not."""
    cost, budget = _cost(context), round(context.scene.holdfast.repair.budget * 1e6)
    instead = "The loop would put the real parts back instead."
    if cost is None:
        return f"Nobody knows what this costs, which is over every budget. {instead} Give the model a price in a catalogue of your own."
    if cost > budget:
        return f"This costs {words(cost)}, the budget is {words(budget) if budget else '$0'}. {instead} Raise the budget, or switch the action off."
    return ""


def _draw_chosen(box: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The chosen action: what, where, why, and why nothing else."""
    chosen = repair_actions.active(context)
    if chosen is None:
        return
    index, action = chosen
    row = box.row(align=True)
    label, _says, sign = repair_actions.NAMES.get(action.kind, (action.kind, "", "QUESTION"))
    mark: Any = sign
    row.operator_menu_enum(HOLDFAST_OT_action_kind.bl_idname, "kind", text=label, icon=mark)
    row.operator(HOLDFAST_OT_edit_action.bl_idname, text="", icon="GREASEPENCIL")
    sentence(box, context, action.why)
    if action.waits:
        _draw_waiting(box, context, index, action)
    first, last = action.frames
    fact(box, "Frames", f"{first}-{last}" + (f" \u00b1 {action.handles}" if action.handles else ""))
    if action.settings.get("seed") is not None and action.kind == "rerun_span":
        fact(box, "Seed", str(action.settings["seed"]))
        provider = str(action.settings.get("provider") or "")
        model = remote(provider)
        fact(box, "Provider", provider if model is None else model.label)
    if action.kind != "ask":
        fact(box, "Takes", f"{duration(action.seconds)}, {price_words(action.cost_micros)}")
    no = {kind: why for kind, why in repair_actions.refused(context).items() if kind != action.kind}
    if no:
        header, body = box.panel("holdfast_repair_refused", default_closed=True)
        header.label(text="Why nothing else")
        if body is not None:
            for kind, why in no.items():
                sentence(body, context, f"{repair_actions.NAMES[kind][0]}: {why}")


def _draw_waiting(box: bpy.types.UILayout, context: bpy.types.Context, index: int, action: Action) -> None:
    """What a person has to do before the action is done: look, and switch it on."""
    sentence(box, context, repair_actions.WAITS, icon="QUESTION")
    row = box.row(align=True)
    found, known = repair_actions.plan_shown(context), shown(context.scene)
    ids = [str(finding["id"]) for finding in known.findings()]
    if found is not None and found[0] == known.take and action.finding in ids:
        look = row.operator(HOLDFAST_OT_jump_to_finding.bl_idname, text="Look", icon="VIEWZOOM")
        look.index = ids.index(action.finding)
    switch = row.operator(HOLDFAST_OT_switch_action.bl_idname, text="Switch On", icon="CHECKMARK")
    switch.index, switch.enabled = index, True


def _draw_price(column: bpy.types.UILayout, actions: list[Action]) -> None:
    """What the whole plan will take."""
    work = [action for action in actions if action.works]
    asked = sum(action.enabled and not action.works for action in actions)
    costs = [action.cost_micros for action in work]
    price = price_words(None if None in costs else sum(cost or 0 for cost in costs))
    if work:
        count = "1 action" if len(work) == 1 else f"{len(work)} actions"
        fact(column, count, f"about {duration(sum(action.seconds for action in work))}, {price}", icon="TIME")
    if asked:
        fact(column, "For you", str(asked), icon="QUESTION")
    if waiting := sum(action.waits for action in actions):
        fact(column, "Wait for your word", str(waiting), icon="QUESTION")


CLASSES = (HOLDFAST_UL_actions, HOLDFAST_PT_repair)
