# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo, third version: a route per operation, answers in an envelope whose code is 0 or a failure, whatever the status."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...pipeline.errors import ProviderBusy, ProviderRejected, Refused
from ..adapter import GONE_AFTER_S, Adapter, media_type
from ..calls import Call, Part, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..credits import worth
from ..payload import body_of

STATES = {
    "queued": State.QUEUED, "running": State.RUNNING, "success": State.SUCCEEDED, "failed": State.FAILED,
    "cancelled": State.CANCELLED, "banned": State.FAILED, "expired": State.EXPIRED, "unknown": State.UNKNOWN,
}  # fmt: skip
VIEWS = ("view_front", "view_left", "view_back", "view_right")
IN_FORM = 50_000_000
"""Larger files go to an address that the service hands out."""
RESULTS = {
    "model_url": "model/gltf-binary",
    "depth_image_url": "image/png",
    "generated_image_url": "image/png",
}


class Tripo(Adapter):
    """Text, pictures and earlier tasks to meshes."""

    def put(self, path: Path, role: str) -> MediaRef:
        limit = self.model.inputs.get(role)
        if limit is None or "asset_id" not in limit.kinds:
            raise Refused(f"{self.model.label} can't be given a file for {role}", where=path.name)
        self.as_path(path, role, limit.max_bytes)
        token = self.small(path) if path.stat().st_size <= IN_FORM else self.large(path)
        return MediaRef("asset_id", token, role)

    def small(self, path: Path) -> str:
        """Uploads a file in a form."""
        part = Part("file", path.name, path, media_type(path))
        reply = self.wire.ask(Call("POST", "/v3/files", parts=(part,)))
        return str(self.opened(reply).get("file_token", ""))

    def large(self, path: Path) -> str:
        """Uploads a file to storage, which must not be shown our key."""
        asked = Call("POST", "/v3/files/presign", json={"format": path.suffix.lstrip(".").lower()})
        place = self.opened(self.wire.ask(asked))
        url = str(place.get("presigned_url") or place.get("upload_url") or "")
        kind = {"Content-Type": media_type(path)}
        if not self.wire.ask(Call("PUT", url, body=path, headers=kind, signed=False)).ok:
            raise ProviderBusy(f"{self.wire.name}'s storage did not take {path.name}")
        return str(place.get("file_token", ""))

    def opened(self, reply: Reply) -> Mapping[str, Any]:
        """What the envelope holds. Raises ProviderRejected or ProviderBusy if it holds a failure."""
        if not reply.ok or reply.table.get("code", 0) != 0 or reply.table.get("status") == "error":
            self.reject(reply)
        data = reply.table.get("data")
        return data if isinstance(data, dict) else {}

    def create(self, job: JobSpec) -> Call:
        rules, options = self.model.payload, dict(job.options)
        seeds = {name: options.pop(name) for name in ("image_seed", "texture_seed") if name in options}
        views = [job.input(role) for role in VIEWS] if "view_front" in self.model.inputs else []
        rest = tuple(ref for ref in job.inputs if ref.role not in VIEWS)
        body = body_of(replace(job, inputs=rest, options=options), self.model) | seeds
        if views:
            body["inputs"] = [ref.value if ref else None for ref in views]
        if body.get("compress") is not None:
            body["compress"] = "geometry"
        return Call("POST", str(rules["route"]), json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(self.opened(reply).get("task_id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/v3/tasks/{handle.poll_ref}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        if reply.table.get("code", 0) != 0:
            return self.lost(self.why(reply), handle)
        task = self.opened(reply)
        word = str(task.get("status")).lower()
        state, progress, ahead = (
            STATES.get(word, State.UNKNOWN),
            task.get("progress"),
            task.get("queuing_num"),
        )
        return Snapshot(
            state,
            min(1.0, max(0.0, progress / 100)) if isinstance(progress, int | float) else None,
            ahead if isinstance(ahead, int) and ahead >= 0 else None,
            outputs=tuple(outputs_of(task.get("output"))) if state is State.SUCCEEDED else (),
            failure=self.failed(word, task),
            cost_micros=worth(task.get("credits_consumed"), self.settings),
        )

    def lost(self, failure: Failure, handle: Handle) -> Snapshot:
        """A failure in the envelope of a poll says nothing of the job, but that it is not there."""
        if failure.kind is FailureKind.NOT_FOUND:
            late = time.time() - handle.created_at < GONE_AFTER_S
            return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)
        if failure.kind in (FailureKind.AUTH, FailureKind.QUOTA):
            raise ProviderRejected(failure.says)
        raise ProviderBusy(failure.says)

    def failed(self, word: str, task: Mapping[str, Any]) -> Failure | None:
        """Why a task ended without a result."""
        message, used = str(task.get("error_msg") or ""), task.get("credits_consumed")
        billed = bool(used) if isinstance(used, int | float) else None
        if word == "banned":
            return self.failure(FailureKind.MODERATED, "did not allow this", message, billed)
        if word == "failed":
            return self.failure(FailureKind.PROVIDER_INTERNAL, "could not finish this", message, billed)
        return None

    def why(self, reply: Reply) -> Failure:
        """The envelope's own words with what to do; which code means what is not documented, but for some in settings."""
        body = reply.table
        failure = super().why(reply)
        kind = failure.kind if reply.status >= 400 else FailureKind.INVALID_REQUEST
        for name in ("auth", "quota", "rate_limited", "concurrency", "moderated", "not_found_or_expired"):
            if body.get("code") in self.settings.get("codes", {}).get(name, ()):
                kind = FailureKind(name)
        if kind is failure.kind and not body.get("suggestion"):
            return failure
        message = f"{body.get('message', '')}. {body.get('suggestion') or ''}".strip(" .")
        return self.failure(kind, "said no" if reply.ok else f"said no ({reply.status})", message)


def outputs_of(output: Any) -> Iterator[Output]:
    """The files of a finished task, the model first."""
    found = output if isinstance(output, dict) else {}
    named = [(kind, found[key]) for key, kind in RESULTS.items() if isinstance(found.get(key), str)]
    for number, (kind, url) in enumerate((kind, url) for kind, url in named if url):
        yield Output(f"{number:02d}", MediaRef("https", url, "result"), kind)
