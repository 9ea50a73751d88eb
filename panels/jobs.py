# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: what was sent where, how it stands, what it cost; which services may be used; what may be spent."""

import time
from typing import Any

import bpy

from ..operators import job_cache, job_worker
from ..operators.job_services import Known, online, online_fixed
from ..operators.jobs import (
    HOLDFAST_OT_cancel_job,
    HOLDFAST_OT_decide_job,
    HOLDFAST_OT_open_job,
    HOLDFAST_OT_retry_job,
    HOLDFAST_OT_turn_job_page,
)
from ..pipeline.estimate import duration
from ..pipeline.jobs import ENDED, Job, Step
from ..pipeline.jobs_view import PAGE
from ..pipeline.money import words
from .base import HoldfastPanel, explain, fact, sentence
from .job_services import draw_services, draw_spend

ICONS: dict[Step, Any] = {
    Step.PREPARED: "TIME",
    Step.SUBMITTING: "EXPORT",
    Step.UNCERTAIN: "QUESTION",
    Step.REMOTE: "WORLD",
    Step.DOWNLOADING: "IMPORT",
    Step.READY: "CHECKMARK",
    Step.APPLIED: "CHECKMARK",
    Step.FAILED: "ERROR",
    Step.CANCELLING: "CANCEL",
    Step.CANCELLED: "X",
}
WORDS = {
    Step.PREPARED: "waits",
    Step.SUBMITTING: "sending",
    Step.UNCERTAIN: "asks you",
    Step.REMOTE: "working",
    Step.DOWNLOADING: "fetching",
    Step.READY: "done",
    Step.APPLIED: "done, used",
    Step.FAILED: "failed",
    Step.CANCELLING: "stopping",
    Step.CANCELLED: "stopped",
}
GOING = (Step.SUBMITTING, Step.REMOTE, Step.DOWNLOADING, Step.CANCELLING)
COLUMNS = (("State", 3.5), ("Cost", 2.5), ("Age", 2.2))
"""Names of the columns and their widths, in units of the interface."""
WIDE_PX = 330
"""Of a sidebar that has room for the age too; it stands below the list as well."""


def state_words(job: Job) -> str:
    """How a job stands, as short as a column is."""
    if job.step is Step.REMOTE and job.queue > 0:
        return f"queue {job.queue}"
    if job.step in (Step.REMOTE, Step.DOWNLOADING) and 0.0 < job.progress < 1.0:
        return f"{job.progress:.0%}"
    return WORDS[job.step]


def cost_words(job: Job) -> str:
    """What it cost, or is expected to ("~")."""
    if not job.billed:
        return "free"
    if job.cost >= 0:
        return words(job.cost, job.currency)
    return f"~{words(job.price, job.currency)}" if job.price else "free"


def columns(context: bpy.types.Context) -> tuple[tuple[str, float], ...]:
    """The columns that the sidebar has room for, beside the name."""
    wide = context.region.width >= WIDE_PX * context.preferences.system.ui_scale
    return COLUMNS if wide else COLUMNS[:2]


def age_words(job: Job, now: float) -> str:
    """How long ago it was made."""
    return duration(max(0.0, now - job.created)) if job.created else "-"


class HOLDFAST_UL_jobs(bpy.types.UIList):
    """The jobs of a page, the newest first."""

    def draw_item(  # type: ignore[override]
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int, active: Any,
        active_property: str, index: int,
    ) -> None:  # fmt: skip
        rows = job_cache.shown.rows
        if index >= len(rows):
            return
        job = rows[index]
        line = layout.row(align=True)
        line.active = job.step not in ENDED
        name = line.row(align=True)
        name.alert = job.step is Step.UNCERTAIN
        name.label(text=job.model, icon=ICONS[job.step])
        cells = (state_words(job), cost_words(job), age_words(job, time.time()))
        for text, (_name, width) in zip(cells, columns(context), strict=False):
            cell = line.row()
            cell.ui_units_x = width
            cell.alignment = "RIGHT"
            cell.label(text=text)

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """None of its own: the filters stand above the list."""


class HOLDFAST_PT_jobs(HoldfastPanel, bpy.types.Panel):
    """Remote jobs of the project."""

    bl_label = "Jobs"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header(self, context: bpy.types.Context) -> None:
        steps = job_cache.shown.view.steps
        asks = bool(steps.get(Step.UNCERTAIN))
        row = self.layout.row()
        row.alert = asks
        row.label(icon="QUESTION" if asks else "WORLD")

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        steps = job_cache.shown.view.steps
        going, asks = sum(steps.get(step, 0) for step in GOING), steps.get(Step.UNCERTAIN, 0)
        row = self.layout.row()
        row.active = bool(asks)
        if asks or going:
            row.label(
                text=f"{asks} asks you" if asks == 1 else f"{asks} ask you" if asks else f"{going} going on"
            )

    def draw(self, context: bpy.types.Context) -> None:
        layout, shown = self.layout, job_cache.shown
        if shown.project is None:
            sentence(
                layout,
                context,
                "Save the file first: jobs and what they cost are kept beside it.",
                icon="INFO",
            )
            return
        _draw_obstacles(layout, context)
        draw_spend(layout, context)
        draw_services(layout, context)
        _draw_jobs(layout, context)


