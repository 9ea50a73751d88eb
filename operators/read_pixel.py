# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the ground truth under the mouse: the values themselves, not the colours that they are shown in."""

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import HoldfastError
from ..pipeline.truth import GroundTruth
from . import locate, state_cache, viewer

Result = set[str]
READS: dict[str, Callable[[GroundTruth, int], Any]] = {
    "ids": GroundTruth.ids, "depth": GroundTruth.depth, "vector": GroundTruth.vector,
    "normal": GroundTruth.normal, "sure": GroundTruth.sure,
}  # fmt: skip


class Reader:
    """The passes of one frame, read one at a time so that the window stays alive."""

    def __init__(self, truth: GroundTruth, frame: int) -> None:
        self.truth, self.frame = truth, frame
        self.planes: dict[str, Any] = {}
        self._left = [kind for kind in READS if truth.has(kind)]

    def read_one(self) -> bool:
        """Reads the next pass; False if all are there."""
        if not self._left:
            return False
        kind = self._left.pop(0)
        self.planes[kind] = READS[kind](self.truth, self.frame)
        return True

    def says(self, column: int, row: int) -> str:
        """What is at a pixel (origin top left), as "512, 300 · lid (2) · 1.234 m · moves +3.2, -0.4 px"."""
        width, height = self.truth.size
        if not (0 <= column < width and 0 <= row < height):
            return ""
        at = {kind: plane[row, column] for kind, plane in self.planes.items()}
        words = [f"{column}, {row}"]
        if "ids" in at:
            name = next((part.name for part in self.truth.parts if part.id == at["ids"]), "no part")
            words.append(f"{name} ({at['ids']})" if at["ids"] else name)
        if "sure" in at and at["sure"] < 0.98:
            words.append(f"{at['sure']:.0%} sure")
        if "depth" in at:
            words.append(f"{at['depth']:.4g} m" if at["depth"] > 0 else "nothing there")
        if "vector" in at:
            words.append(f"moves {_signed(at['vector'][0])}, {_signed(at['vector'][1])} px")
        if "normal" in at and np.any(at["normal"]):
            words.append("faces " + ", ".join(_signed(axis) for axis in at["normal"]))
        return "  ·  ".join(words)


def _signed(value: float) -> str:
    """With its sign, and no minus before a nought."""
    return f"{round(float(value), 2) + 0.0:+.2f}"


class HOLDFAST_OT_read_pixel(bpy.types.Operator):
    """Reads values under the mouse."""

    bl_idname = "holdfast.read_pixel"
    bl_label = "Read Pixels"
    bl_description = "Read part, depth, motion and normal under the mouse, until a click or Esc"
    bl_options = {"INTERNAL"}

    _reader: Reader | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if viewer.is_viewer(context.space_data) and "truth" in state_cache.shown(context.scene).manifests:
            return True
        cls.poll_message_set("Look at a pass in this editor first")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        try:
            self._open(context)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        context.window.cursor_modal_set("EYEDROPPER")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        if event.type in {"ESC", "RIGHTMOUSE"} or (event.type == "LEFTMOUSE" and event.value == "PRESS"):
            context.window.cursor_modal_restore()
            if event.type != "LEFTMOUSE":
                viewer.state.reading = ""
            context.area.tag_redraw()
            return {"FINISHED"}
        if event.type != "MOUSEMOVE":
            return {"PASS_THROUGH"}
        try:
            if self._reader is None or self._reader.frame != context.scene.frame_current:
                self._open(context)
            self._reader.read_one()
            viewer.state.reading = self._reader.says(*_pixel(context, event, self._reader.truth.size))
        except HoldfastError as error:
            viewer.state.reading = str(error)
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}

    def _open(self, context: bpy.types.Context) -> None:
        truth = GroundTruth(
            locate.shot_of(context.scene).truth, state_cache.shown(context.scene).manifests["truth"]
        )
        self._reader = Reader(truth, context.scene.frame_current)


def _pixel(context: bpy.types.Context, event: bpy.types.Event, size: tuple[int, int]) -> tuple[int, int]:
    """Column and row under the mouse, origin top left."""
    region = next(each for each in context.area.regions if each.type == "WINDOW")
    across, up = region.view2d.region_to_view(event.mouse_x - region.x, event.mouse_y - region.y)
    return int(np.floor(across * size[0])), int(np.floor((1.0 - up) * size[1]))


CLASSES = (HOLDFAST_OT_read_pixel,)
