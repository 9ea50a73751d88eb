# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip below a take: every part over all frames, coloured by how much is off; a click goes there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import blf
import bpy
import numpy as np
from bpy.props import IntProperty

from ..pipeline.sheet import Sheet
from . import heat_draw, overlay_text, state_cache, take_overlay
from .overlay_text import PLATE, Box, words
from .take_overlay import Looked

Result = set[str]
Tint = tuple[float, float, float, float]
ROW: Final = 15.0
GAP: Final = 2.0
MARGIN: Final = 12.0
NAME: Final = 96.0
MOST: Final = 10
"""Parts that are shown: those that are worst, if there are more."""
UNKNOWN: Final = (0.16, 0.16, 0.17, 1.0)
FINE: Final = (0.21, 0.31, 0.40, 1.0)
PLAYHEAD: Final = (1.0, 1.0, 1.0, 1.0)
FRAME: Final = (0.95, 0.95, 0.95, 0.9)
WHITE: Final = (0.94, 0.94, 0.94)


@dataclass(frozen=True)
class Layout:
    """Where the strip lies in the region, in pixels, and which parts (rows of the sheet) it shows, from its top."""

    left: float
    right: float
    bottom: float
    scale: float
    frames: tuple[int, ...]
    rows: tuple[int, ...]

    @property
    def start(self) -> float:
        """Left end of the frames, right of the names."""
        return self.left + NAME * self.scale

    @property
    def step(self) -> float:
        """Width of a frame."""
        return (self.right - self.start) / len(self.frames)

    @property
    def top(self) -> float:
        """Upper end."""
        return self.bottom + len(self.rows) * (ROW + GAP) * self.scale

    def y(self, index: int) -> float:
        """Bottom of a row; the first stands on top."""
        return self.bottom + (len(self.rows) - 1 - index) * (ROW + GAP) * self.scale

    def frame(self, x: float) -> int:
        """The frame at a pixel, the first or last beyond the ends."""
        index = int((x - self.start) / self.step)
        return self.frames[min(max(index, 0), len(self.frames) - 1)]

    def hit(self, x: float, y: float) -> int | None:
        """The row under a pixel, if it is one of the strip's."""
        if not (self.left <= x <= self.right and self.bottom <= y < self.top):
            return None
        return min(len(self.rows) - 1, int((self.top - y) / ((ROW + GAP) * self.scale)))


def layout(context: bpy.types.Context, sheet: Sheet) -> Layout | None:
    """The strip of the Image Editor that the context is in; None without frames or room."""
    scale, region = context.preferences.system.ui_scale, context.region
    margin = MARGIN * scale
    left, right = margin + _toolbar(context), heat_draw.free_right(context) - margin
    if (
        not sheet.frames
        or not sheet.parts
        or right - left < (NAME + 120.0) * scale
        or region.height < 160.0 * scale
    ):
        return None
    order = list(range(len(sheet.parts)))
    if len(sheet.parts) > MOST:
        worst = np.nanmax(np.nan_to_num(sheet.strength, nan=0.0), axis=1)
        order = sorted(np.argsort(-worst, kind="stable")[:MOST].tolist())
    return Layout(left, right, 3.0 * margin, scale, sheet.frames, tuple(order))


def _toolbar(context: bpy.types.Context) -> float:
    region = context.region
    over = [
        each.width
        for each in context.area.regions
        if each.type == "TOOLS" and each.width > 1 and each.x >= region.x
    ]
    return float(max(over, default=0))


def tint(strength: float) -> Tint:
    """Colour of a frame: grey where nothing was judged, blue below the limit, that of the heat map above."""
    if not np.isfinite(strength):
        return UNKNOWN
    if strength < 1.0:
        return FINE
    red, green, blue, _alpha = heat_draw.colours(strength).tolist()
    return red, green, blue, 1.0


def runs(tints: list[Tint]) -> list[tuple[int, int, Tint]]:
    """(first, end, colour) of neighbours of one colour."""
    found: list[tuple[int, int, Tint]] = []
    for index, colour in enumerate(tints):
        if found and found[-1][2] == colour:
            found[-1] = (found[-1][0], index + 1, colour)
        else:
            found.append((index, index + 1, colour))
    return found


def draw(context: bpy.types.Context, seen: Looked) -> None:
    """Draws the strip, frames around the findings, and where the timeline is."""
    sheet = take_overlay.sheet_of(seen)
    strip = layout(context, sheet) if sheet is not None else None
    if sheet is None or strip is None:
        return
    scale, height = strip.scale, ROW * strip.scale
    pad = 4.0 * scale
    back = Box(
        strip.left - pad,
        strip.bottom - pad,
        strip.right - strip.left + 2 * pad,
        strip.top - strip.bottom + pad,
    )
    boxes = [(back, PLATE)]
    for index, row in enumerate(strip.rows):
        for first, end, colour in runs([tint(round(float(value), 1)) for value in sheet.strength[row]]):
            left = strip.start + first * strip.step
            boxes.append((Box(left, strip.y(index), (end - first) * strip.step, height), colour))
    boxes += _found(context, seen, sheet, strip)
    if seen.taken in strip.frames:
        at = strip.start + (strip.frames.index(seen.taken) + 0.5) * strip.step
        for width, colour in ((4 * scale, PLATE), (2 * scale, PLAYHEAD)):
            boxes.append((Box(at - 0.5 * width, strip.bottom - pad, width, back.height), colour))
    overlay_text.rectangles(boxes)
    blf.size(0, 11.0 * scale)
    blf.enable(0, blf.CLIPPING)
    for index, row in enumerate(strip.rows):
        y = strip.y(index)
        blf.clipping(0, round(strip.left), round(y), round(strip.start - 4 * scale), round(y + height))
        words(sheet.parts[row], strip.left + 2 * scale, y + 4.0 * scale, WHITE)
    blf.disable(0, blf.CLIPPING)


