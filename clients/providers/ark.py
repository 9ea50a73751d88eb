# SPDX-License-Identifier: GPL-3.0-or-later
"""ByteDance Ark (BytePlus ModelArk, Volcengine Ark): Seedance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..calls import Call, Reply, table_of, tables_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..descriptor import Descriptor
from ..wire import Wire
from .content_tasks import ContentTasks, named

TASKS = "contents/generations/tasks"
CHINA = "https://ark.cn-beijing.volces.com/api/v3"
STATES = {
    "queued": State.QUEUED, "running": State.RUNNING, "succeeded": State.SUCCEEDED, "failed": State.FAILED,
    "cancelled": State.CANCELLED, "expired": State.EXPIRED,
}  # fmt: skip
OPTIONS = {
    "ratio": "ratio", "resolution": "resolution", "seconds": "duration", "audio": "generate_audio", "format": "output_format",
    "fixed_camera": "camera_fixed", "last_frame": "return_last_frame", "tier": "service_tier",
}  # fmt: skip
TASK_TYPES = {"edit": "video_editing", "extend": "video_extension", "reference": "video_reference"}
CODES = (
    ("SensitiveContent", FailureKind.MODERATED, "refused the content"),
    ("RiskDetection", FailureKind.MODERATED, "refused the content"),
    ("AuthenticationError", FailureKind.AUTH, "did not accept the key"),
    ("AccessDenied", FailureKind.AUTH, "does not allow this with the key given"),
    ("ModelNotOpen", FailureKind.AUTH, "has not opened this model for your account"),
    ("AccountOverdue", FailureKind.QUOTA, "asks for payment"),
    ("SetLimitExceeded", FailureKind.QUOTA, "says that your own spending limit is reached"),
    ("InvalidEndpointOrModel", FailureKind.UNSUPPORTED, "does not have this model for your account"),
    ("QuotaExceeded", FailureKind.CONCURRENCY, "has too many waiting jobs of yours"),
    ("InflightBatchsize", FailureKind.CONCURRENCY, "has too many running jobs of yours"),
    ("RateLimit", FailureKind.RATE_LIMITED, "asks to slow down"),
    ("RequestBurst", FailureKind.RATE_LIMITED, "asks to slow down"),
    ("ServerOverloaded", FailureKind.RATE_LIMITED, "is overloaded"),
    ("InternalService", FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
    ("TaskType", FailureKind.INVALID_REQUEST, "says that prompt and clips do not fit the task"),
    ("Parameter", FailureKind.INVALID_REQUEST, "refused a setting"),
)  # fmt: skip
"""A part of the error's code, in the order in which they are looked for."""


class Ark(ContentTasks):
    """One Seedance model. ``safety_identifier`` carries our own id, which the list of tasks gives back."""

    def __init__(
        self, wire: Wire, model: Descriptor, spool: Path, settings: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(wire, model, spool, settings)
        self.name = model.model
        if self.settings.get("region") == "cn-beijing":
            wire.base = CHINA
            self.name = self.name.replace("dreamina-", "doubao-")

    def create(self, job: JobSpec) -> Call:
        body: dict[str, Any] = {"model": self.name, "content": self.content(job), "watermark": False}
        body |= named(job.options, OPTIONS)
        edits = job.input("source_video") is not None
        if "task" in self.model.options and (edits or "task" in job.options):
            task = job.options.get("task", "edit")
            body["omni_reference_task_type"] = TASK_TYPES[task]
            if task == "edit":  # length and shape are the source's; the service takes nothing else
                body |= {"duration": -1, "ratio": "adaptive"}
        if job.seed is not None and self.model.seed.strength != "none":
            body["seed"] = job.seed
        if job.own_id:
            body["safety_identifier"] = job.own_id
        return Call("POST", TASKS, json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(reply.table.get("id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"{TASKS}/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        task = reply.table
        state = STATES.get(str(task.get("status")), State.UNKNOWN)
        kept: tuple[str, ...] = ("usage", "seed", "revised_prompt", "framespersecond")
        raw = {key: task[key] for key in kept if key in task}
        if state is State.SUCCEEDED:
            return self._done(table_of(task.get("content")), raw)
        failure = self._coded(table_of(task.get("error")), billed=False) if state is State.FAILED else None
        return Snapshot(state, failure=failure, raw=raw)

    def _done(self, content: Mapping[str, Any], raw: Mapping[str, Any]) -> Snapshot:
        if not content.get("video_url"):
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done but gives no film")
            return Snapshot(State.FAILED, failure=failure, raw=raw)
        outputs = [Output("00", MediaRef("https", str(content["video_url"]), "result"), "video/mp4")]
        if content.get("last_frame_url"):
            raw = {**raw, "last_frame_url": content["last_frame_url"]}
        return Snapshot(State.SUCCEEDED, 1.0, outputs=tuple(outputs), raw=raw)

    def stop(self, handle: Handle) -> Call:
        return Call("DELETE", f"{TASKS}/{handle.job_id}", json={})

    def lookup(self, job: JobSpec, since: float) -> Call | None:
        if not job.own_id:
            return None
        return Call("GET", TASKS, params={"page_num": "1", "page_size": "100", "filter.model": self.name})

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        for task in tables_of(reply.table.get("items")):
            if task.get("safety_identifier") == job.own_id:
                return self.handle(task.get("id"))
        return None

    def why(self, reply: Reply) -> Failure:
        error = reply.table.get("error")
        if isinstance(error, dict) and any(part in str(error.get("code")) for part, _, _ in CODES):
            return self._coded(error)
        return super().why(reply)

    def _coded(self, error: Mapping[str, Any], billed: bool | None = None) -> Failure:
        code, message = str(error.get("code") or ""), str(error.get("message") or "")
        other = ("", FailureKind.INVALID_REQUEST, "refused it")
        _, kind, says = next((one for one in CODES if one[0] in code), other)
        return self.failure(kind, says, f"{message} ({code})" if code else message, billed)
