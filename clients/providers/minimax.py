# SPDX-License-Identifier: GPL-3.0-or-later
"""MiniMax: H3 over version 2 of the API, Hailuo over version 1, which says in the body what went wrong."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...pipeline.errors import ProviderBusy, ProviderRejected, Uncertain
from ..adapter import DATA_URI_MAX, data_uri, media_type, message_of
from ..calls import Call, Part, Reply, table_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..wire import LOST
from .content_tasks import ContentTasks, named

STATES = {
    "queued": State.QUEUED, "running": State.RUNNING, "succeeded": State.SUCCEEDED, "failed": State.FAILED,
    "cancelled": State.CANCELLED, "expired": State.EXPIRED,
}  # fmt: skip
STATES_V1 = {
    "Preparing": State.QUEUED, "Queueing": State.QUEUED, "Processing": State.RUNNING, "Success": State.SUCCEEDED,
    "Fail": State.FAILED,
}  # fmt: skip
CODES = {
    1000: (FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
    1002: (FailureKind.RATE_LIMITED, "asks to slow down"),
    1004: (FailureKind.AUTH, "did not accept the key"),
    1008: (FailureKind.QUOTA, "asks for payment or credits"),
    1026: (FailureKind.MODERATED, "refused the prompt or what was sent"),
    1027: (FailureKind.MODERATED, "refused the film it made"),
    2013: (FailureKind.INVALID_REQUEST, "refused a setting"),
    2049: (FailureKind.AUTH, "did not accept the key"),
    2056: (FailureKind.QUOTA, "says that the plan's quota is used up"),
}
OPTIONS = {"resolution": "resolution", "ratio": "ratio", "seconds": "duration"}


class MiniMax(ContentTasks):
    """H3."""

    def put(self, path: Path, role: str) -> MediaRef:
        """A small picture inside the request; all else to the service's files."""
        limit = self.model.inputs.get(role)
        small = path.stat().st_size < DATA_URI_MAX // 2
        if limit is not None and "data_uri" in limit.kinds and small:
            return MediaRef("data_uri", data_uri(path), role)
        if limit is None or "vendor_uri" not in limit.kinds:
            return super().put(path, role)
        kind = media_type(path)
        part = Part("file", f"{role}{path.suffix.lower()}", path, kind)
        form = {"purpose": str(self.settings.get("purpose", "video_generation"))}
        reply = self.wire.ask(Call("POST", "v1/files/upload", form=form, parts=(part,)))
        self.refuse(reply)
        file_id = table_of(reply.table.get("file")).get("file_id")
        if not file_id:
            raise ProviderBusy(f"{self.wire.name} took the file but gave it no id")
        return MediaRef("vendor_uri", f"mm_file://{file_id}", role)

    def refuse(self, reply: Reply) -> None:
        """Raises what the answer says if it says no, in its status or in its body."""
        if not reply.ok or _code_v1(reply):
            self.reject(reply)

    def create(self, job: JobSpec) -> Call:
        source = job.input("source_video")
        if source is not None and source.kind == "job_output":  # a film of its own again, larger
            body: dict[str, Any] = {
                "model": self.model.model,
                "source_task_id": source.value,
                "resolution": "2K",
            }
            return Call("POST", "v2/video_regeneration", json=body)
        if not job.prompt:
            raise ProviderRejected(f"{self.model.label} needs a prompt")
        body = {"model": self.model.model, "content": self.content(job), "aigc_watermark": False}
        return Call("POST", "v2/video_generation", json=body | named(job.options, OPTIONS))

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        if _code_v1(reply) and self.why(reply).kind is FailureKind.PROVIDER_INTERNAL:  # it may have begun
            raise Uncertain(self.why(reply).says, todo=LOST)
        self.refuse(reply)
        return self.handle(reply.table.get("task_id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"v2/query/video_generation/{handle.job_id}")

    def stop(self, handle: Handle) -> Call | None:
        return Call("DELETE", f"v2/video_generation/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        task = table_of(reply.table.get("task"))
        state = STATES.get(str(task.get("status")), State.UNKNOWN)
        raw = {"usage": task["usage"]} if task.get("usage") else {}
        if state is State.FAILED:
            error = table_of(task.get("error"))
            message = f"{error.get('message') or ''} ({error.get('code') or ''})"
            return Snapshot(state, failure=self._coded(_number(message), message, billed=False), raw=raw)
        if state is not State.SUCCEEDED:
            return Snapshot(state, raw=raw)
        return self.done(table_of(task.get("content")).get("url"), raw)

    def done(self, url: Any, raw: Mapping[str, Any]) -> Snapshot:
        """Succeeded, if there is a film."""
        if not url:
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done but gives no film")
            return Snapshot(State.FAILED, failure=failure, raw=raw)
        film = Output("00", MediaRef("https", str(url), "result"), "video/mp4")
        return Snapshot(State.SUCCEEDED, 1.0, outputs=(film,), raw=raw)

    def why(self, reply: Reply) -> Failure:
        """By the number in the body; version 2 writes it at the end of the message."""
        message = message_of(reply) or str(table_of(reply.table.get("base_resp")).get("status_msg") or "")
        number = _code_v1(reply) or _number(message)
        known = number in CODES or reply.ok
        return self._coded(number, message) if known else super().why(reply)

    def _coded(self, number: int, message: str, billed: bool | None = None) -> Failure:
        kind, says = CODES.get(number, (FailureKind.INVALID_REQUEST, "refused it"))
        return self.failure(kind, says, message, billed)


class Hailuo(MiniMax):
    """Version 1: HTTP 200 even when it says no, and a file id where a link should be."""

    def create(self, job: JobSpec) -> Call:
        body: dict[str, Any] = {"model": self.model.model, "prompt": job.prompt, "prompt_optimizer": False}
        for role, field in (("first", "first_frame_image"), ("last", "last_frame_image")):
            if (ref := job.input(role)) is not None:
                body[field] = ref.value
        return Call("POST", "v1/video_generation", json=body | named(job.options, OPTIONS))

    def status(self, handle: Handle) -> Call:
        return Call("GET", "v1/query/video_generation", params={"task_id": handle.job_id})

    def stop(self, handle: Handle) -> Call | None:
        return None

    def poll(self, handle: Handle) -> Snapshot:
        """When it is done, one more request turns the file's id into a link."""
        now = super().poll(handle)
        if now.state is not State.SUCCEEDED or "file_id" not in now.raw:
            return now
        reply = self.wire.ask(Call("GET", "v1/files/retrieve", params={"file_id": str(now.raw["file_id"])}))
        if not reply.ok or _code_v1(reply):
            failure = self.why(reply)
            if failure.kind in (FailureKind.NOT_FOUND, FailureKind.INVALID_REQUEST):
                return Snapshot(State.EXPIRED, failure=failure)
            raise ProviderBusy(failure.says)
        return self.done(table_of(reply.table.get("file")).get("download_url"), now.raw)

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        body = reply.table
        state = STATES_V1.get(str(body.get("status")), State.UNKNOWN)
        number = _code_v1(reply)
        raw = {"file_id": body["file_id"]} if body.get("file_id") else {}
        if number and state is not State.FAILED:
            return self._says_no(reply, handle)
        if state is State.FAILED:
            return Snapshot(state, failure=self.why(reply) if number else self._plain())
        if state is State.SUCCEEDED and not raw:
            return self.done(None, raw)
        return Snapshot(state, 1.0 if state is State.SUCCEEDED else None, raw=raw)

    def _plain(self) -> Failure:
        return self.failure(FailureKind.PROVIDER_INTERNAL, "could not make the film")

    def _says_no(self, reply: Reply, handle: Handle) -> Snapshot:
        """What a refusal in place of a state means. Raises ProviderBusy, ProviderRejected."""
        failure = self.why(reply)
        if failure.kind in (FailureKind.RATE_LIMITED, FailureKind.PROVIDER_INTERNAL):
            raise ProviderBusy(failure.says)
        if failure.kind is FailureKind.MODERATED:
            return Snapshot(State.FAILED, failure=failure)
        if failure.kind is FailureKind.INVALID_REQUEST:  # an id it does not know (any more)
            old = time.time() - handle.created_at > self.model.job.record_ttl_s > 0
            return Snapshot(State.EXPIRED if old else State.UNKNOWN, failure=failure)
        raise ProviderRejected(failure.says)


def _code_v1(reply: Reply) -> int:
    said = table_of(reply.table.get("base_resp")).get("status_code")
    return said if isinstance(said, int) else 0


def _number(message: str) -> int:
    """The last number in brackets."""
    found = re.findall(r"\((\d{4})\)", message)
    return int(found[-1]) if found else 0
