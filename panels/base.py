# SPDX-License-Identifier: GPL-3.0-or-later
"""What all panels share: the tab, the header with the state of the stage, the main button, wrapped sentences."""

from functools import lru_cache
from typing import Any, ClassVar

import blf
import bpy

from ..operators import session, state_cache
from ..operators.actions import HOLDFAST_OT_cancel, HOLDFAST_OT_explain, HOLDFAST_OT_run_stage
from ..operators.state_cache import Shown
from ..pipeline.estimate import duration

ICONS: dict[str, Any] = {
    "missing": "RADIOBUT_OFF",
    "stale": "FILE_REFRESH",
    "partial": "REMOVE",
    "fresh": "CHECKMARK",
    "failed": "ERROR",
    "cancelled": "CANCEL",
    "waiting": "TIME",
    "running": "PLAY",
}
WORDS = {
    "missing": "Not started",
    "stale": "Out of date",
    "partial": "Some frames are done",
    "fresh": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "waiting": "Waiting",
    "running": "Running",
}
MARGIN_PX = 74
"""Width of the sidebar that text can't use: tabs, scroll bar, box and panel margins, at a UI scale of 1."""
FONT_PX = 11.0


class HoldfastPanel:
    """Where every panel of Holdfast is."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Holdfast"


def state_of(scene: bpy.types.Scene, shown: Shown, name: str) -> tuple[str, str]:
    """State and reason of a stage, with what this session knows before what the files say."""
    if session.running(scene, name) is not None:
        return "running", ""
    if session.waiting(scene, name):
        return "waiting", ""
    failure = session.current.failures.get((scene.session_uid, name))
    if failure:
        return ("cancelled" if failure.startswith("Cancelled") else "failed"), failure
    return shown.states.get(name, ("missing", ""))


class StagePanel(HoldfastPanel):
    """A stage: state in the header, settings, main button, result. Sub-classes fill in the two middle parts."""

    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}
    stage: ClassVar[str]
    verb: ClassVar[str]
    layout: bpy.types.UILayout

    def draw_header(self, context: bpy.types.Context) -> None:
        status, _reason = state_of(context.scene, state_cache.shown(context.scene), self.stage)
        row = self.layout.row()
        row.alert = status == "failed"
        row.label(icon=ICONS[status])

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        status, reason = state_of(context.scene, state_cache.shown(context.scene), self.stage)
        row = self.layout.row(align=True)
        job = session.running(context.scene, self.stage)
        if job is not None:
            row.ui_units_x = 4.5
            row.progress(factor=job.fraction, text=f"{job.fraction:.0%}")
            row.operator(HOLDFAST_OT_cancel.bl_idname, text="", icon="X", emboss=False)
        elif status == "failed":
            explain(row, "Why it failed", reason)
        elif status in {"stale", "waiting", "cancelled"}:
            row.active = False
            row.label(text=WORDS[status])

    def draw(self, context: bpy.types.Context) -> None:
        shown = state_cache.shown(context.scene)
        status, reason = state_of(context.scene, shown, self.stage)
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        self.settings(column, context, context.scene.holdfast)
        self.layout.separator(factor=0.5)
        self._main(context, status, reason)
        self.result(self.layout.column(), context, shown)

    def settings(self, layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
        """Draws the settings of the stage."""

    def result(self, layout: bpy.types.UILayout, context: bpy.types.Context, shown: Shown) -> None:
        """Draws what the stage made, or a way to see it."""

    def words_of_button(self, context: bpy.types.Context) -> tuple[str, str]:
        """What the large button says, and the take that it is about; empty for the newest."""
        return self.verb, ""

    def _main(self, context: bpy.types.Context, status: str, reason: str) -> None:
        layout = self.layout
        job = session.running(context.scene, self.stage)
        if job is not None:
            draw_job(layout, context, job)
            return
        row = layout.row(align=True)
        row.scale_y = 1.4
        verb, take = self.words_of_button(context)
        button = row.operator(HOLDFAST_OT_run_stage.bl_idname, text=verb, icon=_button_icon(status))
        button.stage, button.take = self.stage, take
        if status == "fresh":
            again = row.operator(HOLDFAST_OT_run_stage.bl_idname, text="", icon="FILE_REFRESH")
            again.stage, again.force, again.take = self.stage, True, take
        if status in {"failed", "stale", "partial", "cancelled"} and reason:
            box = layout.box()
            box.alert = status == "failed"
            text = f"{WORDS[status]}: {reason}" if status in {"stale", "partial"} else reason
            sentence(box, context, text, icon=ICONS[status])


def _button_icon(status: str) -> Any:
    return "CHECKMARK" if status == "fresh" else "PLAY"


def draw_job(layout: bpy.types.UILayout, context: bpy.types.Context, job: session.Job) -> None:
    """The running stage: bar, what it does now, and Cancel."""
    column = layout.column(align=True)
    row = column.row(align=True)
    row.scale_y = 1.4
    row.progress(factor=job.fraction, text=f"{job.fraction:.0%}")
    row.operator(HOLDFAST_OT_cancel.bl_idname, text="", icon="X")
    left = job.seconds_left
    sentence(column, context, job.message if left is None else f"{job.message}; about {duration(left)} left")
    if job.render is not None:
        column.template_running_jobs()


def explain(layout: bpy.types.UILayout, title: str, text: str, icon: Any = "QUESTION") -> None:
    """A small button whose tooltip and popup are the whole sentence."""
    button = layout.operator(HOLDFAST_OT_explain.bl_idname, text="", icon=icon, emboss=False)
    button.title, button.sentence = title, text


def sentence(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    text: str,
    icon: Any = "NONE",
    taken_px: float = 0.0,
) -> None:
    """Labels that hold ``text``, wrapped to the width of the sidebar less what stands beside them."""
    scale = context.preferences.system.ui_scale
    room = context.region.width - (MARGIN_PX + taken_px) * scale - (20 * scale if icon != "NONE" else 0)
    column = layout.column(align=True)
    column.scale_y = 0.85
    for index, line in enumerate(wrap(text, int(room), round(FONT_PX * scale, 2))):
        if icon == "NONE":
            column.label(text=line)
        else:
            column.label(text=line, icon=icon if index == 0 else "BLANK1")


@lru_cache(maxsize=512)
def wrap(text: str, width_px: int, font_px: float) -> tuple[str, ...]:
    """``text`` in lines of at most ``width_px`` pixels; a single longer word is cut into pieces."""
    blf.size(0, font_px)
    room = max(width_px, 60)
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            for piece in _pieces(word, room):
                longer = f"{line} {piece}" if line else piece
                if line and _width(longer) > room:
                    lines.append(line)
                    line = piece
                else:
                    line = longer
        lines.append(line)
    return tuple(lines)


def _width(text: str) -> float:
    size: Any = blf.dimensions(0, text)
    return float(size[0])


def _pieces(word: str, room: float) -> list[str]:
    """Parts of a word (a long path, for instance) that each fit into ``room`` pixels."""
    if _width(word) <= room:
        return [word]
    pieces = [""]
    for letter in word:
        if pieces[-1] and _width(pieces[-1] + letter) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def fact_beside(layout: bpy.types.UILayout, name: str, value: str) -> None:
    """One line that stands among settings: the name where theirs are."""
    row = layout.split(factor=0.4)
    left = row.row()
    left.alignment = "RIGHT"
    left.label(text=name)
    row.label(text=value)


def fact(layout: bpy.types.UILayout, name: str, value: str, icon: Any = "NONE") -> None:
    """One line: what on the left, how much on the right."""
    row = layout.split(factor=0.55)
    row.label(text=name, icon=icon)
    right = row.row()
    right.alignment = "RIGHT"
    right.label(text=value)
