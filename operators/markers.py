# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings in the timeline and in the edit: a marker each, and the jump from a finding to its frame and part.

Ours are told from others by their names, which the scene remembers: Blender 5 lets markers carry nothing else. A marker
that somebody renamed is theirs from then on.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import IntProperty

from .. import compat
from ..pipeline.words import NOT_A_FAULT, UNSURE
from . import locate, part_rows, state_cache, words
from .view import title_of

SURE, PERHAPS = "! ", "? "
OURS = "holdfast_markers"
LONG_SECONDS = 0.5
"""Only a span that lasts longer has its end marked too: names over each other can't be read."""
Mark = tuple[int, str]


def phrase(finding: dict[str, Any]) -> str:
    """A finding in two or three words, for example "peg vanished"."""
    return f"{finding['part']} {title_of(finding)}".strip()


def marks(findings: Sequence[dict[str, Any]], fps: float) -> list[Mark]:
    """(frame, name) of the markers of findings: the first frame of each, and the last of a long one."""
    found = []
    for finding in findings:
        first, last = (int(each) for each in finding["frames"])
        name = f"{PERHAPS if finding.get('severity') == UNSURE else SURE}{phrase(finding)}"
        found.append((first, name))
        if last - first > LONG_SECONDS * fps:
            found.append((last, f"{name} ends"))
    return found


def place(scene: bpy.types.Scene, findings: Sequence[dict[str, Any]], pictures: Path | None = None) -> int:
    """Marks findings in the scene's timeline, and in every edit that shows the take whose ``pictures`` lie there, in
    place of all our earlier marks; how many edits these are."""
    clear()
    render = scene.render
    wanted = marks(findings, render.fps / render.fps_base)
    _put(scene, wanted)
    edits = list(_edits(pictures)) if pictures is not None else []
    for edit, strip in edits:
        start, left, right = compat.strip_span(strip)
        shown = {_number(element.filename): start + index for index, element in enumerate(strip.elements)}
        at = [(shown[frame], name) for frame, name in wanted if frame in shown]
        there = (
            wanted if edit == scene else ()
        )  # an edit in the shot's own scene, frame on frame, needs no second mark
        _put(edit, [mark for mark in at if left <= mark[0] < right and mark not in there])
    return len(edits)


def _edits(pictures: Path) -> Iterator[tuple[bpy.types.Scene, Any]]:
    """The image strips of all scenes that show pictures of that folder."""
    for scene in bpy.data.scenes:
        for strip in compat.strips_of(scene):
            if (
                strip.type == "IMAGE"
                and Path(bpy.path.abspath(strip.directory)).resolve() == pictures.resolve()
            ):
                yield scene, strip


def _number(filename: str) -> int:
    digits = Path(filename).stem.rpartition(".")[2]
    return int(digits) if digits.isdigit() else -1


def _put(scene: bpy.types.Scene, wanted: Sequence[Mark]) -> None:
    """Places markers under names that no marker of the scene has yet, and remembers them."""
    ours = list(scene.get(OURS, ()))
    taken = {marker.name for marker in scene.timeline_markers}
    for frame, name in wanted:
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name} {number}"
        scene.timeline_markers.new(free, frame=frame)
        taken.add(free)
        ours.append(free)
    scene[OURS] = ours


def clear() -> int:
    """Takes our markers out of all scenes, and no others; how many these were."""
    count = 0
    for scene in bpy.data.scenes:
        ours = set(scene.get(OURS, ()))
        for marker in [each for each in scene.timeline_markers if each.name in ours]:
            scene.timeline_markers.remove(marker)
            count += 1
        if scene.get(OURS) is not None:
            del scene[OURS]
    return count


def placed() -> bool:
    """Whether any of our markers are there."""
    return any(scene.get(OURS) for scene in bpy.data.scenes)


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
        if finding["part"] and context.mode == "OBJECT":
            part_rows.select(context, str(finding["part"]))
        return {"FINISHED"}


class HOLDFAST_OT_mark_findings(bpy.types.Operator):
    """Marks the findings in the timeline and in the edit."""

    bl_idname = "holdfast.mark_findings"
    bl_label = "Mark in Timeline"
    bl_description = (
        "Put a marker at each finding into the timeline, and into every edit in this file that has the take as an image "
        "strip. Earlier marks of Holdfast go; your own markers stay. False alarms are left out"
    )
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if state_cache.shown(context.scene).findings():
            return True
        cls.poll_message_set("There is no finding to mark")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:  # type: ignore[override]
        cached = state_cache.shown(context.scene)
        said = [(finding, words.of(cached, finding)) for finding in cached.findings()]
        found = [finding for finding, word in said if word is None or word.word != NOT_A_FAULT]
        taken, pictures = cached.takes.get(cached.take), None
        if taken is not None:
            pattern = str(taken.data["pattern"])
            pictures = (locate.shot_of(context.scene).takes / cached.take / pattern).parent
        edits = place(context.scene, found, pictures)
        also = f", and in {edits} strip{'s' if edits != 1 else ''} of the edit" if edits else ""
        self.report({"INFO"}, f"{len(found)} findings are marked in the timeline{also}.")
        return {"FINISHED"}


class HOLDFAST_OT_clear_marks(bpy.types.Operator):
    """Takes the marks of findings away."""

    bl_idname = "holdfast.clear_marks"
    bl_label = "Remove Marks"
    bl_description = (
        "Take the markers that Holdfast placed out of all timelines of this file; your own markers stay"
    )
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if placed():
            return True
        cls.poll_message_set("Holdfast has placed no markers")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:  # type: ignore[override]
        self.report({"INFO"}, f"{clear()} markers are removed.")
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_jump_to_finding, HOLDFAST_OT_mark_findings, HOLDFAST_OT_clear_marks)