def _draw_obstacles(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Why nothing goes on, if so, and what to do about it."""
    remote = [
        name for name in job_cache.shown.view.services if not getattr(job_cache.known(name), "local", False)
    ]
    if not online():
        box = layout.box()
        sentence(box, context, "Blender is offline: nothing is sent, jobs wait here." if remote else
                 "Blender is offline: only services on this computer are used.", icon="INTERNET_OFFLINE")  # fmt: skip
        if online_fixed():
            sentence(box, context, "It was started with --offline-mode. Start it without to allow it.")
        else:
            box.prop(context.preferences.system, "use_online_access", text="Allow Online Access")
    for problem in (job_cache.services.problem, job_worker.current.problem):
        if problem:
            box = layout.box()
            box.alert = True
            sentence(box, context, problem, icon="ERROR")


def _draw_jobs(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    shown, view = job_cache.shown, context.window_manager.holdfast_jobs
    total = sum(shown.view.steps.values())
    header, body = layout.panel("holdfast_jobs_list")
    header.label(text=f"Jobs: {total:,}" if total else "Jobs: none yet")
    if body is None or not total:
        return
    row = body.row(align=True)
    row.prop(view, "show", text="")
    row.prop(view, "only_shot", toggle=True)
    head = body.row(align=True)
    head.active = False
    head.label(text="Model", icon="BLANK1")
    for name, width in columns(context):
        cell = head.row()
        cell.ui_units_x = width
        cell.alignment = "RIGHT"
        cell.label(text=name)
    count = min(8, max(3, len(shown.rows)))
    body.template_list(
        "HOLDFAST_UL_jobs", "", view, "rows", view, "active_row", rows=count, maxrows=10, sort_lock=True
    )
    if shown.view.found > PAGE:
        _draw_pages(body, shown)
    job = job_cache.chosen()
    if job is None:
        body.label(text="No job fits what is shown.")
    else:
        _draw_job(body.box(), context, job)


def _draw_pages(layout: bpy.types.UILayout, shown: job_cache.Shown) -> None:
    row = layout.row(align=True)
    back = row.row(align=True)
    back.enabled = shown.first > 0
    back.operator(HOLDFAST_OT_turn_job_page.bl_idname, text="", icon="TRIA_LEFT").by = -1
    middle = row.row()
    middle.alignment = "CENTER"
    middle.label(text=f"{shown.first + 1:,} to {shown.first + len(shown.rows):,} of {shown.view.found:,}")
    on = row.row(align=True)
    on.enabled = shown.first + PAGE < shown.view.found
    on.operator(HOLDFAST_OT_turn_job_page.bl_idname, text="", icon="TRIA_RIGHT").by = 1


def _draw_job(box: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    known = job_cache.known(job.provider)
    label = known.service.label if known is not None else job.provider
    model = job_cache.services.catalogue.models.get(f"{job.provider}/{job.model}")
    head = box.row()
    head.label(text=model.label if model is not None else job.model, icon=ICONS[job.step])
    explain(head, "Which job", f"Ours: {job.id}. Model {job.provider}/{job.model}.", icon="INFO")
    if job.step in (Step.REMOTE, Step.DOWNLOADING):
        box.progress(factor=min(max(job.progress, 0.0), 1.0), text=state_words(job))
    column = box.column(align=True)
    fact(column, "Where", label)
    purpose, _, piece = job.purpose.partition(", piece ")  # of a shot that is longer than the model takes
    fact(column, "For", " ".join(part for part in (job.shot, purpose) if part) or "-")
    if piece:
        fact(column, "Piece", piece)
    fact(column, "State", state_words(job))
    fact(column, "Expected", words(job.price, job.currency))
    if job.cost >= 0 or not job.billed:
        fact(column, "Billed", cost_words(job))
    fact(column, "Made", f"{age_words(job, time.time())} ago")
    says = job.says or _why_it_waits(job, known)
    if says:
        sentence(box, context, says, icon="QUESTION" if job.step is Step.UNCERTAIN else "INFO")
    _draw_buttons(box.row(align=True), job)


def _why_it_waits(job: Job, known: Known | None) -> str:
    if job.step is not Step.PREPARED or known is None:
        return ""
    if not known.key:
        return "It waits for a key: type one above."
    if not (known.local or known.agreed):
        return "It waits until you agree above."
    return "" if known.local or online() else "It waits until Blender may go online."


def _draw_buttons(row: bpy.types.UILayout, job: Job) -> None:
    if job.step is Step.UNCERTAIN:
        row.operator(HOLDFAST_OT_decide_job.bl_idname, text="Decide...").job = job.id
    if job.step in (Step.PREPARED, Step.REMOTE):
        text = "Cancel" if job.step is Step.PREPARED else "Cancel..."
        row.operator(HOLDFAST_OT_cancel_job.bl_idname, text=text, icon="X").job = job.id
    if job.step in (Step.READY, Step.APPLIED, Step.FAILED, Step.CANCELLED):
        again = row.operator(
            HOLDFAST_OT_retry_job.bl_idname,
            text=f"Retry ({words(job.price, job.currency)})",
            icon="FILE_REFRESH",
        )
        again.job = job.id
    row.operator(HOLDFAST_OT_open_job.bl_idname, text="Folder", icon="FILE_FOLDER").job = job.id


CLASSES = (HOLDFAST_UL_jobs, HOLDFAST_PT_jobs)
