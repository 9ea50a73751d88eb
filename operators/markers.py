# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings in the timeline: a marker each, and the jump from a finding to its frame and part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import IntProperty

from ..rendering.parts import objects_named
from . import state_cache

PREFIX = "! "
"""How the names of our markers begin; other markers are never touched."""
WORDS = {
    "vanished": "vanished",
    "partly_vanished": "partly vanished",
    "ghost": "ghost",
    "shifted": "shifted",
    "outline": "outline",
    "rubber": "bends like rubber",
    "wrong_motion": "wrong motion",
    "colour_drift": "colour drifts",
    "flicker": "flickers",
    "frame_map": "wrong frames",
}


def words(finding: dict[str, Any]) -> str:
    """A finding in two or three words, for example "peg vanished"."""
    kind = str(finding["kind"])
    return f"{finding['part']} {WORDS.get(kind, kind.replace('_', ' '))}"


def place(scene: bpy.types.Scene, findings: Sequence[dict[str, Any]]) -> None:
    """Puts one marker at the first frame of each finding, in place of those of an earlier report."""
    clear(scene)
    for finding in findings:
        scene.timeline_markers.new(f"{PREFIX}{words(finding)}", frame=int(finding["frames"][0]))


def clear(scene: bpy.types.Scene) -> None:
    """Takes our markers away."""
    for marker in [each for each in scene.timeline_markers if each.name.startswith(PREFIX)]:
        scene.timeline_markers.remove(marker)


class HOLDFAST_OT_jump_to_finding(bpy.types.Operator):
    """Goes to a finding."""

    bl_idname = "holdfast.jump_to_finding"
    bl_label = "Go to Finding"
    bl_description = "Go to the first frame of this finding and select its part"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        index: int
    else:
        index: IntProperty(options={"HIDDEN"}, min=0)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The finding's own sentence."""
        findings = state_cache.shown(context.scene).findings()
        says = findings[properties.index]["says"] if properties.index < len(findings) else ""
        return f"{cls.bl_description}\n\n{says}"

    def execute(self, context: bpy.types.Context) -> set[str]:  # type: ignore[override]
        findings = state_cache.shown(context.scene).findings()
        if self.index >= len(findings):
            self.report({"WARNING"}, "The report has changed; refresh the panel.")
            return {"CANCELLED"}
        finding = findings[self.index]
        context.window_manager.holdfast.active_finding = self.index
        context.scene.frame_set(int(finding["frames"][0]))
        parts = objects_named(context.scene, str(finding["part"]))
        for thing in context.view_layer.objects:
            thing.select_set(thing in parts)
        if parts:
            context.view_layer.objects.active = parts[0]
        return {"FINISHED"}


class HOLDFAST_OT_mark_findings(bpy.types.Operator):
    """Marks the findings in the timeline."""

    bl_idname = "holdfast.mark_findings"
    bl_label = "Mark in Timeline"
    bl_description = "Put a marker into the timeline for each finding, in place of those of an earlier report"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return state_cache.shown(context.scene).report is not None

    def execute(self, context: bpy.types.Context) -> set[str]:  # type: ignore[override]
        place(context.scene, state_cache.shown(context.scene).findings())
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_jump_to_finding, HOLDFAST_OT_mark_findings)