def _found(context: bpy.types.Context, seen: Looked, sheet: Sheet, strip: Layout) -> list[tuple[Box, Tint]]:
    """Thin frames around the spans of findings, thicker around the chosen one."""
    chosen = take_overlay.finding_of(context, seen)
    findings = seen.report.data.get("findings", ()) if seen.report is not None else ()
    boxes = []
    for finding in findings:
        rows = [index for index, row in enumerate(strip.rows) if sheet.parts[row] == finding["part"]]
        inside = [
            index
            for index, frame in enumerate(strip.frames)
            if finding["frames"][0] <= frame <= finding["frames"][1]
        ]
        for index in rows if inside else ():
            left, right = strip.start + inside[0] * strip.step, strip.start + (inside[-1] + 1) * strip.step
            edge = (2.0 if finding is chosen else 1.0) * strip.scale
            boxes += _frame(Box(left, strip.y(index), right - left, ROW * strip.scale), edge)
    return boxes


def _frame(box: Box, edge: float) -> list[tuple[Box, Tint]]:
    sides = (
        Box(box.x, box.y, box.width, edge), Box(box.x, box.y + box.height - edge, box.width, edge),
        Box(box.x, box.y, edge, box.height), Box(box.x + box.width - edge, box.y, edge, box.height),
    )  # fmt: skip
    return [(side, FRAME) for side in sides]


def here(context: bpy.types.Context) -> tuple[Looked, Sheet, Layout] | None:
    """The strip of this editor, if one is drawn."""
    if not context.window_manager.holdfast.strip or not take_overlay.wanted(context):
        return None
    seen = take_overlay.looked(context)
    sheet = take_overlay.sheet_of(seen) if seen is not None else None
    strip = layout(context, sheet) if sheet is not None else None
    return (seen, sheet, strip) if seen is not None and sheet is not None and strip is not None else None


class HOLDFAST_OT_scrub_strip(bpy.types.Operator):
    """Goes to the frame under the mouse."""

    bl_idname = "holdfast.scrub_strip"
    bl_label = "Go to Frame"
    bl_description = "Go to the frame under the mouse, and choose the finding that is there"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        frame: int
        row: int
    else:
        frame: IntProperty(name="Frame", description="Where to go")
        row: IntProperty(name="Part", description="Row of the strip", default=-1)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        if context.scene.frame_current != self.frame:
            context.scene.frame_set(self.frame)
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        found = here(context)
        if found is None:
            return {"CANCELLED"}
        seen, sheet, self._strip = found
        self._go(context, event)
        x, y = event.mouse_x - context.region.x, event.mouse_y - context.region.y
        row = self._strip.hit(x, y)
        if row is not None:
            _choose(context, seen, sheet.parts[self._strip.rows[row]], self.frame)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        if event.type in {"ESC", "RIGHTMOUSE"} or (event.type == "LEFTMOUSE" and event.value == "RELEASE"):
            return {"FINISHED"}
        if event.type == "MOUSEMOVE":
            self._go(context, event)
        return {"RUNNING_MODAL"}

    def _go(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        self.frame = self._strip.frame(event.mouse_x - context.region.x)
        self.execute(context)


def _choose(context: bpy.types.Context, seen: Looked, part: str, frame: int) -> None:
    """Makes the finding of this part at this frame the one that the list has chosen."""
    cached = state_cache.shown(context.scene)
    for index, finding in enumerate(cached.findings() if cached.take == seen.name else ()):
        if finding["part"] == part and finding["frames"][0] <= frame <= finding["frames"][1]:
            context.window_manager.holdfast.active_finding = index
            return


class HOLDFAST_GT_strip(bpy.types.Gizmo):
    """Feels for the strip, which the overlay draws."""

    bl_idname = "HOLDFAST_GT_strip"

    def draw(self, context: bpy.types.Context) -> None:
        pass

    def test_select(self, context: bpy.types.Context, location: tuple[int, int]) -> int:
        """0 on the strip, which the click is then about; else -1."""
        found = here(context)
        return 0 if found is not None and found[2].hit(*location) is not None else -1


class HOLDFAST_GGT_strip(bpy.types.GizmoGroup):
    """The strip at the bottom of an Image Editor that shows a take."""

    bl_idname = "HOLDFAST_GGT_strip"
    bl_label = "Strip of a Take"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "WINDOW"
    bl_options = {"PERSISTENT", "SCALE"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.window_manager.holdfast.strip and take_overlay.wanted(context))

    def setup(self, context: bpy.types.Context) -> None:
        felt: Any = self.gizmos.new(HOLDFAST_GT_strip.bl_idname)
        felt.use_draw_modal = True
        felt.target_set_operator(HOLDFAST_OT_scrub_strip.bl_idname)


CLASSES = (HOLDFAST_OT_scrub_strip, HOLDFAST_GT_strip, HOLDFAST_GGT_strip)
