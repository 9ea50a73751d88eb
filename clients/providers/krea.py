# SPDX-License-Identifier: GPL-3.0-or-later
"""Krea: a route per model, one kind of job. Files are uploaded once and named by their address there."""

from dataclasses import replace
from pathlib import Path

from ...pipeline.errors import ProviderRejected, Refused
from ..adapter import MEDIA_TYPE, Adapter, media_type, message_of
from ..calls import Call, Part, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..payload import body_of, files_in

STATES = {
    "queued": State.QUEUED, "backlogged": State.QUEUED, "scheduled": State.QUEUED, "pending": State.QUEUED,
    "processing": State.RUNNING, "sampling": State.RUNNING, "intermediate-complete": State.RUNNING,
    "completed": State.SUCCEEDED, "failed": State.FAILED, "cancelled": State.CANCELLED, "canceled": State.CANCELLED,
}  # fmt: skip


class Krea(Adapter):
    """Pictures by Krea's own models and by others that it hosts."""

    def put(self, path: Path, role: str) -> MediaRef:
        limit = self.model.inputs.get(role)
        if limit is None or "https" not in limit.kinds:
            raise Refused(f"{self.model.label} can't be given a file for {role}", where=path.name)
        self.as_path(path, role, limit.max_bytes)
        part = Part("file", f"{role}{path.suffix.lower()}", path, media_type(path))
        reply = self.wire.ask(Call("POST", "/assets", parts=(part,)))
        if not reply.ok:
            self.reject(reply)
        url = reply.table.get("image_url")
        if not isinstance(url, str) or not url:
            raise ProviderRejected(f"{self.wire.name} took {path.name} but gave no address for it")
        return MediaRef("https", url, role)

    def create(self, job: JobSpec) -> Call:
        options = {name: value for name, value in job.options.items() if name != "strength"}
        body = body_of(replace(job, options=options), self.model)
        field = str(self.model.payload.get("weighted", ""))
        for one in body.get(field, []):
            one["strength"] = job.options.get("strength", self.model.payload.get("strength", 0.5))
        return Call("POST", f"/generate/{self.model.model}", json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(reply.table.get("job_id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/jobs/{handle.poll_ref}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        state = STATES.get(str(reply.table.get("status")).lower(), State.UNKNOWN)
        result = reply.table.get("result")
        found = result if isinstance(result, dict) else {}
        if state is State.FAILED:
            message = str(found.get("error") or "")
            return Snapshot(state, failure=self.failed(message))
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        kind = MEDIA_TYPE.get(self.model.output.kinds[0], "application/octet-stream")
        outputs = tuple(
            Output(f"{number:02d}", MediaRef("https", url, "result"), said or kind)
            for number, (url, said) in enumerate(files_in(found.get("urls")))
        )
        if not outputs:
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "finished without a result")
            return Snapshot(State.FAILED, failure=failure)
        return Snapshot(state, 1.0, outputs=outputs)

    def failed(self, message: str) -> Failure:
        """A failed job costs nothing."""
        if any(word in message.lower() for word in ("moderat", "nsfw", "safety", "policy")):
            return self.failure(FailureKind.MODERATED, "did not allow this", message, billed=False)
        return self.failure(FailureKind.PROVIDER_INTERNAL, "could not finish this", message, billed=False)

    def stop(self, handle: Handle) -> Call:
        return Call("DELETE", f"/jobs/{handle.poll_ref}")

    def why(self, reply: Reply) -> Failure:
        """A model that was retired is 410; 429 without a time to wait is a lack of free slots."""
        if reply.table.get("error") == "model_unavailable":
            since = reply.headers.get("sunset", "")
            says = f"does not offer this model any more{f' since {since}' if since else ''}"
            return self.failure(FailureKind.UNSUPPORTED, says)
        if reply.status == 429 and reply.retry_after_s is None:
            return self.failure(
                FailureKind.CONCURRENCY, "has no free slot for another job", message_of(reply)
            )
        return super().why(reply)
