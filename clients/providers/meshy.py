# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy: a route per operation, one kind of task. What each route takes stands in the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...pipeline.errors import ProviderRejected, Refused
from ..adapter import Adapter, message_of
from ..calls import Call, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..credits import worth
from ..payload import body_of

STATES = {
    "PENDING": State.QUEUED, "IN_PROGRESS": State.RUNNING, "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED, "CANCELED": State.CANCELLED, "EXPIRED": State.EXPIRED,
}  # fmt: skip
FORMATS = {
    "glb": "model/gltf-binary", "fbx": "application/octet-stream", "obj": "model/obj", "stl": "model/stl",
    "usdz": "model/vnd.usdz+zip", "3mf": "model/3mf",
}  # fmt: skip
NO_SLOT = ("nomoreconcurrenttasks", "nomorependingtasks")
CLOCKS_APART_S = 30.0


class Meshy(Adapter):
    """Text, pictures and meshes to meshes."""

    @property
    def route(self) -> str:
        """Path of the model's operation."""
        return str(self.model.payload["route"])

    def create(self, job: JobSpec) -> Call:
        self.check(job)
        made = [ref for ref in job.inputs if ref.kind == "job_output"]
        given = tuple(ref for ref in job.inputs if ref.kind != "job_output")
        options = {name: value for name, value in job.options.items() if name != "format"}
        body = body_of(replace(job, inputs=given, options=options), self.model)
        if made:
            body[self.model.payload["made"]] = made[0].value
        if "format" in self.model.options:
            body["target_formats"] = [job.options.get("format", "glb")]
        return Call("POST", self.route, json=body)

    def check(self, job: JobSpec) -> None:
        """What the service would refuse. Raises ProviderRejected."""
        if job.options.get("ultra_mode") and job.options.get("ai_model", "latest") not in (
            "meshy-7",
            "latest",
        ):
            raise ProviderRejected("Meshy has ultra mode with meshy-7 alone")
        if self.model.model == "retexture" and bool(job.prompt) == bool(job.all("reference")):
            raise ProviderRejected("Meshy retextures after a prompt or after pictures, one of the two")

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        task = reply.table.get("result")
        return self.handle(task, f"{self.route}/{task}")

    def named(self, handle: Handle, job: JobSpec) -> Handle:
        """A task is asked for below its operation's address."""
        return replace(handle, poll_ref=f"{self.route}/{handle.job_id}")

    def status(self, handle: Handle) -> Call:
        return Call("GET", handle.poll_ref)

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        task = reply.table
        state = STATES.get(str(task.get("status")), State.UNKNOWN)
        progress, ahead, used = (
            task.get("progress"),
            task.get("preceding_tasks"),
            task.get("consumed_credits"),
        )
        failure = None
        if state is State.FAILED:
            says = "could not finish this"
            failure = self.failure(
                FailureKind.PROVIDER_INTERNAL, says, message_of_task(task), billed=bool(used)
            )
        return Snapshot(
            state,
            progress / 100 if isinstance(progress, int | float) else None,
            ahead if isinstance(ahead, int) and state is State.QUEUED else None,
            outputs=tuple(outputs_of(task)) if state is State.SUCCEEDED else (),
            failure=failure,
            cost_micros=worth(used, self.settings),
        )

    def stop(self, handle: Handle) -> Call:
        return Call("DELETE", handle.poll_ref)

    def lookup(self, job: JobSpec, since: float) -> Call:
        return Call("GET", self.route, params={"page_num": "1", "page_size": "50", "sort_by": "-created_at"})

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        """Tasks carry no name of ours: it is the one made since then, with this prompt where the record has one."""
        tasks = reply.json if isinstance(reply.json, list) else []
        fits = [task for task in tasks if isinstance(task, dict) and fits_job(task, job, since)]
        if len(fits) > 1:
            raise Refused(
                f"{len(fits)} tasks at Meshy may be this one", todo="Look in your account there, then decide."
            )
        return self.handle(fits[0].get("id"), f"{self.route}/{fits[0].get('id')}") if fits else None

    def why(self, reply: Reply) -> Failure:
        """429 is two things: too many requests (with Retry-After) and no free slot (without)."""
        message = message_of(reply)
        if reply.status == 429 and any(word in message.lower().replace(" ", "") for word in NO_SLOT):
            return self.failure(FailureKind.CONCURRENCY, "has no free slot for another task", message)
        if reply.status == 422:
            return self.failure(FailureKind.MEDIA_REJECTED, "can't work with what was sent", message)
        return super().why(reply)


def message_of_task(task: Mapping[str, Any]) -> str:
    """Why a task failed, in the service's words."""
    error = task.get("task_error")
    return str(error.get("message") or "") if isinstance(error, dict) else ""


def fits_job(task: Mapping[str, Any], job: JobSpec, since: float) -> bool:
    """Whether a record of the list may be the job that was begun at ``since``."""
    made = task.get("created_at")
    if not isinstance(made, int | float) or made / 1000 < since - CLOCKS_APART_S:
        return False
    said = task.get("prompt") or task.get("texture_prompt") or task.get("text_style_prompt")
    return not said or said == job.prompt


def outputs_of(task: Mapping[str, Any]) -> Iterator[Output]:
    """The files of a finished task, glb first; formats that were not asked for are absent or empty."""
    urls, result = task.get("model_urls"), task.get("result")
    found = dict(urls) if isinstance(urls, dict) else {}
    for key, url in (result if isinstance(result, dict) else {}).items():
        words = key.removesuffix("_url").split("_")
        if key.startswith(("rigged_character_", "animation_")) and words[-1] in FORMATS:
            found[words[-1]] = url
    expires = task.get("expires_at")
    until = expires / 1000 if isinstance(expires, int | float) else None
    named = [(kind, found[kind]) for kind in FORMATS if isinstance(found.get(kind), str) and found[kind]]
    for number, (kind, url) in enumerate(named):
        yield Output(f"{number:02d}", MediaRef("https", url, "result", until), FORMATS[kind])
