# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons of the panel Jobs that are about one job: stop it, make it anew, decide what became of it, open its folder."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..pipeline import jobs_decide
from ..pipeline.errors import HoldfastError
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.jobs_view import PAGE
from ..properties_jobs import caps_of
from . import job_cache, window

Result = set[str]
CANCEL_SAYS = {
    "none": "{label} can't stop a job. It goes on there and is billed; its result is fetched.",
    "queued_only": "{label} can stop it only while it waits in the queue there. Once it runs it goes on and is billed.",
    "best_effort": "{label} is asked to stop. What it did until then may be billed.",
    "delete_overloaded": "{label} stops a job by deleting it. One that is done by then is fetched, not deleted.",
}
WORDS = (
    ("NEVER", "It never arrived", "The service has no such job: it has failed and costs nothing"),
    ("THERE", "It is there", "The service has it: it goes on under the id that you paste"),
    (
        "AGAIN",
        "Send again as new",
        "A new job of the same request; this one ends and counts, since it may be billed",
    ),
)


def cancel_says(job: Job) -> str:
    """What cancelling a job means at its service, in a sentence."""
    catalogue = job_cache.services.catalogue
    model = catalogue.models.get(f"{job.provider}/{job.model}")
    service = catalogue.services.get(job.provider)
    label = service.label if service is not None else job.provider
    return CANCEL_SAYS[model.job.cancel if model is not None else "none"].format(label=label)


def done(operator: bpy.types.Operator, act: Callable[[JobStore], object], says: str) -> Result:
    """Performs it and reports a sentence; what goes wrong is one too."""
    try:
        act(job_cache.store())
    except HoldfastError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    operator.report({"INFO"}, says)
    job_cache.ask()
    window.redraw()
    return {"FINISHED"}


def the_job(operator: Any) -> Job | None:
    """The job that the button is about, or None with a report."""
    try:
        return job_cache.store().get(operator.job)
    except HoldfastError as error:
        operator.report({"ERROR"}, str(error))
        return None


class HOLDFAST_OT_cancel_job(bpy.types.Operator):
    """Stops a job where it can be stopped."""

    bl_idname = "holdfast.cancel_job"
    bl_label = "Cancel Job"
    bl_description = "Stop this job; it says first what that costs"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        job: str
    else:
        job: StringProperty(options={"HIDDEN"}, description="Id of the job")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        job = the_job(self)
        if job is None:
            return {"CANCELLED"}
        if job.step is not Step.REMOTE:
            return self.execute(context)
        manager: Any = context.window_manager
        return manager.invoke_confirm(
            self, event, title="Stop this job?", message=cancel_says(job), confirm_text="Stop", icon="WARNING"
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        job = the_job(self)
        if job is None:
            return {"CANCELLED"}
        before = job.step is Step.PREPARED
        says = "Cancelled before it was sent: it costs nothing." if before else cancel_says(job)
        return done(self, lambda store: jobs_decide.cancel(store, self.job), says)


class HOLDFAST_OT_retry_job(bpy.types.Operator):
    """Makes a new job of the same request."""

    bl_idname = "holdfast.retry_job"
    bl_label = "Retry as New"
    bl_description = "Make a new job of the same request; it is billed anew"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        job: str
    else:
        job: StringProperty(options={"HIDDEN"}, description="Id of the job")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        job = the_job(self)
        if job is None:
            return {"CANCELLED"}
        says = f"A new job of the same request is expected to cost {jobs_decide.price_says(job)}."
        if job.step is Step.UNCERTAIN:
            says += " This one may have arrived: then both are billed."
        manager: Any = context.window_manager
        return manager.invoke_confirm(
            self, event, title="Send it once more?", message=says, confirm_text="Send as New", icon="QUESTION"
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        caps = caps_of(context.scene)
        says = "A new job was made of the same request."
        return done(self, lambda store: jobs_decide.again(store, self.job, caps), says)


class HOLDFAST_OT_decide_job(bpy.types.Operator):
    """Says what became of a job that is in doubt."""

    bl_idname = "holdfast.decide_job"
    bl_label = "Decide"
    bl_description = "It was sent, but no answer came: say what you see in your account there"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        job: str
        word: str
        remote_id: str
    else:
        job: StringProperty(options={"HIDDEN"}, description="Id of the job")
        word: EnumProperty(name="What You See", description="What became of it", items=WORDS)
        remote_id: StringProperty(name="Its Id There", description="The id that your account shows for it")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        self.remote_id = ""
        manager: Any = context.window_manager
        return manager.invoke_props_dialog(self, width=440, title="Did it arrive?", confirm_text="Decide")

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        job = job_cache.chosen()
        known = job_cache.known(job.provider) if job is not None else None
        label = known.service.label if known is not None else "the service"
        layout.label(text=f"It was sent to {label}, but no answer came. Look into your account there:")
        layout.props_enum(self, "word")
        row = layout.row()
        row.active = self.word == "THERE"
        row.prop(self, "remote_id", placeholder="Paste it from your account")
        text = next(each[2] for each in WORDS if each[0] == self.word)
        if job is not None and self.word == "AGAIN":
            text = (
                f"A new one costs about {jobs_decide.price_says(job)}. If this one arrived, both are billed"
            )
        layout.label(text=f"{text}.", icon="INFO")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        caps = caps_of(context.scene)
        if self.word == "THERE":
            there = partial(jobs_decide.found, job_id=self.job, remote_id=self.remote_id)
            return done(self, there, "It goes on under that id.")
        if self.word == "AGAIN":
            return done(self, lambda store: jobs_decide.again(store, self.job, caps), "Sent again as new.")
        return done(self, lambda store: jobs_decide.never_arrived(store, self.job), "It costs nothing.")


class HOLDFAST_OT_open_job(bpy.types.Operator):
    """Opens a job's folder."""

    bl_idname = "holdfast.open_job"
    bl_label = "Open Folder"
    bl_description = "Open the folder of its results, or of what was asked for"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        job: str
    else:
        job: StringProperty(options={"HIDDEN"}, description="Id of the job")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        job = the_job(self)
        if job is None:
            return {"CANCELLED"}
        folder = job_cache.store().folder(job.id)
        results = folder / "results"
        shown = results if results.is_dir() else folder
        if not shown.is_dir():
            self.report({"ERROR"}, f"{shown} is not there any more.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(shown))
        return {"FINISHED"}


class HOLDFAST_OT_turn_job_page(bpy.types.Operator):
    """Lists the next or the last fifty jobs."""

    bl_idname = "holdfast.turn_job_page"
    bl_label = "Turn Page"
    bl_description = "List newer or older jobs"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        by: int
    else:
        by: IntProperty(options={"HIDDEN"}, description="Pages to go on, negative to newer jobs")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        view = context.window_manager.holdfast_jobs
        last = max(0, job_cache.shown.view.found - 1) // PAGE
        view.page = min(max(view.page + self.by, 0), last)
        job_cache.ask()
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_cancel_job,
    HOLDFAST_OT_retry_job,
    HOLDFAST_OT_decide_job,
    HOLDFAST_OT_open_job,
    HOLDFAST_OT_turn_job_page,
)
